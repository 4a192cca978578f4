"""The colours of a face, small enough to be kept and averaged over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Image

GRID = 32  # cells across
WHOLE = 0.99  # share of a cell that must be face
SHADES = 0.03  # standard deviation of likeness, shares of the range from black to white
REACH = 2.5  # standard deviations in time; what is farther away does not count
FLAT = (1 / 255) ** 2  # variance that is added, so that a plain face has an inverse

Colors = NDArray[np.float32]
Moments = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Palette:
    """The colours of an aligned face, a mean for each cell of a grid over its crop.

    It holds the light and the complexion, and not how sharp the picture is: a face that the network drew
    softly does not get more contrast for it. As cells lie at the same place of the face in every frame,
    palettes can be averaged.

    Attributes:
        colors: float32 (GRID * GRID, 3), BGR, 0 to 1.
        weights: float32 (GRID * GRID), how much a cell counts, 0 to 1; 0 off the face.
    """

    colors: Colors
    weights: NDArray[np.float32]

    @cached_property
    def empty(self) -> bool:
        """Whether there are too few cells to say anything."""
        return bool(self.weights.sum() < 8)

    @cached_property
    def moments(self) -> Moments:
        """Weighted mean, float64 (3), and covariance, float64 (3, 3), as `moments` has them."""
        return moments(self.colors, self.weights)

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Mean colour, float64 (3)."""
        total = max(float(self.weights.sum()), 1e-6)
        return np.asarray(self.weights @ self.colors / total, np.float64)


def moments(colors: Colors, weights: NDArray[np.float32]) -> Moments:
    """Weighted mean (3) and covariance (3, 3) of colours, (N, 3), the latter lifted by `FLAT`."""
    share = weights.astype(np.float64) / max(float(weights.sum()), 1e-9)
    mean = share @ colors
    centred = colors - mean
    return mean, (centred * share[:, None]).T @ centred + FLAT * np.eye(3)


def palette(image: Image, mask: Image) -> Palette:
    """The palette of an aligned face.

    Args:
        image: BGR uint8 (size, size, 3).
        mask: uint8 (size, size), above 127 where colours count.
    """
    small = cv2.resize(image, (GRID, GRID), interpolation=cv2.INTER_AREA)
    inside = (mask > 127).astype(np.float32)
    share = cv2.resize(inside, (GRID, GRID), interpolation=cv2.INTER_AREA)
    weights = (share >= WHOLE).astype(np.float32).ravel()
    return Palette(small.reshape(-1, 3).astype(np.float32) / np.float32(255), weights)


def averaged(palettes: Sequence[Palette], shares: Sequence[float]) -> Palette:
    """The mean of palettes, cell by cell; a cell counts where it is face.

    Args:
        palettes: One or more.
        shares: How much each counts, 0 or more, not all 0.
    """
    counts = np.asarray(shares, np.float32)[:, None] * np.stack([p.weights for p in palettes])
    total = counts.sum(0)
    colors = np.einsum("nc,ncd->cd", counts, np.stack([p.colors for p in palettes]))
    return Palette(colors / np.maximum(total, 1e-6)[:, None], total / np.float32(sum(shares)))


def steadied(own: Palette, others: Sequence[Palette], shares: Sequence[float]) -> Palette:
    """A palette with its own mean, but with the spread about it that it and others have between them.

    Real light changes from frame to frame, and moves the mean; how the colours of a face lie about their mean
    changes slowly, but is measured with an error in every frame.

    Args:
        own: The frame's palette, which counts 1.
        others: Those of other frames.
        shares: How much each of them counts, 0 to 1.
    """
    mean = averaged([own, *others], [1.0, *shares])
    return Palette(mean.colors + (own.mean - mean.mean).astype(np.float32), mean.weights)


def likeness(own: Palette, other: Palette, frames: float, window: float) -> float:
    """How much another frame's palette says about this one, 0 to 1.

    A bilateral weight (Tomasi and Manduchi, "Bilateral filtering for gray and color images", ICCV 1998) along
    time: near frames count, but not across a flash or a cut, where the colours are others.

    Args:
        own: The frame's palette.
        other: The other's.
        frames: How far away it is in time.
        window: Standard deviation of nearness in time, frames, more than 0.
    """
    shade = float(np.abs(own.mean - other.mean).max())
    return math.exp(-0.5 * (frames / window) ** 2 - 0.5 * (shade / SHADES) ** 2)
