"""A decoded picture of a clip, of which only what is asked for is converted.

A whole 1080p frame takes 5 ms to turn into BGR, the region of a face a tenth of that, and its luma nothing.
"""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from faceswap.types import Floats, Grey, Image, Matrix
from faceswap.video.planes import blank, duplicate, joined, to_bgr, traits, views
from faceswap.warping import warp

MARGIN = 8  # pixels converted around a region, so that chroma is interpolated there as in the whole frame
GRAIN = 64  # pixels: regions are converted in multiples of it, so that few converters are set up


class NativePicture:
    """A `Picture` around a decoded frame.

    Attributes:
        native: The frame, upright, in one of the formats `planes.PLAIN`.
    """

    def __init__(self, native: av.VideoFrame) -> None:
        """Wrap a frame."""
        self.native = native

    @property
    def width(self) -> int:
        """Columns."""
        return self.native.width

    @property
    def height(self) -> int:
        """Rows."""
        return self.native.height

    def grey(self) -> Grey:
        """The luma plane as uint8 (height, width), in its coded range; computed where there is none."""
        kind = traits(self.native.format.name)
        if kind.rgb:
            return np.asarray(views(self.native.reformat(format="gray"))[0], np.uint8)
        luma = views(self.native)[0]
        return np.asarray(luma if kind.depth == 8 else luma >> (kind.depth - 8), np.uint8)

    def region(self, left: int, top: int, right: int, bottom: int) -> Image:
        """BGR uint8 of a rectangle within the frame, as a conversion of the whole frame would give it."""
        across, down = traits(self.native.format.name)[-2:]
        odd = self.width % across or self.height % down  # swscale stretches the chroma of these a little
        if odd or (left, top, right, bottom) == (0, 0, self.width, self.height):
            # A decoded picture may say where its chroma lies, a copy of it or of a part cannot: all are
            # converted as if it lay in the middle, as `from_bgr` does on the way back.
            whole = to_bgr(duplicate(self.native))
            return whole[top:bottom, left:right]
        x0, x1 = _grown(left, right, self.width, across)
        y0, y1 = _grown(top, bottom, self.height, down)
        part = blank(self.native, x1 - x0, y1 - y0)
        for target, source in zip(views(part), views(self.native), strict=True):
            shared = source.shape[:2] != (self.height, self.width)
            step_x, step_y = (across, down) if shared else (1, 1)
            rows, columns = target.shape[:2]
            target[...] = source[y0 // step_y :, x0 // step_x :][:rows, :columns]
        image = to_bgr(part)
        return image[top - y0 : bottom - y0, left - x0 : right - x0]

    def warp(self, matrix: Matrix, size: int) -> Image:
        """BGR uint8 (size, size, 3): the square into which `matrix` maps a part of the frame.

        Each plane is warped by itself, and only the square is converted: a third of the time it takes to
        convert the part first. Chroma lies in the middle of the luma it is shared by, as swscale has it.
        """
        kind = traits(self.native.format.name)
        if kind.rgb or kind.gray:
            whole = self.region(0, 0, self.width, self.height)
            return warp(whole, matrix, size)
        shared = np.array([[kind.across, 0, (kind.across - 1) / 2], [0, kind.down, (kind.down - 1) / 2]])
        luma, *chroma = views(self.native)
        planes = [warp(luma, matrix, size)]
        for plane in chroma:
            warped = warp(plane, matrix @ np.vstack([shared, [0, 0, 1]]), size, cv2.INTER_LINEAR)
            planes += [warped] if warped.ndim == 2 else [warped[..., 0], warped[..., 1]]
        if self.native.format.name == "nv21":
            planes[1:] = planes[:0:-1]
        return to_bgr(joined(planes, self.native))

    def warp_grey(self, matrix: Matrix, size: int) -> Floats:
        """Brightness of the square, float32 (size, size), 0 to 255: the luma, of whichever coded range."""
        kind = traits(self.native.format.name)
        if kind.rgb or kind.gray:
            return np.asarray(cv2.cvtColor(self.warp(matrix, size), cv2.COLOR_BGR2GRAY), np.float32)
        full = kind.full or self.native.color_range == ColorRange.JPEG
        black, white = (0, (1 << kind.depth) - 1) if full else (16 << kind.depth - 8, 235 << kind.depth - 8)
        luma = warp(views(self.native)[0], matrix, size)
        return (luma - np.float32(black)) * np.float32(255 / (white - black))


def _grown(low: int, high: int, size: int, step: int) -> tuple[int, int]:
    """A range with its margin, from a whole chroma sample on, as long as a multiple of `GRAIN` if it fits."""
    begin = max(low - MARGIN, 0) // step * step
    end = begin - (begin - high - MARGIN) // GRAIN * GRAIN
    return begin, min(end, size)
