"""What says which pixels of a crop are face."""

from __future__ import annotations

from typing import Protocol

from faceswap.types import Image, Points


class Masker(Protocol):
    """What finds the face's pixels in an aligned crop."""

    def mask(self, image: Image, landmarks: Points) -> Image:
        """Where the face is.

        Args:
            image: The crop, BGR uint8 (size, size, 3).
            landmarks: float32 (68, 2), pixels of the crop.

        Returns:
            uint8 (size, size), 255 on the face and 0 off it.
        """
        ...
