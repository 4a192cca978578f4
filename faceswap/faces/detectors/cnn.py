"""dlib's convolutional face detector: slow on a processor, and less bound to frontal faces than HOG.

King, "Max-margin object detection", arXiv:1502.00046, 2015, over a small convolutional network; the weights
are in the public domain (github.com/davisking/dlib-models).
"""

from __future__ import annotations

import cv2
import dlib
import numpy as np

from faceswap.faces.weights import MMOD, weight_file
from faceswap.types import Box, Image

SMALLEST = 72  # pixels: from this side on, in boxes of HOG, all of 10 drawn faces were found; of 64, 6


class CnnDetector:
    """Finds faces, turned ones among them."""

    colour = True

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            DependencyError: The weight file is not installed.
        """
        self._detector = dlib.cnn_face_detection_model_v1(str(weight_file(MMOD)))

    def detect(self, image: Image, min_face: float) -> list[tuple[Box, float]]:
        """Boxes and scores (above 0; about 1 for a clear face) of the faces of `min_face` pixels or more.

        Args:
            image: BGR uint8, (height, width, 3).
            min_face: Smallest side looked for, pixels; the larger, the faster.
        """
        scale = SMALLEST / min_face
        shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        rgb = cv2.resize(image, None, fx=scale, fy=scale, interpolation=shrink)[:, :, ::-1]
        found = self._detector(np.ascontiguousarray(rgb), 0)
        return [(_box(item.rect, scale), float(item.confidence)) for item in found]


def _box(rect: dlib.rectangle, scale: float) -> Box:
    return Box(
        rect.left() / scale, rect.top() / scale, (rect.right() + 1) / scale, (rect.bottom() + 1) / scale
    )
