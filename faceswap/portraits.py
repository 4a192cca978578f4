"""The faces of a faceset as plain pictures of one size, for networks that take any person's."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import InputError
from faceswap.faces.faceset import Faceset
from faceswap.progress import Progress
from faceswap.types import Image


def portraits(
    folder: Path, side: int, coverage: float, progress: Progress
) -> tuple[Image, NDArray[np.int64]]:
    """The middles of a faceset's crops.

    Args:
        folder: The faceset.
        side: Of the pictures, pixels.
        coverage: Of the pictures, extents of the mean face; a crop that shows less is taken whole.
        progress: Shows how far it is.

    Returns:
        BGR uint8 (N, side, side, 3), and which of the people in the faceset each shows, (N,).

    Raises:
        InputError: The faceset is missing, damaged or empty.
    """
    with Faceset.open(folder) as faceset:
        stored = faceset.faces()
        if not stored:
            raise InputError(f"there is no face in {folder}: extract some first")
        faces = np.empty((len(stored), side, side, 3), np.uint8)
        shown = progress(stored, total=len(stored), desc=f"faces of {folder.name}", unit="face")
        for index, face in enumerate(shown):
            crop = faceset.load(face).image
            keep = round(len(crop) * min(coverage / face.alignment.coverage, 1.0))
            edge = (len(crop) - keep) // 2
            middle = crop[edge : edge + keep, edge : edge + keep]
            way = cv2.INTER_AREA if keep > side else cv2.INTER_CUBIC
            faces[index] = cv2.resize(middle, (side, side), interpolation=way)
        return faces, np.array([face.person for face in stored], np.int64)
