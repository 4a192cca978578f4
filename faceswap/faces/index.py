"""What the index of a faceset holds, and how it is written down in rows."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from faceswap.faces.traits import Traits, head_pose
from faceswap.types import AlignedFace, Alignment, Box, Face, Image

VERSION = 3

SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE sources (id INTEGER PRIMARY KEY, path TEXT NOT NULL, fingerprint TEXT NOT NULL UNIQUE,
    frames INTEGER NOT NULL, numbered INTEGER NOT NULL DEFAULT 0);
CREATE TABLE segments (source INTEGER NOT NULL REFERENCES sources, start INTEGER NOT NULL,
    stop INTEGER NOT NULL, missed INTEGER NOT NULL, damaged INTEGER NOT NULL, goes_on INTEGER NOT NULL,
    PRIMARY KEY (source, start));
CREATE TABLE faces (id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES sources,
    frame INTEGER NOT NULL, track INTEGER NOT NULL, interpolated INTEGER NOT NULL,
    file TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, box BLOB NOT NULL, score REAL NOT NULL,
    landmarks BLOB NOT NULL, matrix BLOB NOT NULL, size INTEGER NOT NULL, coverage REAL NOT NULL,
    mask BLOB NOT NULL, sharpness REAL NOT NULL, brightness REAL NOT NULL,
    yaw REAL NOT NULL, pitch REAL NOT NULL, roll REAL NOT NULL,
    frame_width INTEGER NOT NULL, frame_height INTEGER NOT NULL);
CREATE INDEX faces_by_frame ON faces (source, frame);
CREATE TABLE tracks (source INTEGER NOT NULL REFERENCES sources, track INTEGER NOT NULL,
    identity BLOB NOT NULL, person INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (source, track));
"""
# Apart, because a faceset of before has none until a segment is added to it.
SCORES = """
CREATE TABLE IF NOT EXISTS scores (source INTEGER NOT NULL REFERENCES sources, frame INTEGER NOT NULL,
    score REAL, PRIMARY KEY (source, frame));
"""


@dataclass(frozen=True)
class StoredFace:
    """A face of a faceset without its picture.

    Attributes:
        file: Name of the picture in the faceset's `faces` folder.
        source: Number of its source in the index.
        frame_index: The frame of that source it was cut from.
        face: What was found there, in frame pixels.
        alignment: How the crop lies in the frame.
        traits: How sharp and bright it is, and where it looks.
        packed_mask: Which pixels of the crop are face, as `pack` makes it.
        hash: SHA-256 of the picture as it was written, in hexadecimal.
        frame_size: Width and height of its frame, pixels; 0 where that was not noted.
        person: Which of the people in the faceset, 0 being the one with the most faces.
    """

    file: str
    source: int
    frame_index: int
    face: Face
    alignment: Alignment
    traits: Traits
    packed_mask: bytes
    hash: str
    frame_size: tuple[int, int] = (0, 0)
    person: int = 0

    @property
    def mask(self) -> Image:
        """uint8 (size, size), 255 on the face and 0 off it; not to be written to."""
        return unpack(self.packed_mask, self.alignment.size)

    @cached_property
    def pose(self) -> tuple[float, float, float]:
        """Yaw, pitch and roll by its landmarks, steadied where these are, as `Traits` has them."""
        return head_pose(self.face.landmarks)


@dataclass(frozen=True)
class StoredSource:
    """A source that was searched.

    Attributes:
        number: Its number in the index.
        path: Where it was.
        fingerprint: SHA-256 of its content, in hexadecimal.
        frames: How many there are.
        numbered: Whether it was searched to the end, and its tracks are numbered through.
    """

    number: int
    path: Path
    fingerprint: str
    frames: int
    numbered: bool


@dataclass(frozen=True)
class Totals:
    """What a faceset holds: frames searched, those without a face, those damaged, and faces still there."""

    frames: int
    missed: int
    damaged: int
    faces: int


@dataclass(frozen=True)
class Segment:
    """What was found in a run of frames.

    Attributes:
        frames: Which frames.
        faces: The faces in them, by frame; tracks are numbered within the segment.
        missed: How many of the frames show no face.
        damaged: How many of the frames could not be (wholly) decoded.
        goes_on: Whether the frame after its last one belongs to the same scene.
        scores: How adult those of the frames are that the content guard looks at, 0 to 1; None where there
            was no picture to look at.
    """

    frames: range
    faces: Sequence[WrittenFace]
    missed: int
    damaged: int
    goes_on: bool
    scores: Mapping[int, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class WrittenFace:
    """A face whose picture is on the disk, but not yet in the index."""

    face: AlignedFace
    traits: Traits
    file: str
    hash: str
    frame_size: tuple[int, int] = (0, 0)


FACE_COLUMNS = (
    "source, frame, track, interpolated, file, hash, box, score, landmarks, matrix, size, coverage, mask,"
    " sharpness, brightness, yaw, pitch, roll, frame_width, frame_height"
)


def row(source: int, written: WrittenFace) -> tuple[object, ...]:
    """The `FACE_COLUMNS` of a face that was just written."""
    cut, mask = written.face, pack(written.face.mask)
    about = (cut.face, cut.alignment, written.traits, mask, written.hash, written.frame_size)
    return row_of(StoredFace(written.file, source, cut.frame_index, *about))


def row_of(stored: StoredFace) -> tuple[object, ...]:
    """The `FACE_COLUMNS` of a face."""
    face, alignment, traits, box = stored.face, stored.alignment, stored.traits, stored.face.box
    return (
        stored.source,
        stored.frame_index,
        face.track_id,
        face.interpolated,
        stored.file,
        stored.hash,
        np.array([box.left, box.top, box.right, box.bottom], "<f8").tobytes(),
        face.score,
        face.landmarks.astype("<f4").tobytes(),
        alignment.matrix.astype("<f8").tobytes(),
        alignment.size,
        alignment.coverage,
        stored.packed_mask,
        *(traits.sharpness, traits.brightness, traits.yaw, traits.pitch, traits.roll),
        *stored.frame_size,
    )


def stored(row: tuple[Any, ...]) -> StoredFace:
    """The face of a row of `FACE_COLUMNS` and the person."""
    source, frame, track, interpolated, file, digest, box, score, landmarks, matrix, size, coverage = row[:12]
    mask, *traits, width, height, person = row[12:]
    points = np.frombuffer(landmarks, "<f4").reshape(-1, 2)
    face = Face(Box(*np.frombuffer(box, "<f8").tolist()), points, score, track, bool(interpolated))
    alignment = Alignment(np.frombuffer(matrix, "<f8").reshape(2, 3), size, coverage)
    about = (face, alignment, Traits(*traits), mask, digest, (width, height), person)
    return StoredFace(file, source, frame, *about)


def pack(mask: Image) -> bytes:
    """A mask of 0 and more than 0 in a few hundred bytes."""
    return zlib.compress(np.packbits(mask > 0).tobytes(), 1)


@lru_cache(maxsize=64)
def unpack(packed: bytes, size: int) -> Image:
    """The mask that was packed: uint8 (size, size), 0 or 255; not to be written to."""
    bits = np.frombuffer(zlib.decompress(packed), np.uint8)
    mask = np.unpackbits(bits, count=size * size).reshape(size, size) * np.uint8(255)
    mask.flags.writeable = False
    return mask
