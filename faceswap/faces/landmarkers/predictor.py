"""dlib's shape predictors.

Kazemi and Sullivan, "One millisecond face alignment with an ensemble of regression trees", CVPR 2014.
"""

from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np

from faceswap.types import Box, Picture, Points

MARGIN = 0.5  # box sides around a box that are handed over; the points are those found in the whole frame


class ShapePredictor:
    """Finds the points of a face in a box."""

    def __init__(self, weights: Path) -> None:
        """Load the weights."""
        self._predict = dlib.shape_predictor(str(weights))

    def points(self, picture: Picture, box: Box) -> Points:
        """float32 (N, 2), pixels of the picture.

        Only what is around the box is handed over: dlib wants memory without gaps, and a whole frame would be
        copied for each face.
        """
        grey = picture.grey()
        rect = dlib.rectangle(round(box.left), round(box.top), round(box.right) - 1, round(box.bottom) - 1)
        margin = round(MARGIN * max(rect.width(), rect.height()))
        left, top = (
            min(max(edge - margin, 0), size - 1)
            for edge, size in ((rect.left(), picture.width), (rect.top(), picture.height))
        )
        part = grey[top : max(rect.bottom() + margin, 0) + 1, left : max(rect.right() + margin, 0) + 1]
        there = dlib.translate_rect(rect, dlib.point(-left, -top))
        found = self._predict(np.ascontiguousarray(part), there).parts()
        return np.array([[point.x + left, point.y + top] for point in found], np.float32)
