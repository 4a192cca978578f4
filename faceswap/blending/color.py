"""Colour transfer: giving the swapped face the colours of the face it takes the place of.

Each function takes the swapped face and the original one, BGR uint8 (height, width, 3), and where to compare
them, bool (height, width), and returns the swapped face recoloured.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Image


def keep(swapped: Image, original: Image, where: NDArray[np.bool_]) -> Image:
    """Leave the colours as the network made them."""
    return swapped


def reinhard(swapped: Image, original: Image, where: NDArray[np.bool_]) -> Image:
    """Match mean and deviation of each channel of CIE L*a*b*.

    Reinhard et al., "Color transfer between images", IEEE Computer Graphics and Applications 21(5), 2001,
    equations 10-11, in L*a*b* instead of l-alpha-beta.
    """
    if not where.any():
        return swapped
    made, wanted = (_to_lab(image) for image in (swapped, original))
    inside, target = made[where], wanted[where]
    gain = target.std(0) / np.maximum(inside.std(0), 1e-3)
    made = (made - inside.mean(0)) * np.clip(gain, 0.5, 2.0) + target.mean(0)
    back = cv2.cvtColor(made.astype(np.float32), cv2.COLOR_LAB2BGR)
    return np.asarray(np.clip(np.rint(back * 255), 0, 255), np.uint8)


def _to_lab(image: Image) -> NDArray[np.float32]:
    scaled = image.astype(np.float32) / np.float32(255)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2LAB), np.float32)
