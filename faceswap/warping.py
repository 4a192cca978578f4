"""Resampling a part of a picture into a small square."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_REACH = 3  # pixels that the cubic kernel looks past the square
_ENOUGH = 1.2  # times that a halved picture still shrinks, from which two samples nearest are enough


def warp(
    plane: NDArray[Any], matrix: NDArray[np.float64], size: int, growing: int = cv2.INTER_CUBIC
) -> NDArray[Any]:
    """The square of `size` pixels into which `matrix` maps a part of a plane.

    Only the part is touched. Before an axis shrinks by two or more it is halved by averaging (area) as often
    as it can be, so that fine detail does not alias. If it still shrinks by 1.2, it is interpolated linearly:
    against an average over exact areas that is 2 to 4 dB nearer than an average by whole pixels and the cubic
    kernel, and takes half as long. What lies past the plane's border repeats the border.

    Args:
        plane: uint8 or uint16, (height, width) or (height, width, samples).
        matrix: (2, 3), from the plane's pixels to the square's.
        size: Side of the square, pixels.
        growing: OpenCV's interpolation where it does not shrink so much.

    Returns:
        The same type, (size, size) or (size, size, samples).
    """
    height, width = plane.shape[:2]
    (left, right), (top, bottom) = (_reached(row, size) for row in cv2.invertAffineTransform(matrix).tolist())
    x0, y0 = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    x1, y1 = min(max(right, x0 + 1), width), min(max(bottom, y0 + 1), height)
    part, matrix = plane[y0:y1, x0:x1], matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ [x0, y0]
    step = 1 / np.maximum(np.linalg.norm(matrix[:, :2], axis=0), 1e-6)  # pixels of the part, width and height
    part, factors = _halved(part, step)
    matrix[:, 2] += matrix[:, :2] @ ((factors - 1) / 2)
    matrix[:, :2] *= factors
    enough = factors.max() > 1 and (step / factors).min() >= _ENOUGH
    flags = cv2.INTER_LINEAR if enough else growing
    inside = (x0, y0, x1, y1) == (left, top, right, bottom) and factors.max() <= 2
    border = cv2.BORDER_CONSTANT if inside else cv2.BORDER_REPLICATE  # not met inside, and quicker to have
    return np.asarray(cv2.warpAffine(part, matrix, (size, size), flags=flags, borderMode=border))


def _reached(row: list[float], size: int) -> tuple[int, int]:
    """From where to where the pixels of a square come to lie by a row of a matrix, and `_REACH` beyond."""
    a, b, move = row
    ends = [a * u + b * v + move for u in (-0.5, size - 0.5) for v in (-0.5, size - 0.5)]
    return math.floor(min(ends)) - _REACH, math.ceil(max(ends)) + _REACH + 1


def scale_of(matrix: NDArray[np.float64]) -> float:
    """How many times as long a (2, 3) matrix makes lengths; where that depends on their way, a mean."""
    (a, b), (c, d) = matrix[:, :2].tolist()
    return float(np.sqrt(abs(a * d - b * c)))


def shrink(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """A picture at `scale`, 0 to 1, of its size.

    It is halved by averaging while it can be, and the rest is interpolated.
    """
    height, width = (max(round(side * scale), 1) for side in image.shape[:2])
    image, _ = _halved(image, np.divide(image.shape[1::-1], (width, height)))
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _halved(part: NDArray[Any], most: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """A picture halved as often as that shrinks it by at most `most`: eight times as fast as odd averages.

    Returns:
        The picture, and how many times smaller its width and height are.
    """
    times = np.log2(np.clip(most, 1, part.shape[1::-1])).astype(int)
    for done in range(times.max()):
        across, down = (1 + (times > done)).tolist()
        rows, columns = part.shape[0] // down, part.shape[1] // across
        even = part[: rows * down, : columns * across]
        part = cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA)
    return part, 2**times
