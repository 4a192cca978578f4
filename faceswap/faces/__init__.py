"""Faces: where they are, how they lie, and the faceset that keeps them. Knows nothing of networks."""
