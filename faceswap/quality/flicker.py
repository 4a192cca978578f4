"""What jumps from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from faceswap.quality.fidelity import Mask
from faceswap.types import Image

CALM = 0.015  # blur that keeps grain out: standard deviation as a share of the crop's side


def flicker(crops: Sequence[Image], where: Mask) -> float:
    """How much the middle one of three successive crops sticks out, grey levels.

    The crops are steadied: the face lies at the same place in each. What changes at an even pace is no
    flicker; what goes up and down by d from frame to frame (so that half the frames lie d above the mean and
    half d below it) reads d.

    Args:
        crops: Three BGR uint8 (size, size, 3).
        where: bool (size, size): the pixels that count; at least one.

    Returns:
        The root mean square over pixels and channels.
    """
    sigma = CALM * crops[1].shape[0]
    before, now, after = (cv2.GaussianBlur(crop.astype(np.float32), (0, 0), sigma) for crop in crops)
    jump = (2 * now - before - after)[where] / 4
    return float(np.sqrt(np.square(jump).mean()))


def excess(swapped: float, original: float) -> float:
    """What was added to a root mean square, its sign kept: what is independent adds up in squares."""
    more = swapped**2 - original**2
    return float(np.copysign(np.sqrt(abs(more)), more))
