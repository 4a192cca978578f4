"""A picture, or a part of it, turned: so that a face that leans is upright."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np

from faceswap.types import Box, Floats, Grey, Image, Matrix, Picture, Points


class Turned:
    """A turned `Picture` of another one, made of it only where and as it is asked for.

    Attributes:
        width: Columns.
        height: Rows.
    """

    def __init__(self, picture: Picture, matrix: Matrix, width: int, height: int) -> None:
        """Show `picture` through `matrix` (2, 3), a similarity transform from its pixels to these."""
        self._picture, self._matrix = picture, matrix
        self.width, self.height = width, height

    @cached_property
    def _grey(self) -> Grey:
        size = (self.width, self.height)
        return np.asarray(cv2.warpAffine(self._picture.grey(), self._matrix, size), np.uint8)

    def grey(self) -> Grey:
        """Brightness, uint8 (height, width), black past the picture's border."""
        return self._grey

    def region(self, left: int, top: int, right: int, bottom: int) -> Image:
        """BGR uint8 of a rectangle."""
        shift = np.array([[1.0, 0, -left], [0, 1, -top]])
        square = self.warp(shift, max(right - left, bottom - top))
        return square[: bottom - top, : right - left]

    def warp(self, matrix: Matrix, size: int) -> Image:
        """The square into which `matrix` maps a part of this picture, BGR uint8 (size, size, 3)."""
        return self._picture.warp(matrix @ np.vstack([self._matrix, [0, 0, 1]]), size)

    def warp_grey(self, matrix: Matrix, size: int) -> Floats:
        """The brightness of that square, float32 (size, size)."""
        return self._picture.warp_grey(matrix @ np.vstack([self._matrix, [0, 0, 1]]), size)

    def back(self, points: Points) -> Points:
        """Points (N, 2) of this picture as pixels of the one it was made of."""
        inverse = cv2.invertAffineTransform(self._matrix)
        return np.asarray(points @ inverse[:, :2].T + inverse[:, 2], np.float32)

    def there(self, box: Box) -> Box:
        """The upright box of the size and about the place that a box of this picture has in the other."""
        middle = [(box.left + box.right - 1) / 2, (box.top + box.bottom - 1) / 2]
        x, y = self.back(np.array([middle], np.float32))[0]
        scale = float(np.hypot(*self._matrix[0, :2]))
        across, down = box.width / scale / 2, box.height / scale / 2
        x, y = float(x) + 0.5, float(y) + 0.5
        return Box(x - across, y - down, x + across, y + down)


def around(picture: Picture, box: Box, angle: float, reach: float, most: int) -> tuple[Turned, Box]:
    """What lies around a box, turned upright.

    Args:
        picture: The picture.
        box: Where in it.
        angle: Radians that things lean there, clockwise.
        reach: Side of the square shown, in sides of the box.
        most: Its side in pixels at most.

    Returns:
        The square, and the box within it.
    """
    scale = min(1.0, most / (reach * box.width))
    size = max(round(reach * box.width * scale), 1)
    matrix = _turn(angle, scale, [(box.left + box.right - 1) / 2, (box.top + box.bottom - 1) / 2])
    matrix[:, 2] += (size - 1) / 2
    half, middle = box.width * scale / 2, size / 2
    inner = Box(middle - half, middle - half, middle + half, middle + half)
    return Turned(picture, matrix, size, size), inner


def whole(picture: Picture, angle: float) -> Turned:
    """A whole picture turned anticlockwise by `angle`, on a canvas that holds it."""
    c, s = abs(np.cos(angle)), abs(np.sin(angle))
    width = int(np.ceil(c * picture.width + s * picture.height))
    height = int(np.ceil(s * picture.width + c * picture.height))
    matrix = _turn(angle, 1.0, [(picture.width - 1) / 2, (picture.height - 1) / 2])
    matrix[:, 2] += [(width - 1) / 2, (height - 1) / 2]
    return Turned(picture, matrix, width, height)


def _turn(angle: float, scale: float, centre: list[float]) -> Matrix:
    """The transform (2, 3) that turns anticlockwise as seen and brings `centre` to (0, 0)."""
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[c, s], [-s, c]])
    return np.column_stack([turn, -turn @ centre])
