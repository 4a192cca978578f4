"""Reading clips and pictures, putting patches into them, writing and joining clips."""
