"""dlib's 68-point shape predictor, trained on iBUG 300-W (for research use; see the README)."""

from __future__ import annotations

from faceswap.faces.landmarkers.predictor import ShapePredictor
from faceswap.faces.weights import SHAPE_68, weight_file
from faceswap.types import Box, Picture, Points


class Dlib68:
    """Finds the 68 points of a face."""

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            DependencyError: The weight file is not installed.
        """
        self._predictor = ShapePredictor(weight_file(SHAPE_68))

    def locate(self, picture: Picture, box: Box) -> Points:
        """The points of the face in `box`: float32 (68, 2), pixels of the picture."""
        return self._predictor.points(picture, box)
