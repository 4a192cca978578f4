"""Reading the pixel mark: faces are averaged, whitened and compared with the patterns of `watermark`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray
from reedsolo import ReedSolomonError, RSCodec

from faceswap.provenance.watermark import (
    BOOKS,
    CODED,
    COVERAGE,
    DATA,
    EXTENT,
    GRID,
    PERIOD,
    SIZE,
    Map,
    band,
    keyed,
    window,
    written,
)
from faceswap.types import Grey

Spectrum = NDArray[np.complex128]

_CHUNK = 4 * PERIOD  # seconds that are fitted together; a face changes over longer ones
_FEW = 10  # frames: fewer are read as a picture
_SHIFTS = 5  # pixels of the crop: how far the alignment may be off
_SCALES, _TURNS = (0.97, 0.985, 1.0, 1.015, 1.03), (-1.5, 0.0, 1.5)  # and in size, and in degrees
_CLIP = 2.0  # standard deviations: a stronger place is an eyelash or a highlight, not the mark
_FOUND = 5.8  # standard deviations; by chance one picture in some 20,000, all places searched counted
_READ = 6.5  # standard deviations of the run's number, once the pilot is there
_LEFT_OUT = 0, 1, 3  # unreadable bytes; with two, a single wrong byte would be "put right" too easily


@dataclass(frozen=True)
class Reading:
    """A mark that was found.

    Attributes:
        score: How far the pilot stands out of chance, in standard deviations.
        run: The number of the run that made it; None where it is too worn to be read.
    """

    score: float
    run: int | None


class Detector:
    """Reads the mark from the crops of one face."""

    def __init__(self) -> None:
        """Begin without a crop."""
        self._crops: list[Map] = []
        self._times: list[float] = []
        self._still = np.zeros((SIZE, SIZE), np.float64)
        self._swinging = np.zeros((SIZE, SIZE), np.complex128)
        self._count = 0

    def add(self, luma: Grey | Map, seconds: float = 0.0) -> None:
        """Look at one more crop.

        Args:
            luma: Brightness 0 to 255, (`SIZE`, `SIZE`), aligned with `COVERAGE`.
            seconds: When the frame is shown; they must not fall.
        """
        if self._times and seconds - self._times[0] >= _CHUNK:
            self._close_chunk()
        self._crops.append(np.asarray(luma, np.float32))
        self._times.append(seconds)

    def read(self) -> Reading | None:
        """The mark in what was added so far, or None."""
        self._close_chunk()
        if not self._count:
            return None
        maps = [whitened(self._still)]
        if self._swinging.any():
            maps.append(self._swinging)
        found = max((_search(one) for one in maps), key=lambda pose: pose.score)
        if found.score < _FOUND:
            return None
        return Reading(round(found.score, 1), _bytes(found))

    def _close_chunk(self) -> None:
        """Split a chunk into what stays, what drifts and what swings, by least squares."""
        if not self._crops:
            return
        crops, times = np.stack(self._crops), np.array(self._times)
        self._crops, self._times = [], []
        self._still += crops.sum(0)
        self._count += len(crops)
        if len(crops) < _FEW or times[-1] - times[0] < 0.75 * PERIOD:
            return
        angle = 2 * np.pi * times / PERIOD
        drift = (times - times.mean()) / _CHUNK
        terms = np.stack([np.ones_like(times), drift, np.cos(angle), np.sin(angle)], 1)
        cosine, sine = np.tensordot(np.linalg.pinv(terms)[2:], crops, 1)
        self._swinging += np.sqrt(len(crops)) * whitened(cosine + 1j * sine)


@dataclass(frozen=True)
class _Pose:
    """Where the pilot was found.

    Attributes:
        score: Standard deviations.
        turned: The spectrum of the map, turned and scaled so that only a shift is left, and real.
        shift: Of the mark, pixels down and right.
    """

    score: float
    turned: Spectrum
    shift: tuple[int, int]


def whitened(values: NDArray[np.floating] | NDArray[np.complexfloating]) -> NDArray[np.complex128]:
    """Make a face noise: its band only, as strong everywhere and at every frequency; then trust quiet places.

    Args:
        values: (`SIZE`, `SIZE`), real or complex.

    Returns:
        complex128 of the same shape.
    """
    allowed, ring = band()
    parts = [np.asarray(part, np.float64) for part in (np.real(values), np.imag(values))]
    smooth = [part - cv2.GaussianBlur(part, (0, 0), 6) for part in parts]
    bandpassed = np.fft.ifft2(np.fft.fft2(smooth[0] + 1j * smooth[1]) * allowed)
    power = cv2.GaussianBlur(np.abs(bandpassed) ** 2, (0, 0), 0.06 * EXTENT)
    weight = window(SIZE, COVERAGE) / np.sqrt(power + 0.02 * power.mean() + 1e-9)
    spectrum = np.fft.fft2(bandpassed * weight)
    energy = np.bincount(ring.ravel(), (np.abs(spectrum) ** 2).ravel()) / np.bincount(ring.ravel())
    flat = np.fft.ifft2(spectrum * allowed / np.sqrt(energy[ring] + 1e-12)) * weight
    flat = flat if np.iscomplexobj(values) else flat.real.astype(np.complex128)
    size = np.abs(flat)
    most = _CLIP * np.sqrt((size**2).sum() / np.count_nonzero(weight))
    return np.asarray(flat * np.minimum(1, most / np.maximum(size, 1e-12)), np.complex128)


def _search(values: NDArray[np.complex128]) -> _Pose:
    """Where the pilot fits best: over small turns, scales and shifts, and over the phase of its swing."""
    pilot = np.conj(np.fft.fft2(keyed(0)))
    best = _Pose(0.0, np.zeros((SIZE, SIZE), np.complex128), (0, 0))
    around = np.r_[-_SHIFTS : _SHIFTS + 1]
    real = not values.imag.any()
    for scale, degrees in product(_SCALES, _TURNS):
        spectrum = np.fft.fft2(_turned(values, scale, degrees))
        chance = np.linalg.norm(spectrum * pilot) / (SIZE * SIZE)
        match = np.fft.ifft2(spectrum * pilot)[np.ix_(around, around)]
        score = np.abs(match) / max(chance / (1 if real else np.sqrt(2)), 1e-12)
        if score.max() > best.score:
            row, column = np.unravel_index(score.argmax(), score.shape)
            phase = match[row, column] / abs(match[row, column])
            upright = np.fft.fft2(np.real(np.fft.ifft2(spectrum) / phase))
            shift = int(around[row]), int(around[column])
            best = _Pose(float(score.max()), upright, shift)
    return best


def _turned(values: NDArray[np.complex128], scale: float, degrees: float) -> NDArray[np.complex128]:
    middle = (SIZE - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), degrees, scale)
    parts = [cv2.warpAffine(part, matrix, (SIZE, SIZE), flags=cv2.INTER_CUBIC) for part in _parts(values)]
    return np.asarray(parts[0] + 1j * parts[1], np.complex128)


def _parts(values: NDArray[np.complex128]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.ascontiguousarray(values.real), np.ascontiguousarray(values.imag)


def _bytes(pose: _Pose) -> int | None:
    """The run's number: the best fit of each byte, and the code finds the doubtful ones."""
    scores = np.stack([_scores(pose, number) for number in range(CODED)])
    read = scores.argmax(1)
    ordered = np.sort(scores, 1)
    doubtful = np.argsort(ordered[:, -1] - ordered[:, -2])
    codec = RSCodec(CODED - DATA)
    best: tuple[float, int | None] = (_READ, None)
    for count in _LEFT_OUT:
        try:
            _, word, _ = codec.decode(bytes(read.tolist()), erase_pos=doubtful[:count].tolist())
        except ReedSolomonError:
            continue
        score = scores[np.arange(CODED), list(word)].sum() / np.sqrt(CODED)
        if score > best[0]:
            best = float(score), int.from_bytes(bytes(word[:DATA]), "big")
    return best[1]


def _scores(pose: _Pose, number: int) -> NDArray[np.float64]:
    """How well each of the 256 values of a byte fits, in standard deviations."""
    at = np.arange(GRID) * (SIZE // GRID)
    around = np.ix_((at + pose.shift[0]) % SIZE, (at + pose.shift[1]) % SIZE)
    found = []
    for book in range(BOOKS):
        match = pose.turned * np.conj(np.fft.fft2(written(number, book * GRID * GRID)))
        chance = np.linalg.norm(match) / (SIZE * SIZE)
        found.append(np.fft.ifft2(match).real[around].ravel() / max(float(chance), 1e-12))
    return np.concatenate(found)
