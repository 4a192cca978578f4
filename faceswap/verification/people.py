"""The people that the Siamese network learns from and is tested on, and batches of their faces, varied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import InputError
from faceswap.networks.augmentation import Jitter, vary
from faceswap.options import VerifyTrainConfig
from faceswap.portraits import portraits
from faceswap.progress import Progress
from faceswap.types import Image

COVERAGE = 1.25  # extents: side of the network's picture
ROOM = 1.15  # of it is kept around, to turn and shift the face in
SEVERAL = 2  # faces that a person needs to be tested on
TESTED = 10  # faces of a person that are tested at most

# What may differ between two pictures of one person: the light, the camera, how it is cut; not the features.
JITTER = Jitter(
    warp=0.0,
    rotation=10.0,
    zoom=0.07,
    shift=0.05,
    light=0.12,
    contrast=0.25,
    gamma=0.3,
    hue=8.0,
    noise=0.03,
    blur=0.02,
    jpeg=0.5,
)


@dataclass(frozen=True)
class People:
    """Faces and whose they are.

    Attributes:
        faces: BGR uint8 (N, side, side, 3); the network's picture is their middle.
        names: int (N,), who each shows.
    """

    faces: Image
    names: NDArray[np.int64]

    def of(self, names: NDArray[np.int64]) -> People:
        """Only those people."""
        chosen = np.isin(self.names, names)
        return People(self.faces[chosen], self.names[chosen])


def divided(config: VerifyTrainConfig, size: int, progress: Progress) -> tuple[People, People]:
    """Who is learned from and who is tested on; nobody is both.

    Raises:
        InputError: A faceset is missing or damaged, or there are too few people.
    """
    everybody = people_of(config.facesets, size, progress)
    if config.test:
        tested = people_of(config.test, size, progress)
        names, counts = np.unique(tested.names, return_counts=True)
        learned, chosen = everybody, names[counts >= SEVERAL]
    else:
        names, counts = np.unique(everybody.names, return_counts=True)
        several = np.random.default_rng(config.seed).permutation(names[counts >= SEVERAL])
        chosen = several[: max(round(len(several) * config.held_out), 2)]
        learned, tested = everybody.of(np.setdiff1d(names, chosen)), everybody
    if len(chosen) < 2 or len(np.unique(learned.names)) < 2:
        raise InputError(
            "too few people: two or more to learn from are needed, and two others with several faces to test"
            " on; give a faceset a person, or one with several people in it"
        )
    tested = tested.of(chosen)
    places = [_spread(np.flatnonzero(tested.names == name), TESTED) for name in chosen]
    kept = np.concatenate(places)
    return learned, People(tested.faces[kept], tested.names[kept])


def batches(
    people: People, config: VerifyTrainConfig, size: int, first: int
) -> Iterator[tuple[Image, NDArray[np.int32]]]:
    """Batch `first` and all that follow: several varied faces each of several people, and who they are."""
    names = np.unique(people.names)
    places = {name: np.flatnonzero(people.names == name) for name in names}
    whole = np.full(people.faces.shape[1:3], 255, np.uint8)
    for number in count(first):
        draw = np.random.default_rng([config.seed, number])
        chosen = draw.permutation(names)[: config.people]
        faces = []
        for name in chosen:
            mine = draw.permutation(places[name])
            for turn in range(config.faces):
                image = people.faces[mine[turn % len(mine)]]
                faces.append(vary(image, whole, size, JITTER, draw)[0])
        yield np.stack(faces), np.repeat(np.arange(len(chosen), dtype=np.int32), config.faces)


def people_of(folders: tuple[Path, ...], size: int, progress: Progress) -> People:
    """The faces of facesets, and a number for each person of each."""
    faces, names, before = [], [], 0
    for folder in folders:
        found, people = portraits(folder, round(size * ROOM), COVERAGE * ROOM, progress)
        faces.append(found)
        names.append(people + before)
        before += int(people.max()) + 1
    return People(np.concatenate(faces), np.concatenate(names))


def _spread(places: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """At most so many of them, evenly."""
    if len(places) <= most:
        return places
    return np.asarray(places[np.linspace(0, len(places) - 1, most).round().astype(int)])
