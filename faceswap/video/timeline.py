"""When each picture of a clip is shown, found by reading its packets without decoding them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from faceswap.video.opening import open_clip


class _Stamp(NamedTuple):
    """What a shown packet says of time."""

    pts: int | None
    dts: int | None
    duration: int
    key: bool


@dataclass(frozen=True)
class Timeline:
    """Maps pictures to their places in time.

    Attributes:
        times: Presentation times in units of the stream's time base, strictly increasing, one a picture.
        keys: Indices of the pictures that decoding can begin at, increasing.
        seeks: For each of `keys`, the time to ask the container for.
        end: When the last picture ends, in the same units.
        counted: Packets carry no presentation times, so that a picture's index is its place in the order
            of decoding, not a look-up of its time.
        cut: The file ends before it should.
    """

    times: tuple[int, ...]
    keys: tuple[int, ...]
    seeks: tuple[int, ...]
    end: int
    counted: bool = False
    cut: bool = False
    places: dict[int, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the times."""
        object.__setattr__(self, "places", {time: index for index, time in enumerate(self.times)})

    def key_before(self, index: int) -> int:
        """Which of `keys` is the last one at or before picture `index`; -1 if none is."""
        return bisect_right(self.keys, index) - 1


def read_timeline(path: Path) -> Timeline:
    """Read all packets of a video file and lay out those of its pictures in time.

    Raises:
        InputError: The file is no clip; see `open_clip`.
    """
    with open_clip(path) as (container, stream):
        stamps, cut = _read_stamps(container, stream)
        step = _step(stream)
        # AVI knows no presentation times; libav's guesses are wrong where pictures are reordered.
        unknown = container.format.name == "avi" and stream.codec_context.has_b_frames
        # The others search by time of decoding. MP4 asked by that lands a whole group of pictures too early.
        by_pts = container.format.name.startswith(("matroska", "mov"))
        told = (stream.start_time or 0) + (stream.duration or 0)
    if unknown or any(stamp.pts is None for stamp in stamps):
        return _counted(path, stamps, step, cut)
    shown = {stamp.pts: stamp for stamp in stamps if stamp.pts is not None}
    times = tuple(sorted(shown))
    keys = tuple(index for index, time in enumerate(times) if shown[time].key)
    end = times[-1] + (shown[times[-1]].duration or step) if times else 0
    if times and told > times[-1]:
        end = min(end, told)  # an edit list may cut the last picture short
    stamped = [(times[key], shown[times[key]].dts) for key in keys]
    seeks = tuple(pts if dts is None or by_pts else dts for pts, dts in stamped)
    return Timeline(times, keys, seeks, end, cut=cut)


def _read_stamps(container: InputContainer, stream: VideoStream) -> tuple[list[_Stamp], bool]:
    """What all shown packets of `stream` say of time, and whether the file ends before it should."""
    stamps: list[_Stamp] = []
    end, cut = Fraction(0), False
    try:
        for packet in container.demux():
            if not packet.size:
                continue
            end = max(end, _end(packet))
            if packet.stream_index == stream.index:
                cut = packet.is_corrupt
                if _is_shown(packet):
                    key = packet.is_keyframe
                    stamps.append(_Stamp(packet.pts, packet.dts, packet.duration or 0, key))
    except av.FFmpegError:
        cut = True
    if container.duration and not cut:
        begin = Fraction(container.start_time or 0, av.time_base)
        promised = Fraction(container.duration, av.time_base)
        cut = end - begin < promised * Fraction(9, 10) - 1
    return stamps, cut


def decoded(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """Decode from where `container` stands to its end; what cannot be decoded is left out."""
    with suppress(av.FFmpegError):
        for packet in container.demux(stream):
            with suppress(av.FFmpegError):
                yield from packet.decode()


def _is_shown(packet: Packet[Any]) -> bool:
    """Whether a packet of the stream turns into a picture on the screen."""
    if packet.is_discard:  # outside the edit list: decoded for the sake of others
        return False
    if packet.stream.codec_context.name == "vp8":  # its "alternate reference" pictures are never shown
        return bool(bytes(packet)[0] & 0x10)
    return True


def _end(packet: Packet[Any]) -> Fraction:
    """When the packet's content ends, in seconds; 0 if it does not say."""
    time = packet.pts if packet.pts is not None else packet.dts
    return Fraction(0) if time is None else (time + (packet.duration or 0)) * packet.time_base


def _step(stream: VideoStream) -> int:
    """How long a picture lasts on average, in units of the stream's time base, at least 1."""
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return max(round(1 / (rate * (stream.time_base or Fraction(1, 25)))), 1)


def _counted(path: Path, stamps: list[_Stamp], step: int, cut: bool) -> Timeline:
    """The timeline of a stream without presentation times (AVI with B frames): decode and count."""
    with open_clip(path) as (container, stream):
        flags = [picture.key_frame for picture in decoded(container, stream)]
    times = sorted({stamp.dts for stamp in stamps if stamp.dts is not None})[: len(flags)]
    if len(times) < len(flags):
        times = [index * step for index in range(len(flags))]
    keys = [index for index, key in enumerate(flags) if key]
    seeks = [stamp.dts for stamp in stamps if stamp.key and stamp.dts is not None]
    if len(keys) != len(seeks) or any(a >= b for a, b in pairwise(seeks)):
        keys, seeks = [], []
    end = times[-1] + step if times else 0
    return Timeline(tuple(times), tuple(keys), tuple(seeks), end, counted=True, cut=cut)
