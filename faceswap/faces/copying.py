"""Faces of one faceset put into another, with all that is known of them."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from faceswap.errors import InputError, writing
from faceswap.faces.faceset import FACES, Faceset
from faceswap.faces.index import FACE_COLUMNS, StoredFace, row_of
from faceswap.faces.sight import SAME


def copy_into(target: Faceset, origin: Faceset, faces: Sequence[StoredFace]) -> int:
    """Copy faces, and all sources, segments and tracks of their faceset, into another one.

    A source that is in both is entered once, and a face that is there already is left out. Pictures get
    the names that the target would have written them under.

    Args:
        target: Where to.
        origin: Where from.
        faces: Which faces of `origin`.

    Returns:
        How many faces were copied.

    Raises:
        InputError: `origin` was not searched to the end, or a picture is gone.
        OutputError: The target cannot be written.
    """
    by_source: dict[int, list[StoredFace]] = defaultdict(list)
    for face in faces:
        by_source[face.source].append(face)
    copied = 0
    for source in origin.sources():
        if not source.numbered:
            raise InputError(
                f"{origin.folder} is not finished: run the 'faceswap extract' that began it again"
            )
        number = target.add_source(source.path, source.fingerprint, source.frames)
        there = target.faces(number)
        tracks, fresh = _compared(by_source[source.number], there, set(_tracks(target, number)))
        named = _named(fresh, {face.file for face in there}, number, tracks)
        _copy_pictures(target, origin, fresh, named)
        _enter(target, origin, source.number, number, named, tracks)
        copied += len(named)
    return copied


def _tracks(faceset: Faceset, source: int) -> list[int]:
    with faceset.changing() as index:
        return [track for (track,) in index.execute("SELECT track FROM faces WHERE source = ?", (source,))]


def _compared(
    faces: Sequence[StoredFace], there: Sequence[StoredFace], taken: set[int]
) -> tuple[dict[int, int], list[StoredFace]]:
    """What a source's tracks are called in the target, and which of its faces are not there yet."""
    by_frame: dict[int, list[StoredFace]] = defaultdict(list)
    for face in there:
        by_frame[face.frame_index].append(face)
    met: dict[int, Counter[int]] = defaultdict(Counter)
    fresh = []
    for face in faces:
        same = [old for old in by_frame[face.frame_index] if old.face.box.iou(face.face.box) >= SAME]
        met[face.face.track_id].update(old.face.track_id for old in same)
        if not same:
            fresh.append(face)
    tracks: dict[int, int] = {}
    free = (number for number in count() if number not in taken and number not in met)
    for track, others in sorted(met.items()):
        if others:
            tracks[track] = others.most_common(1)[0][0]
        else:
            tracks[track] = next(free) if track in taken else track
    return tracks, fresh


def _named(
    faces: Sequence[StoredFace], taken: set[str], number: int, tracks: dict[int, int]
) -> list[StoredFace]:
    """The faces as the target is to hold them."""
    named = []
    for face in faces:
        names = (f"{number:03d}_{face.frame_index:07d}_{place}.png" for place in count())
        name = next(name for name in names if name not in taken)
        taken.add(name)
        found = replace(face.face, track_id=tracks[face.face.track_id])
        named.append(replace(face, file=name, source=number, face=found))
    return named


def _copy_pictures(
    target: Faceset, origin: Faceset, old: Sequence[StoredFace], new: Sequence[StoredFace]
) -> None:
    """Copies, not links: who paints over a picture of one faceset does not mean the other's."""
    with writing(target.folder / FACES):
        for before, after in zip(old, new, strict=True):
            try:
                shutil.copyfile(origin.picture(before), target.picture(after))
            except FileNotFoundError as error:
                raise InputError(f"{origin.picture(before)} has gone: run the same command again") from error


def _enter(
    target: Faceset, origin: Faceset, old: int, new: int, faces: Sequence[StoredFace], tracks: dict[int, int]
) -> None:
    """Enter a source's segments, scores, faces and tracks in one transaction."""
    with origin.changing() as index:
        segments = index.execute(
            "SELECT start, stop, missed, damaged, goes_on FROM segments WHERE source = ?", (old,)
        ).fetchall()
        people = index.execute(
            "SELECT track, identity, person FROM tracks WHERE source = ?", (old,)
        ).fetchall()
    scores = [(new, frame, score) for frame, score in origin.scores(old).items()]
    known = [(new, tracks[track], *about) for track, *about in people if track in tracks]
    marks = ", ".join("?" * len(FACE_COLUMNS.split(",")))
    with target.changing() as index:
        index.executemany(
            "INSERT OR IGNORE INTO segments VALUES (?, ?, ?, ?, ?, ?)", [(new, *s) for s in segments]
        )
        index.executemany("INSERT OR IGNORE INTO scores VALUES (?, ?, ?)", scores)
        index.executemany(f"INSERT INTO faces ({FACE_COLUMNS}) VALUES ({marks})", map(row_of, faces))
        index.executemany("INSERT OR IGNORE INTO tracks VALUES (?, ?, ?, ?)", known)
        index.execute("UPDATE sources SET numbered = 1 WHERE id = ?", (new,))
