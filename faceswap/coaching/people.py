"""The faces of both people, decoded once into files that are mapped into memory.

    MODEL/cache/a-DIGEST-SIDE.images.npy   uint8 (N, side, side, 3)
    MODEL/cache/a-DIGEST-SIDE.masks.npy    uint8 (N, side, side)

The name says what is in them: where a face of the faceset is deleted, or the network wants another size, they
are made anew and the old ones removed. They may be deleted at any time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from faceswap.errors import InputError, writing
from faceswap.faces.alignment import transform
from faceswap.faces.faceset import Faceset
from faceswap.faces.index import StoredFace
from faceswap.faces.traits import expression
from faceswap.networks.feed import Album
from faceswap.networks.model_folder import ModelConfig
from faceswap.progress import Progress
from faceswap.types import Image, Points

STRANGEST = 5.0  # deviations: what is further from the usual was badly seen
FEWEST = 8  # faces of a person, below which nothing can be learned
HELD = 0.05  # share of the faces that is not trained on
SPARE = 20  # faces, from which on some are held out
CHUNK = 64  # faces that are decoded together
CACHE = "cache"


@dataclass(frozen=True)
class Person:
    """One of the two people.

    Attributes:
        folder: The faceset.
        stored: What it says of each face.
        digest: Of the faceset.
        side: Side of the album's pictures, pixels.
    """

    folder: Path
    stored: Sequence[StoredFace]
    digest: str
    side: int

    @property
    def held(self) -> range:
        """The faces that are held out: a block in a row, for neighbours in a clip are all but the same."""
        return held_out(len(self.stored))

    def points(self, index: int) -> Points:
        """The landmarks of a face in the album's picture: float32 (68, 2), pixels."""
        face = self.stored[index]
        place = transform(face.face.landmarks, face.alignment.matrix)
        return np.asarray((place + 0.5) * (self.side / face.alignment.size) - 0.5, np.float32)


def held_out(count: int) -> range:
    """Which of `count` faces are not trained on: 5% in the middle, none where there are few."""
    if count < SPARE:
        return range(0)
    size = max(2, round(count * HELD))
    first = (count - size) // 2
    return range(first, first + size)


def read_person(folder: Path, model: ModelConfig) -> Person:
    """What a faceset says of its faces; no picture is read.

    Raises:
        InputError: It is missing, damaged, has too few faces, or they are cut too close.
    """
    with Faceset.open(folder) as faceset:
        stored, digest = faceset.faces(), faceset.digest()
    if len(stored) < FEWEST:
        raise InputError(
            f"{folder} has {len(stored)} faces, training needs {FEWEST} or more: extract a longer clip"
        )
    coverage = stored[0].alignment.coverage
    if coverage < model.coverage:
        raise InputError(
            f"{folder} was cut with --coverage {coverage:g}, training needs {model.coverage:g} or more:"
            " extract it again"
        )
    return Person(folder, stored, digest, round(model.size * coverage / model.coverage))


def album_of(person: Person, progress: Progress) -> Album:
    """The faces in memory."""
    parts = [*_decoded(person, progress)]
    images, masks = (np.concatenate(pictures) for pictures in zip(*parts, strict=True))
    return Album(images, masks, person.held, _expressions(person))


def mapped_album(person: Person, name: str, home: Path, progress: Progress) -> Album:
    """The faces mapped into memory from files, which are made where they are missing or stale.

    Args:
        person: Whose.
        name: 'a' or 'b'.
        home: The folder of the files.
        progress: Shows the decoding.

    Raises:
        InputError: A picture cannot be read.
        OutputError: The files cannot be written.
    """
    stem = f"{name}-{person.digest[:16]}-{person.side}"
    paths = home / f"{stem}.images.npy", home / f"{stem}.masks.npy"
    with writing(home):
        home.mkdir(parents=True, exist_ok=True)
        for path in home.glob(f"{name}-*"):
            if path not in paths:
                path.unlink()
        if not all(path.exists() for path in paths):
            _write(paths, person, progress)
    images, masks = (np.load(path, mmap_mode="r", allow_pickle=False) for path in paths)
    return Album(images, masks, person.held, _expressions(person))


def _expressions(person: Person) -> NDArray[np.float32]:
    """What each face does more than is usual for the person, as `expression` has it: float32 (N, 3)."""
    found = np.stack([expression(face.face.landmarks) for face in person.stored])
    return np.asarray(np.clip(found - np.median(found, axis=0), -STRANGEST, STRANGEST), np.float32)


def _write(paths: tuple[Path, Path], person: Person, progress: Progress) -> None:
    """Write both files; written and not mapped, so that a full disk is an error and no crash."""
    drafts = [path.with_name(f"{path.name}.part") for path in paths]
    count, side = len(person.stored), person.side
    try:
        with drafts[0].open("wb") as images, drafts[1].open("wb") as masks:
            for file, shape in ((images, (count, side, side, 3)), (masks, (count, side, side))):
                npy.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
            for pair in _decoded(person, progress):
                for file, pictures in zip((images, masks), pair, strict=True):
                    file.write(pictures.tobytes())
        for draft, path in zip(drafts, paths, strict=True):
            os.replace(draft, path)
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


def _decoded(person: Person, progress: Progress) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Pictures and masks of all faces, some at a time."""
    starts = range(0, len(person.stored), CHUNK)
    with Faceset.open(person.folder) as faceset, ThreadPoolExecutor() as pool:

        def load(face: StoredFace) -> tuple[Image, Image]:
            return _resized(faceset, face, person.side)

        for start in progress(starts, total=len(starts), desc=f"reading {person.folder.name}", unit="chunk"):
            images, masks = zip(*pool.map(load, person.stored[start : start + CHUNK]), strict=True)
            yield np.stack(images), np.stack(masks)


def _resized(faceset: Faceset, face: StoredFace, side: int) -> tuple[Image, Image]:
    aligned = faceset.load(face)
    way = cv2.INTER_AREA if aligned.alignment.size > side else cv2.INTER_CUBIC
    image = cv2.resize(aligned.image, (side, side), interpolation=way)
    return np.asarray(image), np.asarray(cv2.resize(aligned.mask, (side, side), interpolation=cv2.INTER_AREA))
