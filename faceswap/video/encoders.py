"""The codecs that can be written: libav's names for them, and how each is told quality and speed.

Each codec's own factor is the one at which it is as good as x264 at 18, in the mean of two swapped clips
(512x512, from ffv1, brightness alone, `fast`); its speeds are those that take about as long, as far as it has
any:

    codec   factor   PSNR, dB       SSIM             kbit/s
    h264    18       45.1   42.4    0.985   0.981    1434   2303
    h265    18       45.1   42.5    0.984   0.981    1060   1952
    av1     21       44.8   42.8    0.987   0.985    821    1918
    vp9     24       44.8   43.3    0.988   0.989    1029   2175

Milliseconds of one core of an AMD EPYC for a frame of the first one:

    codec   ultrafast   superfast   veryfast   faster   fast   medium   slow
    h264    1.7         3.5         6.0        9.0      12     14       22
    h265    8.9         16          20         20       26     30       78
    av1     4.1         4.5         5.3        7.8      12     15       21
    vp9     3.8         4.9         6.4        13       15     41       54

`fast` is the default: at `veryfast` x264 saves 5 ms and needs 17% more bits for the same quality; what is
slower than `fast` is hardly smaller. libvpx's `good` takes 34 ms at the least and saves 5% at most, so its
first five speeds are those of `realtime`.
"""

from __future__ import annotations

import os
from io import BytesIO
from typing import NamedTuple, cast

import av
from av.video.stream import VideoStream

from faceswap.errors import UsageError
from faceswap.video.planes import PLAIN, nearest, traits

os.environ.setdefault("SVT_LOG", "1")  # or it tells its settings on stderr each time it is opened

SPEEDS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow"),
)
ANYWHERE, FREE, ARCHIVE = ("mp4", "mov", "matroska"), ("mp4", "matroska", "webm"), ("matroska",)

# For each of SPEEDS what an encoder calls it.
Speed = tuple[dict[str, str], ...]


class Codec(NamedTuple):
    """How a codec is written.

    Attributes:
        encoders: libav's names for it; a later one holds pixel formats that the others do not.
        quality: The options that the constant rate factor goes to; none where nothing is lost.
        crf: The factor if none is given.
        worst: The largest factor.
        speeds: Options for each of `SPEEDS`.
        containers: libav's names of those that hold it and are played.
        options: Set besides.
    """

    encoders: tuple[str, ...]
    quality: tuple[str, ...]
    crf: int
    worst: int
    speeds: Speed
    containers: tuple[str, ...]
    options: dict[str, str]


def _each(option: str, values: str) -> Speed:
    """One option with a value for each speed."""
    return tuple({option: value} for value in values.split())


_NAMED = _each("preset", " ".join(SPEEDS))
_SVT = _each("preset", "12 11 10 9 8 7 6 5 4")
_VPX = tuple(
    {"deadline": deadline, "cpu-used": step}
    for deadline, step in zip(("realtime",) * 5 + ("good",) * 4, "876543210", strict=True)
)
_NVENC = _each("preset", "p1 p1 p2 p3 p4 p4 p5 p6 p7")
_QSV = _each("preset", "veryfast veryfast veryfast faster fast medium slow slower veryslow")
_AMF = _each("quality", "speed speed speed speed balanced balanced quality quality quality")
_NONE: Speed = ({},) * len(SPEEDS)

SOFTWARE = {
    "h264": Codec(("libx264", "libx264rgb"), ("crf",), 18, 51, _NAMED, ANYWHERE, {}),
    "h265": Codec(("libx265",), ("crf",), 18, 51, _NAMED, ANYWHERE, {"x265-params": "log-level=none"}),
    "av1": Codec(("libsvtav1",), ("crf",), 21, 63, _SVT, FREE, {}),
    "vp9": Codec(("libvpx-vp9",), ("crf",), 24, 63, _VPX, FREE, {"b": "0", "row-mt": "1"}),
    "ffv1": Codec(("ffv1",), (), 0, 0, _NONE, ARCHIVE, {"level": "3", "slices": "4", "slicecrc": "1"}),
}


def _hardware() -> dict[str, Codec]:
    """Encoders of graphics cards, by libav's names; whether one works shows when it is opened."""
    makers = {
        "nvenc": (("cq",), _NVENC, {"rc": "vbr", "b": "0"}),
        "qsv": (("global_quality",), _QSV, {}),
        "amf": (("qp_i", "qp_p"), _AMF, {"rc": "cqp"}),
        "videotoolbox": ((), _NONE, {}),
    }
    found = {}
    for kind, containers in (("h264", ANYWHERE), ("hevc", ANYWHERE), ("av1", FREE)):
        for maker, (quality, speeds, options) in makers.items():
            if (kind, maker) != ("av1", "videotoolbox"):
                name = f"{kind}_{maker}"
                found[name] = Codec((name,), quality, 20, 51, speeds, containers, options)
    return found


HARDWARE = _hardware()
CODECS = SOFTWARE | HARDWARE


class Encoding(NamedTuple):
    """How pictures are to be encoded.

    Attributes:
        codec: One of `CODECS`.
        crf: Constant rate factor; None: the codec's own.
        preset: One of `SPEEDS`.
        depth: Bits of a sample; None: the source's.
    """

    codec: str = "h264"
    crf: int | None = None
    preset: str = "medium"
    depth: int | None = None

    @property
    def about(self) -> Codec:
        """The codec.

        Raises:
            UsageError: There is no such codec, or what is asked of it is more than it can.
        """
        if self.codec not in CODECS:
            raise UsageError(f"there is no codec '{self.codec}'; choose one of {', '.join(CODECS)}")
        codec = CODECS[self.codec]
        if self.crf is not None and not codec.quality:
            raise UsageError(f"{self.codec} has no constant rate factor: leave out --crf")
        if (self.crf or 0) > codec.worst:
            raise UsageError(f"the crf of {self.codec} goes from 0 to {codec.worst}, not to {self.crf}")
        if self.codec in HARDWARE and not works(self.codec):
            raise UsageError(f"{self.codec} is not found on this machine: see 'faceswap doctor' for what is")
        return codec

    @property
    def options(self) -> dict[str, str]:
        """What libav's encoder is told."""
        codec = self.about
        factor = codec.crf if self.crf is None else self.crf
        quality = dict.fromkeys(codec.quality, str(factor))
        return {**quality, **codec.speeds[SPEEDS.index(self.preset)], **codec.options}

    def format(self, name: str, width: int, height: int) -> tuple[str, str]:
        """The plain pixel format in which pictures of format `name` are encoded, and the encoder.

        Raises:
            UsageError: The codec has none of the depth that is asked for, or none for an odd size.
        """
        formats = _formats(self.about)
        deep = {f: e for f, e in formats.items() if self.depth in (None, traits(f).depth)}
        if not deep:
            raise UsageError(f"{self.codec} has no {self.depth} bits in this build of libav: try h265")
        fits = [f for f in deep if not width % traits(f).across and not height % traits(f).down]
        if not fits:
            raise UsageError(f"{self.codec} needs an even size, not {width}x{height}: try h264")
        chosen = nearest(name, fits, width, height)
        return chosen, deep[chosen]


def encoders() -> dict[str, bool]:
    """For each of `SOFTWARE`, whether this build of libav has its encoders."""
    return {name: set(codec.encoders) <= av.codecs_available for name, codec in SOFTWARE.items()}


def works(name: str) -> bool:
    """Whether an encoder of a graphics card can be opened here."""
    if name not in av.codecs_available:
        return False
    try:
        with av.open(BytesIO(), "w", format="matroska") as trial:
            stream = cast(VideoStream, trial.add_stream(name, rate=25))
            stream.width, stream.height, stream.pix_fmt = 256, 256, "nv12"
            trial.start_encoding()
    except (av.FFmpegError, ValueError, OSError):
        return False
    return True


def _formats(codec: Codec) -> dict[str, str]:
    """The plain pixel formats that the codec's encoders take, and which of them takes it."""
    formats: dict[str, str] = {}
    for name in codec.encoders:
        offered = av.Codec(name, "w").video_formats or []
        formats |= {f.name: name for f in offered if f.name in PLAIN and f.name not in formats}
    return formats
