"""Laying a picture over a part of a plane of samples, turned and scaled, as far as it is opaque.

Mixing by opacity is the same in any colours that are linear in each other, so a face is laid on each plane
of a decoded frame by itself, and no part of the frame is ever converted. What is smooth is computed for half
as many rows and columns, and OpenCV's `resize`, ten times as fast as its `warpAffine`, does the part of the
way that is no turn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.warping import scale_of

SEEN = 0.5 / 255  # opacity below which a pixel cannot change
LARGE = 2.5  # times its size from which a picture is as good at half of that, and then doubled
EDGE = 4  # pixels past a picture's edge that its mask, halved and doubled, may show
SHARPER = np.float32(1.4 * np.pad([[1]], 1) - 0.4 / 9)  # gives a picture back what its linear doubling blurs
GREY = np.array([0.114, 0.587, 0.299], np.float32)  # of BGR, ITU-R BT.601

Floats = NDArray[np.float32]
Plane = NDArray[Any]
Rectangle = tuple[int, int, int, int]


@dataclass(frozen=True)
class Place:
    """The rectangle of a plane that a picture covers.

    Attributes:
        left: Its first column.
        top: Its first row.
        width: Columns.
        height: Rows.
        matrix: float64 (2, 3), a similarity transform from pixels of the picture to those of the rectangle.
    """

    left: int
    top: int
    width: int
    height: int
    matrix: NDArray[np.float64]

    @classmethod
    def of(cls, seen: Rectangle, matrix: NDArray[np.float64], width: int, height: int) -> Self | None:
        """Where the part that is seen of a picture lies.

        Args:
            seen: That part, as `seen` has it.
            matrix: From pixels of the picture to those of the plane.
            width: Of the plane, pixels.
            height: Of the plane, pixels.

        Returns:
            None where nothing of it lies within the plane.
        """
        x, y, columns, rows = seen
        if not columns:
            return None
        (a, b, right), (c, d, down) = matrix.tolist()
        corners = [(u, v) for u in (x - 0.5, x + columns - 0.5) for v in (y - 0.5, y + rows - 0.5)]
        across = [a * u + b * v + right for u, v in corners]
        along = [c * u + d * v + down for u, v in corners]
        left, top = (max(math.floor(min(values) + 0.5), 0) for values in (across, along))
        right, bottom = (
            min(math.ceil(max(values) - 0.5) + 1, limit)
            for values, limit in ((across, width), (along, height))
        )
        if left >= right or top >= bottom:
            return None
        return cls(left, top, right - left, bottom - top, shifted(matrix, -left, -top))

    @cached_property
    def scale(self) -> float:
        """Pixels of the plane that a pixel of the picture is wide."""
        return scale_of(self.matrix)

    @property
    def area(self) -> tuple[slice, slice]:
        """The rectangle as an index."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def put(
        self, picture: Plane, border: int = cv2.BORDER_REPLICATE, growing: int = cv2.INTER_CUBIC
    ) -> Plane:
        """A picture as it lies in the rectangle; past its edge it is repeated, or as `border` has it.

        Where it shrinks by two or more, whole pixels are averaged, so that fine detail does not alias; where
        it does not, it is enlarged along cubic curves first, and if it is to be `LARGE` once more in the end:
        that is as near to a Lanczos kernel as a turn at full size, in two thirds of the time. One that lies
        pixel on pixel is copied.

        Args:
            picture: (rows, columns) or (rows, columns, samples).
            border: What is past its edge, one of OpenCV's borders.
            growing: How it is enlarged, cubic or linear, one of OpenCV's interpolations.
        """
        if exact(self.matrix):
            return self._copied(picture, border)
        if self.large:
            return self.doubled(self.halved.put(picture, border, growing), growing)
        across, down = (int(1 / scale + 1e-6) for scale in np.hypot(*self.matrix[:, :2]))
        if across >= 2 or down >= 2:
            across, down = max(across, 1), max(down, 1)
            small = replace(self, matrix=_before(self.matrix, across, down))
            return small._put(averaged(picture, across, down), border)
        if growing == cv2.INTER_LINEAR:
            return self._put(picture, border)
        rows, columns = picture.shape[:2]
        double = cv2.resize(picture, (2 * columns, 2 * rows), interpolation=growing)
        return replace(self, matrix=_before(self.matrix, 0.5, 0.5))._put(double, border)

    def put_masked(self, picture: Plane, growing: int = cv2.INTER_CUBIC) -> Plane:
        """The same under a mask that shows nothing past the picture, which is black there: it is quicker."""
        if self.scale < 1:
            return self.put(picture, growing=growing)
        edge = cv2.copyMakeBorder(picture, EDGE, EDGE, EDGE, EDGE, cv2.BORDER_REPLICATE)
        matrix = shifted(self.matrix, *(self.matrix[:, :2] @ [-EDGE, -EDGE]).tolist())
        return replace(self, matrix=matrix).put(edge, cv2.BORDER_CONSTANT, growing)

    def smooth(self, mask: Floats) -> Floats:
        """A mask without fine lines as it lies in the rectangle, 0 past its edge: float32 (height, width)."""
        if exact(self.matrix) or self.scale < 1:
            return np.asarray(self.put(mask, cv2.BORDER_CONSTANT), np.float32)
        return np.asarray(self.doubled(self.halved.turned(mask), cv2.INTER_LINEAR), np.float32)

    def turned(self, mask: Floats) -> Floats:
        """The same of a mask that has no line as fine as a pixel of the rectangle."""
        size = (self.width, self.height)
        return np.asarray(cv2.warpAffine(mask, self.matrix, size, flags=cv2.INTER_LINEAR), np.float32)

    @property
    def large(self) -> bool:
        """Whether a picture is enlarged so much that it is as good at half of that."""
        return self.scale >= LARGE

    @cached_property
    def halved(self) -> Self:
        """The same rectangle in half as many columns and rows, one more where they are odd.

        If it begins at an even column and row, it is that of a plane which is halved as well.
        """
        matrix = shifted(self.matrix, -0.5, -0.5) / 2
        columns, rows = -(-self.width // 2), -(-self.height // 2)
        return type(self)(self.left // 2, self.top // 2, columns, rows, matrix)

    def grown(self, step: int, width: int, height: int) -> Self:
        """The rectangle from a multiple of `step` to one, as far as a plane of such a size reaches."""
        left, top = self.left // step * step, self.top // step * step
        right = min(-(-(self.left + self.width) // step) * step, width)
        bottom = min(-(-(self.top + self.height) // step) * step, height)
        matrix = shifted(self.matrix, self.left - left, self.top - top)
        return type(self)(left, top, right - left, bottom - top, matrix)

    def doubled(self, half: Plane, way: int) -> Plane:
        """A picture of `halved` as one of this, by one of OpenCV's interpolations."""
        whole = cv2.resize(half, (2 * half.shape[1], 2 * half.shape[0]), interpolation=way)
        return np.asarray(whole[: self.height, : self.width])

    def _put(self, picture: Plane, border: int) -> Plane:
        if exact(self.matrix):
            return self._copied(picture, border)
        size = (self.width, self.height)
        turned = cv2.warpAffine(picture, self.matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
        return np.asarray(turned)

    def _copied(self, picture: Plane, border: int) -> Plane:
        x, y = (-np.rint(self.matrix[:, 2])).astype(int)
        rows, columns = picture.shape[:2]
        before = max(-y, 0), max(y + self.height - rows, 0), max(-x, 0), max(x + self.width - columns, 0)
        inner = picture[max(y, 0) : y + self.height, max(x, 0) : x + self.width]
        return np.asarray(cv2.copyMakeBorder(inner, *before, border))


class Texture(NamedTuple):
    """The grain of a face that has none of its own.

    Attributes:
        values: float32 (height, width), what lies under the face.
        bare: float32, for half as many rows and columns: the same without its grain.
        kept: float32, 0 to 1, of the same size: how much of that grain shows through.
        drawn: float32 (height, width), drawn grain of a deviation of 1.
        deviation: Of the grain that lies under the face.
        share: How much of both kinds there is together, 0 to 1; where none is kept, all of it is drawn.
    """

    values: Floats
    bare: Floats
    kept: Floats
    drawn: Floats
    deviation: float
    share: float


class Finish(Protocol):
    """What is done to a face when it lies in its frame, where alone the frame's finest texture is seen."""

    def __call__(self, under: Floats, over: Floats, opacity: Floats, place: Place) -> Floats:
        """What is added to the face's brightness.

        Args:
            under: float32 (height, width), the brightness of the frame where the face lies, 0 to 255.
            over: The same of the face.
            opacity: float32 (height, width), 0 to 1.
            place: Where that is.
        """
        ...

    def texture(self, under: Plane, opacity: Floats, place: Place, unit: float) -> Texture | None:
        """The same of a face that is enlarged by `LARGE` or more; None: nothing is added.

        Args:
            under: (height, width), the frame where the face lies.
            opacity: float32, 0 to 1, for half as many rows and columns.
            place: Where that is.
            unit: Grey levels that a sample of `under` is worth.
        """
        ...


def seen(opacity: Floats) -> Rectangle:
    """The part of a picture that is not wholly transparent: its first column and row, width and height."""
    x, y, width, height = cv2.boundingRect((opacity >= SEEN).astype(np.uint8))
    return x, y, width, height


def lay(
    planes: Sequence[Plane],
    pictures: Sequence[Plane],
    opacity: Floats,
    place: Place,
    finish: Finish | None = None,
    levels: int = 256,
) -> None:
    """Lay pictures over planes, in place; where they are not seen, the planes' samples stay as they are.

    Args:
        planes: One or more of a size, uint8 or uint16, (height, width) or (height, width, samples).
        pictures: One for each, of the same type and number of samples, (rows, columns[, samples]).
        opacity: float32 (rows, columns), 0 to 1.
        place: Where they lie in the planes.
        finish: What is added to the pictures there; of several samples it is given the brightness.
        levels: How many values a sample of a plane may have.
    """
    if finish and place.large and planes[0].ndim == 2:
        cover = cover_of(opacity, place.halved)
        for plane, picture in zip(planes, pictures, strict=True):
            lay_large(plane, picture, cover, place, finish, levels)
    else:
        lay_covered(planes, pictures, cover_of(opacity, place), place, finish, levels)


def lay_covered(
    planes: Sequence[Plane],
    pictures: Sequence[Plane],
    cover: Floats,
    place: Place,
    finish: Finish | None = None,
    levels: int = 256,
    growing: int = cv2.INTER_CUBIC,
) -> None:
    """The same with an opacity that lies in the rectangle already, as `cover_of` has it.

    `growing` is how they are enlarged, see `Place.put`.
    """
    for plane, picture in zip(planes, pictures, strict=True):
        under, over = plane[place.area], place.put_masked(picture, growing)
        _write(_mixed(under, finished(under, over, cover, place, finish, levels), cover), under, levels)


def lay_large(
    plane: Plane, picture: Plane, cover: Floats, place: Place, finish: Finish, levels: int = 256
) -> None:
    """The same of one picture with a sample a pixel that is `large` there; `cover` is that of `halved`."""
    under = plane[place.area]
    texture = finish.texture(under, cover, place, 256 / levels)
    if texture is None:
        over, whole = place.put_masked(picture), place.doubled(cover, cv2.INTER_LINEAR)
        mixed = _mixed(under, over, whole)
    else:
        mixed = _mixed_at_half(place.halved.put_masked(picture), cover, place, texture)
        mixed = cv2.add(mixed, 0.0, dtype=_depth(under))
    _write(np.asarray(mixed), under, levels)


def cover_of(opacity: Floats, place: Place) -> Floats:
    """The opacity as it lies in the rectangle, float32 (height, width); 0 where it cannot be seen."""
    return np.asarray(cv2.threshold(place.smooth(opacity), SEEN, 0, cv2.THRESH_TOZERO)[1], np.float32)


def finished(
    under: Plane, over: Plane, cover: Floats, place: Place, finish: Finish | None = None, levels: int = 256
) -> Plane:
    """What lies over `under` in the rectangle, its opacity there being `cover`, as `finish` leaves it."""
    if finish is None:
        return over
    unit = np.float32(256 / levels)
    more = finish(_brightness(under, unit), _brightness(over, unit), cover, place) / unit
    return np.asarray(cv2.add(over, _times(more, over), dtype=_depth(over)))


def averaged(picture: Plane, across: int, down: int) -> Plane:
    """A picture whose blocks of `across` x `down` pixels are one each; at its end its border is repeated."""
    rows, columns = picture.shape[:2]
    if rows % down or columns % across:
        picture = cv2.copyMakeBorder(picture, 0, -rows % down, 0, -columns % across, cv2.BORDER_REPLICATE)
    size = (picture.shape[1] // across, picture.shape[0] // down)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def exact(matrix: NDArray[np.float64]) -> bool:
    """Whether a (2, 3) matrix lays pixels on pixels."""
    (a, b, right), (c, d, down) = matrix.tolist()
    off = (a - 1, b, right - round(right), c, d - 1, down - round(down))
    return all(abs(value) < 1e-6 for value in off)


def shifted(matrix: NDArray[np.float64], right: float, down: float) -> NDArray[np.float64]:
    """A (2, 3) matrix to a place so many pixels further."""
    moved = matrix.copy()
    moved[:, 2] += [right, down]
    return moved


def _before(matrix: NDArray[np.float64], across: float, down: float) -> NDArray[np.float64]:
    """The matrix for a picture each of whose pixels is `across` x `down` of those it is for."""
    changed = matrix.copy()
    changed[:, 2] += matrix[:, :2] @ [(across - 1) / 2, (down - 1) / 2]
    changed[:, :2] *= [across, down]
    return changed


def _mixed(under: Plane, over: Plane, cover: Floats) -> Plane:
    """What lies in the rectangle with a picture over it, as far as that is opaque."""
    change = cv2.subtract(over, under, dtype=cv2.CV_32F)
    return np.asarray(cv2.add(under, cv2.multiply(change, _times(cover, under)), dtype=_depth(under)))


def _mixed_at_half(half: Plane, cover: Floats, place: Place, texture: Texture) -> Floats:
    """What lies in the rectangle with a picture that is large over it; it and `cover` are those of `halved`.

    Of an opacity o, a picture p and grain of which a share s is wanted, k is kept and the rest drawn, with g
    a drawn one, d its deviation and b the plane u without its own, (1 - o) u + o (p + k (u - b) +
    (s - k) d g) is written as o (p - k b) + (1 - o (1 - k)) u + o (s - k) d g: the three factors are smooth,
    so they are reckoned at half size, and doubled linearly, for which the picture is sharpened a little
    before.
    """
    over = cv2.filter2D(half, cv2.CV_32F, SHARPER)
    kept = cv2.multiply(cover, texture.kept)
    shown = cv2.subtract(cv2.multiply(cover, over), cv2.multiply(kept, texture.bare))
    through = cv2.add(cv2.subtract(1.0, cover), kept)
    drawn = cv2.addWeighted(cover, texture.share * texture.deviation, kept, -texture.deviation, 0)
    mixed, through, drawn = (place.doubled(x, cv2.INTER_LINEAR) for x in (shown, through, drawn))
    cv2.accumulateProduct(through, texture.values, mixed)
    cv2.accumulateProduct(drawn, texture.drawn, mixed)
    return np.asarray(mixed, np.float32)


def _write(mixed: Plane, under: Plane, levels: int) -> None:
    under[...] = mixed if levels in (1 << 8, 1 << 16) else np.minimum(mixed, levels - 1)


def _depth(plane: Plane) -> int:
    return int(cv2.CV_8U if plane.dtype == np.uint8 else cv2.CV_16U)


def _brightness(plane: Plane, unit: np.float32) -> Floats:
    grey = cv2.transform(plane, GREY[None]) if plane.ndim == 3 else plane
    return np.asarray(grey, np.float32) * unit if unit != 1 else np.asarray(grey, np.float32)


def _times(values: Floats, like: Plane) -> Floats:
    """The same for each sample of a pixel."""
    return values if like.ndim == 2 else np.asarray(cv2.merge([values] * like.shape[2]), np.float32)
