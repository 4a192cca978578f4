"""Encoding one segment of a clip, looking like its source, to a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
from av.video.stream import VideoStream

from faceswap.types import Frame, Patch
from faceswap.video.atomic import encoding, replacing
from faceswap.video.clip import VideoSource
from faceswap.video.encoders import Encoding
from faceswap.video.native import NativePicture
from faceswap.video.planes import describe, reshaped
from faceswap.video.views import SWAPPED, View

DEFAULT = Encoding()


class SegmentWriter:
    """Writes a run of frames of a source, picture only, with their own times, colours and pixel format.

    The file appears under its name when the block ends without an error, whole and on the disk.

        with SegmentWriter(path, like=source) as writer:
            for frame in source.frames(0, 250):
                writer.write(frame, patches_of(frame))
    """

    def __init__(self, path: Path, like: VideoSource, how: Encoding = DEFAULT, view: View = SWAPPED) -> None:
        """Choose the encoder; nothing is written yet.

        Args:
            path: The segment's file, ending in `.mp4`.
            like: Where the frames come from.
            how: Codec, quality, speed and depth.
            view: What is shown of each frame.

        Raises:
            UsageError: There is no such codec, or it cannot hold such pictures.
        """
        self._path, self._like, self._options, self._view = path, like, how.options, view
        sample = like.sample
        self._format, self._encoder = how.format(sample.format.name, sample.width, sample.height)
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
        picture = self._view.native(native, patches)
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
        context.width, context.height = like.width * self._view.across, like.height
        context.pix_fmt = self._format
        context.time_base = stream.time_base = like.time_base
        context.sample_aspect_ratio = like.sample_aspect_ratio
        describe(context, sample if sample.format.name == self._format else reshaped(sample, self._format))
        return stream
