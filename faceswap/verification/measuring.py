"""Distances of descriptors, and how well they tell the same person from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.people import Descriptors
from faceswap.types import Image

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """What errors a threshold makes, for every threshold that makes a difference.

    Attributes:
        thresholds: Ascending distances.
        found: Share of pairs of one person at or below each; the true positive rate.
        let_in: Share of pairs of two people at or below each; the false positive rate.
    """

    thresholds: Floats
    found: Floats
    let_in: Floats

    @property
    def equal_error(self) -> tuple[float, float]:
        """The error rate where as many are missed as let in, and the threshold there."""
        larger = np.maximum(1 - self.found, self.let_in)
        place = int(larger.argmin())
        return float(larger[place]), float(self.thresholds[place])

    @property
    def area(self) -> float:
        """Under the curve: the chance that a pair of one person is nearer than one of two; 0.5 is chance."""
        x, y = np.r_[0, self.let_in, 1], np.r_[0, self.found, 1]
        return float(np.trapezoid(y, x))

    def accuracy(self, threshold: float) -> float:
        """Mean of the shares judged rightly of both kinds of pairs; 0.5 is chance."""
        place = int(np.searchsorted(self.thresholds, threshold, "right")) - 1
        found, let_in = (self.found[place], self.let_in[place]) if place >= 0 else (0.0, 0.0)
        return float((found + 1 - let_in) / 2)


def distances(one: Descriptors, other: Descriptors, similarity: str) -> Floats:
    """Distances of rows to rows, float64 (N, M).

    Args:
        one: (N, length).
        other: (M, length).
        similarity: 'euclidean', 0 up; 'cosine', 1 - cosine, 0 to 2; 'jaccard', 0 to 1: of the numbers that
            are above 0 in either, the share that is so in one only (Jaccard, 1901).
    """
    x, y = one.astype(np.float64), other.astype(np.float64)
    if similarity == "jaccard":
        bits, others = (x > 0).astype(np.float64), (y > 0).astype(np.float64)
        both = bits @ others.T
        either = bits.sum(1)[:, None] + others.sum(1) - both
        return np.asarray(1 - both / np.maximum(either, 1))
    if similarity == "cosine":
        x, y = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) for rows in (x, y))
        return np.asarray(1 - x @ y.T)
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return np.asarray(np.sqrt(np.maximum(squares, 0)))


def curve(descriptors: Descriptors, people: NDArray[Any], similarity: str) -> Curve:
    """The errors over all pairs of pictures.

    Args:
        descriptors: (N, length).
        people: (N,), who each shows: two people at least, and one of them twice.
        similarity: See `distances`.
    """
    rows, columns = np.triu_indices(len(people), 1)
    gaps = distances(descriptors, descriptors, similarity)[rows, columns]
    same = people[rows] == people[columns]
    thresholds = np.unique(gaps)
    found, let_in = (
        np.searchsorted(np.sort(gaps[chosen]), thresholds, "right") / max(int(chosen.sum()), 1)
        for chosen in (same, ~same)
    )
    return Curve(thresholds, found, let_in)


def fair_accuracy(descriptors: Descriptors, people: NDArray[Any], similarity: str) -> float:
    """The accuracy with a threshold that other people chose.

    The people are dealt into two halves; the equal error threshold of one is tried on the other, both ways.
    With fewer than four people it is that of the threshold which they chose themselves.
    """
    names = np.unique(people)
    halves = [np.isin(people, names[side::2]) for side in (0, 1)]
    curves = [curve(descriptors[half], people[half], similarity) for half in halves]
    if any(not c.found.any() or not c.let_in.any() for c in curves):
        whole = curve(descriptors, people, similarity)
        return whole.accuracy(whole.equal_error[1])
    first, second = curves
    return (first.accuracy(second.equal_error[1]) + second.accuracy(first.equal_error[1])) / 2


def drawn(curves: dict[str, Curve]) -> Image:
    """The ROC curves, BGR uint8."""
    from matplotlib.figure import Figure

    from faceswap.figures import rendered

    figure = Figure(figsize=(5, 5), dpi=110, layout="tight")
    axes = figure.add_subplot()
    for name, one in curves.items():
        label = f"{name}: equal error {one.equal_error[0]:.1%}, area {one.area:.3f}"
        axes.plot(np.r_[0, one.let_in], np.r_[0, one.found], label=label)
    axes.plot([0, 1], [0, 1], ":", color="#808080", label="chance")
    axes.set(xlabel="pairs of two people let in", ylabel="pairs of one person found", title="held-out people")
    axes.legend(loc="lower right", fontsize=8)
    return rendered(figure)
