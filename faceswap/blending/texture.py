"""Fine detail and grain: the swapped face is neither softer nor sharper, cleaner nor grainier than its frame.

A picture's brightness is cut into two bands: `grain`, what is finer than `FINE` pixels of the frame, noise
and pores; and `detail`, from there up to what the network can draw. Detail is the swapped face's own, made
stronger or weaker until it is as strong as the original's. Grain that is missing comes from the frame itself,
but only where skin is bare and even: no eye, lip or wrinkle of the original returns with it. Elsewhere grain
of the same strength is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Image

FINE = 1.2  # pixels, standard deviation of the blur that leaves the grain out
REACH = 0.6  # pixels of the network, standard deviation of the blur that leaves its detail out
STRONGEST = 4.0  # detail is made stronger by no more than this factor: more shows rings around the eyes
LINE = 1.6  # times the variance of grain that a place has where there is a line and not grain
AROUND = 2.0  # pixels, standard deviation of the window in which that is measured
HALO = 20.0  # grey levels that sharpening changes a pixel by, at most
TILE = 256  # pixels, side of the drawn grain, which repeats

Grey = NDArray[np.float32]


@dataclass(frozen=True)
class Touch:
    """What is done to the texture of the swapped face.

    Attributes:
        sharpen: How much of its grain and detail is added to it, 0 or more: unsharp masking.
        detail: How far its detail is brought to the original's, 0 to 1.
        grain: How far its grain is brought to the original's, 0 to 1.
    """

    sharpen: float = 0.0
    detail: float = 0.0
    grain: float = 0.0

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.sharpen or self.detail or self.grain)


def textured(
    face: Image, region: Image, opacity: Grey, skin: Grey, touch: Touch, pitch: float, seed: int
) -> Image:
    """The swapped face with the texture of its frame.

    Args:
        face: BGR uint8 (height, width, 3), the swapped face as it lies in the region.
        region: The same of the original.
        opacity: float32 (height, width), 0 to 1: what is measured is where it is above a half.
        skin: float32 (height, width), 0 to 1: where skin is bare.
        touch: What is done.
        pitch: Pixels of the region that a pixel of the network covers.
        seed: Of the grain that is drawn where there is no bare skin; another one each frame.

    Returns:
        BGR uint8 (height, width, 3).
    """
    inside = (opacity > 0.5).astype(np.uint8)
    if touch.idle or cv2.countNonZero(inside) < 64:
        return face
    wide = max(REACH * pitch, 1.6 * FINE)
    grain, detail = bands(_grey(face), wide)
    wanted, lines = bands(_grey(region), wide)
    bare = cv2.bitwise_and(inside, (skin > 0.5).astype(np.uint8))
    if cv2.countNonZero(bare) < 64:
        bare = inside
    more = touch.detail * _needed(detail, wide, strength(lines, inside), inside) if touch.detail else 0.0
    change = detail * np.float32(more + touch.sharpen)
    change = np.clip(change + grain * np.float32(touch.sharpen), -HALO, HALO)
    if touch.grain:
        change += np.float32(touch.grain) * _missing(grain, wanted, bare, skin, seed)
    return np.asarray(cv2.add(face, cv2.merge([change] * 3), dtype=cv2.CV_8U), np.uint8)


def bands(grey: Grey, wide: float, fine: float = FINE) -> tuple[Grey, Grey]:
    """Grain and detail of a brightness: the differences of it, blurred by `fine`, and by `wide` pixels."""
    less = cv2.GaussianBlur(grey, (0, 0), fine)
    return grey - less, less - cv2.GaussianBlur(less, (0, 0), float(np.sqrt(wide**2 - fine**2)))


def strength(band: Grey, where: Image) -> float:
    """Root mean square of a band inside a mask, grey levels; lines count."""
    mean, spread = cv2.meanStdDev(band, mask=where)
    return float(np.hypot(mean[0, 0], spread[0, 0]))


def _needed(detail: Grey, wide: float, wanted: float, where: Image) -> float:
    """How much of its own detail a face needs more, so that its detail then is as strong as wanted.

    What is added is filtered once more when it is measured, so it counts for less than it is; its share
    solves a quadratic equation. It has no finer lines than `FINE`, so that every second pixel tells as much.
    """
    detail, where = np.ascontiguousarray(detail[::2, ::2]), np.ascontiguousarray(where[::2, ::2])
    again = bands(detail, wide / 2, FINE / 2)[1]
    have, added = strength(detail, where), strength(again, where)
    both = strength(detail + again, where)
    shared = (both**2 - have**2 - added**2) / 2
    root = max(shared**2 - added**2 * (have**2 - wanted**2), 0.0)
    share = (np.sqrt(root) - shared) / max(added**2, 1e-6)
    return float(np.clip(share, -1, STRONGEST - 1))


def roughness(grain: Grey, where: Image) -> float:
    """The deviation of grain inside a mask, grey levels; the few lines in it do not count.

    The median size of a normal variable is 0.6745 of its deviation: Donoho and Johnstone, "Ideal spatial
    adaptation by wavelet shrinkage", Biometrika 81(3), 1994, where noise is told from lines so.
    """
    return float(np.median(np.abs(grain[::2, ::2][where[::2, ::2] > 0])) / 0.6745)


def _missing(grain: Grey, wanted: Grey, bare: Image, skin: Grey, seed: int) -> Grey:
    """What to add to a face with one grain so that it is as rough as the wanted one."""
    have, want = roughness(grain, bare), roughness(wanted, bare)
    if want < 0.05:
        return np.asarray(-grain, np.float32)
    if have >= want:
        return grain * np.float32(want / have - 1)
    variance = cv2.GaussianBlur(cv2.multiply(wanted, wanted), (0, 0), AROUND) / np.float32(want**2)
    even = np.clip(2 - variance / np.float32(LINE), 0, 1) * skin
    drawn = _drawn(grain.shape, seed) * np.float32(want)
    added = drawn + even * (wanted - drawn)
    return np.asarray(added * np.float32(np.sqrt(1 - (have / want) ** 2)), np.float32)


def _drawn(shape: tuple[int, ...], seed: int) -> Grey:
    """Grain of deviation 1 and of the band's fineness: float32 of a shape, the same for the same seed."""
    draw = np.random.default_rng(seed)
    row, column = draw.integers(0, TILE, 2)
    height, width = shape
    rows, columns = (np.arange(height) + row) % TILE, (np.arange(width) + column) % TILE
    return np.asarray(_SHEET[rows][:, columns], np.float32)


def _sheet() -> Grey:
    white = np.random.default_rng(0).normal(size=(TILE, TILE)).astype(np.float32)
    wrapped = np.pad(cv2.GaussianBlur(np.pad(white, 8, mode="wrap"), (0, 0), 0.6)[8:-8, 8:-8], 8, mode="wrap")
    band = bands(wrapped.astype(np.float32), 2 * FINE)[0][8:-8, 8:-8]
    return np.asarray(band / band.std(), np.float32)


_SHEET = _sheet()


def _grey(image: Image) -> Grey:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.float32)
