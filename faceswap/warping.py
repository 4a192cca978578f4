"""Resampling a part of a picture into a small square."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_REACH = 3  # pixels that the cubic kernel looks past the square


def warp(
    plane: NDArray[Any], matrix: NDArray[np.float64], size: int, growing: int = cv2.INTER_CUBIC
) -> NDArray[Any]:
    """The square of `size` pixels into which `matrix` maps a part of a plane.

    Only the part is touched. Shrinking an axis by two or more first averages whole pixels (area), so that
    fine detail does not alias. What lies past the plane's border repeats the border.

    Args:
        plane: uint8 or uint16, (height, width) or (height, width, samples).
        matrix: (2, 3), from the plane's pixels to the square's.
        size: Side of the square, pixels.
        growing: OpenCV's interpolation where it does not shrink so much.

    Returns:
        The same type, (size, size) or (size, size, samples).
    """
    low, high = -0.5, size - 0.5
    square = np.array([[low, low, 1], [high, low, 1], [high, high, 1], [low, high, 1]])
    corners = square @ cv2.invertAffineTransform(matrix).T
    height, width = plane.shape[:2]
    x0, y0 = np.clip(np.floor(corners.min(0)).astype(int) - _REACH, 0, [width - 1, height - 1]).tolist()
    edge = np.ceil(corners.max(0)).astype(int) + _REACH + 1
    x1, y1 = np.clip(edge, [x0 + 1, y0 + 1], [width, height]).tolist()
    part, matrix = plane[y0:y1, x0:x1], matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ [x0, y0]
    scales = np.maximum(np.linalg.norm(matrix[:, :2], axis=0), 1e-6)
    factors = np.clip((1 / scales).astype(int), 1, part.shape[1::-1])
    if factors.max() > 1:
        columns, rows = np.array(part.shape[1::-1]) // factors
        part = part[: rows * factors[1], : columns * factors[0]]
        part = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
        matrix[:, 2] += matrix[:, :2] @ ((factors - 1) / 2)
        matrix[:, :2] *= factors
    return np.asarray(
        cv2.warpAffine(part, matrix, (size, size), flags=growing, borderMode=cv2.BORDER_REPLICATE)
    )


def scale_of(matrix: NDArray[np.float64]) -> float:
    """How many times as long a (2, 3) matrix makes lengths; where that depends on their way, a mean."""
    (a, b), (c, d) = matrix[:, :2].tolist()
    return float(np.sqrt(abs(a * d - b * c)))


def shrink(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """A picture at `scale`, 0 to 1, of its size.

    It is halved by averaging while it can be, which is five times as fast as one average over odd areas, and
    the rest is interpolated.
    """
    height, width = (max(round(side * scale), 1) for side in image.shape[:2])
    while image.shape[0] >= 2 * height and image.shape[1] >= 2 * width:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        even = image[: half[1] * 2, : half[0] * 2]
        image = np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
