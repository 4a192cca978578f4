"""MediaPipe's face mesh: 468 points in three dimensions, of which 68 are given in iBUG's order.

Kartynnik, Ablavatski, Grishchenko and Grundmann, "Real-time facial surface geometry from monocular video on
mobile GPUs", arXiv:1907.06724. The weights are under Apache-2.0, so commercial use is allowed.
"""

from __future__ import annotations

import numpy as np

from faceswap.faces.alignment import cut, transform
from faceswap.faces.mediapipe import Network, sigmoid
from faceswap.types import Alignment, Box, Matrix, Picture, Points

ROI = 1.5  # side of the region the mesh is shown, in box sides, as in MediaPipe's face_landmark graph
TURNED = np.deg2rad(10)  # from this angle of the eyes' line on the region is turned and looked at again
EYES = (33, 263)  # the outer corners, right and left of the person
SURE = 0.5  # from here on the network is believed to have a face before it
# The vertex for each of iBUG's 68 points: the same place of the face by meaning and, where several vertices
# would do, the one nearest to dlib's point on 300 drawn faces. The jaw is taken from the mesh's outline.
# fmt: off
IBUG = np.array([
    127, 234, 132, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 361, 454, 356,  # jaw
    70, 63, 52, 65, 55, 285, 295, 282, 293, 300,  # brows
    168, 197, 5, 4, 75, 97, 2, 326, 305,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # lips outside
    78, 82, 13, 312, 308, 317, 14, 87,  # lips inside
])
# The outline of the face, from the middle of the forehead on: MediaPipe's FACEMESH_FACE_OVAL.
OVAL = np.array([
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
    149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
])
# fmt: on


class Mesh468:
    """Finds the 468 points of a face."""

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            DependencyError: The weights or their runtime are not installed.
        """
        self._network = Network("face_landmark.tflite", 0.0)

    def locate(self, picture: Picture, box: Box) -> Points:
        """The 68 points of the face in `box`: float32 (68, 2), pixels of the picture."""
        return np.ascontiguousarray(self.locate_mesh(picture, box)[IBUG, :2])

    def locate_mesh(self, picture: Picture, box: Box) -> Points:
        """The mesh of the face in `box`.

        Returns:
            float32 (468, 3): x and y in pixels of the picture, z in the same unit, smaller nearer.
        """
        return self.see(picture, box)[0]

    def see(self, picture: Picture, box: Box) -> tuple[Points, float]:
        """The mesh as `locate_mesh` gives it, and how sure the network is that there is a face, 0 to 1."""
        mesh, score = self._look(picture, box, 0.0)
        x, y = (mesh[EYES[1]] - mesh[EYES[0]])[:2]
        angle = float(np.arctan2(y, x))
        if abs(angle) > TURNED:
            mesh, score = self._look(picture, box, angle)
        return mesh, score

    def _look(self, picture: Picture, box: Box, angle: float) -> tuple[Points, float]:
        """One run, in the region around `box` turned by `angle` (radians, clockwise as seen)."""
        size = self._network.size
        matrix = _region(box, angle, size)
        raw, logit = self._network.run(cut(picture, Alignment(matrix, size, ROI)))
        mesh = raw.reshape(-1, 3)
        scale = np.hypot(*matrix[0, :2])
        turn = matrix[:, :2].T / scale**2
        back = np.column_stack([turn, -turn @ matrix[:, 2]])
        flat = transform(mesh[:, :2] - 0.5, back)  # the network counts from the picture's edge
        return np.column_stack([flat, mesh[:, 2] / scale]).astype(np.float32), float(sigmoid(logit).item())


def _region(box: Box, angle: float, size: int) -> Matrix:
    """The transform (2, 3) from frame pixels to the square of `size` pixels the network is shown."""
    scale = size / (ROI * max(box.width, box.height, 1.0))
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    matrix = np.array([[c, s, 0.0], [-s, c, 0.0]])
    centre = np.array([box.left + box.right - 1, box.top + box.bottom - 1]) / 2
    matrix[:, 2] = (size - 1) / 2 - matrix[:, :2] @ centre
    return matrix
