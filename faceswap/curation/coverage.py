"""Which poses of one faceset another lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.index import StoredFace

NEAR = 10.0  # degrees: a face that looks no further away shows the same side of a head
BAND = 20  # degrees: how finely poses are told apart in words
LEAST = 0.005  # share of the faces under which a pose is not worth a line
CHUNK = 1024

Poses = NDArray[np.float64]


@dataclass(frozen=True)
class Lack:
    """A range of poses that is not there.

    Attributes:
        looking: The range in words.
        share: Of A's faces that look so and have none of B's near, 0 to 1.
        nearest: How far B's nearest is, on average, degrees.
        mirrored: Whether mirror images of B's faces, which training makes use of, are near most of them.
    """

    looking: str
    share: float
    nearest: float
    mirrored: bool

    def __str__(self) -> str:
        """A line for people."""
        text = f"looking {self.looking}: {self.share:.1%} of A's faces, none of B's; the nearest are"
        return f"{text} {self.nearest:.0f} degrees away" + (
            ", but for mirror images" if self.mirrored else ""
        )


def poses(faces: Sequence[StoredFace]) -> Poses:
    """Yaw and pitch of each face, (N, 2), degrees."""
    found = [(face.traits.yaw, face.traits.pitch) for face in faces]
    return np.array(found, np.float64).reshape(-1, 2)


def distances(a: Poses, b: Poses) -> NDArray[np.float64]:
    """How far the nearest of `b` is from each of `a`, (N,), degrees; infinite where `b` is empty."""
    found = np.full(len(a), np.inf)
    for start in range(0, len(a) if len(b) else 0, CHUNK):
        rows = slice(start, start + CHUNK)
        found[rows] = np.linalg.norm(a[rows, None] - b[None], axis=2).min(1)
    return found


def lacks(a: Poses, b: Poses) -> list[Lack]:
    """The ranges of poses in which A's faces have none of B's within `NEAR` degrees, the commonest first."""
    gaps, mirrored = distances(a, b), distances(a, b * [-1, 1])
    far = gaps > NEAR
    bands = np.rint(a / BAND).astype(int)
    counts = Counter(map(tuple, bands[far].tolist()))
    found = []
    for band, faces in counts.most_common():
        if faces >= LEAST * len(a):
            here = far & (bands == band).all(1)
            helped = bool(np.median(mirrored[here]) <= NEAR)
            found.append(Lack(in_words(*band), faces / len(a), float(gaps[here].mean()), helped))
    return found


def in_words(yaw: int, pitch: int) -> str:
    """What a band of poses looks like; left and right are those of the picture.

    Args:
        yaw: Which band of `BAND` degrees, 0 being straight ahead.
        pitch: Likewise, up and down.
    """
    parts = [
        f"{_degrees(band)} {far if band > 0 else near}"
        for band, near, far in ((yaw, "to the left", "to the right"), (pitch, "down", "up"))
        if band
    ]
    return " and ".join(parts) or "straight ahead"


def _degrees(band: int) -> str:
    low = (abs(band) - 0.5) * BAND
    return f"{low:.0f}-{low + BAND:.0f} degrees"
