"""What is in a faceset, in words and in a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.curation.charts import Curve, write_overview
from faceswap.curation.coverage import NEAR, Lack, distances, lacks, poses
from faceswap.curation.folders import check_picture
from faceswap.curation.sheets import spread
from faceswap.curation.sorting import extent
from faceswap.errors import InputError
from faceswap.faces.faceset import REJECTED, Faceset
from faceswap.faces.index import StoredFace
from faceswap.options import FacesInfoConfig
from faceswap.progress import Progress, quiet
from faceswap.recognition import by_track

SAMPLES = 24
PEOPLE = 8  # named in the text


@dataclass(frozen=True)
class Comparison:
    """What one faceset (A) has of another's (B) poses.

    Attributes:
        other: B's folder.
        covered: Share of A's faces that have one of B's within `coverage.NEAR` degrees, 0 to 1.
        lacks: The poses that B lacks, the commonest in A first.
    """

    other: Path
    covered: float
    lacks: tuple[Lack, ...]

    def __str__(self) -> str:
        """Some lines for people."""
        text = f"{self.covered:.1%} of the poses are within {NEAR:.0f} degrees of one in {self.other} (B)"
        note = ["B lacks (left and right as in the picture):"] if self.lacks else []
        return "\n".join(["", text, *note, *(f"  {lack}" for lack in self.lacks)])


@dataclass(frozen=True)
class InfoResult:
    """What is in a faceset.

    Attributes:
        faceset: The folder.
        faces: Faces that are there.
        rejected: Pictures that were sorted out.
        interpolated: Faces that were not seen but filled in.
        sources: Each source's path, its frames and its faces.
        people: Faces of each person.
        tracks: How many tracks there are.
        spreads: What was measured: least, 5%, middle, 95% and most.
        comparison: With another faceset, if that was asked for.
        picture: What was drawn, if that was asked for.
    """

    faceset: Path
    faces: int
    rejected: int
    interpolated: int
    sources: tuple[tuple[Path, int, int], ...]
    people: dict[int, int]
    tracks: int
    spreads: dict[str, tuple[float, ...]]
    comparison: Comparison | None
    picture: Path | None

    def __str__(self) -> str:
        """A table for people."""
        lines = [
            f"{self.faces} faces in {self.faceset}, {self.rejected} rejected, {self.interpolated} filled in"
        ]
        lines += [
            f"source        {path}: {faces} faces, {frames} frames" for path, frames, faces in self.sources
        ]
        people = [f"person {person}: {faces}" for person, faces in list(self.people.items())[:PEOPLE]]
        more = f" and {len(self.people) - PEOPLE} more" if len(self.people) > PEOPLE else ""
        lines += [
            f"people        {', '.join(people)}{more}; {self.tracks} track{'s' * (self.tracks != 1)}",
            "",
        ]
        lines.append(f"{'':<24}{'least':>8}{'5%':>8}{'middle':>8}{'95%':>8}{'most':>8}")
        for name, values in self.spreads.items():
            lines.append(f"{name:<24}" + "".join(f"{value:8.0f}" for value in values))
        lines += [str(self.comparison)] if self.comparison else []
        return "\n".join([*lines, *([f"\ndrawn to {self.picture}"] if self.picture else [])])


def faces_info(config: FacesInfoConfig, progress: Progress = quiet) -> InfoResult:
    """Say what is in a faceset, and which of its poses another one lacks; draw both if asked to.

    Raises:
        InputError: There is no faceset, it is empty, or a picture cannot be read.
        OutputError: The picture exists or cannot be written.
    """
    if config.output:
        check_picture(config.output, config.overwrite)
    with Faceset.open(config.faceset) as faceset:
        faces = _faces(faceset)
        others: list[StoredFace] = []
        if config.against:
            with Faceset.open(config.against) as other:
                others = _faces(other)
        measured = _measured(faces)
        if config.output:
            chosen = [faces[place] for place in spread(len(faces), SAMPLES)]
            samples = [faceset.load(f).image for f in progress(chosen, desc="samples", unit="face")]
            curves = _curves(measured, _measured(others) if others else {})
            pair = (poses(faces), poses(others)) if others else (poses(faces),)
            names = [folder.name for folder in (config.faceset, config.against) if folder]
            write_overview(config.output, names, samples, curves, pair)
        counts = Counter(face.source for face in faces)
        sources = [(s.path, s.frames, counts[s.number]) for s in faceset.sources()]
        rejected = sum(1 for _ in (config.faceset / REJECTED).glob("*.png"))
    return InfoResult(
        config.faceset,
        len(faces),
        rejected,
        sum(face.face.interpolated for face in faces),
        tuple(sources),
        dict(sorted(Counter(face.person for face in faces).items())),
        len(by_track(faces)),
        {name: tuple(np.percentile(values, [0, 5, 50, 95, 100])) for name, values in measured.items()},
        compare(faces, others, config.against) if config.against else None,
        config.output,
    )


def compare(faces: Sequence[StoredFace], others: Sequence[StoredFace], other: Path) -> Comparison:
    """Which poses of A's `faces` are among B's `others`."""
    a, b = poses(faces), poses(others)
    return Comparison(other, float((distances(a, b) <= NEAR).mean()), tuple(lacks(a, b)))


def _faces(faceset: Faceset) -> list[StoredFace]:
    faces = faceset.faces()
    if not faces:
        raise InputError(f"{faceset.folder} has no faces: extract a clip that shows some")
    return faces


def _measured(faces: Sequence[StoredFace]) -> dict[str, NDArray[np.float64]]:
    columns = {
        "size in frame, pixels": [extent(face) for face in faces],
        "sharpness": [face.traits.sharpness for face in faces],
        "brightness, 0 to 255": [face.traits.brightness for face in faces],
        "yaw, right +, degrees": [face.traits.yaw for face in faces],
        "pitch, up +, degrees": [face.traits.pitch for face in faces],
        "roll, clockwise +, deg.": [face.traits.roll for face in faces],
    }
    return {name: np.array(values, np.float64) for name, values in columns.items()}


def _curves(mine: dict[str, NDArray[np.float64]], theirs: dict[str, NDArray[np.float64]]) -> list[Curve]:
    return [Curve(name, values, theirs.get(name)) for name, values in mine.items()]
