"""Proposing what to drop from a faceset."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.curation import judging
from faceswap.curation.drawing import dot
from faceswap.curation.judging import Verdict
from faceswap.curation.sheets import Section, Tile, fitted, spread, write_sheet
from faceswap.errors import writing
from faceswap.faces.faceset import REJECTED, Faceset
from faceswap.faces.index import StoredFace
from faceswap.faces.similar import Hashes, hashes
from faceswap.options import FacesCleanConfig
from faceswap.progress import Progress, quiet
from faceswap.recognition import by_track, recognise

REASONS = ("blurred", "cut_off", "stranger", "misfit", "doubtful", "duplicate")
DOTTED = ("cut_off", "misfit", "doubtful")  # shown with their landmarks
CANVAS = 352  # pixels: faces are drawn on at this size, and shown at half of it
SHOWN = 48  # faces of a contact sheet
NEAR = 16  # faces that only just stay, shown below them

_RED, _GREEN = "#b00020", "#1b6e2c"


@dataclass(frozen=True)
class CleanResult:
    """What was proposed.

    Attributes:
        faceset: The folder.
        faces: How many faces there were.
        proposed: The pictures to drop, by reason; one may be in several.
        rules: When a face is proposed, by reason.
        sheets: The contact sheets.
        moved: How many pictures were moved to the faceset's `rejected` folder.
    """

    faceset: Path
    faces: int
    proposed: dict[str, tuple[str, ...]]
    rules: dict[str, str]
    sheets: tuple[Path, ...]
    moved: int

    @property
    def files(self) -> set[str]:
        """All pictures that are proposed."""
        return {file for files in self.proposed.values() for file in files}

    def __str__(self) -> str:
        """A few lines for people."""
        lines = [
            f"{reason:<10}{len(self.proposed[reason]):6d}  {self.rules[reason]}" for reason in self.rules
        ]
        if not self.files:
            return "\n".join([*lines, f"nothing to drop among {self.faces} faces"])
        total = f"{'in all':<10}{len(self.files):6d}  of {self.faces} faces"
        lines += [total, *(f"look at {sheet}" for sheet in self.sheets)]
        if self.moved:
            return "\n".join([*lines, f"moved {self.moved} pictures to {self.faceset / REJECTED}"])
        return "\n".join([*lines, "nothing was moved yet: look at the sheets, then run again with --apply"])


def faces_clean(config: FacesCleanConfig, progress: Progress = quiet) -> CleanResult:
    """Propose which faces to drop, draw a contact sheet a reason, and move the faces if asked to.

    Nothing is deleted: pictures go to the faceset's `rejected` folder, and are in the faceset again when they
    are moved back.

    Raises:
        InputError: There is no faceset, or a picture of it cannot be read.
        OutputError: The sheets cannot be written, or the pictures not be moved.
    """
    folder = config.output or config.faceset
    with Faceset.open(config.faceset) as faceset:
        if config.stranger and len(by_track(faceset.faces())) > 1:
            recognise(faceset, progress)
        faces = faceset.faces()
        verdicts, twins = _verdicts(config, faceset, faces, progress) if faces else ([], np.empty(0, np.intp))
        _clear(folder)
        guilty = {_sheet(folder, verdict.name): verdict for verdict in verdicts if verdict.bad.any()}
        for path, verdict in progress(guilty.items(), total=len(guilty), desc="sheets", unit="sheet"):
            _draw(path, faceset, faces, verdict, twins)
        proposed = {v.name: tuple(face.file for face in _at(faces, np.flatnonzero(v.bad))) for v in verdicts}
        rules = {verdict.name: verdict.rule for verdict in verdicts}
        result = CleanResult(config.faceset, len(faces), proposed, rules, tuple(guilty), 0)
        if not config.apply:
            return result
        faceset.reject([face for face in faces if face.file in result.files])
    return replace(result, moved=len(result.files))


def _clear(folder: Path) -> None:
    """Make the folder for the sheets and remove those of an earlier run, which others would take for new."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for reason in REASONS:
            _sheet(folder, reason).unlink(missing_ok=True)


def _verdicts(
    config: FacesCleanConfig, faceset: Faceset, faces: list[StoredFace], progress: Progress
) -> tuple[list[Verdict], NDArray[np.intp]]:
    """What each reason that is looked at says; and for each face the place of its sharper twin."""
    verdicts = []
    for name in ("blurred", "cut_off", "misfit", "doubtful"):
        limit = getattr(config, name)
        if limit:
            verdicts.append(getattr(judging, name)(faces, limit))
    if config.stranger:
        verdicts.append(judging.stranger(faces, faceset.identities(), config.stranger))
    twins = np.arange(len(faces))
    if config.duplicate:
        kept = ~np.any([v.bad for v in verdicts], axis=0) if verdicts else np.ones(len(faces), np.bool_)
        found = _hashes(faceset, faces, progress)
        verdict, twins = judging.duplicate(faces, found, config.duplicate, kept)
        verdicts.append(verdict)
    return sorted(verdicts, key=lambda verdict: REASONS.index(verdict.name)), twins


def _hashes(faceset: Faceset, faces: list[StoredFace], progress: Progress) -> Hashes:
    pictures = (faceset.load(face).image for face in progress(faces, desc="duplicates", unit="face"))
    return hashes(pictures)


def _sheet(folder: Path, reason: str) -> Path:
    return folder / f"clean_{reason}.png"


def _draw(
    path: Path, faceset: Faceset, faces: list[StoredFace], verdict: Verdict, twins: NDArray[np.intp]
) -> None:
    """A sheet of the faces that one reason drops, the worst first, and of those that only just stay."""
    worst = verdict.worst_first
    bad = worst[verdict.bad[worst]]
    stays = worst[~verdict.bad[worst]][:NEAR]
    shown = bad[spread(len(bad), SHOWN)]
    heading = f"to be dropped: {len(bad)} of {len(faces)} faces"
    heading += f", {len(shown)} of them shown" if len(shown) < len(bad) else ""
    if verdict.name == "duplicate":
        shown = bad[spread(len(bad), SHOWN // 2)]
        heading = f"to be dropped: {len(bad)} of {len(faces)}, {len(shown)} shown, each by the one that stays"
        shown, stays = np.stack([shown, twins[shown]], axis=1).ravel(), stays[:0]
    sections = [
        Section(title, [_tile(faceset, faces, verdict, place) for place in places.tolist()], colour)
        for title, places, colour in ((heading, shown, _RED), ("the next ones, which stay", stays, _GREEN))
    ]
    write_sheet(path, f"{verdict.name.replace('_', ' ')}: {verdict.rule}", sections)


def _tile(faceset: Faceset, faces: list[StoredFace], verdict: Verdict, place: int) -> Tile:
    face, value = faces[place], float(verdict.values[place])
    text = verdict.unit.format(value) if np.isfinite(value) else "stays"
    aligned = faceset.load(face)
    image = fitted(aligned.image, CANVAS)
    if verdict.name in DOTTED:
        dot(image, aligned)
    return Tile(image, (text, face.file.removesuffix(".png")))


def _at(faces: list[StoredFace], places: NDArray[np.intp]) -> list[StoredFace]:
    return [faces[place] for place in places.tolist()]
