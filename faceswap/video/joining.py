"""Joining finished segments to a clip: nothing is encoded again, the sound is the source's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from fractions import Fraction
from heapq import merge
from itertools import chain, pairwise
from math import lcm
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from faceswap.errors import OutputError, UsageError
from faceswap.video.atomic import encoding, replacing
from faceswap.video.clip import VideoSource
from faceswap.video.encoders import Encoding
from faceswap.video.opening import open_clip
from faceswap.video.planes import describe, reshaped
from faceswap.video.sound import add_others, add_sound, copied

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_LIKE_MATROSKA = ("matroska", "webm")
_OF_THE_CONTAINER = {"major_brand", "minor_version", "compatible_brands", "encoder"}
_INT_MAX = 2**31 - 1
NONE: Mapping[str, str] = MappingProxyType({})


class _Stamp(NamedTuple):
    """Times of a packet, in units of the source's time base."""

    pts: int
    dts: int
    duration: int


def check_container(output: Path, how: Encoding | None = None) -> None:
    """Raise a `UsageError` unless the suffix of `output` is one of `CONTAINERS` that holds such a codec."""
    container = CONTAINERS.get(output.suffix.lower())
    if container is None:
        raise UsageError(f"cannot write a video to {output}: name it with one of {', '.join(CONTAINERS)}")
    if how and container not in how.about.containers:
        fitting = [suffix for suffix, name in CONTAINERS.items() if name in how.about.containers]
        raise UsageError(
            f"{output.suffix} does not hold {how.codec}: name the output with {' or '.join(fitting)},"
            " or choose another --codec"
        )


def join(parts: Sequence[Path], like: VideoSource, output: Path, notes: Mapping[str, str] = NONE) -> None:
    """Put segments one after another into one file, with the sound and the metadata of their source.

    Every picture is shown when the source shows it: to the tick in MP4 and MOV, to the millisecond in MKV
    and WebM, which know no finer ones. Sound is copied; only where the container cannot hold its codec it is
    encoded again, with a warning. Subtitles and data are copied where the container holds them.

    Args:
        parts: Files of `SegmentWriter`, in order, all written with the same settings.
        like: The source they were made from.
        output: The file to write; its suffix, one of `CONTAINERS`, chooses the container.
        notes: Metadata that takes the place of the source's.

    Raises:
        InputError: A part or the source is missing or damaged.
        OutputError: The parts do not belong together, or the disk is full.
        UsageError: The suffix is another one.
    """
    check_container(output)
    stamps = _stamps(parts, like)
    with replacing(output) as temporary, ExitStack() as stack:
        source, _ = stack.enter_context(open_clip(like.path))
        _, template = stack.enter_context(open_clip(parts[0]))
        with encoding(output):
            target = stack.enter_context(_create(temporary, CONTAINERS[output.suffix.lower()], like, source))
            target.metadata.update(notes)
            stream = _add_pictures(target, template, like)
            tracks = add_sound(source, target) | add_others(source, target)
            pictures = _pictures(parts, stamps, stream, like.time_base)
            for packet in merge(pictures, copied(source, tracks), key=_time):
                target.mux(packet)
            target.close()


def _create(path: Path, name: str, like: VideoSource, source: InputContainer) -> OutputContainer:
    """Open the output and give it the source's metadata and chapters."""
    options = {"avoid_negative_ts": "disabled"}
    if name not in _LIKE_MATROSKA:
        ticks = like.time_base.denominator
        rates = (stream.sample_rate for stream in source.streams.audio if stream.sample_rate)
        exact = lcm(ticks, *rates)  # in these units no stream's start has to be rounded
        options |= {
            "movflags": "+faststart",
            "video_track_timescale": str(ticks),
            "movie_timescale": str(exact if exact <= _INT_MAX else ticks),
        }
    target = av.open(f"file:{path}", "w", format=name, container_options=options)
    target.metadata.update({k: v for k, v in source.metadata.items() if k not in _OF_THE_CONTAINER})
    target.set_chapters(source.chapters())
    return target


def _add_pictures(target: OutputContainer, template: VideoStream, like: VideoSource) -> VideoStream:
    """Add the stream of the joined pictures."""
    stream = target.add_stream_from_template(template, opaque=True)
    stream.time_base = like.time_base
    stream.codec_context.framerate = like.rate
    name, sample = template.format.name, like.sample
    # MP4 says nothing of the colours of ffv1, and neither does ffv1 itself.
    describe(stream.codec_context, sample if name == sample.format.name else reshaped(sample, name))
    if template.name == "hevc" and target.format.name not in _LIKE_MATROSKA:
        stream.codec_context.codec_tag = "hvc1"  # Apple's players do not know the other one, hev1
    return stream


def _pictures(
    parts: Sequence[Path], stamps: Sequence[_Stamp], stream: VideoStream, time_base: Fraction
) -> Iterator[Packet[Any]]:
    """The packets of all parts, with their new times."""
    new = iter(stamps)
    for part in parts:
        with open_clip(part) as (container, pictures):
            for packet in container.demux(pictures):
                if packet.size:
                    packet.pts, packet.dts, packet.duration = next(new)
                    packet.time_base = time_base
                    packet.stream = stream
                    yield packet


def _stamps(parts: Sequence[Path], like: VideoSource) -> list[_Stamp]:
    """Work out the times of all packets, in the order of decoding.

    The i-th packet is decoded when the i-th picture is shown, less the smallest delay that lets no picture
    be shown before it is decoded. So decoding times rise evenly across joints, with any order of pictures.
    """
    orders = [_order(part, like) for part in parts]
    shown = sorted(chain.from_iterable(orders))
    known = set(like.times)
    if not shown or not known.issuperset(shown) or any(max(a) >= min(b) for a, b in pairwise(orders)):
        raise OutputError(f"the segments were not made from {like.path}; delete them and run again")
    place = {pts: index for index, pts in enumerate(shown)}
    decoding = list(chain.from_iterable(orders))
    delay = max(index - place[pts] for index, pts in enumerate(decoding))
    step = shown[1] - shown[0] if len(shown) > 1 else 1
    clock = [shown[0] - step * back for back in range(delay, 0, -1)] + shown
    following = dict(pairwise((*like.times, like.end)))
    return [_Stamp(pts, clock[index], following[pts] - pts) for index, pts in enumerate(decoding)]


def _order(part: Path, like: VideoSource) -> list[int]:
    """The times of a part's pictures in the order of decoding, in units of the source's time base."""
    with open_clip(part) as (container, stream), suppress(av.FFmpegError):
        ratio = (stream.time_base or Fraction(1)) / like.time_base
        return [int(packet.pts * ratio) for packet in container.demux(stream) if packet.pts is not None]
    return []


def _time(packet: Packet[Any]) -> Fraction:
    """When a packet is decoded, in seconds."""
    return (packet.dts or 0) * packet.time_base
