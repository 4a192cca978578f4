"""What is done to a face before the network sees it, so that it learns the face and not the pictures.

The target is the face in other colours, turned, shifted and zoomed; the input is the same with its parts
pushed about on a coarse grid (the field's *random warp*), blurred and noisy. The network learns to put the
parts back where they belong, and so to make the person's own features out of anybody's.

    jitter.py        how strongly each thing is done
    light.py         colours: to input and target
    geometry.py      where a pixel comes from: to input, target and mask; the warp to the input only
    degradation.py   what a bad camera does: to the input only
    sheet.py         a picture of it all
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from faceswap.networks.augmentation.degradation import degrade
from faceswap.networks.augmentation.geometry import place
from faceswap.networks.augmentation.jitter import Jitter
from faceswap.networks.augmentation.light import recolour
from faceswap.types import Image

__all__ = ["Jitter", "vary"]


def vary(
    image: Image,
    mask: Image,
    size: int,
    jitter: Jitter,
    draw: Generator,
    other: tuple[Image, Image] | None = None,
) -> tuple[Image, Image, Image]:
    """One training sample.

    Args:
        image: BGR uint8 (side, side, 3); its middle `size` pixels are the crop to learn.
        mask: uint8 (side, side), 255 on the face.
        size: Side of what comes out, pixels.
        jitter: How strongly.
        draw: Where chance comes from.
        other: Picture and mask of a face of the other person, for the colour transfer; None for none.

    Returns:
        Input and target, BGR uint8 (size, size, 3), and the target's mask, uint8 (size, size).
    """
    image = recolour(image, mask, jitter, draw, other)
    warped, target, target_mask = place(image, mask, size, jitter, draw)
    return np.ascontiguousarray(degrade(warped, jitter, draw)), target, target_mask
