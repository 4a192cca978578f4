"""Putting an aligned face back into its frame, touching only the region it covers."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Alignment, Image, Patch, Picture

SEEN = 0.5 / 255  # opacity below which a pixel cannot change


def paste(frame: Picture, face: Image, opacity: NDArray[np.float32], alignment: Alignment) -> Patch | None:
    """Blend a face into the region of the frame that it covers.

    Args:
        frame: The frame; it is not changed, and only that region of it is converted.
        face: BGR uint8 (size, size, 3), as `alignment` cuts it.
        opacity: float32 (size, size), 0 to 1.
        alignment: How the face lies in the frame.

    Returns:
        The region with the face in it, or None where it lies outside the frame.
    """
    inverse = cv2.invertAffineTransform(alignment.matrix)
    rows, columns = np.nonzero(opacity >= SEEN)
    if not len(rows):
        return None
    x0, x1, y0, y1 = columns.min() - 1, columns.max() + 1, rows.min() - 1, rows.max() + 1
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)
    corners = corners @ inverse[:, :2].T + inverse[:, 2]
    limits = [frame.width, frame.height]
    left, top = np.clip(np.floor(corners.min(0)).astype(int), 0, limits).tolist()
    right, bottom = np.clip(np.ceil(corners.max(0)).astype(int) + 1, 0, limits).tolist()
    if left >= right or top >= bottom:
        return None
    inverse[:, 2] -= [left, top]
    size = (right - left, bottom - top)
    placed = cv2.warpAffine(face, inverse, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(opacity, inverse, size, flags=cv2.INTER_LINEAR)
    region = frame.region(left, top, right, bottom)
    mixed = region + alpha[..., None] * (placed.astype(np.float32) - region)
    return Patch(left, top, np.rint(mixed).astype(np.uint8), alpha >= SEEN)


def enlarge(face: Image, size: int) -> Image:
    """A square picture at another size, uint8 (size, size) or (size, size, channels)."""
    way = cv2.INTER_AREA if face.shape[0] > size else cv2.INTER_LANCZOS4
    return np.asarray(cv2.resize(face, (size, size), interpolation=way), np.uint8)
