"""Encoding one segment of a clip, looking like its source, to a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, cast

import av
from av.video.stream import VideoStream

from faceswap.errors import UsageError
from faceswap.types import Frame, Patch
from faceswap.video.atomic import encoding, replacing
from faceswap.video.clip import VideoSource
from faceswap.video.native import NativePicture
from faceswap.video.patching import apply_patches
from faceswap.video.planes import PLAIN, nearest, reshaped


class Codec(NamedTuple):
    """How a codec is written.

    Attributes:
        encoders: libav's names for it; a later one holds pixel formats that the others do not.
        options: Set besides crf and preset.
    """

    encoders: tuple[str, ...]
    options: dict[str, str]


CODECS = {
    "h264": Codec(("libx264", "libx264rgb"), {}),
    "h265": Codec(("libx265",), {"x265-params": "log-level=none"}),
}


def encoders() -> dict[str, bool]:
    """For each codec `SegmentWriter` knows, whether this build of libav has its encoders."""
    return {name: set(codec.encoders) <= av.codecs_available for name, codec in CODECS.items()}


class SegmentWriter:
    """Writes a run of frames of a source, picture only, with their own times, colours and pixel format.

    The file appears under its name when the block ends without an error, whole and on the disk.

        with SegmentWriter(path, like=source) as writer:
            for frame in source.frames(0, 250):
                writer.write(frame, patches_of(frame))
    """

    def __init__(
        self, path: Path, like: VideoSource, codec: str = "h264", crf: int = 18, preset: str = "medium"
    ) -> None:
        """Choose the encoder; nothing is written yet.

        Args:
            path: The segment's file, ending in `.mp4`.
            like: Where the frames come from.
            codec: One of `CODECS`.
            crf: Constant rate factor, 0 (no loss) to 51 (worst).
            preset: x264's and x265's speed, `ultrafast` to `veryslow`.

        Raises:
            UsageError: There is no such codec.
        """
        if codec not in CODECS:
            raise UsageError(f"there is no codec '{codec}'; choose one of {', '.join(CODECS)}")
        self._path, self._like, self._codec = path, like, CODECS[codec]
        self._options = {"crf": str(crf), "preset": preset, **self._codec.options}
        sample = like.sample
        formats = _formats(self._codec)
        self._format = nearest(sample.format.name, formats, sample.width, sample.height)
        self._encoder = formats[self._format]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open the temporary file."""
        with ExitStack() as stack:
            temporary = stack.enter_context(replacing(self._path))
            with encoding(self._path):
                ticks = str(self._like.time_base.denominator)
                exact = {"video_track_timescale": ticks, "movie_timescale": ticks}
                self._container = av.open(f"file:{temporary}", "w", format="mp4", container_options=exact)
                stack.push(self._finish)
                self._stream = self._add_stream()
            self._stack = stack.pop_all()
        return self

    def write(self, frame: Frame, patches: Sequence[Patch] = ()) -> None:
        """Encode `frame` with `patches` in it; outside their masks the encoder gets the source's samples.

        Raises:
            OutputError: The disk is full, or the encoder fails.
        """
        assert isinstance(frame.picture, NativePicture), "frames of a clip"
        native = frame.picture.native
        if native.format.name != self._format:
            native = reshaped(native, self._format)
        picture = apply_patches(native, patches)
        picture.pts, picture.time_base = frame.pts, frame.time_base
        with encoding(self._path):
            self._container.mux(self._stream.encode(picture))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file and give it its name; after an error remove it."""
        self._stack.__exit__(kind, error, trace)

    def _finish(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what the encoder still holds, and close; after an error only close."""
        if error is not None:
            with suppress(av.FFmpegError):
                self._container.close()
            return
        with encoding(self._path):
            self._container.mux(self._stream.encode(None))
            self._container.close()

    def _add_stream(self) -> VideoStream:
        """A stream that says of its pictures what the source says of its own."""
        like, sample = self._like, self._like.sample
        added = self._container.add_stream(self._encoder, rate=like.rate, options=self._options)
        stream = cast(VideoStream, added)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = like.width, like.height, self._format
        context.time_base = stream.time_base = like.time_base
        context.sample_aspect_ratio = like.sample_aspect_ratio
        context.color_range, context.colorspace = sample.color_range, sample.colorspace
        context.color_primaries, context.color_trc = sample.color_primaries, sample.color_trc
        return stream


def _formats(codec: Codec) -> dict[str, str]:
    """The plain pixel formats that the codec's encoders take, and which of them takes it."""
    formats: dict[str, str] = {}
    for name in codec.encoders:
        offered = av.Codec(name, "w").video_formats or []
        formats |= {f.name: name for f in offered if f.name in PLAIN and f.name not in formats}
    return formats
