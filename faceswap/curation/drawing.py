"""Contact sheets that show what is known of each face."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.curation.folders import check_picture
from faceswap.curation.sheets import Section, Tile, fitted, spread, write_sheet
from faceswap.errors import InputError, OutputError, writing
from faceswap.faces.alignment import transform
from faceswap.faces.faceset import Faceset
from faceswap.faces.index import StoredFace
from faceswap.faces.traits import Traits
from faceswap.options import FacesDrawConfig
from faceswap.progress import Progress, quiet
from faceswap.types import AlignedFace, Image, Matrix, Points

# === Config ===
COLUMNS, TILE = 6, 240  # faces in a row, and their side in pixels
CANVAS = 2 * TILE  # drawn on at this size and halved, so that lines are smooth
PAGE = 24  # faces of a sheet in a folder; one picture has them all
MOST = 400  # faces of one picture
TINT = 0.35  # how strongly what is off the mask is darkened
ARROW = 0.3  # length of the axes, shares of the face's extent
SHIFT = 4  # bits of sub-pixel precision that OpenCV draws with

GREEN, YELLOW = (90, 230, 60), (40, 210, 255)
LEGEND = "bright: the mask,  dots: landmarks,  red: to their left,  green: down,  blue: where the nose points"
AXES = ((60, 60, 255), (70, 220, 70), (255, 140, 40))  # to the person's left, down, and where the nose points


@dataclass(frozen=True)
class DrawResult:
    """What was drawn: the sheets, how many faces are on them, and how many there are."""

    sheets: tuple[Path, ...]
    drawn: int
    faces: int

    def __str__(self) -> str:
        """A line for people."""
        names = ", ".join(map(str, self.sheets[:3])) + (", ..." if len(self.sheets) > 3 else "")
        return f"{self.drawn} of {self.faces} faces in {names}"


def faces_draw(config: FacesDrawConfig, progress: Progress = quiet) -> DrawResult:
    """Draw landmarks, mask, pose, track, person and sharpness of faces on contact sheets.

    Raises:
        UsageError: More faces than one picture holds; give a folder.
        InputError: There is no faceset, it is empty, or a picture cannot be read.
        OutputError: The output exists or cannot be written.
    """
    with Faceset.open(config.faceset) as faceset:
        faces = faceset.faces()
        if not faces:
            raise InputError(f"{config.faceset} has no faces: extract a clip that shows some")
        chosen = [faces[place] for place in spread(len(faces), config.count)]
        pages = _pages(config, chosen)
        for path, part in progress(pages.items(), total=len(pages), desc="sheets", unit="sheet"):
            tiles = [Tile(drawn(faceset.load(face), face.traits), _caption(face)) for face in part]
            title = f"{config.faceset.name}: {len(part)} of {len(faces)} faces"
            write_sheet(path, title, [Section(LEGEND, tiles)], COLUMNS, TILE)
    return DrawResult(tuple(pages), len(chosen), len(faces))


def _pages(config: FacesDrawConfig, chosen: list[StoredFace]) -> dict[Path, list[StoredFace]]:
    """The sheets and who is on each."""
    if config.output.suffix:
        check_picture(config.output, config.overwrite)
        if len(chosen) > MOST:
            raise OutputError(
                f"{len(chosen)} faces do not fit into one picture: give a folder, or --count {MOST}"
            )
        return {config.output: chosen}
    with writing(config.output):
        config.output.mkdir(parents=True, exist_ok=True)
        earlier = list(config.output.glob("sheet_*.png"))
        if earlier and not config.overwrite:
            raise OutputError(f"{config.output} has sheets: choose another output or use --overwrite")
        for path in earlier:
            path.unlink()
    starts = range(0, len(chosen), PAGE)
    return {config.output / f"sheet_{n:03d}.png": chosen[at : at + PAGE] for n, at in enumerate(starts)}


def _caption(face: StoredFace) -> tuple[str, ...]:
    traits, guessed = face.traits, " (filled in)" if face.face.interpolated else ""
    return (
        face.file.removesuffix(".png"),
        f"track {face.face.track_id}, person {face.person}{guessed}",
        f"sharp {traits.sharpness:.0f}, bright {traits.brightness:.0f}",
        f"yaw {round(traits.yaw):+d}, pitch {round(traits.pitch):+d}, roll {round(traits.roll):+d}",
    )


def drawn(aligned: AlignedFace, traits: Traits) -> Image:
    """A face with its mask, its landmarks and the axes of its head, BGR uint8 (`CANVAS`, `CANVAS`, 3)."""
    canvas, mask = fitted(aligned.image, CANVAS), fitted(aligned.mask, CANVAS)
    off = mask < 128
    canvas[off] = (canvas[off] * (1 - TINT)).astype(np.uint8)
    outline, _ = cv2.findContours((~off).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outline, -1, YELLOW, 2, cv2.LINE_AA)
    points = dot(canvas, aligned)
    nose = points[30]
    length = ARROW * CANVAS / aligned.alignment.coverage
    for axis, colour in zip(axes(traits, aligned.alignment.matrix), AXES, strict=True):
        begin, end = np.rint([nose, nose + length * axis]).astype(int).tolist()
        cv2.arrowedLine(canvas, begin, end, (20, 20, 20), 8, cv2.LINE_AA, tipLength=0.2)
        cv2.arrowedLine(canvas, begin, end, colour, 5, cv2.LINE_AA, tipLength=0.2)
    return canvas


def dot(canvas: Image, aligned: AlignedFace) -> Points:
    """Draw a face's landmarks on its enlarged crop, in place; returns them in pixels of the canvas."""
    factor = canvas.shape[0] / aligned.alignment.size
    points = (transform(aligned.face.landmarks, aligned.alignment.matrix) + 0.5) * factor - 0.5
    for point in np.rint(points * (1 << SHIFT)).astype(int).tolist():
        cv2.circle(canvas, point, round(2.6 * (1 << SHIFT)), GREEN, -1, cv2.LINE_AA, SHIFT)
    return np.asarray(points, np.float32)


def axes(traits: Traits, matrix: Matrix) -> NDArray[np.float64]:
    """Where the person's left, down and ahead point in a crop: (3, 2), 1 long where they lie in the picture.

    Args:
        traits: The pose of the head in the frame.
        matrix: (2, 3), from frame pixels to crop pixels.
    """
    yaw, pitch, roll = np.radians([traits.yaw, traits.pitch, traits.roll])
    ahead = np.array([np.sin(yaw) * np.cos(pitch), -np.sin(pitch), -np.cos(yaw) * np.cos(pitch)])
    left = np.array([np.cos(yaw), 0, np.sin(yaw)])
    down = np.cross(ahead, left)
    down *= np.sign(down[1]) or 1.0
    turn = matrix[:, :2] / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    tilt = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    return np.asarray(np.array([left, down, ahead])[:, :2] @ tilt.T @ turn.T)
