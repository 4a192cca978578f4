"""From where the face is to how much of it shows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Image


def soften(mask: Image, erode: float, feather: float) -> NDArray[np.float32]:
    """Shrink a mask and let it fall off smoothly inwards of its edge.

    Args:
        mask: uint8 (height, width), above 127 on the face.
        erode: How far the edge moves inwards, pixels; negative moves it outwards.
        feather: Width of the fall-off inside that edge, pixels.

    Returns:
        float32 (height, width), 0 to 1; 0 along the border of the picture, so that a crop leaves no seam.
    """
    inside = (mask > 127).astype(np.uint8)
    depth = _distance(inside) - _distance(1 - inside)
    depth = np.minimum(depth - erode, _border_distance(*mask.shape))
    ramp = np.clip(depth / max(feather, 1e-6), 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def _distance(inside: Image) -> NDArray[np.float32]:
    """Distance of each pixel inside to the nearest one outside, pixels; far where nothing is outside."""
    far = np.full(inside.shape, sum(inside.shape), np.float32)
    return far if inside.all() else cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _border_distance(height: int, width: int) -> NDArray[np.float32]:
    """Distance of each pixel to the nearest pixel of the border, pixels."""
    rows = np.minimum(np.arange(height), np.arange(height)[::-1])
    columns = np.minimum(np.arange(width), np.arange(width)[::-1])
    return np.minimum(rows[:, None], columns[None]).astype(np.float32)
