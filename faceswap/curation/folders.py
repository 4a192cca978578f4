"""Outputs that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faceswap.errors import OutputError, writing


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """Hand out a hidden folder beside `folder`; on success it is called `folder`, on an error it is removed.

    Raises:
        OutputError: `folder` exists and is not empty, or cannot be written.
    """
    draft = folder.with_name(f".{folder.name}.part")
    with writing(folder):
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise OutputError(f"{folder} exists: choose another place or delete it")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
    try:
        yield draft
        with writing(folder):
            os.replace(draft, folder)  # an empty folder may be there
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def check_picture(path: Path, overwrite: bool) -> None:
    """Refuse, before any work, a picture that exists or cannot be.

    Raises:
        OutputError: With what to do.
    """
    if path.suffix.lower() != ".png":
        raise OutputError(f"cannot write {path}: name it .png")
    with writing(path):
        if path.exists() and not overwrite:
            raise OutputError(f"{path} exists: choose another output or use --overwrite")
        path.parent.mkdir(parents=True, exist_ok=True)
