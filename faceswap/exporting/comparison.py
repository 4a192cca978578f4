"""What exporting does to a model: its size, its speed, and how well it still draws."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceswap.exporting.material import Material
from faceswap.models import Swap
from faceswap.quality.fidelity import grey_of, ssim
from faceswap.quality.identity import distances
from faceswap.recognizer import Recognizer
from faceswap.types import Descriptor, Image, Pixels

BATCH = 8  # faces that go through together, as in conversion
ROUNDS = 15
SHOWN = 60  # held-out faces of each person that are measured
TWICE, LEAST_LOSS = 2.0, 0.01  # what int8 should bring, and what it may cost
HEADINGS = ("", "MB", "ms a face", "SSIM", "SSIM to Keras", "distance to the person")


@dataclass(frozen=True)
class Subject:
    """A form of the model that is measured.

    Attributes:
        name: What to call it.
        size: Bytes.
        swap: What draws with it.
    """

    name: str
    size: int
    swap: Swap


@dataclass(frozen=True)
class Row:
    """What was measured of one form of the model.

    Attributes:
        name: What it is.
        megabytes: Size, 10 ** 6 bytes.
        milliseconds: Time for one of eight faces.
        ssim: Of held-out faces of the person drawn, with their photographs; where the face is.
        fidelity: SSIM of the swaps of held-out faces with those of the first form.
        distance: From those swaps to the person, by dlib's descriptors; below 0.6 is the same person.
    """

    name: str
    megabytes: float
    milliseconds: float
    ssim: float | None = None
    fidelity: float | None = None
    distance: float | None = None

    def cells(self) -> list[str]:
        """As text."""
        measured = (self.ssim, self.fidelity, self.distance)
        figures = ("" if one is None else f"{one:.4f}" for one in measured)
        return [self.name, f"{self.megabytes:.2f}", f"{self.milliseconds:.2f}", *figures]


@dataclass(frozen=True)
class Judges:
    """What the drawings are held against.

    Attributes:
        swapped: Held-out faces like those to be swapped.
        person: Held-out faces of the person who is drawn.
        recognizer: Describes faces.
        descriptor: Of that person, from other faces.
    """

    swapped: Material | None = None
    person: Material | None = None
    recognizer: Recognizer | None = None
    descriptor: Descriptor | None = None


def compare(subjects: Sequence[Subject], judges: Judges, size: int) -> list[Row]:
    """Measure each form of a model; the first is what the others are compared with."""
    speeds = _speeds(subjects, _sample(judges, size))
    first: Image | None = None
    rows = []
    for subject, seconds in zip(subjects, speeds, strict=True):
        ssim_of = fidelity = distance = None
        if judges.person:
            ssim_of = _likeness(_drawn(subject.swap, judges.person.faces), judges.person.faces, judges.person)
        if judges.swapped:
            swaps = _drawn(subject.swap, judges.swapped.faces)
            first = swaps if first is None else first
            fidelity = _likeness(swaps, first, judges.swapped)
            distance = _distance(swaps, judges)
        rows.append(Row(subject.name, subject.size / 1e6, 1000 * seconds, ssim_of, fidelity, distance))
    return rows


def remarks(plain: Row, eight: Row) -> list[str]:
    """Why an int8 model is not twice as fast as float32 in the same runtime, or loses much, a line each."""
    found = []
    factor = plain.milliseconds / eight.milliseconds
    if factor < TWICE:
        found.append(f"int8 is {factor:.1f} times as fast as float32, not twice: {_reason()}")
    before, after = (row.ssim if row.ssim is not None else row.fidelity for row in (plain, eight))
    if before is not None and after is not None and before - after > LEAST_LOSS:
        found.append(
            f"int8 loses {before - after:.3f} SSIM, more than {LEAST_LOSS}: calibrate on more varied faces"
        )
    return found


def _reason() -> str:
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return "what this processor has for 8-bit products is not known"
    if "vnni" not in info.read_text():
        return "this processor has no VNNI, so 8-bit products take more instructions than they save"
    return "the rest of the time goes into what is not a convolution"


def _sample(judges: Judges, size: int) -> Image:
    """Faces to measure the speed on, or noise where there are none; that takes as long."""
    some = judges.swapped or judges.person
    if some is None:
        return np.random.default_rng(0).integers(0, 256, (BATCH, size, size, 3), np.uint8)
    return np.resize(some.faces, (BATCH, size, size, 3))


def _speeds(subjects: Sequence[Subject], sample: Image) -> list[float]:
    """Median seconds for a face of each, in rounds in turn, so that all meet the same load."""
    times = np.empty((ROUNDS, len(subjects)))
    for subject in subjects:
        subject.swap(sample)
    for turn in times:
        for place, subject in enumerate(subjects):
            started = time.perf_counter()
            subject.swap(sample)
            turn[place] = time.perf_counter() - started
    return [float(one) for one in np.median(times, 0) / BATCH]


def _drawn(swap: Swap, faces: Image) -> Image:
    return np.concatenate([swap(faces[first : first + BATCH]) for first in range(0, len(faces), BATCH)])


def _likeness(made: Image, wanted: Image, about: Material) -> float | None:
    """Mean SSIM of pictures with those they should be, where the face is."""
    found = [
        ssim(grey_of(x[..., :3]), grey_of(y[..., :3]), mask > 127)
        for x, y, mask in zip(made, wanted, about.masks, strict=True)
    ]
    known = [one for one in found if one is not None]
    return float(np.mean(known)) if known else None


def _distance(swaps: Image, judges: Judges) -> float | None:
    if judges.recognizer is None or judges.descriptor is None or judges.swapped is None:
        return None
    chips = [
        judges.recognizer.chip(Pixels(np.ascontiguousarray(face[..., :3])), points)
        for face, points in zip(swaps, judges.swapped.points, strict=True)
    ]
    return float(distances(judges.recognizer.describe(chips), judges.descriptor).mean())
