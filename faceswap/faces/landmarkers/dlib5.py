"""dlib's 5-point shape predictor, with the mean face laid through the points it finds.

Approximate: position, size and roll are found, expression and shape are the mean face's. Its weights are in
the public domain; the 68-point file excludes commercial use (README of github.com/davisking/dlib-models).
"""

from __future__ import annotations

import numpy as np

from faceswap.faces.alignment import transform, umeyama
from faceswap.faces.landmarkers.predictor import ShapePredictor
from faceswap.faces.template import MEAN_FACE
from faceswap.faces.weights import SHAPE_5, weight_file
from faceswap.types import Box, Picture, Points

# dlib's five, in its order, as points of the 68: outer and inner corner of the person's left eye, outer and
# inner corner of the right eye, and the nose's base.
FIVE = np.array([45, 42, 36, 39, 33])


class Dlib5:
    """Finds five points of a face and guesses the rest."""

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            DependencyError: The weight file is not installed.
        """
        self._predictor = ShapePredictor(weight_file(SHAPE_5))

    def locate(self, picture: Picture, box: Box) -> Points:
        """The mean face's 68 points, laid onto the face in `box`: float32 (68, 2), pixels of the picture."""
        return transform(MEAN_FACE, umeyama(MEAN_FACE[FIVE], self._predictor.points(picture, box)))
