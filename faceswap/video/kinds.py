"""Which output a source and an output kind call for."""

from __future__ import annotations

from pathlib import Path

from faceswap.errors import UsageError
from faceswap.video.animation import GifOutput
from faceswap.video.encoders import Encoding
from faceswap.video.joining import check_container
from faceswap.video.output import ImageOutput, Output, VideoOutput
from faceswap.video.sequences import PatchOutput, SequenceOutput
from faceswap.video.source import ImageSource, Source, VideoSource
from faceswap.video.views import SWAPPED, VIEWS

KINDS = (*VIEWS, "patches", "frames", "gif")


def open_output(source: Source, path: Path, parts: Path, how: Encoding, kind: str = "video") -> Output:
    """The output that fits.

    Args:
        source: Where the frames come from.
        path: What is written.
        parts: The folder of what is finished.
        how: How a video is encoded.
        kind: One of `KINDS`.

    Raises:
        UsageError: `path` has a suffix that does not fit, or the kind does not fit the source.
    """
    if kind == "patches":
        return PatchOutput(path, parts, source)
    if isinstance(source, VideoSource):
        if kind == "gif":
            return GifOutput(path, parts, source)
        if kind == "frames":
            return SequenceOutput(path, parts, source)
        check_container(path, how)
        return VideoOutput(path, parts, source, how, VIEWS[kind])
    assert isinstance(source, ImageSource)
    if kind == "gif":
        raise UsageError(f"--output-kind gif is for videos; {source.path} holds images")
    return ImageOutput(path, parts, source, VIEWS.get(kind, SWAPPED))
