"""What speaks against two facesets before a training is begun with them."""

from __future__ import annotations

from collections import Counter

import numpy as np

from faceswap.coaching.people import Person
from faceswap.curation.coverage import NEAR, distances, lacks, poses

SMALL = 100  # faces: 4 seconds of a clip, under which a person is known from too few sides
BLURRED = 40.0  # variance of the Laplacian at 256 pixels; a sharp clip has 300 and more, one of a VCR 60
SIZE = 256  # pixels
MIXED = 0.02  # share of the faces that are another person's
SHOWN = 3  # ranges of poses that are named
UNSEEN = 0.02  # share of A's faces in poses that B lacks, from which on it is worth a line


def concerns(a: Person, b: Person) -> list[str]:
    """A line for each thing that is going to harm the swap, and what to do about it."""
    return [*_of(a, "A"), *_of(b, "B"), *_missing_poses(a, b)]


def _of(person: Person, side: str) -> list[str]:
    """What speaks against one faceset."""
    found, stored = [], person.stored
    if len(stored) < SMALL:
        found.append(
            f"{side} has {len(stored)} faces: {SMALL} or more from a longer clip make a much better swap"
        )
    sharpness = float(np.median([face.traits.sharpness for face in stored]))
    if stored[0].alignment.size >= SIZE / 2 and sharpness < BLURRED:
        found.append(
            f"{side}'s faces are blurred (sharpness {sharpness:.0f}, a sharp clip has 300): so will"
            " be what is learned; a clip with larger or sharper faces is better"
        )
    counts = Counter(face.person for face in stored)
    most = max(counts.values())
    others = len(stored) - most
    if others > MIXED * len(stored):
        found.append(
            f"{others / len(stored):.0%} of {side}'s faces are of others than the person with the most:"
            f" 'faceswap faces clean {person.folder}' sorts them out"
        )
    return found


def _missing_poses(a: Person, b: Person) -> list[str]:
    """The poses of A that B lacks."""
    of_a, of_b = poses(a.stored), poses(b.stored)
    unseen = float((distances(of_a, of_b) > NEAR).mean())
    missing = lacks(of_a, of_b)
    if unseen < UNSEEN or not missing:
        return []
    lines = [f"B was never seen in {unseen:.0%} of A's poses, where the swap has to guess: add clips of B"]
    return lines + [f"  {lack}" for lack in missing[:SHOWN]]
