"""How good made faces are: how far as a crowd from real ones, and how much they differ from one another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.people import Descriptors
from faceswap.faces.template import mean_landmarks
from faceswap.recognizer import Recognizer
from faceswap.types import Image, Pixels

MANY = 256  # faces that are compared at most
COLLAPSED = 0.5  # of the diversity of real faces, or of the best so far: under it it repeats itself


@dataclass(frozen=True)
class Score:
    """What a crowd of made faces is like, in the identity network's features.

    Attributes:
        frechet: The Fréchet distance to faces that were held out; 0 for faces like them.
        diversity: Mean distance of two made faces as a share of that of two real ones.
    """

    frechet: float
    diversity: float


class Judge:
    """Compares made faces with some that the generator never saw."""

    def __init__(self, held_out: Image, coverage: float) -> None:
        """Describe the real faces.

        Args:
            held_out: BGR uint8 (N, size, size, 3), N >= 2, aligned; the first `MANY` are used.
            coverage: Side of the pictures, extents of the mean face.

        Raises:
            DependencyError: The weight file of the identity network is not installed.
        """
        self._recognizer, self._coverage = Recognizer(), coverage
        self.held_out = self._describe(held_out[:MANY])

    def score(self, made: Image) -> Score:
        """The score of made faces, BGR uint8 (N, size, size, 3)."""
        features = self._describe(made[:MANY])
        spread = mean_distance(features) / max(mean_distance(self.held_out), 1e-12)
        return Score(frechet(features, self.held_out), spread)

    def floor(self) -> float:
        """The distance of one half of the real faces to the other: no crowd this small can be nearer."""
        return frechet(self.held_out[::2], self.held_out[1::2])

    def _describe(self, faces: Image) -> Descriptors:
        """Where the mean face has its landmarks is where aligned ones have theirs, made or real."""
        points = mean_landmarks(faces.shape[1], self._coverage)
        return self._recognizer.describe(self._recognizer.chip(Pixels(face), points) for face in faces)


def frechet(one: Descriptors, other: Descriptors) -> float:
    """The Fréchet distance of two crowds, taken as normal distributions.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)); Heusel et al., "GANs trained by a two time-scale update
    rule", NIPS 2017, equation 6, there in the features of Inception.

    Args:
        one: (N, features), N >= 2.
        other: (M, features), M >= 2.
    """
    (mean, covariance), (mean_2, covariance_2) = _normal(one), _normal(other)
    root = _root(covariance)
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariance_2 @ root), 0)).sum()
    return float(((mean - mean_2) ** 2).sum() + np.trace(covariance) + np.trace(covariance_2) - 2 * cross)


def mean_distance(features: Descriptors) -> float:
    """The mean Euclidean distance of two of them."""
    pairs = combinations(range(len(features)), 2)
    rows, columns = np.array(list(pairs)).T
    return float(np.linalg.norm(features[rows] - features[columns], axis=1).mean())


def collapsed(score: Score, best: float) -> bool:
    """Whether the faces have become alike.

    Args:
        score: Of the faces now.
        best: The greatest diversity so far.
    """
    return score.diversity < COLLAPSED * min(max(best, score.diversity), 1.0)


def grid(faces: Image, columns: int, enlarged: int = 1) -> Image:
    """Faces (N, size, size, 3) in rows of `columns`, white where there are none."""
    count, size = -(-len(faces) // columns) * columns, faces.shape[1]
    padded = np.full((count, size, size, 3), 255, np.uint8)
    padded[: len(faces)] = faces
    rows = padded.reshape(-1, columns, size, size, 3).transpose(0, 2, 1, 3, 4).reshape(-1, columns * size, 3)
    if enlarged == 1:
        return np.ascontiguousarray(rows)
    return np.asarray(
        cv2.resize(rows, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_CUBIC), np.uint8
    )


def _normal(features: Descriptors) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and covariance."""
    exact = features.astype(np.float64)
    return exact.mean(0), np.atleast_2d(np.cov(exact, rowvar=False))


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)
