"""The visible label: a line of text on a dark, half transparent plate in a corner of the frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from faceswap.laying import shifted
from faceswap.options import ProvenanceOptions
from faceswap.types import Floats, Image, Patch

TEXT = "AI-modified"

_FONT = cv2.FONT_HERSHEY_DUPLEX
_PLATE, _MARGIN, _LEAST = 0.55, 0.5, 10  # opacity; of the plate's height, to the frame's edge; pixels
_FINE = 4  # drawn so many times larger, then averaged


@dataclass(frozen=True)
class Label:
    """Where the label stands, in frames of any size.

    Attributes:
        position: One of `CORNERS` of `faceswap.options`.
        size: Height of the plate as a share of the frame's height, 0.01 to 0.2; never under 10 pixels, nor
            wider than the frame.
    """

    position: str = "bottom-right"
    size: float = 0.04

    def place(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The plate's rectangle in a frame: left, top, right, bottom, the last two just outside."""
        tall, long = _drawn(width, height, self.size)[1].shape
        margin = round(tall * _MARGIN)
        across, down = max(width - long, 0), max(height - tall, 0)
        left = min(margin, across) if self.position.endswith("left") else max(across - margin, 0)
        top = min(margin, down) if self.position.startswith("top") else max(down - margin, 0)
        return left, top, left + long, top + tall


def label_of(options: ProvenanceOptions) -> Label | None:
    """The label that the options ask for."""
    return Label(options.label_position, options.label_size) if options.label else None


def label_patch(width: int, height: int, label: Label) -> Patch:
    """The label, to be laid over a frame.

    Args:
        width: Of the frame, pixels.
        height: Of the frame, pixels.
        label: Where it stands.
    """
    grey, opacity = _drawn(width, height, label.size)
    left, top, _, _ = label.place(width, height)
    return Patch(grey, opacity, shifted(np.eye(2, 3), left, top))


@lru_cache(maxsize=8)
def _drawn(width: int, height: int, size: float) -> tuple[Image, Floats]:
    """White text on black, BGR uint8, and the opacity of text and plate together, float32, 0 to 1."""
    tall = min(max(round(height * size), _LEAST), height)
    (wide, _), _ = cv2.getTextSize(TEXT, _FONT, 1.0, 1)
    long = min(round(tall * (0.5 * wide / _cap_height() + 0.9)), width)
    scale = min(0.5 * tall * _FINE / _cap_height(), (long - 0.3 * tall) * _FINE / wide)
    canvas: Image = np.zeros((tall * _FINE, long * _FINE), np.uint8)
    thickness = max(round(0.07 * tall * _FINE), 1)
    begin = round((canvas.shape[1] - wide * scale) / 2), round((canvas.shape[0] + _cap_height() * scale) / 2)
    cv2.putText(canvas, TEXT, begin, _FONT, scale, 255, thickness, cv2.LINE_AA)
    for axis in (0, 1):  # a letter's place is larger than its strokes
        ink = np.flatnonzero(canvas.any(1 - axis))
        canvas = np.roll(canvas, round((canvas.shape[axis] - 1 - ink[0] - ink[-1]) / 2), axis)
    text = cv2.resize(canvas, (long, tall), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    opacity = text + (1 - text) * np.float32(_PLATE)
    white = np.rint(255 * text / opacity).astype(np.uint8)  # the plate's opacity is more than 0
    return np.dstack([white] * 3), opacity


def _cap_height() -> int:
    """Height of a capital letter at scale 1, pixels."""
    return int(cv2.getTextSize("A", _FONT, 1.0, 1)[0][1])
