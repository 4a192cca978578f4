"""Where a pixel of a sample comes from: turn, zoom, shift, mirror, random crop, random warp."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from faceswap.networks.augmentation.jitter import Jitter
from faceswap.types import Image, Matrix

GRID = 5  # points along each side of the warp's grid


def place(
    image: Image, mask: Image, size: int, jitter: Jitter, draw: Generator
) -> tuple[Image, Image, Image]:
    """Cut a sample out of a picture.

    Args:
        image: BGR uint8 (side, side, 3).
        mask: uint8 (side, side); it moves with the target.
        size: Side of what comes out, pixels.
        jitter: How strongly.
        draw: Where chance comes from.

    Returns:
        Warped and unwarped crop, BGR uint8 (size, size, 3), and the mask of the latter, uint8 (size, size).
    """
    matrix = _jitter_matrix(image.shape[0], size, jitter, draw)
    target, target_mask = (
        np.asarray(cv2.warpAffine(picture, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE), np.uint8)
        for picture in (image, mask)
    )
    if jitter.warp <= 0:
        return target, target, target_mask
    return _warped(image, matrix, size, jitter, draw), target, target_mask


def _jitter_matrix(side: int, size: int, jitter: Jitter, draw: Generator) -> Matrix:
    """From the picture's pixels to the sample's, float64 (2, 3)."""
    angle = draw.uniform(-jitter.rotation, jitter.rotation)
    scale = 1 + draw.uniform(-jitter.zoom, jitter.zoom)
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), angle, scale)
    matrix[:, 2] += draw.uniform(-jitter.shift, jitter.shift, 2) * size - (side - size) / 2
    if draw.random() < jitter.flip:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size - 1
    kept = 1 - draw.uniform(0, jitter.random_crop)
    corner = draw.uniform(0, 1, 2) * size * (1 - kept)
    matrix[:, 2] = (matrix[:, 2] - corner + 0.5) / kept - 0.5  # pixel centres lie at whole numbers
    matrix[:, :2] /= kept
    return np.asarray(matrix)


def _warped(image: Image, matrix: Matrix, size: int, jitter: Jitter, draw: Generator) -> Image:
    """The crop with its parts pushed about; both maps are one, so that pixels are interpolated once."""
    grid = draw.normal(0, jitter.warp * size, (2, GRID, GRID)).astype(np.float32)
    inverse = cv2.invertAffineTransform(matrix).astype(np.float32)
    enlarge, line = _enlarging(size), np.arange(size, dtype=np.float32)
    push = enlarge @ np.tensordot(inverse[:, :2], grid, 1) @ enlarge.T
    map_x, map_y = (
        moved + across * line + (down * line + shift)[:, None]
        for moved, (across, down, shift) in zip(push, inverse, strict=True)
    )
    warped = cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


@cache
def _enlarging(size: int) -> NDArray[np.float32]:
    """What a column of the grid is multiplied by to have `size` pixels along cubic curves: (size, GRID).

    OpenCV's `resize` takes ten times as long for so small a picture.
    """
    columns = cv2.resize(np.eye(GRID, dtype=np.float32), (GRID, size), interpolation=cv2.INTER_CUBIC)
    return np.asarray(columns, np.float32)
