"""A faceset: a folder that people can open, with an index that programs can read.

    FACESET/faces/*.png       aligned faces; one that a person deletes is gone for every later stage
    FACESET/rejected/*.png    those that were sorted out; one that is moved back is there again
    FACESET/faceset.sqlite    where each came from and what was found there

All names in the index are relative, so the folder can be moved. A segment's images are written first, then
its rows in one transaction: a killed extraction loses the segment it was in and no more.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from faceswap import png
from faceswap.errors import InputError, OutputError, writing
from faceswap.faces import index as rows
from faceswap.faces.index import Segment, StoredFace, StoredSource, Totals, WrittenFace
from faceswap.faces.traits import measure
from faceswap.types import AlignedFace, Descriptor

INDEX = "faceset.sqlite"
FACES = "faces"
REJECTED = "rejected"


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
                index.executescript(rows.SCHEMA + rows.SCORES)
                about = {"version": rows.VERSION, "settings": settings}
                entries = [(key, json.dumps(value)) for key, value in about.items()]
                index.executemany("INSERT INTO about VALUES (?, ?)", entries)
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
        if version != rows.VERSION:
            index.close()
            raise InputError(
                f"{folder} is a faceset of version {version}, this program reads {rows.VERSION}: extract the"
                " faces again"
            )
        return faceset

    @staticmethod
    def remove(folder: Path) -> None:
        """Remove what a faceset consists of, and nothing else, from `folder`."""
        if not (folder / INDEX).is_file():
            return
        with writing(folder):
            for suffix in ("", "-journal"):
                (folder / (INDEX + suffix)).unlink(missing_ok=True)
            for path in [*(folder / FACES).glob("*.png"), *(folder / REJECTED).glob("*.png")]:
                path.unlink()
            for path in folder.glob("clean_*.png"):
                path.unlink()
            if (folder / REJECTED).is_dir() and not any((folder / REJECTED).iterdir()):
                (folder / REJECTED).rmdir()

    def discard(self) -> None:
        """Close it and remove it where no face was ever entered, with its folder if nothing else is there."""
        entered = self._index.execute("SELECT 1 FROM faces").fetchone()
        self.close()
        if entered:
            return
        self.remove(self.folder)
        with writing(self.folder):
            for emptied in (self.folder / FACES, self.folder):
                if emptied.is_dir() and not any(emptied.iterdir()):
                    emptied.rmdir()

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

    def sources(self) -> list[StoredSource]:
        """The sources that were entered, by number."""
        found = self._index.execute("SELECT id, path, fingerprint, frames, numbered FROM sources ORDER BY id")
        return [StoredSource(n, Path(path), sign, count, bool(done)) for n, path, sign, count, done in found]

    def fingerprints(self) -> set[str]:
        """The fingerprints of all sources that were entered."""
        return {source.fingerprint for source in self.sources()}

    def finished(self, source: int) -> set[int]:
        """The first frames of the segments that are done."""
        return {frames.start for frames in self.segments(source)}

    def write(
        self, source: int, face: AlignedFace, number: int, frame_size: tuple[int, int] = (0, 0)
    ) -> WrittenFace:
        """Write the picture of a face; may be called from several threads.

        Args:
            source: The number of its source.
            face: The face.
            number: Its number among the faces of its frame.
            frame_size: Width and height of the frame, pixels; 0 where they are not known.

        Raises:
            OutputError: The disk is full or cannot be written.
        """
        name = f"{source:03d}_{face.frame_index:07d}_{number}.png"
        content = png.encode(face.image)
        with writing(self.folder):
            (self.folder / FACES / name).write_bytes(content)
        traits = measure(face.image, face.mask, face.face.landmarks)
        return WrittenFace(face, traits, name, hashlib.sha256(content).hexdigest(), frame_size)

    def add_segment(self, source: int, segment: Segment) -> None:
        """Enter a segment and its faces in one transaction.

        Raises:
            OutputError: The disk is full or cannot be written.
        """
        with _entering(self.folder), self._index:
            marks = ", ".join("?" * len(rows.FACE_COLUMNS.split(",")))
            self._index.executemany(
                f"INSERT INTO faces ({rows.FACE_COLUMNS}) VALUES ({marks})",
                [rows.row(source, written) for written in segment.faces],
            )
            frames = segment.frames
            self._index.execute(
                "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)",
                (source, frames.start, frames.stop, segment.missed, segment.damaged, segment.goes_on),
            )
            self._index.execute(rows.SCORES)
            self._index.executemany(
                "INSERT INTO scores VALUES (?, ?, ?)",
                [(source, frame, score) for frame, score in segment.scores.items()],
            )

    def faces(self, source: int | None = None) -> list[StoredFace]:
        """The faces whose pictures are there, by source and frame; of one source if it is given."""
        there = {entry.name for entry in os.scandir(self.folder / FACES)}
        columns = ", ".join(f"faces.{name.strip()}" for name in rows.FACE_COLUMNS.split(","))
        found = self._index.execute(
            f"SELECT {columns}, coalesce(person, 0) FROM faces LEFT JOIN tracks USING (source, track)"
            " WHERE ? IS NULL OR source = ? ORDER BY source, frame, faces.id",
            (source, source),
        )
        return [face for face in map(rows.stored, found) if face.file in there]

    def segments(self, source: int) -> dict[range, bool]:
        """The finished segments of a source, and whether the scene of each goes on in the next one."""
        found = self._index.execute("SELECT start, stop, goes_on FROM segments WHERE source = ?", (source,))
        return {range(start, stop): bool(goes_on) for start, stop, goes_on in found}

    def scores(self, source: int) -> dict[int, float | None]:
        """How adult the frames of a source are that the content guard looked at; see `Segment.scores`."""
        try:
            found = self._index.execute("SELECT frame, score FROM scores WHERE source = ?", (source,))
        except sqlite3.OperationalError:  # a faceset of before, which has no such table
            return {}
        return dict(found.fetchall())

    def is_numbered(self, source: int) -> bool:
        """Whether the tracks of a source are numbered through; if not, each segment counts its own."""
        row = self._index.execute("SELECT numbered FROM sources WHERE id = ?", (source,)).fetchone()
        return bool(row[0])

    def number_tracks(self, source: int, faces: Iterable[StoredFace]) -> None:
        """Enter the tracks of all `faces` of a source whose segments are all done.

        Raises:
            OutputError: The disk is full or cannot be written.
        """
        tracks = [(face.face.track_id, face.file) for face in faces]
        with _entering(self.folder), self._index:
            self._index.executemany("UPDATE faces SET track = ? WHERE file = ?", tracks)
            self._index.execute("UPDATE sources SET numbered = 1 WHERE id = ?", (source,))

    def identities(self) -> dict[tuple[int, int], Descriptor]:
        """The identity of each track, by source and track, as far as they were entered."""
        found = self._index.execute("SELECT source, track, identity FROM tracks ORDER BY source, track")
        return {(source, track): np.frombuffer(vector, "<f4") for source, track, vector in found}

    def add_people(self, tracks: Mapping[tuple[int, int], tuple[Descriptor, int]]) -> None:
        """Enter the identity and the person of tracks, by source and track; earlier ones are replaced.

        Raises:
            OutputError: The disk is full or cannot be written.
        """
        entries = [(*key, who.astype("<f4").tobytes(), person) for key, (who, person) in tracks.items()]
        with _entering(self.folder), self._index:
            self._index.executemany("INSERT OR REPLACE INTO tracks VALUES (?, ?, ?, ?)", entries)

    def reject(self, faces: Iterable[StoredFace]) -> None:
        """Move the pictures of faces out of the way; every later stage does without them.

        Raises:
            OutputError: The folder cannot be written.
        """
        with writing(self.folder):
            (self.folder / REJECTED).mkdir(exist_ok=True)
            for face in faces:
                os.replace(self.folder / FACES / face.file, self.folder / REJECTED / face.file)

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """The index in one transaction, for the modules of this part: all of it is entered, or nothing.

        Raises:
            OutputError: The disk is full or cannot be written.
        """
        with _entering(self.folder), self._index:
            yield self._index

    def picture(self, face: StoredFace) -> Path:
        """Where a face's picture is."""
        return self.folder / FACES / face.file

    def load(self, face: StoredFace) -> AlignedFace:
        """Read a face's picture.

        Raises:
            InputError: The picture cannot be read.
        """
        path = self.folder / FACES / face.file
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        size = face.alignment.size
        if image is None or image.shape != (size, size, 3):
            raise InputError(f"{path} is damaged or was resized: delete it or extract the faces again")
        return AlignedFace(np.asarray(image), face.mask.copy(), face.alignment, face.face, face.frame_index)

    def totals(self) -> Totals:
        """What the faceset holds."""
        sums = self._index.execute(
            "SELECT coalesce(sum(stop - start), 0), coalesce(sum(missed), 0), coalesce(sum(damaged), 0)"
            " FROM segments"
        )
        frames, missed, damaged = sums.fetchone()
        return Totals(frames, missed, damaged, len(self.faces()))

    def digest(self) -> str:
        """SHA-256 over the places and hashes of the faces that are there, whatever they are called."""
        text = "".join(f"{face.source} {face.frame_index} {face.hash}\n" for face in self.faces())
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
