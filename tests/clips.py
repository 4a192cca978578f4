"""Makes small clips for tests: nothing here is a real recording.

Every maker takes the path to write and returns it, so that `constant(tmp_path / "a.mp4")` is a clip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from faceswap.types import Image

Draw = Callable[[Image, int], None]
SOUND_RATE = 44100


def blob(image: Image, index: int) -> None:
    """Draw something like a face that wanders to the right and back, in place."""
    height, width = image.shape[:2]
    x = round(width * (0.5 + 0.2 * np.sin(index / 7)))
    centre, axes = (x, height // 2), (max(width // 6, 1), max(height // 3, 1))
    cv2.ellipse(image, centre, axes, 0, 0, 360, (120, 150, 210), -1)
    for side in (-1, 1):
        cv2.circle(image, (x + side * axes[0] // 2, height // 2 - axes[1] // 4), 2, (40, 30, 30), -1)


def picture(index: int, size: tuple[int, int] = (96, 64), draw: Draw = blob) -> Image:
    """One BGR picture of `size` (width, height): a slope of colours with `draw` on it."""
    width, height = size
    image = np.empty((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(40, 200, width, dtype=np.uint8)
    image[..., 1] = np.linspace(200, 60, height, dtype=np.uint8)[:, None]
    image[..., 2] = 90 + index % 40
    draw(image, index)
    return image


def make(
    path: Path,
    *,
    count: int = 30,
    size: tuple[int, int] = (96, 64),
    draw: Draw = blob,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: Fraction | int = 25,
    time_base: Fraction | None = None,
    times: Sequence[int] | None = None,
    sound: str | None = "aac",
    options: Mapping[str, str] | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    about: Mapping[str, int | Fraction] | None = None,
    container: Mapping[str, str] | None = None,
    title: str = "made for a test",
    chapters: Sequence[tuple[int, int]] = (),
) -> Path:
    """Write a clip.

    Args:
        path: Its suffix chooses the container.
        count: How many pictures.
        size: Width and height in pixels.
        draw: Called with each picture, BGR, and its index, to draw on it.
        codec: libav's name of the encoder.
        pixels: The pixel format.
        rate: Pictures per second.
        time_base: Seconds per unit of time; one picture by default.
        times: When each picture is shown, in these units; evenly by default.
        sound: libav's name of the encoder for a tone as long as the pictures; None for silence.
        options: Of the video encoder.
        rotation: How far a player has to turn the pictures, in degrees counter-clockwise.
        mirrored: A player has to mirror them left to right, too.
        about: Further attributes of the encoder: `color_range`, `sample_aspect_ratio` and so on.
        container: Options of the container.
        title: Put into the metadata.
        chapters: Begin and end of each, in milliseconds.
    """
    base = time_base or 1 / Fraction(rate)
    shown = times if times is not None else [round(i / rate / base) for i in range(count)]
    with av.open(str(path), "w", container_options=dict(container or {})) as target:
        target.metadata["title"] = title
        target.set_chapters([_chapter(number, *span) for number, span in enumerate(chapters)])
        stream: Any = target.add_stream(codec, rate=rate, options=dict(options or {"preset": "ultrafast"}))
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.time_base = stream.codec_context.time_base = base
        for name, value in (about or {}).items():
            setattr(stream.codec_context, name, value)
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        tone: Any = target.add_stream(sound, rate=SOUND_RATE) if sound else None
        for index, time in enumerate(shown):
            image = av.VideoFrame.from_ndarray(picture(index, size, draw), format="bgr24")
            frame = image.reformat(format=pixels, dst_color_range=(about or {}).get("color_range"))
            frame.pts, frame.time_base = time, base
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
        if tone:
            for part in _tone(float((shown[-1] + 1) * base), tone):
                target.mux(tone.encode(part))
            target.mux(tone.encode(None))
    return path


def _chapter(number: int, start: int, end: int) -> Any:
    return {"id": number, "start": start, "end": end, "time_base": Fraction(1, 1000), "metadata": {}}


def _tone(seconds: float, stream: Any) -> Iterator[av.AudioFrame]:
    """A sine in pieces that the encoder of `stream` takes."""
    wave = np.sin(np.arange(int(seconds * SOUND_RATE) + 1) * 0.06) * 8000
    resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=SOUND_RATE)
    for begin in range(0, len(wave), 1024):
        piece = np.repeat(wave[begin : begin + 1024].astype(np.int16), 2)[None]
        frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, begin, Fraction(1, SOUND_RATE)
        yield from resampler.resample(frame)


def constant(path: Path, **more: Any) -> Path:
    """25 pictures a second with sound."""
    return make(path, **more)


def variable(path: Path, **more: Any) -> Path:
    """Pictures at uneven times, with sound."""
    steps = [512 * (1 + index * 7 % 5) for index in range(more.pop("count", 30))]
    times = [sum(steps[:index]) for index in range(len(steps))]
    return make(path, times=times, time_base=Fraction(1, 12800), **more)


def odd(path: Path, **more: Any) -> Path:
    """An odd width and an odd height, in RGB."""
    return make(path, **{"size": (95, 63), "codec": "libx264rgb", "pixels": "rgb24", **more})


def rotated(path: Path, **more: Any) -> Path:
    """Lies on its side and says so."""
    return make(path, **{"rotation": 90, **more})


def ten_bit(path: Path, **more: Any) -> Path:
    """10 bits a sample."""
    return make(path, pixels="yuv420p10le", **more)


def gray(path: Path, **more: Any) -> Path:
    """Without colour and without sound."""
    return make(path, pixels="gray", sound=None, **more)


def single(path: Path, **more: Any) -> Path:
    """One picture, no sound."""
    return make(path, count=1, sound=None, **more)


def sound_only(path: Path, seconds: float = 1.0) -> Path:
    """A tone."""
    with av.open(str(path), "w") as target:
        stream: Any = target.add_stream("aac", rate=SOUND_RATE)
        for part in _tone(seconds, stream):
            target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    return path


def truncated(path: Path, share: float = 0.5, **more: Any) -> Path:
    """A clip of which only the first `share` is there; without `container` its index is gone."""
    make(path, **more)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def flipped(path: Path, every: int = 2000, **more: Any) -> Path:
    """A clip with one bit wrong in `every` bytes of its content, but not in its headers."""
    make(path, **{"sound": None, **more})
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + 1500
    for position in range(begin, data.rindex(b"moov") - 100, every):
        data[position] ^= 0x10
    path.write_bytes(data)
    return path


def text(path: Path) -> Path:
    """No clip at all."""
    path.write_text("This is not a video.\n" * 200)
    return path


def empty(path: Path) -> Path:
    """Zero bytes."""
    path.touch()
    return path
