"""A faceset: a folder that people can open, with an index that programs can read.

    FACESET/faces/*.png       aligned faces; one that a person deletes is gone for every later stage
    FACESET/faceset.sqlite    where each came from and what was found there

All names in the index are relative, so the folder can be moved. A segment's images are written first, then
its rows in one transaction: a killed extraction loses the segment it was in and no more.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from faceswap.errors import FaceswapError, InputError, OutputError, writing
from faceswap.faces.alignment import transform
from faceswap.faces.masks import hull
from faceswap.types import AlignedFace, Alignment, Box, Face

VERSION = 1
INDEX = "faceset.sqlite"
FACES = "faces"

_SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE sources (id INTEGER PRIMARY KEY, path TEXT NOT NULL, fingerprint TEXT NOT NULL UNIQUE,
    frames INTEGER NOT NULL);
CREATE TABLE segments (source INTEGER NOT NULL REFERENCES sources, start INTEGER NOT NULL,
    stop INTEGER NOT NULL, missed INTEGER NOT NULL, damaged INTEGER NOT NULL, continues INTEGER NOT NULL,
    PRIMARY KEY (source, start));
CREATE TABLE faces (id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES sources,
    frame INTEGER NOT NULL, track INTEGER NOT NULL, interpolated INTEGER NOT NULL,
    file TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, box BLOB NOT NULL, score REAL NOT NULL,
    landmarks BLOB NOT NULL, matrix BLOB NOT NULL, size INTEGER NOT NULL, coverage REAL NOT NULL);
CREATE INDEX faces_by_frame ON faces (source, frame);
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
    """

    file: str
    source: int
    frame_index: int
    face: Face
    alignment: Alignment


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
        continues: Whether its first frame belongs to the same scene as the one before it.
    """

    frames: range
    faces: Sequence[WrittenFace]
    missed: int
    damaged: int
    continues: bool


@dataclass(frozen=True)
class WrittenFace:
    """A face whose picture is on the disk, but not yet in the index."""

    face: AlignedFace
    file: str
    hash: str


class Faceset:
    """A faceset on disk; a context manager."""

    def __init__(self, folder: Path, index: sqlite3.Connection) -> None:
        """Use `Faceset.create` or `Faceset.open`."""
        self.folder = folder
        self._index = index
        self._index.execute("PRAGMA foreign_keys = ON")

    @classmethod
    def create(cls, folder: Path, settings: dict[str, object]) -> Faceset:
        """Begin a faceset, or open the one that is there if it was made with the same settings.

        Args:
            folder: Where; it is made if it does not exist.
            settings: What the faces depend on (detector, size, ...); JSON values.

        Raises:
            OutputError: The folder holds other things, or a faceset with other settings, or cannot be
                written.
        """
        if (folder / INDEX).exists():
            faceset = cls.open(folder)
            if faceset.settings != settings:
                faceset.close()
                raise OutputError(
                    f"{folder} holds a faceset made with other settings: choose another folder, or make it"
                    " anew with 'faceswap extract --overwrite'"
                )
            return faceset
        with writing(folder):
            if folder.exists() and any(_is_foreign(path) for path in folder.iterdir()):
                raise OutputError(f"{folder} exists and is not a faceset: choose another folder")
            (folder / FACES).mkdir(parents=True, exist_ok=True)
        draft = folder / f".{INDEX}.part"
        with writing(folder):
            draft.unlink(missing_ok=True)
            with _entering(folder), closing(sqlite3.connect(draft)) as index:
                index.executescript(_SCHEMA)
                about = {"version": VERSION, "settings": settings}
                rows = [(key, json.dumps(value)) for key, value in about.items()]
                index.executemany("INSERT INTO about VALUES (?, ?)", rows)
                index.commit()
            os.replace(draft, folder / INDEX)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Faceset:
        """Open a faceset that exists.

        Raises:
            InputError: There is none, or it is damaged or of a newer program.
        """
        path = folder / INDEX
        if not path.is_file():
            raise InputError(f"{folder} is not a faceset: make one with 'faceswap extract ... -o {folder}'")
        index = sqlite3.connect(path)
        faceset = cls(folder, index)
        try:
            version = faceset._about("version")
        except (sqlite3.Error, TypeError, ValueError) as error:
            index.close()
            raise InputError(f"{path} is damaged ({error}): extract the faces again") from error
        if version != VERSION:
            index.close()
            raise InputError(f"{folder} is a faceset of version {version}, this program reads {VERSION}")
        return faceset

    @staticmethod
    def remove(folder: Path) -> None:
        """Remove what a faceset consists of, and nothing else, from `folder`."""
        if not (folder / INDEX).is_file():
            return
        with writing(folder):
            for suffix in ("", "-journal"):
                (folder / (INDEX + suffix)).unlink(missing_ok=True)
            for path in (folder / FACES).glob("*.png"):
                path.unlink()

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def __enter__(self) -> Faceset:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the index."""
        self.close()

    @property
    def settings(self) -> dict[str, object]:
        """What the faces were made with."""
        return dict(self._about("settings"))

    def _about(self, key: str) -> Any:
        row = self._index.execute("SELECT value FROM about WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0])

    def add_source(self, path: Path, fingerprint: str, frames: int) -> int:
        """The number of the source with this fingerprint; it is entered if it is new."""
        with _entering(self.folder), self._index:
            self._index.execute(
                "INSERT INTO sources (path, fingerprint, frames) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (str(path), fingerprint, frames),
            )
        number = self.source_number(fingerprint)
        assert number is not None
        return number

    def source_number(self, fingerprint: str) -> int | None:
        """The number of the source with this fingerprint, None if faces were never sought in it."""
        row = self._index.execute("SELECT id FROM sources WHERE fingerprint = ?", (fingerprint,)).fetchone()
        return None if row is None else int(row[0])

    def fingerprints(self) -> set[str]:
        """The fingerprints of all sources that were entered."""
        return {fingerprint for (fingerprint,) in self._index.execute("SELECT fingerprint FROM sources")}

    def finished(self, source: int) -> set[int]:
        """The first frames of the segments that are done."""
        return {frames.start for frames in self.segments(source)}

    def write(self, source: int, face: AlignedFace, number: int) -> WrittenFace:
        """Write the picture of a face; may be called from several threads.

        Args:
            source: The number of its source.
            face: The face.
            number: Its number among the faces of its frame.

        Raises:
            OutputError: The disk is full or cannot be written.
        """
        name = f"{source:03d}_{face.frame_index:07d}_{number}.png"
        done, data = cv2.imencode(".png", face.image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        if not done:
            raise FaceswapError(f"OpenCV could not encode {name}")
        content = data.tobytes()
        with writing(self.folder):
            (self.folder / FACES / name).write_bytes(content)
        return WrittenFace(face, name, hashlib.sha256(content).hexdigest())

    def add_segment(self, source: int, segment: Segment) -> None:
        """Enter a segment and its faces in one transaction.

        Raises:
            OutputError: The disk is full or cannot be written.
        """
        with _entering(self.folder), self._index:
            self._index.executemany(
                "INSERT INTO faces (source, frame, track, interpolated, file, hash, box, score, landmarks,"
                " matrix, size, coverage) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_row(source, written) for written in segment.faces],
            )
            frames = segment.frames
            self._index.execute(
                "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)",
                (source, frames.start, frames.stop, segment.missed, segment.damaged, segment.continues),
            )

    def faces(self, source: int | None = None) -> list[StoredFace]:
        """The faces whose pictures are there, by source and frame; of one source if it is given."""
        there = {entry.name for entry in os.scandir(self.folder / FACES)}
        rows = self._index.execute(
            "SELECT file, source, frame, track, interpolated, box, score, landmarks, matrix, size, coverage"
            " FROM faces WHERE ? IS NULL OR source = ? ORDER BY source, frame, id",
            (source, source),
        )
        return [_stored(row) for row in rows if row[0] in there]

    def segments(self, source: int) -> dict[range, bool]:
        """The finished segments of a source, and whether each continues the scene of the one before it."""
        rows = self._index.execute("SELECT start, stop, continues FROM segments WHERE source = ?", (source,))
        return {range(start, stop): bool(continues) for start, stop, continues in rows}

    def load(self, face: StoredFace) -> AlignedFace:
        """Read a face's picture and draw its mask.

        Raises:
            InputError: The picture cannot be read.
        """
        path = self.folder / FACES / face.file
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        size = face.alignment.size
        if image is None or image.shape != (size, size, 3):
            raise InputError(f"{path} is damaged or was resized: delete it or extract the faces again")
        mask = hull(transform(face.face.landmarks, face.alignment.matrix), size)
        return AlignedFace(np.asarray(image), mask, face.alignment, face.face, face.frame_index)

    def totals(self) -> Totals:
        """What the faceset holds."""
        sums = self._index.execute(
            "SELECT coalesce(sum(stop - start), 0), coalesce(sum(missed), 0), coalesce(sum(damaged), 0)"
            " FROM segments"
        )
        frames, missed, damaged = sums.fetchone()
        return Totals(frames, missed, damaged, len(self.faces()))

    def digest(self) -> str:
        """SHA-256 over the names and hashes of the faces that are there."""
        there = {face.file for face in self.faces()}
        rows = self._index.execute("SELECT file, hash FROM faces ORDER BY file")
        text = "".join(f"{file} {digest}\n" for file, digest in rows if file in there)
        return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def _entering(folder: Path) -> Iterator[None]:
    """Turn an error of the index while writing into an `OutputError`."""
    try:
        yield
    except sqlite3.Error as error:
        text = f"cannot write {folder / INDEX} ({error}): is there space left? free some and run again"
        raise OutputError(text) from error


def _is_foreign(path: Path) -> bool:
    """Whether something in a folder without an index is more than what a killed `create` leaves."""
    return path.name != f".{INDEX}.part" and not (path.name == FACES and not any(path.iterdir()))


def _row(source: int, written: WrittenFace) -> tuple[object, ...]:
    face, alignment = written.face.face, written.face.alignment
    box = face.box
    return (
        source,
        written.face.frame_index,
        face.track_id,
        face.interpolated,
        written.file,
        written.hash,
        np.array([box.left, box.top, box.right, box.bottom], "<f8").tobytes(),
        face.score,
        face.landmarks.astype("<f4").tobytes(),
        alignment.matrix.astype("<f8").tobytes(),
        alignment.size,
        alignment.coverage,
    )


def _stored(row: tuple[Any, ...]) -> StoredFace:
    file, source, frame, track, interpolated, box, score, landmarks, matrix, size, coverage = row
    points = np.frombuffer(landmarks, "<f4").reshape(-1, 2)
    face = Face(Box(*np.frombuffer(box, "<f8").tolist()), points, score, track, bool(interpolated))
    alignment = Alignment(np.frombuffer(matrix, "<f8").reshape(2, 3), size, coverage)
    return StoredFace(file, source, frame, face, alignment)
