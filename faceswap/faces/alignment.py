"""Similarity transforms between a frame and an upright square crop of a face."""

from __future__ import annotations

import cv2
import numpy as np

from faceswap.faces.template import MEAN_FACE, RIGID
from faceswap.types import Alignment, Image, Matrix, Picture, Points


def umeyama(source: Points, target: Points) -> Matrix:
    """The similarity transform (rotation, scale, shift; no mirror) nearest to mapping source onto target.

    Least squares after Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", IEEE TPAMI 13(4), 1991, equations 38-43.

    Args:
        source: (N, 2), N >= 2, not all the same point.
        target: (N, 2).

    Returns:
        float64 (2, 3): target ~ matrix @ [x, y, 1].
    """
    src, dst = np.asarray(source, np.float64), np.asarray(target, np.float64)
    src_mean, dst_mean = src.mean(0), dst.mean(0)
    src_centred, dst_centred = src - src_mean, dst - dst_mean
    u, spread, vt = np.linalg.svd(dst_centred.T @ src_centred / len(src))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])
    rotation = u @ np.diag(sign) @ vt
    scale = (spread * sign).sum() / max(src_centred.var(0).sum(), 1e-12)
    matrix = np.empty((2, 3))
    matrix[:, :2] = scale * rotation
    matrix[:, 2] = dst_mean - matrix[:, :2] @ src_mean
    return matrix


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
