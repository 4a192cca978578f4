"""How sharp and how grainy a part of a picture is."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.quality.fidelity import Mask
from faceswap.types import Grey

FLOOR = 0.1  # grey levels that are added before dividing, so that a plain wall has a ratio
_FINE, _COARSE = 1.0, 2.0  # standard deviations, pixels: detail is what lies between them
_LAPLACIANS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def grain(grey: Grey, where: Mask) -> float | None:
    """The standard deviation of the noise, grey levels.

    Immerkær, "Fast noise variance estimation", Computer Vision and Image Understanding 64(2), 1996: the
    difference of two Laplacians, to which edges mean little.

    Args:
        grey: uint8 (height, width).
        where: bool, the same shape: the pixels that count.
    """
    if not where.any():
        return None
    rough = cv2.filter2D(grey.astype(np.float32), -1, _LAPLACIANS)
    return float(np.abs(rough[where]).mean() * np.sqrt(np.pi / 2) / np.linalg.norm(_LAPLACIANS))


def detail(grey: Grey, where: Mask) -> float | None:
    """The root mean square of fine detail, grey levels, without the part that grain has in it.

    Detail is what a difference of Gaussians lets through (Marr and Hildreth, Proc. R. Soc. B 207, 1980).

    Args:
        grey: uint8 (height, width).
        where: bool, the same shape: the pixels that count.
    """
    noise = grain(grey, where)
    if noise is None:
        return None
    band = _blurred(grey.astype(np.float32), _FINE) - _blurred(grey.astype(np.float32), _COARSE)
    energy = float(np.square(band[where]).mean()) - noise**2 * _NOISE_PASSED
    return float(np.sqrt(max(energy, 0.0)))


def against(
    swapped: tuple[float | None, float | None], original: tuple[float | None, float | None]
) -> float | None:
    """A quality of the face against the original's, with what befell the whole frame divided out.

    Args:
        swapped: Of the face and of the frame around it, in the swapped picture.
        original: The same in the original.

    Returns:
        1 where the face lost as much as the frame, None where the face was not measured.
    """
    face, frame = (_ratio(a, b) for a, b in zip(swapped, original, strict=True))
    return None if face is None else face / (frame or 1.0)


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or below is None else (above + FLOOR) / (below + FLOOR)


def _blurred(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma))


def _passed() -> float:
    """How much of the variance of white noise the difference of Gaussians lets through."""
    point = np.zeros((33, 33), np.float32)
    point[16, 16] = 1
    return float(np.square(_blurred(point, _FINE) - _blurred(point, _COARSE)).sum())


_NOISE_PASSED = _passed()
