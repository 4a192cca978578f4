"""The pixel mark: a faint keyed pattern in the brightness of a swapped face; `detection` reads it.

It lies in the coordinates of the aligned face, so that whoever aligns the face anew has undone cropping,
scaling and turning of the picture. It is a sum of nine patterns, each a band of spatial frequencies with a
keyed random phase: a pilot, which is the tool's own and shows that the mark is there and exactly where, and
one for each of eight bytes, whose value says which of four patterns it is and where on a grid of 8 x 8 that
lies. The eight bytes are a Reed-Solomon code word of the run's four: two wrong bytes, or three unreadable
ones, are put right.

In a clip the pattern swells and turns into its negative and back in `PERIOD` seconds: what swings in time
with it is the mark, what stays is the face, which is many times stronger. In a picture it stands still, and
is read against the whitened face. Spread spectrum with a whitening detector: Cox, Kilian, Leighton and
Shamoon, "Secure spread spectrum watermarking for multimedia", IEEE Transactions on Image Processing 6(12),
1997.

The key is public, as this program is: the mark shows where a picture comes from to those who want to know,
and does not hold against someone who wants it gone.
"""

from __future__ import annotations

import hashlib
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from reedsolo import RSCodec

from faceswap.types import WHOLE, Image, Part

Map = NDArray[np.float32]

SIZE = 128  # pixels: side of the crop that the mark is defined on and read from
COVERAGE = 1.2  # extents of the mean face: side of that crop
PERIOD = 2.0  # seconds in which the mark of a clip swings once
TOOL = b"faceswap pixel mark 1"

EXTENT = SIZE / COVERAGE  # pixels
_BAND = 8.0, 32.0  # cycles in a face's extent: coarser ones drown in the face, finer ones in compression
_RADIUS = 0.46, 0.12  # extents: half the marked disc, and the width over which it fades out
_AMPLITUDE = 1.0  # grey levels (root mean square over space and time) on plain skin
_GAIN, _MOST = 0.08, 1.7  # more of it per grey level of texture around, and at most so many times
_LIMIT = 1.95  # grey levels (root mean square of a marked face) never passed: 42.3 dB
_SMALL = 64  # pixels: side that a crop is brought to for that
GRID, BOOKS = 8, 4  # places a side and patterns to choose from for a byte: 256 in all
DATA, CODED = 4, 8  # bytes


class Mark:
    """The mark of one run."""

    def __init__(self, run: int) -> None:
        """Make the pattern.

        Args:
            run: The run's number, 0 to 2**32 - 1.
        """
        word = RSCodec(CODED - DATA).encode(run.to_bytes(DATA, "big"))
        pattern = np.sqrt(CODED) * keyed(0)
        for number, value in enumerate(word):
            pattern += written(number, value)
        self._pattern: Map = pattern / pattern.std()
        self._drawn: dict[tuple[int, float], Map] = {}

    def pattern(self, size: int, coverage: float) -> Map:
        """The mark as an aligned crop shows it.

        Args:
            size: Side of the crop, pixels.
            coverage: Side of the crop, extents of the mean face.

        Returns:
            float32 (size, size), 0 off the face; root mean square about 1 on it.
        """
        if (size, coverage) not in self._drawn:
            scale = size / coverage / EXTENT
            shift = (size - 1) / 2 - scale * (SIZE - 1) / 2
            matrix = np.array([[scale, 0, shift], [0, scale, shift]])
            drawn = cv2.warpAffine(
                self._pattern, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP
            )
            self._drawn[size, coverage] = np.asarray(drawn * window(size, coverage), np.float32)
        return self._drawn[size, coverage]

    def apply(
        self,
        face: Image,
        coverage: float,
        seconds: float = 0.0,
        part: Part = WHOLE,
        size: int | None = None,
    ) -> Image:
        """Put the mark on an aligned face.

        More of it where the face is lively, less on plain skin, where it would be seen.

        Args:
            face: BGR uint8 (height, width, 3), an aligned crop or a part of it.
            coverage: Side of the crop, extents of the mean face.
            seconds: When the frame is shown; 0 for a picture.
            part: Which rows and columns of the crop it is.
            size: Side of the crop, pixels; None: that of `face`.

        Returns:
            BGR uint8 of the same shape, at least 42 dB from `face` where it is marked.
        """
        size = size or face.shape[0]
        pattern = self.pattern(size, coverage)[part]
        swing = np.sqrt(2) * np.cos(2 * np.pi * seconds / PERIOD)
        delta = cv2.multiply(pattern, _room(face, size), scale=float(swing * _AMPLITUDE))
        marked = cv2.countNonZero(pattern)
        strength = cv2.norm(delta) / np.sqrt(max(marked, 1))
        if strength > _LIMIT:
            delta *= _LIMIT / strength
        return np.asarray(cv2.add(face, cv2.merge([delta] * 3), dtype=cv2.CV_8U))


def _room(face: Image, size: int) -> Map:
    """How many times the plain amplitude a place takes unseen: float32 (height, width), 1 to `_MOST`."""
    height, width = (max(round(side * _SMALL / size), 1) for side in face.shape[:2])
    small = cv2.resize(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), (width, height), interpolation=cv2.INTER_AREA)
    lively = cv2.blur(cv2.absdiff(small, cv2.blur(small, (5, 5))).astype(np.float32), (5, 5))
    room = np.minimum(1 + _GAIN * lively, np.float32(_MOST))
    return np.asarray(cv2.resize(room, face.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def written(number: int, value: int) -> Map:
    """The pattern of byte `number` of the code word, like `keyed`."""
    book, place = divmod(value, GRID * GRID)
    step = SIZE // GRID
    return np.roll(keyed(1 + BOOKS * number + book), (place // GRID * step, place % GRID * step), (0, 1))


@cache
def keyed(number: int) -> Map:
    """One of the keyed patterns, 0 for the pilot: periodic, (`SIZE`, `SIZE`), root mean square 1."""
    digest = hashlib.sha256(TOOL + bytes([number])).digest()
    noise = np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big"))).standard_normal((SIZE, SIZE))
    spectrum = np.fft.fft2(noise)
    flat = np.fft.ifft2(spectrum / np.abs(spectrum) * band()[0]).real
    return np.asarray(flat / flat.std(), np.float32)


@cache
def band() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Which frequencies of a crop's spectrum are the mark's (0 or 1), and each one's ring."""
    frequency = np.fft.fftfreq(SIZE) * EXTENT
    radius = np.hypot(frequency[:, None], frequency)
    return ((radius >= _BAND[0]) & (radius <= _BAND[1])).astype(np.float64), np.rint(radius).astype(np.intp)


@cache
def window(size: int, coverage: float) -> Map:
    """The disc that is marked, fading out at its edge; 0 to 1."""
    axis = (np.arange(size) - (size - 1) / 2) / (size / coverage)
    depth = np.clip((_RADIUS[0] - np.hypot(axis[:, None], axis)) / _RADIUS[1], 0, 1)
    return np.asarray(depth * depth * (3 - 2 * depth), np.float32)
