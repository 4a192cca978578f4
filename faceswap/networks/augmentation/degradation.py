"""What a bad lens, a small sensor and a strong compression do to a picture.

Only the input is degraded: the network learns to give back the sharp target, so that a poor clip of A does
not make B's face poor.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from faceswap.networks.augmentation.jitter import Jitter
from faceswap.types import Image

WORST = 5  # JPEG quality at a strength of 1; under it only coloured blocks are left
LEAST_BLUR = 0.2  # pixels; under it nothing would change


def degrade(image: Image, jitter: Jitter, draw: Generator) -> Image:
    """Blur, then noise, then JPEG, as a camera does it; each as much as chance has it.

    Args:
        image: BGR uint8 (size, size, 3).
        jitter: How strongly at most.
        draw: Where chance comes from.

    Returns:
        BGR uint8 (size, size, 3); `image` itself where nothing is switched on.
    """
    if jitter.blur > 0:
        image = _blurred(image, draw.uniform(0, jitter.blur) * image.shape[0])
    if jitter.noise > 0:
        level = draw.uniform(0, jitter.noise) * 255
        grain = draw.standard_normal(image.shape, np.float32)
        image = np.asarray(cv2.addWeighted(image, 1, grain, level, 0, dtype=cv2.CV_8U), np.uint8)
    if jitter.jpeg > 0:
        image = _compressed(image, round(100 - draw.uniform(0, jitter.jpeg) * (100 - WORST)))
    return image


def _blurred(image: Image, deviation: float) -> Image:
    if deviation < LEAST_BLUR:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE), np.uint8)


def _compressed(image: Image, quality: int) -> Image:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
