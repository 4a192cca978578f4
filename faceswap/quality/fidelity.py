"""How well the picture around the face was kept."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Grey, Image

Mask = NDArray[np.bool_]

BEST = 100.0  # dB: what stands for no difference at all
WINDOW = 5  # pixels from the middle of SSIM's window to its edge


def grey_of(image: Image) -> Grey:
    """Brightness after ITU-R BT.601, uint8 (height, width), of a BGR image."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def ssim(first: Grey, second: Grey, where: Mask) -> float | None:
    """Structural similarity of two pictures, averaged over a part of them.

    Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", IEEE TIP 13(4), 2004, with its Gaussian window of 11 pixels (standard deviation 1.5).

    Args:
        first: uint8 (height, width).
        second: The same shape.
        where: bool, the same shape: the pixels that count. Their windows reach `WINDOW` pixels further.

    Returns:
        -1 to 1, 1 for the same picture; None where nothing counts.
    """
    if not where.any():
        return None
    x, y = first.astype(np.float32), second.astype(np.float32)
    mx, my = _window(x), _window(y)
    xx, yy, xy = _window(x * x) - mx * mx, _window(y * y) - my * my, _window(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    index = ((2 * mx * my + c1) * (2 * xy + c2)) / ((mx * mx + my * my + c1) * (xx + yy + c2))
    return float(index[where].mean())


def psnr(first: Image, second: Image, where: Mask) -> float | None:
    """Peak signal-to-noise ratio of a part of two BGR uint8 pictures, dB, at most `BEST`.

    None where nothing counts.
    """
    if not where.any():
        return None
    error = cv2.absdiff(first, second)[where].astype(np.float32)
    mean = float(np.square(error).mean())
    return min(10 * np.log10(255**2 / mean), BEST) if mean > 0 else BEST


def _window(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(image, (2 * WINDOW + 1, 2 * WINDOW + 1), 1.5))
