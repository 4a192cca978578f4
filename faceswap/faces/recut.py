"""A face of a faceset cut anew from the picture that is kept of it, without its source."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from faceswap.faces.alignment import cut
from faceswap.faces.faceset import FACES
from faceswap.faces.index import StoredFace
from faceswap.types import Alignment, Image, Pixels


def recut(folder: Path, face: StoredFace, wanted: Alignment) -> Image | None:
    """The crop that `wanted` cuts from the face's frame, as far as its kept picture shows it.

    Args:
        folder: The faceset.
        face: One of its faces.
        wanted: How the crop lies in the frame.

    Returns:
        BGR uint8 (size, size, 3); None where the picture cannot be read.
    """
    image = cv2.imread(str(folder / FACES / face.file), cv2.IMREAD_COLOR)
    if image is None or image.shape[:2] != (face.alignment.size,) * 2:
        return None
    back = np.vstack([cv2.invertAffineTransform(face.alignment.matrix), [0, 0, 1]])
    matrix = wanted.matrix @ back
    return cut(Pixels(np.asarray(image, np.uint8)), Alignment(matrix, wanted.size, wanted.coverage))
