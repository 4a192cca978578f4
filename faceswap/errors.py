"""The error tree. Each error knows the exit code the command line ends with.

    FaceswapError            1   anything this program refuses or cannot do
    ├── UsageError           2   an option, a project file or a combination that makes no sense
    ├── InputError           3   a source that is missing, unreadable or not what it says
    │   └── NoFacesError     4   readable, but nobody in it
    ├── OutputError          5   output exists, cannot be written, or the disk is full
    ├── ModelError           6   a model that is missing, broken or of another shape
    ├── DependencyError      7   a package or a weight file is not installed
    ├── RefusedError         9   footage this program does not work on: nothing was made
    ├── SigningError        10   the output could not be signed: nothing was made
    └── Interrupted        130   stopped by Ctrl-C or SIGTERM; run again to go on

Success is 0. `doctor` ends with 1 where it finds a fault, `evaluate` with 8 where a measure is worse than
`--fail-under` asks, `inspect` with 11 to 14 where a file is not as this program made it (see `inspection`),
`verify` with 15 where two pictures show two people.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike


class FaceswapError(Exception):
    """Root of every error raised on purpose; its text is one line that says what and what to do."""

    exit_code = 1


class UsageError(FaceswapError):
    """An option, a project file or a combination of them that makes no sense."""

    exit_code = 2


class InputError(FaceswapError):
    """A source that is missing, unreadable or not what it says it is."""

    exit_code = 3


class NoFacesError(InputError):
    """The source is readable, but no face was found in it."""

    exit_code = 4


class OutputError(FaceswapError):
    """The output exists, cannot be written, or the disk is full."""

    exit_code = 5


class ModelError(FaceswapError):
    """A model folder that is missing, half-written, damaged or of another shape."""

    exit_code = 6


class DependencyError(FaceswapError):
    """A package or a weight file that is not installed; the text says the command that installs it."""

    exit_code = 7


class RefusedError(FaceswapError):
    """Footage that this program does not work on, whatever the options; nothing was made."""

    exit_code = 9


class SigningError(FaceswapError):
    """The output could not be signed; nothing stands under its name that was not there before."""

    exit_code = 10


class Interrupted(FaceswapError):
    """Stopped by Ctrl-C or SIGTERM; all finished work is kept."""

    exit_code = 130


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def writing(path: str | PathLike[str]) -> Iterator[None]:
    """Turn an `OSError` while writing into an `OutputError` that names `path`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            text = f"no space left to write {path}: free some disk space and run the same command again"
        else:
            text = f"cannot write {path}: {error.strerror or error}; choose another place"
        raise OutputError(text) from error
