"""Carrying the sound, the subtitles and the data of a source over to another file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

# What sound is encoded as where the container cannot hold its own codec: libav's name, ours, and the rate.
ENCODED = {"mp4": ("aac", "AAC", None), "webm": ("libopus", "Opus", 48000)}

log = logging.getLogger(__name__)


@dataclass
class Track:
    """One stream besides the pictures on its way.

    Attributes:
        stream: Where it goes.
        encoded: It is decoded and encoded again, because the container does not hold its codec.
        last: The latest decoding time so far; a damaged source may jump back, which no container takes.
    """

    stream: Stream
    encoded: bool
    last: int | None = None


def add_sound(source: InputContainer, target: OutputContainer) -> dict[int, Track]:
    """Add all streams of sound that `source` has to `target`.

    Returns:
        The new tracks by the index of their stream in `source`.
    """
    tracks: dict[int, Track] = {}
    for old in source.streams.audio:
        if not old.codec_context:
            log.warning("stream %d of the source has sound of an unknown kind: left out", old.index)
            continue
        if _holds(target.format.name, old):
            track = Track(target.add_stream_from_template(old), encoded=False)
        else:
            codec, name, rate = ENCODED.get(target.format.name, ENCODED["mp4"])
            log.warning("%s cannot hold %s sound: encoding it as %s", target.format.name, old.name, name)
            new = target.add_stream(codec, rate=rate or old.codec_context.sample_rate, layout=old.layout.name)
            track = Track(new, encoded=True)
        track.stream.metadata.update(old.metadata)
        track.stream.disposition = old.disposition
        tracks[old.index] = track
    return tracks


def add_others(source: InputContainer, target: OutputContainer) -> dict[int, Track]:
    """Add the streams of subtitles and data that `target` can hold; a warning names the others.

    Returns:
        The new tracks by the index of their stream in `source`.
    """
    tracks: dict[int, Track] = {}
    for old in (*source.streams.subtitles, *source.streams.data):
        if not _holds(target.format.name, old):
            name = old.codec_context.name if old.codec_context else "unknown"
            kept = "" if old.type == "data" else "; .mkv holds most"
            log.warning("%s cannot hold %s %s: left out%s", target.format.name, name, _noun(old), kept)
            continue
        track = Track(target.add_stream_from_template(old), encoded=False)
        track.stream.metadata.update(old.metadata)
        track.stream.disposition = old.disposition
        tracks[old.index] = track
    return tracks


def _noun(stream: Stream) -> str:
    return "subtitles" if stream.type == "subtitle" else stream.type


def _holds(container: str, stream: Any) -> bool:
    """Whether a container takes this stream; some find out only when they write their header."""
    try:
        with av.open(BytesIO(), "w", format=container) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.FFmpegError, ValueError, NotImplementedError, AttributeError):
        return False
    return True


def copied(source: InputContainer, tracks: dict[int, Track]) -> Iterator[Packet[Any]]:
    """The packets of all tracks in the order of the source; where it is damaged, as far as it can be read."""
    if not tracks:
        return
    with suppress(av.FFmpegError):
        for packet in source.demux([source.streams[index] for index in tracks]):
            track = tracks[packet.stream.index]
            if track.encoded:
                yield from _encoded(packet, track)
            elif packet.size:
                yield _rising(packet, track)


def _rising(packet: Packet[Any], track: Track) -> Packet[Any]:
    """The packet, bound for its track, decoded later than the one before it."""
    dts = packet.dts if packet.dts is not None else packet.pts
    if track.last is not None and (dts is None or dts <= track.last):
        dts = track.last + 1
    packet.dts = track.last = dts or 0
    packet.pts = packet.dts if packet.pts is None else max(packet.pts, packet.dts)
    packet.stream = track.stream
    return packet


def _encoded(packet: Packet[Any], track: Track) -> Iterator[Packet[Any]]:
    """What the encoder gives out for a packet of the source; the empty last packet empties it."""
    with suppress(av.FFmpegError):
        for frame in cast("Packet[AudioStream]", packet).decode():
            yield from cast(AudioStream, track.stream).encode(frame)
    if not packet.size:
        yield from cast(AudioStream, track.stream).encode(None)
