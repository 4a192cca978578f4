"""What the parts hand to one another. Numpy only; frozen.

Images are BGR uint8 of shape (height, width, 3). Coordinates are pixels, x right and y down, with the
centre of the top left pixel at (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Points = NDArray[np.float32]
Matrix = NDArray[np.float64]


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


@dataclass(frozen=True)
class Frame:
    """One picture of a source, upright.

    Attributes:
        index: Position in the source, from 0, in the order it is shown.
        pts: Presentation time in units of `time_base`; for images the same as `index`.
        time_base: Seconds per unit of `pts`.
        image: BGR uint8, (height, width, 3).
        name: File name for an image of a folder, else empty.
        damaged: The picture could not be (wholly) decoded; `image` is the best that can be shown.
        native: What the reader decoded, for the writer that puts patches into it without touching the
            rest; None where there is no such thing.
    """

    index: int
    pts: int
    time_base: Fraction
    image: Image
    name: str = ""
    damaged: bool = False
    native: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Face:
    """A face found in a frame.

    Attributes:
        box: Where the detector saw it.
        landmarks: float32 (N, 2), pixels of the frame.
        score: The detector's confidence; its scale is the detector's own.
        track_id: Which run of the same face through time, -1 where unknown.
    """

    box: Box
    landmarks: Points
    score: float = 0.0
    track_id: int = -1


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
    """A rectangle of new pixels for a frame.

    Attributes:
        left: Column of the frame at which the patch begins.
        top: Row of the frame at which the patch begins.
        image: BGR uint8, (height, width, 3), already blended with what was there.
        mask: bool (height, width); only pixels that are True replace the frame's.
    """

    left: int
    top: int
    image: Image
    mask: NDArray[np.bool_]
