"""Grain: the swapped face is neither cleaner nor grainier than its frame.

Grain that is missing comes from the frame itself, but only where skin is bare and even: no eye, lip or
wrinkle of the original returns with it. Elsewhere grain of the same strength is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from faceswap.blending.bands import grain_of, roughness
from faceswap.laying import Place, Plane, Texture, averaged
from faceswap.types import Floats

LINE = 1.6  # times the variance of grain that a place has where there is a line and not grain
AROUND = 5  # pixels at half size, side of the window in which that is measured
TILE = 256  # pixels, side of the drawn grain, which repeats
SAMPLES = 4096  # pixels that the deviation of grain is measured in, to a few hundredths
SCATTER = 40503  # odd, near the golden section of TILE squared: where the sheet begins, frame after frame
HALF_FINE = 0.5  # pixels at half size: with that halving, as much as `bands.FINE` at full size
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
        skin = place.halved.smooth(self.skin)
        rows, columns = (np.arange(0, side, step) // 2 for side in under.shape)
        inside = opacity[few] > self.shown / 2
        bare = inside & (skin[np.ix_(rows, columns)] > 0.5)
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
        share = self.match * float(np.sqrt(1 - (have / want) ** 2))
        return _missing(wanted, want, skin, self.seed, share)

    def texture(self, under: Plane, opacity: Floats, place: Place, unit: float) -> Texture | None:
        """The same of a face without grain; `laying.Finish.texture` says what is what."""
        height, width = under.shape
        odd = height % 2, width % 2
        even = cv2.copyMakeBorder(under, 0, odd[0], 0, odd[1], cv2.BORDER_REPLICATE) if any(odd) else under
        values = np.asarray(even, np.float32)
        half = averaged(values, 2, 2)
        bare = np.asarray(cv2.GaussianBlur(half, (5, 5), HALF_FINE), np.float32)
        quarter = place.halved.halved
        skin = quarter.turned(self.skin)
        step = 2 * max(int(np.sqrt(half.size / SAMPLES) / 2), 1)  # so that quarters are met
        inside = opacity[::step, ::step] > self.shown / 2
        where = inside & (skin[:: step // 2, :: step // 2] > 0.5)
        where = where if 4 * where.sum() * step**2 >= LEAST else inside
        if 4 * where.sum() * step**2 < LEAST:
            return None
        some = values[:: 2 * step, :: 2 * step] - _at_first(bare, step)
        want = roughness(some, where.astype(np.uint8))
        if want * unit < FAINT:
            return None
        squares = averaged(cv2.multiply(values, values), 2, 2)
        variance = averaged(squares + bare * (bare - 2 * half), 2, 2)
        kept = np.float32(self.match) * _even(variance, AROUND // 2 + 1, want, skin)
        kept = place.halved.doubled(kept, cv2.INTER_LINEAR)
        drawn = _drawn(height, width, self.seed)
        return Texture(values[:height, :width], bare, kept, drawn, want, self.match)


def _missing(wanted: Floats, want: float, skin: Floats, seed: int, share: float) -> Floats:
    """A share of grain as strong as that of a frame: the frame's own on even skin, drawn elsewhere.

    Args:
        wanted: float32 (height, width), the frame's grain.
        want: Its deviation.
        skin: Where skin is bare, for half as many rows and columns.
        seed: Of what is drawn.
        share: How much of it all.
    """
    size = skin.shape[::-1]
    variance = cv2.resize(cv2.multiply(wanted, wanted), size, interpolation=cv2.INTER_LINEAR)
    even = _even(variance, AROUND, want, skin)
    even = cv2.resize(even, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_LINEAR)
    height, width = wanted.shape
    drawn = _drawn(height, width, seed) * np.float32(want * share)
    own = wanted if share == 1 else wanted * np.float32(share)
    own = cv2.multiply(even[:height, :width], cv2.subtract(own, drawn))
    return np.asarray(cv2.add(drawn, own, dst=own), np.float32)


def _even(variance: Floats, side: int, want: float, skin: Floats) -> Floats:
    """Where skin is bare and nothing but grain of a deviation of `want` lies on it, 0 to 1.

    Args:
        variance: float32 (height, width), about each pixel.
        side: Of the window in which it is averaged, pixels.
        want: The deviation.
        skin: float32, of the same size: where skin is bare, 0 to 1.
    """
    around = cv2.blur(variance, (side, side))
    return np.asarray(np.clip(2 - around / np.float32(LINE * want**2), 0, 1) * skin, np.float32)


def _at_first(half: Floats, step: int) -> Floats:
    """What a picture of half the size is where every 2 `step`-th pixel of the whole lies, if it is doubled.

    The first pixel of each block lies a quarter of a block before the block's middle.
    """
    for axis in (0, 1):
        here = np.arange(0, half.shape[axis], step)
        before = np.maximum(here - 1, 0)
        half = np.float32(0.75) * half.take(here, axis) + np.float32(0.25) * half.take(before, axis)
    return half


def _drawn(height: int, width: int, seed: int) -> Floats:
    """Grain of a deviation of 1 and of the band's fineness, the same for a seed; not to be written to."""
    row, column = divmod(seed * SCATTER % TILE**2, TILE)
    tiled = _tiled(-(-height // TILE) + 1, -(-width // TILE) + 1)
    return tiled[row : row + height, column : column + width]


@lru_cache(maxsize=8)
def _tiled(down: int, across: int) -> Floats:
    """Many sheets of grain side by side, which fit each other."""
    return np.tile(_SHEET, (down, across))


def _sheet() -> Floats:
    white = np.random.default_rng(0).normal(size=(TILE, TILE)).astype(np.float32)
    wrapped = np.pad(cv2.GaussianBlur(np.pad(white, 8, mode="wrap"), (0, 0), 0.6)[8:-8, 8:-8], 8, mode="wrap")
    band = grain_of(wrapped.astype(np.float32))[8:-8, 8:-8]
    return np.asarray(band / band.std(), np.float32)


_SHEET = _sheet()
