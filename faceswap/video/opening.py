"""Opening a video file, and saying in one line why that is impossible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from faceswap.errors import InputError

# Texts and single pictures that libav would also play.
_NO_CLIPS = {"tty", "image2", "concat", "hls", "dash", "ffmetadata", "lavfi"}


@contextmanager
def open_clip(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video file and pick its picture stream.

    Raises:
        InputError: The file is missing, empty, no clip, or has sound but no picture; with what to do.
    """
    try:
        container = av.open(f"file:{path}", metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise InputError(_why_not(path, error)) from error
    with container:
        name = container.format.name
        if name in _NO_CLIPS or name.endswith("_pipe"):
            raise InputError(_why_not(path, None))
        streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams and container.streams.audio:
            raise InputError(f"{path} has sound but no picture; give a clip that shows a face")
        if not streams:
            raise InputError(_why_not(path, None))
        if not streams[0].codec_context:
            raise InputError(f"{path} has a coding this program cannot decode; convert it to H.264 first")
        yield container, streams[0]


def _why_not(path: Path, error: Exception | None) -> str:
    """One line on why `path` cannot be opened and what to do."""
    if not path.exists():
        return f"{path} does not exist; check the path"
    if isinstance(error, PermissionError):
        return f"{path} may not be read; change its permissions"
    if path.stat().st_size == 0:
        return f"{path} is empty (0 bytes); copy or download it again"
    with path.open("rb") as file:
        if file.read(12)[4:8] == b"ftyp":
            return f"{path} is cut off: its index is missing; copy or download it again, or repair it"
    return f"{path} is neither a video nor an image this program can read; check that it plays"
