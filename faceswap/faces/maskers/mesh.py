"""The outline of MediaPipe's face mesh, which reaches up to the hair line; see `landmarkers.mesh468`."""

from __future__ import annotations

import cv2
import numpy as np

from faceswap.faces.landmarkers.mesh468 import OVAL, SURE, Mesh468
from faceswap.faces.masks import hull
from faceswap.types import Box, Image, Pixels, Points

_SHIFT = 4  # OpenCV draws with 4 bits of sub-pixel precision


class MeshMasker:
    """Takes all that lies within the mesh's outline for face."""

    def __init__(self) -> None:
        """Load the mesh.

        Raises:
            DependencyError: The weights or their runtime are not installed.
        """
        self._mesh = Mesh468()

    def mask(self, image: Image, landmarks: Points) -> Image:
        """The face's outline: uint8 (size, size), 0 or 255; the points' hull where no mesh is found."""
        low, high = landmarks.min(0), landmarks.max(0) + 1
        mesh, score = self._mesh.see(Pixels(image), Box(*low.tolist(), *high.tolist()))
        if score < SURE:
            return hull(landmarks, image.shape[0])
        mask = np.zeros(image.shape[:2], np.uint8)
        outline = np.round(mesh[OVAL, :2] * (1 << _SHIFT)).astype(np.int32)
        return np.asarray(cv2.fillPoly(mask, [outline], 255, lineType=cv2.LINE_8, shift=_SHIFT), np.uint8)
