"""Steadying a face's mask through time, without delay, as `smoothing` steadies its points.

The hull is drawn by the points as they were found, and its edge jumps with them: on a real talking head by
0.60 pixels of a crop of 256 from frame to frame, steadied by 0.25. Where it is the swap's edge, the picture
there flickers by 0.78 grey levels without and by 0.64 with that; the original's has 0.63. Where the network's
mask is the narrower one, as mostly with `--mask both`, there is nothing to gain: 0.28 pixels, 0.56 grey
levels.

Measured on crops of 256x256, one thread: 1 ms a face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.alignment import align
from faceswap.faces.index import StoredFace, pack, unpack
from faceswap.types import Image, Matrix

SHARES = {-2: 1, -1: 4, 0: 6, 1: 4, 2: 1}  # by how much frames around count: binomial; a lone outlier loses
COARSE = 2  # pixels of a mask that are one while masks are averaged: edges so soft move as their mean does


@dataclass(frozen=True)
class Outline:
    """The mask that was found for a face, and how it lies on the head.

    Attributes:
        frame: The frame.
        packed: The mask, as `pack` makes it.
        upright: From its crop to the one that the steadied points ask for, (3, 3).
    """

    frame: int
    packed: bytes
    upright: Matrix


@dataclass(frozen=True)
class SteadyFace(StoredFace):
    """A face whose mask is the mean, over the frames around, of what is face; made when it is asked for.

    Attributes:
        outlines: Those of the same face in those frames, and in its own.
    """

    outlines: tuple[Outline, ...] = ()

    @property
    def mask(self) -> Image:
        """uint8 (size, size), 255 on the face and 0 off it."""
        return unpack(self._steady, self.alignment.size)

    @cached_property
    def _steady(self) -> bytes:
        """Packed, so that a track's masks take no more memory than they do on the disk."""
        if len(self.outlines) < 2:
            return self.packed_mask
        size = self.alignment.size
        side = max(size // COARSE, 1)
        back = np.linalg.inv(next(own.upright for own in self.outlines if own.frame == self.frame_index))
        total, half = np.zeros((side, side), np.float32), 0.0
        for outline in self.outlines:
            share = SHARES[outline.frame - self.frame_index]
            matrix = _shrunk_matrix(back @ outline.upright, side / size)
            moved = cv2.warpAffine(_shrunk(outline.packed, size, side), matrix, (side, side))
            cv2.scaleAdd(moved, share, total, total)
            half += 0.5 * share
        large = cv2.resize(total, (size, size), interpolation=cv2.INTER_LINEAR)
        return pack((large > half).astype(np.uint8))


def steady_masks(track: Sequence[StoredFace]) -> list[SteadyFace]:
    """The faces of one track, by frame, with steady masks; their points are steadied already."""
    outlines = [Outline(face.frame_index, face.packed_mask, _upright(face)) for face in track]
    result = []
    for place, face in enumerate(track):
        near = outlines[max(place + min(SHARES), 0) : place + max(SHARES) + 1]
        around = tuple(outline for outline in near if outline.frame - face.frame_index in SHARES)
        result.append(SteadyFace(**vars(face), outlines=around))
    return result


@lru_cache(maxsize=64)
def _shrunk(packed: bytes, size: int, side: int) -> NDArray[np.float32]:
    """A mask of `size` pixels with `side`, 0 to 1; each serves the faces of several frames."""
    small = cv2.resize(unpack(packed, size), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small / np.float32(255), np.float32)


def _shrunk_matrix(matrix: Matrix, scale: float) -> Matrix:
    """A matrix (3, 3) between crops as a matrix (2, 3) between shrunk ones."""
    middle = np.full(2, scale / 2 - 0.5)  # of the first pixel of a crop in the shrunk one
    moved = matrix[:2, :2] @ (-middle / scale) + matrix[:2, 2]
    return np.column_stack([matrix[:2, :2], scale * moved + middle])


def _upright(face: StoredFace) -> Matrix:
    """From the crop that a face was cut out as to the one that its points ask for now."""
    now = align(face.face.landmarks, face.alignment.size, face.alignment.coverage).matrix
    found = face.alignment.matrix
    return np.asarray(np.vstack([now, [0, 0, 1]]) @ np.linalg.inv(np.vstack([found, [0, 0, 1]])))
