"""dlib's frontal face detector: histograms of oriented gradients under a linear SVM.

Dalal and Triggs, "Histograms of oriented gradients for human detection", CVPR 2005; King, "Max-margin object
detection", 2015. It sees faces of 80 pixels and more; smaller ones after enlarging the picture.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any

import cv2
import dlib
import numpy as np

from faceswap.types import Box, Image
from faceswap.warping import shrink

SMALLEST = 80  # pixels: the detector's window


class HogDetector:
    """Finds frontal faces."""

    colour = False

    def __init__(self) -> None:
        """Copy the detector, which is part of dlib; to unpack it takes a hundred times as long."""
        self._detector = deepcopy(_original())

    def detect(self, image: Image, min_face: float) -> list[tuple[Box, float]]:
        """Boxes and scores (above 0; about 2 for a clear face) of the faces of `min_face` pixels or more.

        Args:
            image: Grey uint8, (height, width).
            min_face: Smallest side looked for, pixels; the larger, the faster.
        """
        scale = SMALLEST / min_face
        if scale < 1:
            grey = shrink(image, scale)
        else:
            grey = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        rects, scores, _ = self._detector.run(np.ascontiguousarray(grey), 0, 0.0)
        return [
            (Box(r.left() / scale, r.top() / scale, (r.right() + 1) / scale, (r.bottom() + 1) / scale), score)
            for r, score in zip(rects, scores, strict=True)
        ]


@cache
def _original() -> Any:
    return dlib.get_frontal_face_detector()
