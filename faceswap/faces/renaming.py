"""Other names for the pictures of a faceset, so that a file browser shows them in an order.

A ranked picture is called `000012_001_0000345_0.png`: its rank, then the name it was written under, which
says source, frame and number. A kill at any moment does no harm: the pictures are there under their new names
before the index knows these, and the old names go when it does. What a kill leaves behind, the next renaming
removes.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from faceswap.durable import sync
from faceswap.errors import writing
from faceswap.faces.faceset import FACES, Faceset
from faceswap.faces.index import StoredFace

_RANKED = re.compile(r"\d{6,}_(\d{3,}_\d{7,}_\d+\.png)")


def original_name(name: str) -> str:
    """The name that a picture was written under."""
    ranked = _RANKED.fullmatch(name)
    return ranked[1] if ranked else name


def rank(faceset: Faceset, faces: Sequence[StoredFace]) -> dict[str, str]:
    """Call the pictures so that they sort in the order of `faces`; an earlier rank is replaced.

    Returns:
        The names that changed, old to new.

    Raises:
        OutputError: The folder or the index cannot be written.
    """
    names = {face.file: f"{place:06d}_{original_name(face.file)}" for place, face in enumerate(faces)}
    return _rename(faceset, names)


def unrank(faceset: Faceset, faces: Sequence[StoredFace]) -> dict[str, str]:
    """Give the pictures the names back that they were written under, which sort by source and frame.

    Returns:
        The names that changed, old to new.

    Raises:
        OutputError: The folder or the index cannot be written.
    """
    return _rename(faceset, {face.file: original_name(face.file) for face in faces})


def _rename(faceset: Faceset, names: dict[str, str]) -> dict[str, str]:
    """Old names to new ones; no new name is another face's old one, for each ends with its own original."""
    folder = faceset.folder / FACES
    _sweep(faceset)
    changes = {old: new for old, new in names.items() if old != new and (folder / old).is_file()}
    with writing(folder):
        for old, new in changes.items():
            _twin(folder / old, folder / new)
        sync(folder)  # the names are on the disk before the index speaks of them
    with faceset.changing() as index:
        index.executemany(
            "UPDATE faces SET file = ? WHERE file = ?", [(new, old) for old, new in changes.items()]
        )
    with writing(folder):
        for old in changes:
            (folder / old).unlink(missing_ok=True)
    return changes


def _twin(old: Path, new: Path) -> None:
    """Let the file be there under another name too: a hard link, or a copy where there are none."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)


def _sweep(faceset: Faceset) -> None:
    """Remove what a killed renaming left: second names of pictures that are there under their own."""
    folder = faceset.folder / FACES
    there = {entry.name for entry in os.scandir(folder)}
    with faceset.changing() as index:
        known = {name for (name,) in index.execute("SELECT file FROM faces")}
    present = {original_name(name) for name in known & there}
    with writing(folder):
        for name in there - known:
            if original_name(name) in present:
                (folder / name).unlink()
