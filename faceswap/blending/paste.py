"""Putting an aligned face back into its frame, touching only the region it covers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.blending import blend as blends
from faceswap.types import Alignment, Image, Layer, Matrix, Patch, Picture

SEEN = 0.5 / 255  # opacity below which a pixel cannot change

Opacity = NDArray[np.float32]
Blend = Callable[[Image, Image, Opacity], Image]


@dataclass(frozen=True)
class Place:
    """The rectangle of a frame that an aligned face covers.

    Attributes:
        left: Its first column.
        top: Its first row.
        width: Columns.
        height: Rows.
        matrix: float64 (2, 3), from pixels of the crop to those of the rectangle.
    """

    left: int
    top: int
    width: int
    height: int
    matrix: Matrix

    def put(self, crop: NDArray[np.generic], way: int = cv2.INTER_LINEAR) -> NDArray[np.generic]:
        """What is in the crop as it lies in the rectangle; past it faces repeat their border, masks are 0."""
        border = cv2.BORDER_REPLICATE if crop.ndim == 3 else cv2.BORDER_CONSTANT
        size = (self.width, self.height)
        return np.asarray(cv2.warpAffine(crop, self.matrix, size, flags=way, borderMode=border))


def place(frame: Picture, opacity: Opacity, alignment: Alignment) -> Place | None:
    """Where a face of some opacity, float32 (size, size), lies in the frame; None if it is outside."""
    inverse = cv2.invertAffineTransform(alignment.matrix)
    seen = (opacity >= SEEN).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(seen)
    if not width:
        return None
    x0, x1, y0, y1 = x - 1, x + width, y - 1, y + height
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)
    corners = corners @ inverse[:, :2].T + inverse[:, 2]
    limits = [frame.width, frame.height]
    left, top = np.clip(np.floor(corners.min(0)).astype(int), 0, limits).tolist()
    right, bottom = np.clip(np.ceil(corners.max(0)).astype(int) + 1, 0, limits).tolist()
    if left >= right or top >= bottom:
        return None
    inverse[:, 2] -= [left, top]
    return Place(left, top, right - left, bottom - top, inverse)


def paste(
    frame: Picture,
    face: Image,
    opacity: Opacity,
    alignment: Alignment,
    blend: Blend = blends.alpha,
    finish: Callable[[Image, Image, Opacity, Place], Image] | None = None,
) -> Patch | None:
    """Blend a face into the region of the frame that it covers.

    Args:
        frame: The frame; it is not changed, and only that region of it is converted.
        face: BGR uint8 (size, size, 3), as `alignment` cuts it.
        opacity: float32 (size, size), 0 to 1.
        alignment: How the face lies in the frame.
        blend: One of `blend`.
        finish: What is done to the face before it is blended; it gets the face as it lies in the region, the
            region, the opacity there, and the place.

    Returns:
        The region with the face in it, or None where it lies outside the frame.
    """
    spot = place(frame, opacity, alignment)
    if spot is None:
        return None
    placed = np.asarray(spot.put(face, cv2.INTER_CUBIC), np.uint8)
    cover = np.asarray(spot.put(opacity), np.float32)
    region = frame.region(spot.left, spot.top, spot.left + spot.width, spot.top + spot.height)
    region = np.ascontiguousarray(region)
    if finish is not None:
        placed = finish(placed, region, cover, spot)
    corner = np.array([[0, 0, spot.left], [0, 0, spot.top]])
    layer = Layer(placed, cover, spot.matrix + corner)
    return Patch(spot.left, spot.top, blend(region, placed, cover), cover >= SEEN, layer)


def enlarge(face: NDArray[np.generic], size: int) -> Image:
    """A square picture at another size: uint8 (size, size) or (size, size, channels).

    Float pictures, 0 to 1, are enlarged before they are rounded; masks need no more than cubic curves.
    """
    finest = cv2.INTER_LANCZOS4 if face.ndim == 3 else cv2.INTER_CUBIC
    way = cv2.INTER_AREA if face.shape[0] > size else finest
    sized = cv2.resize(face, (size, size), interpolation=way)
    if sized.dtype != np.uint8:
        sized = cv2.convertScaleAbs(np.maximum(sized, 0), alpha=255)
    return np.asarray(sized, np.uint8)
