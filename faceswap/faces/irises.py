"""Where the irises are: MediaPipe's iris network (Apache-2.0).

Ablavatski, Vakunov, Grishchenko, Raveendran and Zhdanovich, "Real-time pupil tracking from monocular video
for digital puppetry", arXiv:2006.11341.
"""

from __future__ import annotations

import cv2
import numpy as np

from faceswap.faces.alignment import cut, transform
from faceswap.faces.mediapipe import Network
from faceswap.types import Alignment, Matrix, Picture, Points

ROI = 2.3  # side of the region the network is shown, in widths of the eye, as in MediaPipe's graph
# Vertices of the face mesh: the corners of the person's right and left eye, that at the picture's left first.
CORNERS = ((33, 133), (362, 263))
LIDS = (12, 4)  # of the network's points along the eye: the middle of the upper and of the lower lid


class Irises:
    """Finds the irises of a face whose mesh is known."""

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            DependencyError: The weights or their runtime are not installed.
        """
        self._network = Network("iris_landmark.tflite", 0.0)

    def look(self, picture: Picture, mesh: Points) -> Points:
        """The eyes of a face.

        Args:
            picture: The frame.
            mesh: (468, 2 or more), pixels of the frame.

        Returns:
            float32 (2, 5, 2), pixels of the frame: for the right and the left eye of the person the corner at
            the picture's left (of an upright face), the other corner, the middle of the upper and of the
            lower lid, and the middle of the iris. The corners are the mesh's: the iris network's follow the
            iris.
        """
        return np.stack([self._eye(picture, mesh[list(pair), :2], side) for side, pair in enumerate(CORNERS)])

    def _eye(self, picture: Picture, corners: Points, side: int) -> Points:
        """One eye; the network knows right eyes, so a left one (`side` 1) is shown mirrored."""
        size = self._network.size
        matrix = _region(corners, size)
        image = cut(picture, Alignment(matrix, size, ROI))
        outline, iris = self._network.run(np.ascontiguousarray(image[:, ::-1]) if side else image)
        found = np.stack([*outline.reshape(-1, 3)[list(LIDS), :2], iris.reshape(-1, 3)[0, :2]])
        points: Points = found - np.float32(0.5)  # the network counts from the picture's edge
        if side:
            points[:, 0] = size - 1 - points[:, 0]
        there = transform(points, np.asarray(cv2.invertAffineTransform(matrix), np.float64))
        return np.concatenate([corners, there])


def _region(corners: Points, size: int) -> Matrix:
    """The transform (2, 3) from frame pixels to the square in which the eye's line is level."""
    across = corners[1].astype(np.float64) - corners[0]
    width = max(float(np.hypot(*across)), 1.0)
    c, s = across / width * size / (ROI * width)
    matrix = np.array([[c, s, 0.0], [-s, c, 0.0]])
    matrix[:, 2] = (size - 1) / 2 - matrix[:, :2] @ corners.mean(0)
    return matrix
