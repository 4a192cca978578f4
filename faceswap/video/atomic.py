"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from faceswap.errors import OutputError, writing


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Hand out a hidden temporary name beside `path`; on success make it durable and call it `path`.

    On any error the temporary file is removed and `path` stays as it was.

    Raises:
        OutputError: The finished file cannot be made durable or named.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        yield temporary
        with writing(path):
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def encoding(path: Path) -> Iterator[None]:
    """Turn libav's errors while writing, a full disk among them, into an `OutputError` that names `path`."""
    with writing(path):
        try:
            yield
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise OutputError(f"cannot encode {path}: {error.strerror}; try another codec or name") from error


def check_output(output: Path, source: Path, overwrite: bool) -> None:
    """Refuse, before any work, an output that exists or cannot be.

    Raises:
        OutputError: With what to do.
    """
    with writing(output):
        if output.exists() and output.resolve() == source.resolve():
            raise OutputError(f"{output} is the source itself: choose another output")
        if output.exists() and not overwrite and not (output.is_dir() and not any(output.iterdir())):
            raise OutputError(f"{output} exists: choose another output or use --overwrite")
        output.parent.mkdir(parents=True, exist_ok=True)
