"""Where the face is within a crop."""

from __future__ import annotations

import cv2
import numpy as np

from faceswap.types import Image, Points

_SHIFT = 4  # OpenCV draws with 4 bits of sub-pixel precision


def hull(landmarks: Points, size: int, brow: float = 0.25) -> Image:
    """The convex hull of 68 points, raised over the brows.

    Args:
        landmarks: float32 (68, 2), pixels of the crop.
        size: Side of the crop, pixels.
        brow: How far the brows are raised, as a share of the distance from the eyes to the mouth.

    Returns:
        uint8 (size, size), 255 inside and 0 outside.
    """
    eyes, mouth = landmarks[36:48].mean(0), landmarks[48:68].mean(0)
    raised = landmarks[17:27] + brow * (eyes - mouth)
    outline = cv2.convexHull(np.concatenate([landmarks, raised]).astype(np.float32))
    mask = np.zeros((size, size), np.uint8)
    fixed = np.round(outline * (1 << _SHIFT)).astype(np.int32)
    return np.asarray(cv2.fillConvexPoly(mask, fixed, 255, lineType=cv2.LINE_8, shift=_SHIFT), np.uint8)
