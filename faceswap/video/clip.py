"""A video file as a source of frames that are as many, in the same order and at the same times as shown."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from itertools import groupby
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import PictureType
from av.video.stream import VideoStream

from faceswap.errors import InputError
from faceswap.types import Frame
from faceswap.video.base import Source, digest
from faceswap.video.native import NativePicture
from faceswap.video.opening import open_clip
from faceswap.video.planes import PLAIN, nearest, reshaped
from faceswap.video.rotation import orientation, upright
from faceswap.video.timeline import decoded, read_timeline


class VideoSource(Source):
    """A video file.

    Attributes:
        time_base: Seconds per unit of a frame's `pts`.
        times: The `pts` of every frame, strictly increasing.
        end: When the last frame ends, in the same units.
        sample_aspect_ratio: Width of a pixel of the upright picture as a multiple of its height.
        sample: The first picture that can be decoded, upright: size, pixel format and colours of all.
    """

    is_video = True

    def __init__(self, path: Path) -> None:
        """Read the file's packets, and decode its first picture.

        Raises:
            InputError: As for `open_clip`, or nothing in it can be decoded.
        """
        self.path = path
        self._damaged: set[int] = set()
        self._timeline = read_timeline(path)
        with open_clip(path) as (container, stream):
            self.time_base = stream.time_base or Fraction(1, 90000)
            self.rate = stream.average_rate or stream.guessed_rate or Fraction(25)
            ratio = stream.sample_aspect_ratio or Fraction(1)
            first = next(decoded(container, stream), None)
        self.times = self._timeline.times
        self.end, self.keys = self._timeline.end, self._timeline.keys
        self.count = len(self.times)
        if first is None or not self.count:
            raise InputError(f"{path} is damaged: not one of its frames can be decoded; copy it again")
        self._signs = orientation(first)
        self._format = nearest(first.format.name, PLAIN, 0, 0)
        self._coded_size = first.width, first.height
        self.sample = self._upright(first)
        self.width, self.height = self.sample.width, self.sample.height
        turned = self._signs[0] == 0
        self.sample_aspect_ratio = 1 / ratio if turned else ratio

    @cached_property
    def _digest(self) -> str:
        return digest(self.path).hex()

    def fingerprint(self) -> str:
        """SHA-256 of the file, 64 hexadecimal digits."""
        return self._digest

    @property
    def problems(self) -> list[str]:
        """What was found wrong so far: a missing end, damaged frames."""
        lines = []
        if self._timeline.cut:
            lines.append(f"{self.path.name}: the end is missing; {self.count} frames are there")
        if self._damaged:
            numbers = _ranges(sorted(self._damaged))
            share = f"{len(self._damaged)} of {self.count} frames"
            lines.append(f"{self.path.name}: {share} are damaged: {numbers}")
        return lines

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Yield exactly the frames `start` to `stop`, upright, each as a `NativePicture`.

        A frame that is missing or cannot be decoded shows the last good picture before it (or the first
        after it, where there is none) and is marked `damaged`, as is one that the decoder patched up.

        Raises:
            InputError: The file has gone or changed since it was opened.
        """
        start, stop = max(start, 0), self.count if stop is None else min(stop, self.count)
        last: av.VideoFrame | None = None

        def frame(index: int, native: av.VideoFrame, damaged: bool) -> Frame:
            if damaged:
                self._damaged.add(index)
            picture = NativePicture(native)
            return Frame(index, self.times[index], self.time_base, picture, "", damaged)

        due = start
        for index, picture in self._pictures(start) if start < stop else ():
            native = self._upright(picture)
            for missing in range(due, min(index, stop)):
                yield frame(missing, last or native, damaged=True)
            if start <= index < stop:
                yield frame(index, native, damaged=picture.is_corrupt)
            if last is None or not picture.is_corrupt:
                last = native
            due = max(due, index + 1)
            if due >= stop:
                return
        for missing in range(due, stop):
            if last is None:
                raise InputError(f"{self.path} cannot be decoded any more; has it changed? Run again")
            yield frame(missing, last, damaged=True)

    def _upright(self, picture: av.VideoFrame) -> av.VideoFrame:
        """The picture turned upright, in the size and format of the first one."""
        if (picture.width, picture.height) != self._coded_size or picture.format.name != self._format:
            picture = reshaped(picture, self._format, *self._coded_size)
        picture.pict_type = PictureType.NONE  # or an encoder would repeat the source's choice of key frames
        return upright(picture, self._signs)

    def _pictures(self, start: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode from the key frame at or before `start` on, with strictly increasing indices.

        Where the seek lands elsewhere, or a picture after it is missing (the times of an MPEG program stream
        are unsure there), decoding goes on from the beginning.
        """
        key = self._timeline.key_before(start)
        first = due = self._timeline.keys[key] if key > 0 else 0
        if key > 0:
            for index, picture in self._run(key):
                if index != due or (index == first and (picture.is_corrupt or not picture.key_frame)):
                    break
                yield index, picture
                due = index + 1
            if due == self.count:
                return
        for index, picture in self._run(None):
            if due == first or index >= due:
                yield index, picture

    def _run(self, key: int | None) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode from key frame number `key` (None: the beginning) on, with strictly increasing indices."""
        line = self._timeline
        due = 0 if key is None else line.keys[key]
        with open_clip(self.path) as (container, stream):
            stream.thread_count = 1  # several threads would patch up a damaged frame in a new way each time
            if key is not None and not _seek(container, stream, line.seeks[key], exact=line.counted):
                return
            for picture in decoded(container, stream):
                if line.counted:
                    if key is not None and not picture.key_frame:
                        continue  # leads the key frame, and refers to what was not decoded
                    key, index = None, due
                else:
                    index = line.places.get(picture.pts, -1) if picture.pts is not None else -1
                if due <= index < self.count:
                    yield index, picture
                    due = index + 1


def _seek(container: InputContainer, stream: VideoStream, time: int, exact: bool) -> bool:
    """Move to the key frame at `time`; False if that is impossible, or `exact` and it went elsewhere."""
    try:
        container.seek(time, stream=stream)
        if exact:
            there = next(container.demux(stream)).dts == time
            container.seek(time, stream=stream)
            return there
    except av.FFmpegError:
        return False
    return True


def _ranges(numbers: list[int]) -> str:
    """Write increasing numbers as `3, 7-9`."""
    runs = [[n for _, n in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
