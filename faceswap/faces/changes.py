"""Noticing what changes from frame to frame: that a scene ends, or that something moves in it."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Box, Picture

SIZE = (32, 18)  # cells: enough to tell scenes apart, too few to see a person move
CUT = 20.0  # mean difference of brightness, of 255, from which two frames belong to two scenes
MOVED = 4.0  # difference of a cell's brightness from which something moved there; noise makes it 1
AROUND = 0.4  # how far past its box a known face moves things, in box sides


class Changes:
    """Compares frames, shrunk to a few cells of mean brightness."""

    def __init__(self) -> None:
        """Know no frame yet."""
        self._last: NDArray[np.float32] | None = None
        self._marked: NDArray[np.float32] | None = None

    def is_cut(self, picture: Picture) -> bool:
        """Look at the next frame: whether a scene begins with it; False for the first one."""
        grey = picture.grey()
        step = max(min(grey.shape) // 144, 1)
        cells = cv2.resize(grey[::step, ::step], SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
        last, self._last = self._last, cells
        return last is not None and float(np.abs(cells - last).mean()) > CUT

    def mark(self) -> None:
        """Compare what comes with the last frame that was looked at."""
        self._marked = self._last

    def moved(self, picture: Picture, known: Iterable[Box]) -> Box | None:
        """Where anything but the known faces has changed since `mark`: around all that has; None if nothing.

        Args:
            picture: The last frame that was looked at.
            known: Where they are in it.
        """
        if self._last is None or self._marked is None:
            return Box(0, 0, picture.width, picture.height)
        moved = np.abs(self._last - self._marked) > MOVED
        across, down = SIZE[0] / picture.width, SIZE[1] / picture.height
        for box in known:
            x, y = AROUND * box.width, AROUND * box.height
            top, bottom = max(int((box.top - y) * down), 0), max(int((box.bottom + y) * down) + 1, 0)
            left, right = max(int((box.left - x) * across), 0), max(int((box.right + x) * across) + 1, 0)
            moved[top:bottom, left:right] = False
        rows, columns = moved.any(1).nonzero()[0], moved.any(0).nonzero()[0]
        if not len(rows):
            return None
        (top, bottom), (left, right) = (rows[[0, -1]] + [0, 1]) / down, (columns[[0, -1]] + [0, 1]) / across
        return Box(float(left), float(top), float(right), float(bottom))
