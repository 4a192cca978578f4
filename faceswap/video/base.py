"""What every source of frames can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from faceswap.durable import checksum
from faceswap.errors import InputError
from faceswap.types import Frame


def digest(path: Path) -> bytes:
    """SHA-256 of a file's content.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return bytes.fromhex(checksum(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; check the path") from error


class Source(ABC):
    """Frames from a file or a folder. A context manager; reading it twice gives the same frames twice.

    Attributes:
        path: The file or the folder.
        count: How many frames there are.
        width: Columns of the (first) frame as it is shown, upright.
        height: Rows of the (first) frame as it is shown, upright.
        rate: Frames per second, on average; 25 for images.
        is_video: Whether frames lie in time, with sound perhaps; False for images.
        keys: Indices of the frames that decoding can begin at, increasing; none where it can anywhere.
    """

    path: Path
    count: int
    width: int
    height: int
    rate: Fraction
    is_video: bool
    keys: tuple[int, ...] = ()

    @abstractmethod
    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Yield the frames from `start` up to but without `stop` (None: the end), in order.

        The frames of a slice equal the same slice of a whole run. Several runs may go on side by side.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 of the content, 64 hexadecimal digits."""

    @property
    @abstractmethod
    def problems(self) -> list[str]:
        """What was found wrong so far, one line each: damaged frames, unreadable images, a missing end."""

    def __enter__(self) -> Self:
        """Nothing is held open between two runs of `frames`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""
        return
