"""Fine detail: the swapped face is neither softer nor sharper than the face of its frame.

Detail is the swapped face's own, made stronger or weaker until it is as strong as the original's. Both are
looked at in the upright crop, which has all the detail that the network can draw, whatever the frame's size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from faceswap.blending.bands import FINE, detail_of, grain_of, shared, strength
from faceswap.types import Floats, Image

REACH = 0.6  # pixels of the network, standard deviation of the blur that leaves its detail out
STRONGEST = 4.0  # detail is made stronger by no more than this factor: more shows rings around the eyes
HALO = 20.0  # grey levels that sharpening changes a pixel by, at most
FINEST, WIDER = 0.4, 1.6  # pixels; of the finer blur: the wider one is at least so many times as wide
LEAST = 64  # pixels of face below which nothing is measured


@dataclass(frozen=True)
class Detail:
    """What is done to the detail of a swapped face.

    Attributes:
        sharpen: How much of its detail is added to it, 0 or more: unsharp masking.
        match: How far its detail is brought to the original's, 0 to 1.
    """

    sharpen: float = 0.0
    match: float = 0.0

    def apply(self, face: Image, original: Floats, where: Image, pitch: float, scale: float) -> Image:
        """The swapped face with other detail.

        Args:
            face: BGR uint8 (size, size, 3), upright.
            original: float32 (size, size), the brightness of the frame's face, 0 to 255.
            where: uint8 (size, size), not 0 where it shows.
            pitch: Pixels of the crop that a pixel of the network covers.
            scale: Pixels of the frame that a pixel of the crop covers.

        Returns:
            BGR uint8 (size, size, 3).
        """
        if not (self.sharpen or self.match) or cv2.countNonZero(where) < LEAST:
            return face
        grey = np.asarray(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), np.float32)
        fine = max(FINE / scale, FINEST)
        wide = max(REACH * pitch, WIDER * fine)
        own = detail_of(grey, wide, fine)
        more = self.sharpen
        if self.match:
            wanted = strength(detail_of(original, wide, fine), where)
            more += self.match * _needed(own, wide, fine, wanted, where)
        change = own * np.float32(more)
        if self.sharpen:
            change += grain_of(grey) * np.float32(self.sharpen)
        change = np.clip(change, -HALO, HALO)
        return np.asarray(cv2.add(face, cv2.merge([change] * 3), dtype=cv2.CV_8U), np.uint8)


def _needed(detail: Floats, wide: float, fine: float, wanted: float, where: Image) -> float:
    """How much of its own detail a face needs more, so that its detail then is as strong as wanted.

    What is added is filtered once more when it is measured, so it counts for less than it is; its share
    solves a quadratic equation.
    """
    again = detail_of(detail, wide, fine)
    pairs = ((detail, detail), (detail, again), (again, again))
    have, both, added = (shared(one, other, where) for one, other in pairs)
    root = max(both**2 - added * (have - wanted**2), 0.0)
    share = (np.sqrt(root) - both) / max(added, 1e-6)
    return float(np.clip(share, -1, STRONGEST - 1))
