"""Two bands of a picture's brightness: grain, the finest, and detail, from there up to broad shades."""

from __future__ import annotations

import cv2
import numpy as np

from faceswap.types import Floats, Image

FINE = 1.2  # pixels of a frame, standard deviation of the blur that leaves its grain out


def grain_of(grey: Floats) -> Floats:
    """What is finer than `FINE` pixels of a frame: noise and pores."""
    return np.asarray(cv2.subtract(grey, cv2.GaussianBlur(grey, (7, 7), FINE)), np.float32)


def detail_of(grey: Floats, wide: float, fine: float) -> Floats:
    """What is blurred away by a deviation of `wide` pixels, but not by `fine`."""
    less = _blurred(grey, fine)
    return np.asarray(cv2.subtract(less, _blurred(less, float(np.sqrt(wide**2 - fine**2)))), np.float32)


def _blurred(grey: Floats, deviation: float) -> Floats:
    """Blurred as far as three deviations around: in two thirds of the time that OpenCV's four take."""
    side = 2 * int(np.ceil(3 * deviation)) + 1
    return np.asarray(cv2.GaussianBlur(grey, (side, side), deviation), np.float32)


def strength(band: Floats, where: Image) -> float:
    """Root mean square of a band inside a mask, by every second row, grey levels; lines count."""
    return float(np.sqrt(shared(band, band, where)))


def shared(one: Floats, other: Floats, where: Image) -> float:
    """Mean product of two bands inside a mask, by every second row, square grey levels."""
    inside = (where[::2] > 0).astype(np.float32)
    return float(np.vdot(one[::2] * inside, other[::2]) / max(cv2.countNonZero(inside), 1))


def roughness(grain: Floats, where: Image) -> float:
    """The deviation of grain inside a mask, grey levels; the few lines in it do not count.

    The median size of a normal variable is 0.6745 of its deviation: Donoho and Johnstone, "Ideal spatial
    adaptation by wavelet shrinkage", Biometrika 81(3), 1994, where noise is told from lines so.
    """
    return float(np.median(np.abs(grain[where > 0])) / 0.6745)
