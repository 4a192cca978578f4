"""Which faces look the same: perceptual hashes, and groups of faces whose hashes are near."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Image

Hashes = NDArray[np.uint8]  # (N, BYTES)

SIDE = 64  # pixels: the picture that is looked at
FREQUENCIES = 16  # along each side; 8, as is usual, do not see whether the mouth moves
BITS = FREQUENCIES**2
BYTES = BITS // 8


def perceptual_hash(image: Image) -> NDArray[np.uint8]:
    """A hash that hardly changes with compression, size or brightness, but with what is shown.

    The signs of the lowest frequencies (discrete cosine transform) about their median, after Zauner,
    "Implementation and benchmarking of perceptual image hash functions", 2010, section 3.2.1.

    Args:
        image: BGR uint8 (height, width, 3).

    Returns:
        uint8 (`BYTES`,): `BITS` bits.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = np.asarray(cv2.dct(small))[:FREQUENCIES, :FREQUENCIES].ravel()
    return np.packbits(low > np.median(low[1:]))  # the first is the brightness


def hashes(images: Iterable[Image]) -> Hashes:
    """The hashes of pictures, uint8 (N, `BYTES`)."""
    return np.array([perceptual_hash(image) for image in images], np.uint8).reshape(-1, BYTES)


def differences(one: Hashes, other: Hashes) -> NDArray[np.int64]:
    """In how many bits the hashes differ, (N, M)."""
    return np.asarray(np.bitwise_count(one[:, None] ^ other[None]).sum(2), np.int64)


def groups(found: Hashes, order: NDArray[np.intp], most: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Put pictures together that differ in few bits from one that stands for them.

    A picture joins the nearest of those that stand for a group already, or stands for one of its own. So a
    long slow movement is not one group, as it would be if each only had to be near the next.

    Args:
        found: The hashes.
        order: Who comes first (and so stands for a group) and who later: places in `found`.
        most: Bits in which a picture may differ from the one that stands for it.

    Returns:
        For each picture the place of the one that stands for it, and in how many bits it differs from that.
    """
    leaders = np.empty(0, np.intp)
    leader, away = np.arange(len(found)), np.zeros(len(found), np.int64)
    for place in order:
        gaps = differences(found[place : place + 1], found[leaders])[0]
        nearest = int(gaps.argmin()) if len(gaps) else -1
        if nearest >= 0 and gaps[nearest] <= most:
            leader[place], away[place] = leaders[nearest], gaps[nearest]
        else:
            leaders = np.append(leaders, place)
    return leader, away
