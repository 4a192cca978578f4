"""How `evaluate` gets from two clips to figures: who is in them, what a frame shows, both side by side."""
