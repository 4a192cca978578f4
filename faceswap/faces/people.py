"""Which tracks show one person, by the Euclidean distances of their descriptors (see `faces.identity`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Descriptors = NDArray[np.float32]  # (N, 128)

# Chosen on LFW's pictures of 30 people, six of each. What is true of single pictures (as many errors of
# either kind at 0.63) is not of means of several: both kinds of distance are smaller there. A track's mean
# lies between, for its frames have the light and the day in common. Grouping errs towards too many people,
# who are easily put together by hand; too few have to be picked apart.
SAME_PERSON = 0.5  # of groups of tracks. Of single pictures it leaves 9% out of their group, 0.55 leaves 3%
REFERENCE = 0.55  # of a track to a photograph. Means of two pictures: 0.5% missed, 0.2% of other people in


def cluster(
    vectors: Descriptors,
    weights: ArrayLike,
    apart: Iterable[tuple[int, int]] = (),
    threshold: float = SAME_PERSON,
) -> NDArray[np.intp]:
    """Put tracks together that show one person.

    Agglomerative, with average linkage (UPGMA; Sokal and Michener, "A statistical method for evaluating
    systematic relationships", 1958): the two nearest groups become one until all are further apart than the
    threshold; the distance of two groups is the mean over the pairs of their tracks. The order of the tracks
    matters only where distances are equal. N ** 2 numbers are held, 4 bytes each.

    Args:
        vectors: float32 (N, 128), one descriptor a track.
        weights: (N,), frames of each track.
        apart: Pairs of tracks that show two people, whatever their descriptors say (see `seen_together`).
        threshold: The largest distance between two groups that become one, finite.

    Returns:
        (N,) a number for each track: 0 for the person with the most frames, 1 for the next, and so on; of two
        with as many, the one whose first track comes first.
    """
    gaps = _distances(vectors, vectors)
    for a, b in apart:
        gaps[a, b] = gaps[b, a] = np.inf
    np.fill_diagonal(gaps, np.inf)
    groups = _merge(gaps, threshold)
    leaders, members = np.unique(groups, return_inverse=True)
    frames = np.bincount(members, weights=np.asarray(weights, np.float64), minlength=len(leaders))
    rank = np.empty(len(leaders), np.intp)
    rank[np.lexsort([leaders, -frames])] = np.arange(len(leaders))
    return rank[members]


def _merge(gaps: NDArray[np.float32], threshold: float) -> NDArray[np.intp]:
    """The group of each row, named after its first row; `gaps` (N, N) is used up.

    An infinite gap stays infinite in every mean it enters, so what must stay apart does. A mean of two gaps
    is never below both, so only rows whose nearest was one of the two that met have to look again.
    """
    groups = np.arange(len(gaps))
    if not len(gaps):
        return groups
    sizes = np.ones(len(gaps), np.float32)
    nearest = gaps.argmin(1)
    least = gaps.min(1)
    while least.min() <= threshold:
        a, b = sorted((int(least.argmin()), int(nearest[least.argmin()])))
        gaps[a] = gaps[:, a] = (sizes[a] * gaps[a] + sizes[b] * gaps[b]) / (sizes[a] + sizes[b])
        gaps[b] = gaps[:, b] = np.inf
        sizes[a] += sizes[b]
        groups[groups == b] = a
        stale = (nearest == a) | (nearest == b)
        stale[[a, b]] = True
        nearest[stale] = gaps[stale].argmin(1)
        least[stale] = gaps[stale].min(1)
    return groups


def matches(vectors: Descriptors, references: Descriptors, threshold: float = REFERENCE) -> NDArray[np.bool_]:
    """Which vectors show somebody of whom there is a reference.

    Args:
        vectors: float32 (N, 128), descriptors of tracks or pictures.
        references: float32 (M, 128), descriptors of pictures, of one person or of several.
        threshold: The largest distance to the nearest reference.

    Returns:
        bool (N,); all False where there are no references.
    """
    return nearest(vectors, references, threshold) >= 0


def nearest(vectors: Descriptors, references: Descriptors, threshold: float = REFERENCE) -> NDArray[np.intp]:
    """Which reference each vector is nearest to.

    Args:
        vectors: float32 (N, 128), descriptors of tracks or pictures.
        references: float32 (M, 128), descriptors of pictures, of one person or of several.
        threshold: The largest distance to it.

    Returns:
        (N,) places in `references`, of equal distances the first; -1 where all are further away.
    """
    if not len(references):
        return np.full(len(vectors), -1)
    gaps = _distances(vectors, references)
    return np.where(gaps.min(1) <= threshold, gaps.argmin(1), -1)


def seen_together(tracks: Sequence[Collection[Hashable]]) -> set[tuple[int, int]]:
    """The pairs of tracks which some frame shows both of, so that they are two people.

    Args:
        tracks: For each track the frames it is in, each named so that no other source has the same name:
            (source, frame index).

    Returns:
        Pairs of places in `tracks`, the smaller one first.
    """
    present: dict[Hashable, list[int]] = defaultdict(list)
    for number, frames in enumerate(tracks):
        for frame in set(frames):
            present[frame].append(number)
    return {pair for numbers in present.values() for pair in combinations(numbers, 2)}


def _distances(one: Descriptors, other: Descriptors) -> NDArray[np.float32]:
    """Euclidean distances, float32 (N, M)."""
    x, y = np.asarray(one, np.float64), np.asarray(other, np.float64)
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return np.asarray(np.sqrt(np.maximum(squares, 0)), np.float32)
