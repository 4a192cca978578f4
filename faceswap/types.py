"""What the parts hand to one another. Numpy only; frozen.

Images are BGR uint8 of shape (height, width, 3). Coordinates are pixels, x right and y down, with the
centre of the top left pixel at (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.laying import Finish, Place, seen
from faceswap.warping import warp

Image = NDArray[np.uint8]
Grey = NDArray[np.uint8]
Points = NDArray[np.float32]
Descriptor = NDArray[np.float32]
Matrix = NDArray[np.float64]
Floats = NDArray[np.float32]
Part = tuple[slice, slice]  # rows and columns of a picture
WHOLE: Part = slice(None), slice(None)


@dataclass(frozen=True)
class Box:
    """A rectangle around a face, in pixels of the frame; it may reach past the frame's border."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Area in square pixels, 0 for an empty box."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    def iou(self, other: Box) -> float:
        """Intersection over union with `other`, 0 to 1."""
        overlap = Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )
        shared = overlap.area if overlap.width > 0 and overlap.height > 0 else 0.0
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def grown(self, margin: float) -> Box:
        """The box with `margin` pixels more on each side."""
        return Box(self.left - margin, self.top - margin, self.right + margin, self.bottom + margin)

    def towards(self, other: Box, share: float) -> Box:
        """The box `share` (0 to 1) of the way from this one to `other`."""
        return Box(
            self.left + share * (other.left - self.left),
            self.top + share * (other.top - self.top),
            self.right + share * (other.right - self.right),
            self.bottom + share * (other.bottom - self.bottom),
        )


class Picture(Protocol):
    """The pixels of a frame, converted only where and as they are asked for."""

    @property
    def width(self) -> int:
        """Columns."""
        ...

    @property
    def height(self) -> int:
        """Rows."""
        ...

    def grey(self) -> Grey:
        """Brightness, uint8 (height, width); for video the luma as it is coded. Not to be written to."""
        ...

    def region(self, left: int, top: int, right: int, bottom: int) -> Image:
        """BGR uint8 (bottom - top, right - left, 3) of a rectangle that lies within the frame."""
        ...

    def warp(self, matrix: Matrix, size: int) -> Image:
        """BGR uint8 (size, size, 3): the square into which `matrix` maps a part; see `warping.warp`."""
        ...

    def warp_grey(self, matrix: Matrix, size: int) -> Floats:
        """Brightness of that square, float32 (size, size), 0 to 255 from black to white."""
        ...


@dataclass(frozen=True)
class Pixels:
    """A `Picture` that is a BGR array already.

    Attributes:
        image: BGR uint8, (height, width, 3).
    """

    image: Image

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.image.shape[0])

    def grey(self) -> Grey:
        """Brightness after ITU-R BT.601, uint8 (height, width)."""
        weights = np.array([0.114, 0.587, 0.299], np.float32)
        return np.asarray(np.rint(self.image @ weights), np.uint8)

    def region(self, left: int, top: int, right: int, bottom: int) -> Image:
        """A view of a rectangle."""
        return self.image[top:bottom, left:right]

    def warp(self, matrix: Matrix, size: int) -> Image:
        """The square into which `matrix` maps a part."""
        return warp(self.image, matrix, size)

    def warp_grey(self, matrix: Matrix, size: int) -> Floats:
        """Its brightness after ITU-R BT.601, float32 (size, size)."""
        return np.asarray(cv2.cvtColor(self.warp(matrix, size), cv2.COLOR_BGR2GRAY), np.float32)


@dataclass(frozen=True)
class Frame:
    """One picture of a source, upright.

    Attributes:
        index: Position in the source, from 0, in the order it is shown.
        pts: Presentation time in units of `time_base`; for images the same as `index`.
        time_base: Seconds per unit of `pts`.
        picture: What it shows.
        name: File name for an image of a folder, else empty.
        damaged: The picture could not be (wholly) decoded; `picture` is the best that can be shown.
    """

    index: int
    pts: int
    time_base: Fraction
    picture: Picture
    name: str = ""
    damaged: bool = False

    @property
    def seconds(self) -> float:
        """When it is shown; 0 for an image of a folder, which does not lie in time."""
        return 0.0 if self.name else float(self.pts * self.time_base)

    @property
    def image(self) -> Image:
        """The whole frame as BGR uint8, (height, width, 3); for video converted anew at each call."""
        return self.picture.region(0, 0, self.picture.width, self.picture.height)


@dataclass(frozen=True)
class Face:
    """A face found in a frame.

    Attributes:
        box: Where the detector saw it.
        landmarks: float32 (N, 2), pixels of the frame.
        score: The detector's confidence; its scale is the detector's own.
        track_id: Which run of the same face through time, -1 where unknown.
        interpolated: It was not seen here, but shortly before and after.
    """

    box: Box
    landmarks: Points
    score: float = 0.0
    track_id: int = -1
    interpolated: bool = False


@dataclass(frozen=True)
class Alignment:
    """How a square crop lies in its frame.

    Attributes:
        matrix: float64 (2, 3), a similarity transform from frame pixels to crop pixels.
        size: Side of the crop in pixels.
        coverage: Side of the crop as a multiple of the mean face's extent (see `faces.template`).
    """

    matrix: Matrix
    size: int
    coverage: float


@dataclass(frozen=True)
class AlignedFace:
    """A face cut out and turned upright.

    Attributes:
        image: BGR uint8, (size, size, 3).
        mask: uint8 (size, size), 255 on the face and 0 off it.
        alignment: Where the crop lies in its frame.
        face: What was found there, in frame pixels.
        frame_index: The frame it was cut from.
    """

    image: Image
    mask: Image
    alignment: Alignment
    face: Face
    frame_index: int


@dataclass(frozen=True)
class Patch:
    """A picture to be laid over a frame.

    Attributes:
        image: BGR uint8 (height, width, 3).
        opacity: float32 (height, width), 0 to 1: how much of it shows.
        matrix: float64 (2, 3), a similarity transform from its pixels to those of the frame.
        finish: What is added to it there; None: nothing.
    """

    image: Image
    opacity: Floats
    matrix: Matrix
    finish: Finish | None = None

    def place(self, width: int, height: int, matrix: Matrix | None = None) -> Place | None:
        """Where it lies in a frame, or in a plane with a matrix of its own; None if that is outside.

        Args:
            width: Of the frame or the plane, pixels.
            height: The same.
            matrix: From pixels of the patch to those of the plane.
        """
        return Place.of(self._seen, self.matrix if matrix is None else matrix, width, height)

    @cached_property
    def _seen(self) -> tuple[int, int, int, int]:
        return seen(self.opacity)


def without_mask(made: Image) -> Image:
    """BGR uint8 (size, size, 3) of a picture with a mask, (size, size, 4): far faster to use than a slice."""
    return np.asarray(cv2.cvtColor(made, cv2.COLOR_BGRA2BGR), np.uint8)


def to_float(images: Image) -> NDArray[np.float32]:
    """Pixels (uint8) to float32, 0 to 1."""
    return images.astype(np.float32) / np.float32(255)


def to_image(values: NDArray[np.float32]) -> Image:
    """Float 0 to 1 (clipped) to pixels (uint8)."""
    return np.asarray(np.clip(np.rint(np.asarray(values, np.float32) * 255), 0, 255), np.uint8)
