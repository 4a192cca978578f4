"""The faces that a model is calibrated, tuned and measured on, as its network sees them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import InputError
from faceswap.faces.alignment import align, cut, moved, transform
from faceswap.faces.faceset import Faceset
from faceswap.quality.identity import spread
from faceswap.types import Alignment, Image, Pixels

MOST = 600  # faces of a faceset that are used
FEWEST = 10
KNOWN = 0.8  # share that the model may be calibrated and tuned on; the rest, the last, is held out


@dataclass(frozen=True)
class Material:
    """Faces of one person, in the order of their sources and frames.

    Attributes:
        faces: BGR uint8 (N, size, size, 3).
        masks: uint8 (N, size, size), 255 on the face.
        points: float32 (N, 68, 2), landmarks, pixels of the picture.
    """

    faces: Image
    masks: Image
    points: NDArray[np.float32]

    def split(self) -> tuple[Material, Material]:
        """Those that may be learned from, and those held out."""
        place = round(len(self.faces) * KNOWN)
        known, rest = slice(None, place), slice(place, None)
        return self._part(known), self._part(rest)

    def few(self, count: int) -> Material:
        """At most `count` of them, evenly spread."""
        return self._part(spread(len(self.faces), count))

    def _part(self, which: slice | list[int]) -> Material:
        return Material(self.faces[which], self.masks[which], self.points[which])


def read_material(folder: Path, size: int, coverage: float) -> Material:
    """The faces of a faceset, `MOST` at most.

    Args:
        folder: The faceset.
        size: Side of the network's pictures, pixels.
        coverage: Side of those pictures, extents of the mean face.

    Raises:
        InputError: There is no faceset, it is damaged, or it has too few faces.
    """
    faces, masks, points = [], [], []
    with Faceset.open(folder) as faceset:
        stored = faceset.faces()
        if len(stored) < FEWEST:
            raise InputError(f"{folder} has {len(stored)} faces, exporting needs {FEWEST} or more")
        for place in spread(len(stored), MOST):
            aligned = faceset.load(stored[place])
            landmarks = aligned.face.landmarks
            wanted = align(landmarks, size, coverage)
            back = np.linalg.inv(np.vstack([aligned.alignment.matrix, [0, 0, 1]]))
            faces.append(cut(Pixels(aligned.image), Alignment(wanted.matrix @ back, size, coverage)))
            masks.append(moved(aligned.mask, aligned.alignment, wanted))
            points.append(transform(landmarks, wanted.matrix))
    return Material(np.stack(faces), np.stack(masks), np.stack(points))
