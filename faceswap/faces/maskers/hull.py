"""The convex hull of the points; the fastest, and blind to what lies over the face."""

from __future__ import annotations

from faceswap.faces.masks import hull
from faceswap.types import Image, Points


class HullMasker:
    """Takes all that lies between the points for face."""

    def mask(self, image: Image, landmarks: Points) -> Image:
        """The hull of the 68 points, raised over the brows: uint8 (size, size), 0 or 255."""
        return hull(landmarks, image.shape[0])
