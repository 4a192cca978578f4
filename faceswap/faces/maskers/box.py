"""The rectangle around the points; what lies beside the chin is taken along."""

from __future__ import annotations

import numpy as np

from faceswap.types import Image, Points


class BoxMasker:
    """Takes all that lies in the points' bounding box for face."""

    def mask(self, image: Image, landmarks: Points) -> Image:
        """The upright rectangle that holds the 68 points: uint8 (size, size), 0 or 255."""
        size = image.shape[0]
        left, top = np.clip(np.floor(landmarks.min(0)), 0, size).astype(int)
        right, bottom = np.clip(np.ceil(landmarks.max(0)) + 1, 0, size).astype(int)
        mask = np.zeros((size, size), np.uint8)
        mask[top:bottom, left:right] = 255
        return mask
