"""Landmarks for tests: the mean face, fitted into the box."""

from __future__ import annotations

import numpy as np

from faceswap.faces.template import MEAN_FACE
from faceswap.types import Box, Picture, Points


class FakeLandmarker:
    """Takes every face for the mean face."""

    def locate(self, picture: Picture, box: Box) -> Points:
        """The mean face's 68 points, as wide as the box: float32 (68, 2), pixels of the picture."""
        centre = np.array([box.left + box.right, box.top + box.bottom], np.float32) / 2
        return np.asarray(MEAN_FACE * max(box.width, 1.0) * 0.9 + centre, np.float32)
