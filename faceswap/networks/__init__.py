"""Networks, the step that trains them, and the checkpoints that keep them. Knows nothing of video."""
