"""dlib's 68-point shape predictor, trained on iBUG 300-W (for research use; see the README).

Kazemi and Sullivan, "One millisecond face alignment with an ensemble of regression trees", CVPR 2014.
"""

from __future__ import annotations

import dlib
import numpy as np

from faceswap.faces.weights import SHAPE_68, weight_file
from faceswap.types import Box, Picture, Points


class Dlib68:
    """Finds the 68 points of a face."""

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            DependencyError: The weight file is not installed.
        """
        self._predictor = dlib.shape_predictor(str(weight_file(SHAPE_68)))

    def locate(self, picture: Picture, box: Box) -> Points:
        """The points of the face in `box`: float32 (68, 2), pixels of the picture."""
        grey = np.ascontiguousarray(picture.grey())
        rect = dlib.rectangle(round(box.left), round(box.top), round(box.right) - 1, round(box.bottom) - 1)
        parts = self._predictor(grey, rect).parts()
        return np.array([[p.x, p.y] for p in parts], np.float32)
