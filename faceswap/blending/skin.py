"""Where a face's skin is bare: inside the mask, but not on eyes, brows, nostrils and mouth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Points

DRAWN = 64  # pixels: side of the square that the features are drawn in
MARGIN = 0.035  # how far around a feature is left out, shares of the crop's side

# Of the 68 points: both eyes, both brows, the nostrils, the mouth.
FEATURES = (range(36, 42), range(42, 48), range(17, 22), range(22, 27), range(31, 36), range(48, 60))


def bare_skin(points: Points, size: int) -> NDArray[np.float32]:
    """How bare the skin is.

    Args:
        points: float32 (68, 2), pixels of the crop.
        size: Side of the crop, pixels.

    Returns:
        float32 (size, size): 0 on the features, soft around them, 1 off them (also off the face).
    """
    scaled = ((points + 0.5) * (DRAWN / size) - 0.5) * 16  # OpenCV draws with 4 bits below a pixel
    covered = np.zeros((DRAWN, DRAWN), np.uint8)
    outlines = [np.round(scaled[feature.start : feature.stop]).astype(np.int32) for feature in FEATURES]
    cv2.fillPoly(covered, outlines, 1, cv2.LINE_8, 4)
    cv2.polylines(covered, outlines, True, 1, max(round(2 * MARGIN * DRAWN), 1), cv2.LINE_8, 4)
    soft = cv2.GaussianBlur(1 - covered.astype(np.float32), (0, 0), 1.0)
    return np.asarray(cv2.resize(soft, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)
