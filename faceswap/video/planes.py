"""The memory of a decoded picture: its planes as arrays, its colours as BGR, its formats by likeness.

Every picture that leaves the reader is in one of `PLAIN` formats: whole samples of 8 or 16 bits, luma
and chroma in planes (or pixels of 3 bytes), so that a region of it can be addressed in numpy.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from faceswap.types import Image

PLAIN = (
    *("yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p", "gray"),
    *("nv12", "nv21", "nv16", "rgb24", "bgr24", "gbrp"),
    *("yuv420p10le", "yuv422p10le", "yuv444p10le", "gray10le", "gbrp10le"),
    *("yuv420p12le", "yuv422p12le", "yuv444p12le", "gray12le", "gbrp12le"),
)

# swscale's fast path shifts luma by 1.6 levels on the way to BGR and back, a visible edge round a patch;
# with these flags it comes back to 0.0.
EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class _Converters(threading.local):
    """swscale's contexts, which take longer to set up than to convert a face; each thread has its own."""

    MOST = 32

    def __init__(self) -> None:
        self._kept: dict[Hashable, VideoReformatter] = {}

    def of(self, picture: av.VideoFrame, name: str, width: int, height: int) -> VideoReformatter:
        """The one from pictures like this to pixel format `name` and another size."""
        colors = picture.colorspace, picture.color_range
        key = (picture.width, picture.height, picture.format.name, name, width, height, colors)
        if len(self._kept) > self.MOST:
            self._kept.clear()
        return self._kept.setdefault(key, VideoReformatter())


_converters = _Converters()


class Traits(NamedTuple):
    """What a pixel format can hold.

    Attributes:
        rgb: Red, green and blue instead of luma and chroma.
        gray: No colour.
        full: A `yuvj` format: always full range.
        depth: Bits of a sample.
        across: Luma columns that share one chroma sample.
        down: Luma rows that share one chroma sample.
    """

    rgb: bool
    gray: bool
    full: bool
    depth: int
    across: int
    down: int


@lru_cache
def traits(name: str) -> Traits:
    """What the pixel format called `name` can hold."""
    side = 16
    shape = av.VideoFormat(name, side, side)
    parts = [part for part in shape.components if not part.is_alpha]
    if shape.has_palette:
        return Traits(rgb=True, gray=False, full=False, depth=8, across=1, down=1)
    return Traits(
        rgb=shape.is_rgb,
        gray=len(parts) == 1,
        full=name.startswith("yuvj"),
        depth=max(part.bits for part in parts),
        across=side // min(part.width for part in parts),
        down=side // min(part.height for part in parts),
    )


def nearest(name: str, choices: Iterable[str], width: int, height: int) -> str:
    """The one of `choices` that holds pixel format `name` with the least loss, `name` itself if it is there.

    A format whose chroma does not divide `width` and `height` is passed over: encoders refuse it.
    """
    want = traits(name)

    def cost(choice: str) -> tuple[int, ...]:
        have = traits(choice)
        losses = (
            have.gray and not want.gray,
            have.rgb != want.rgb,
            max(want.depth - have.depth, 0),
            max(have.across - want.across, 0) + max(have.down - want.down, 0),
        )
        extras = (have.full != want.full, have.gray != want.gray, abs(have.depth - want.depth))
        return (*losses, *extras, abs(have.across - want.across) + abs(have.down - want.down), choice != name)

    fitting = [c for c in choices if not width % traits(c).across and not height % traits(c).down]
    return min(fitting, key=cost)


def views(picture: av.VideoFrame) -> list[NDArray[Any]]:
    """The planes of a picture in one of the `PLAIN` formats, as arrays on its own memory.

    Returns:
        For each plane an array (rows, columns), or (rows, columns, samples) where a plane interleaves
        several components; uint8, or uint16 for more than 8 bits.
    """
    name = picture.format.name
    kind: type[np.generic] = np.uint8 if traits(name).depth == 8 else np.uint16
    arrays = []
    planes: tuple[Any, ...] = picture.planes  # the stubs do not know them for buffers
    for plane, count in zip(planes, _samples(name), strict=True):
        rows = np.frombuffer(plane, kind).reshape(plane.height, -1)
        if plane.line_size < 0:
            rows = rows[::-1]
        rows = rows[:, : plane.width * count]
        arrays.append(rows if count == 1 else rows.reshape(plane.height, plane.width, count))
    return arrays


@lru_cache
def _samples(name: str) -> tuple[int, ...]:
    """How many components each plane of a pixel format interleaves."""
    counts = Counter(part.plane for part in av.VideoFormat(name, 16, 16).components)
    return tuple(counts[plane] for plane in sorted(counts))


def blank(like: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """A picture of another size with the format, colour description and time of `like`; pixels undefined."""
    picture = av.VideoFrame(width, height, like.format.name)
    picture.pts = like.pts
    if like.time_base:
        picture.time_base = like.time_base
    describe(picture, like)
    return picture


def joined(planes: Sequence[NDArray[Any]], like: av.VideoFrame) -> av.VideoFrame:
    """Luma and two planes of chroma, all of one size, as a picture with the colours and depth of `like`."""
    height, width = planes[0].shape
    picture = av.VideoFrame(width, height, _unshared(like.format.name))
    describe(picture, like)
    for target, plane in zip(views(picture), planes, strict=True):
        target[...] = plane
    return picture


def describe(picture: av.VideoFrame | VideoCodecContext, like: av.VideoFrame) -> None:
    """Give a picture, or a stream of them, the matrix, range, primaries and transfer of `like`."""
    picture.colorspace, picture.color_range = like.colorspace, like.color_range
    picture.color_primaries, picture.color_trc = like.color_primaries, like.color_trc


def duplicate(picture: av.VideoFrame) -> av.VideoFrame:
    """A copy with its own memory."""
    twin = blank(picture, picture.width, picture.height)
    for target, source in zip(views(twin), views(picture), strict=True):
        np.copyto(target, source)
    return twin


def to_bgr(picture: av.VideoFrame) -> Image:
    """The picture as BGR uint8 (height, width, 3), by its own matrix and range.

    Where the picture does not say, swscale's defaults hold: BT.601, limited range.

    Args:
        picture: A decoded picture of any format.
    """
    converter = _converters.of(picture, "bgr24", picture.width, picture.height)
    return np.ascontiguousarray(views(converter.reformat(picture, format="bgr24", interpolation=EXACT))[0])


def from_bgr(image: Image, like: av.VideoFrame) -> av.VideoFrame:
    """The inverse of `to_bgr`: a BGR image in the format, matrix and range of `like`."""
    source = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
    describe(source, like)
    return _converted(source, like.format.name)


def components(image: Image, like: av.VideoFrame) -> list[NDArray[Any]]:
    """A BGR image in the colours of `like`, each pixel with samples of its own.

    Returns:
        For each plane of `like` an array of its type and samples a pixel, as high and wide as `image`.
    """
    source = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
    describe(source, like)
    arrays = views(_converted(source, _unshared(like.format.name)))
    if like.format.name.startswith("nv"):
        luma, *chroma = arrays
        return [luma, np.dstack(chroma[::-1] if like.format.name == "nv21" else chroma)]
    return arrays


def _unshared(name: str) -> str:
    """The pixel format that is `name` without shared chroma, in planes where it has chroma."""
    kind = traits(name)
    if kind.rgb or kind.gray:
        return name
    return "yuvj444p" if kind.full else "yuv444p" if kind.depth == 8 else f"yuv444p{kind.depth}le"


def reshaped(picture: av.VideoFrame, name: str, width: int = 0, height: int = 0) -> av.VideoFrame:
    """The picture in pixel format `name` and, if given, another size.

    Matrix and range stay as they are; what comes from RGB to luma and chroma is BT.709 of limited range.
    """
    coded = traits(picture.format.name).rgb and not traits(name).rgb and not traits(name).gray
    if not coded:
        return _converted(picture, name, width, height)
    converted = _converted(picture, name, width, height, Colorspace.ITU709, ColorRange.MPEG)
    converted.colorspace, converted.color_range = Colorspace.ITU709, ColorRange.MPEG
    return converted


def _converted(
    picture: av.VideoFrame,
    name: str,
    width: int = 0,
    height: int = 0,
    matrix: Colorspace | None = None,
    reach: ColorRange | None = None,
) -> av.VideoFrame:
    """The picture in pixel format `name`, by its own matrix and range unless others are given."""
    converted = _converters.of(picture, name, width, height).reformat(
        picture,
        width or None,
        height or None,
        name,
        interpolation=EXACT,
        dst_colorspace=matrix,
        dst_color_range=reach or picture.color_range or None,
    )
    describe(converted, picture)
    return converted
