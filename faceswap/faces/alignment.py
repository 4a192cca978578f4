"""Similarity transforms between a frame and an upright square crop of a face."""

from __future__ import annotations

import cv2
import numpy as np

from faceswap.faces.template import MEAN_FACE, RIGID
from faceswap.types import Alignment, Image, Matrix, Picture, Points


def umeyama(source: Points, target: Points) -> Matrix:
    """The similarity transform (rotation, scale, shift; no mirror) nearest to mapping source onto target.

    Least squares; what Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", IEEE TPAMI 13(4), 1991, finds for any number of dimensions is in the plane, with points as
    complex numbers, the regression of one set on the other.

    Args:
        source: (N, 2), N >= 2, not all the same point.
        target: (N, 2).

    Returns:
        float64 (2, 3): target ~ matrix @ [x, y, 1].
    """
    src, dst = (np.asarray(points, np.float64) @ [1, 1j] for points in (source, target))
    centred = src - src.mean()
    turn = np.vdot(centred, dst) / max(np.vdot(centred, centred).real, 1e-12)
    move = dst.mean() - turn * src.mean()
    return np.array([[turn.real, -turn.imag, move.real], [turn.imag, turn.real, move.imag]])


def align(landmarks: Points, size: int, coverage: float) -> Alignment:
    """The crop of `size` pixels and `coverage` extents in which `landmarks` lie as the mean face does.

    Args:
        landmarks: float32 (68, 2), pixels of the frame.
        size: Side of the crop, pixels.
        coverage: Side of the crop, extents of the mean face.
    """
    template = (MEAN_FACE[RIGID] / coverage + 0.5) * size - 0.5
    return Alignment(umeyama(landmarks[RIGID], template), size, coverage)


def resized(alignment: Alignment, size: int) -> Alignment:
    """The same crop with another number of pixels across."""
    factor = size / alignment.size
    matrix = alignment.matrix * factor
    matrix[:, 2] += (factor - 1) / 2
    return Alignment(matrix, size, alignment.coverage)


def transform(points: Points, matrix: Matrix) -> Points:
    """Map points (N, 2) through a (2, 3) matrix."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def cut(picture: Picture, alignment: Alignment) -> Image:
    """Cut the crop out of a frame, BGR uint8; what lies past the frame's border repeats the border."""
    return picture.warp(alignment.matrix, alignment.size)


def moved(mask: Image, old: Alignment, new: Alignment) -> Image:
    """What lies in one crop as it lies in another: uint8 (size, size) of the new one, 0 where unknown."""
    back = np.vstack([cv2.invertAffineTransform(old.matrix), [0, 0, 1]])
    size = (new.size, new.size)
    return np.asarray(cv2.warpAffine(mask, new.matrix @ back, size, flags=cv2.INTER_LINEAR), np.uint8)
