"""Grain: the swapped face is neither cleaner nor grainier than its frame.

Grain that is missing comes from the frame itself, but only where skin is bare and even: no eye, lip or
wrinkle of the original returns with it. Elsewhere grain of the same strength is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from faceswap.blending.bands import grain_of, roughness
from faceswap.laying import Place
from faceswap.types import Floats

LINE = 1.6  # times the variance of grain that a place has where there is a line and not grain
AROUND = 2.0  # pixels, standard deviation of the window in which that is measured
TILE = 256  # pixels, side of the drawn grain, which repeats
SAMPLES = 16384  # pixels that the deviation of grain is measured in
FAINT = 0.05  # grey levels of deviation below which a frame is taken to have no grain
SMOOTH = 2.0  # pixels of the frame that a pixel of the face covers, from which on the face has no grain
LEAST = 64  # pixels of face below which nothing is measured


@dataclass(frozen=True)
class Grain:
    """Brings the grain of a face to that of the frame it lies in; a `laying.Finish`.

    Attributes:
        match: How far, 0 to 1.
        skin: float32 (size, size), 0 to 1, of the upright face: where skin is bare.
        shown: The opacity that the face has where it is most opaque, above 0.
        seed: Of the grain that is drawn where there is no bare skin; another one each frame.
    """

    match: float
    skin: Floats
    shown: float
    seed: int

    def __call__(self, under: Floats, over: Floats, opacity: Floats, place: Place) -> Floats:
        """What is added to the face's brightness, float32 (height, width), grey levels."""
        step = max(int(np.sqrt(under.size / SAMPLES)), 1)
        few = np.s_[::step, ::step]
        skin = place.smooth(self.skin)
        inside = opacity[few] > self.shown / 2
        bare = inside & (skin[few] > 0.5)
        if bare.sum() * step**2 < LEAST:
            bare = inside
        if bare.sum() * step**2 < LEAST:
            return np.zeros_like(under)
        wanted = grain_of(under)
        grain = grain_of(over) if place.scale < SMOOTH else None
        where = bare.astype(np.uint8)
        want = roughness(wanted[few], where)
        have = roughness(grain[few], where) if grain is not None else 0.0
        if grain is not None and (want < FAINT or have >= want):
            return grain * np.float32(self.match * ((0 if want < FAINT else want / have) - 1))
        if want < FAINT:
            return np.zeros_like(under)
        added = _missing(wanted, want, skin, self.seed)
        return added * np.float32(self.match * np.sqrt(1 - (have / want) ** 2))


def _missing(wanted: Floats, want: float, skin: Floats, seed: int) -> Floats:
    """Grain as strong as that of a frame: the frame's own on even skin, drawn elsewhere."""
    height, width = wanted.shape
    half = cv2.resize(
        cv2.multiply(wanted, wanted), (-(-width // 2), -(-height // 2)), interpolation=cv2.INTER_AREA
    )
    variance = cv2.GaussianBlur(half, (0, 0), AROUND / 2)
    even = np.clip(2 - variance / np.float32(LINE * want**2), 0, 1)
    even = cv2.multiply(cv2.resize(even, (width, height), interpolation=cv2.INTER_LINEAR), skin)
    drawn = _drawn(height, width, seed) * np.float32(want)
    return np.asarray(cv2.add(drawn, cv2.multiply(even, cv2.subtract(wanted, drawn))), np.float32)


def _drawn(height: int, width: int, seed: int) -> Floats:
    """Grain of deviation 1 and of the band's fineness: float32, the same for the same seed."""
    row, column = np.random.default_rng(seed).integers(0, TILE, 2)
    tiled = cv2.repeat(_SHEET, int(-(-(height + row) // TILE)), int(-(-(width + column) // TILE)))
    return np.asarray(tiled[row : row + height, column : column + width], np.float32)


def _sheet() -> Floats:
    white = np.random.default_rng(0).normal(size=(TILE, TILE)).astype(np.float32)
    wrapped = np.pad(cv2.GaussianBlur(np.pad(white, 8, mode="wrap"), (0, 0), 0.6)[8:-8, 8:-8], 8, mode="wrap")
    band = grain_of(wrapped.astype(np.float32))[8:-8, 8:-8]
    return np.asarray(band / band.std(), np.float32)


_SHEET = _sheet()
