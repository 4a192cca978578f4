"""Whether one sees where the swapped face ends."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.quality.fidelity import Mask
from faceswap.types import Image

REACH = 0.009  # from the edge to where its two sides are compared, shares of the crop's side
INWARD = (1, 2, 4)  # the inner side is looked at so many times as deep; a drawn brow is less thick
AROUND = 0.03  # the edge is looked for so far from the mask's, shares of the crop's side
BANDS = 7  # places it is looked for at
CALM = 0.003  # blur that keeps grain out: standard deviation as a share of the crop's side


def seam(original: Image, swapped: Image, mask: Image) -> float | None:
    """The step that a swap adds along the edge of the face.

    The difference of the two pictures is nothing off the face. Where it sets in within a few pixels and
    stays there is a seam; where it grows over a wide strip, or is over again behind a line such as a brow of
    another shape, there is none. It is compared on both sides of the mask's edge, and of edges a little
    within and without, and the worst of these is given.

    Args:
        original: BGR uint8 (size, size, 3), a crop around the face.
        swapped: The same crop of the swapped frame.
        mask: uint8 (size, size), above 127 on the face.

    Returns:
        Grey levels, 0 to 255; the mean over the edge and the channels. None without an edge in the crop.
    """
    size = mask.shape[0]
    change = cv2.GaussianBlur(swapped.astype(np.float32) - original.astype(np.float32), (0, 0), CALM * size)
    inside = (mask > 127).astype(np.uint8)
    if inside.all() or not inside.any():
        return None
    depth = _distance(inside) - _distance(1 - inside)
    smooth = cv2.GaussianBlur(depth, (0, 0), 2)
    across = np.stack([cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)], -1)
    across *= REACH * size / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    steps = [
        _step(change, across, np.abs(depth - shift) < 1)
        for shift in np.linspace(-AROUND * size, AROUND * size, BANDS)
    ]
    return max((step for step in steps if step is not None), default=None)


def _step(change: NDArray[np.float32], across: NDArray[np.float32], edge: Mask) -> float | None:
    """The mean of how much more the inner side is changed, however deep one looks, than the outer."""
    rows, columns = np.nonzero(edge)
    if not len(rows):
        return None
    here = np.stack([columns, rows], -1).astype(np.float32)
    outer, *inner = (
        cv2.remap(change, (here + depth * across[rows, columns])[:, None], None, cv2.INTER_LINEAR)
        for depth in (-1, *INWARD)
    )
    brighter = np.min(inner, axis=0) - np.maximum(outer, 0)
    darker = np.minimum(outer, 0) - np.max(inner, axis=0)
    return float(np.maximum(np.maximum(brighter, darker), 0).mean())


def _distance(inside: Image) -> NDArray[np.float32]:
    """How far each pixel that is 1 lies from the edge between it and the zeros, pixels; 0 for the zeros."""
    away = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.maximum(away - 0.5, 0), np.float32)
