"""From where the face is to how much of it shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Image

STAIRS = 1.5  # pixels: deviation of the blur that takes the steps of pixels out of an edge
MASKS = ("faceset", "predicted", "both")


@dataclass(frozen=True)
class Shape:
    """How a mask is changed before it is used, in pixels; negative values grow it.

    Attributes:
        erode: How far the edge moves inwards all round.
        top: How far more at the top.
        bottom: How far more at the bottom.
        left: How far more on the left of the picture.
        right: How far more on the right of the picture.
        feather: Width of the fall-off inside the edge.
    """

    erode: float = 0.0
    top: float = 0.0
    bottom: float = 0.0
    left: float = 0.0
    right: float = 0.0
    feather: float = 0.0

    def scaled(self, factor: float) -> Shape:
        """The shape in units that are `factor` times as small."""
        return Shape(*(factor * value for value in vars(self).values()))


def combined(faceset: Image, predicted: Image, which: str) -> Image:
    """The mask to use: one of the two, or where both say face.

    Args:
        faceset: uint8 (height, width), above 127 where the face of the frame is.
        predicted: The same for the face that the network drew.
        which: One of `MASKS`.
    """
    return {"faceset": faceset, "predicted": predicted}.get(which, np.minimum(faceset, predicted))


def soften(mask: Image, shape: Shape) -> NDArray[np.float32]:
    """Shape a mask and let it fall off smoothly inwards of its edge.

    Args:
        mask: uint8 (height, width), above 127 on the face.
        shape: How, in pixels of the mask.

    Returns:
        float32 (height, width), 0 to 1; 0 along the border of the picture, so that a crop leaves no seam.
    """
    inside = (mask > 127).astype(np.uint8)
    for amount, side in ((shape.top, 0), (shape.bottom, 1), (shape.left, 2), (shape.right, 3)):
        inside = _pushed(inside, round(amount), side)
    depth = cv2.GaussianBlur(_distance(inside) - _distance(1 - inside), (0, 0), STAIRS)
    depth = np.minimum(depth - np.float32(shape.erode), _border_distance(*mask.shape))
    ramp = np.clip(depth / np.float32(max(shape.feather, 1e-6)), 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def _pushed(inside: Image, amount: int, side: int) -> Image:
    """The mask with its edge on one side (top, bottom, left, right) moved `amount` pixels inwards."""
    if not amount:
        return inside
    length = abs(amount) + 1
    kernel = np.ones((length, 1) if side < 2 else (1, length), np.uint8)
    last = (side in (0, 2)) == (amount > 0)  # the kernel looks back to that side, or ahead from it
    end = (0, length - 1) if side < 2 else (length - 1, 0)
    change = cv2.erode if amount > 0 else cv2.dilate
    anchor, border = end if last else (0, 0), cv2.BORDER_CONSTANT
    moved = change(inside, kernel, anchor=anchor, borderType=border, borderValue=0)
    return np.asarray(moved, np.uint8)


def _distance(inside: Image) -> NDArray[np.float32]:
    """Distance of each pixel inside to the nearest one outside, pixels; far where nothing is outside."""
    far = np.full(inside.shape, sum(inside.shape), np.float32)
    return far if inside.all() else cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)


@lru_cache(maxsize=8)
def _border_distance(height: int, width: int) -> NDArray[np.float32]:
    """Distance of each pixel to the nearest pixel of the border, pixels."""
    rows = np.minimum(np.arange(height), np.arange(height)[::-1])
    columns = np.minimum(np.arange(width), np.arange(width)[::-1])
    return np.minimum(rows[:, None], columns[None]).astype(np.float32)
