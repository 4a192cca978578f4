"""Who a face is taken for, from descriptors of a face recognition network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Descriptors = NDArray[np.float32]


def spread(count: int, wanted: int) -> list[int]:
    """At most `wanted` of the numbers below `count`, evenly over them and in order."""
    if count <= wanted:
        return list(range(count))
    return [(2 * place + 1) * count // (2 * wanted) for place in range(wanted)]


def distances(faces: Descriptors, person: Descriptors) -> NDArray[np.float64]:
    """Euclidean distance of each face (N, 128) to a person's mean descriptor (128,)."""
    return np.asarray(np.linalg.norm(faces.astype(np.float64) - person, axis=1))


def cosines(faces: Descriptors, person: Descriptors) -> NDArray[np.float64]:
    """Cosine of the angle between each face (N, 128) and a person (128,), -1 to 1."""
    lengths = np.linalg.norm(faces, axis=1) * np.linalg.norm(person)
    return np.asarray(faces @ person / np.maximum(lengths, 1e-12), np.float64)


def ranks(faces: Descriptors, person: Descriptors, others: Descriptors) -> NDArray[np.int64]:
    """Where a person stands among others when all are sorted by distance to each face.

    Args:
        faces: (N, 128).
        person: (128,).
        others: (M, 128), a row for each of the other people.

    Returns:
        (N,), 1 where the person is the nearest, M + 1 where it is the farthest.
    """
    own = distances(faces, person)
    nearer = [distances(faces, other) < own for other in others]
    return np.asarray(1 + np.sum(nearer, axis=0, dtype=np.int64) if nearer else np.ones(len(faces), np.int64))
