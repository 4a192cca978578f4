"""The colours of a sample: what another light, another camera or another room would make of the face.

Input and target are recoloured alike: the network is to give back the light it sees, not to undo it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from faceswap.networks.augmentation.jitter import Jitter
from faceswap.types import Image

MIDDLE = 127.5  # what the mean of a standardised picture is, of 255
SPREAD = 55.0  # what its deviation is: about that of an evenly lit face
GAINS = (0.5, 2.0)  # how far colour transfer and standardisation may stretch the contrast
TO_LAB = cv2.COLOR_BGR2LAB
LEVELS = np.arange(256, dtype=np.float64)


def recolour(
    image: Image, mask: Image, jitter: Jitter, draw: Generator, other: tuple[Image, Image] | None
) -> Image:
    """Another light.

    Args:
        image: BGR uint8 (side, side, 3).
        mask: uint8 (side, side), 255 on the face.
        jitter: How strongly.
        draw: Where chance comes from.
        other: Picture and mask of a face of the other person.

    Returns:
        BGR uint8 (side, side, 3).
    """
    towards, common = draw.uniform(0, (jitter.color_transfer, jitter.standardize))
    if jitter.color_transfer > 0 and other is not None:
        image = transfer(image, mask, *other, towards)
    angle = draw.uniform(-jitter.hue, jitter.hue)
    if jitter.hue > 0:
        image = turn_hue(image, angle)
    values = _standard(image, common) if jitter.standardize > 0 else LEVELS
    return np.asarray(cv2.LUT(image, _tone(values, jitter, draw)), np.uint8)


def transfer(image: Image, mask: Image, other: Image, other_mask: Image, share: float) -> Image:
    """Move the face's mean and deviation in each channel of CIE L*a*b* towards those of another face.

    Reinhard et al., "Color transfer between images", IEEE Computer Graphics and Applications 21(5), 2001,
    equations 10-11, in L*a*b* instead of l-alpha-beta.

    Args:
        image: BGR uint8 (height, width, 3), recoloured as a whole.
        mask: uint8 (height, width); its statistics are those of the pixels that are not 0.
        other: BGR uint8 of any size.
        other_mask: uint8 of that size.
        share: How far, 0 to 1.
    """
    # In float: as uint8 L*a*b* is too coarse, and smooth skin would come out in steps.
    lab = cv2.cvtColor(np.multiply(image, 1 / 255, dtype=np.float32), TO_LAB)
    mean, spread = _moments(lab, mask)
    every = np.s_[::2, ::2]  # a quarter of its pixels say as much of the other face
    goal = cv2.cvtColor(np.multiply(other[every], 1 / 255, dtype=np.float32), TO_LAB)
    goal_mean, goal_spread = _moments(goal, np.ascontiguousarray(other_mask[every]))
    gain = 1 + share * (np.clip(goal_spread / np.maximum(spread, 1e-3), *GAINS) - 1)
    shift = mean + share * (goal_mean - mean) - mean * gain
    moved = cv2.transform(lab, np.column_stack([np.diag(gain), shift]))
    back = cv2.cvtColor(moved, cv2.COLOR_LAB2BGR)  # within 0 and 1
    return np.asarray(cv2.convertScaleAbs(back, alpha=255), np.uint8)


def _moments(lab: NDArray[np.float32], mask: Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of each channel inside the mask, or of the whole where nothing is inside."""
    mean, spread = cv2.meanStdDev(lab, mask=mask if mask.any() else None)
    return mean[:, 0], spread[:, 0]


def turn_hue(image: Image, angle: float) -> Image:
    """Turn all colours about the grey axis of the RGB cube by `angle` degrees (Rodrigues' formula).

    Greys and the sum of the three channels stay, up to clipping; unlike a turn in HSV it is smooth, and a
    single pass.
    """
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle)) / np.sqrt(3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    matrix = cos * np.eye(3) + (1 - cos) / 3 + sin * cross
    return np.asarray(cv2.transform(image, matrix), np.uint8)


def _standard(image: Image, share: float) -> NDArray[np.float64]:
    """What each level becomes where mean and deviation of the picture move to the common ones."""
    channels = cv2.meanStdDev(image)
    mean = float(np.mean(channels[0]))
    spread = float(np.sqrt(np.mean(channels[1] ** 2 + channels[0] ** 2) - mean**2))
    gain = 1 + share * (np.clip(SPREAD / max(spread, 1.0), *GAINS) - 1)
    return np.asarray((LEVELS - mean) * gain + mean + share * (MIDDLE - mean))


def _tone(values: NDArray[np.float64], jitter: Jitter, draw: Generator) -> NDArray[np.uint8]:
    """Gamma, contrast and brightness as one table of 256 levels."""
    light = draw.uniform(-jitter.light, jitter.light) * 255
    contrast = 1 + draw.uniform(-jitter.contrast, jitter.contrast)
    most = np.log1p(jitter.gamma)
    gamma = np.exp(draw.uniform(-most, most))
    curved = 255 * (np.clip(values, 0, 255) / 255) ** gamma
    return np.asarray(np.clip(np.rint((curved - 128) * contrast + 128 + light), 0, 255), np.uint8)
