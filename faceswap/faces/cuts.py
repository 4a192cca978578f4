"""Noticing that one scene ends and another begins."""

from __future__ import annotations

import cv2
import numpy as np

from faceswap.types import Picture

SIZE = (32, 18)  # pixels: enough to tell scenes apart, too few to see a person move
CUT = 20.0  # mean difference of brightness, of 255, from which two frames belong to two scenes


class CutDetector:
    """Compares each frame with the one before it, both shrunk to a few pixels."""

    def __init__(self) -> None:
        """Know no frame yet."""
        self._last: np.ndarray | None = None

    def is_cut(self, picture: Picture) -> bool:
        """Whether a scene begins with this frame; False for the first one seen."""
        grey = picture.grey()
        step = max(min(grey.shape) // 144, 1)
        small = cv2.resize(grey[::step, ::step], SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
        last, self._last = self._last, small
        return last is not None and float(np.abs(small - last).mean()) > CUT
