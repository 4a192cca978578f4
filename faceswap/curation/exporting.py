"""Faces as plain pictures with a table, for use elsewhere."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from faceswap.curation.folders import whole
from faceswap.curation.sheets import fitted
from faceswap.errors import InputError, writing
from faceswap.faces.alignment import transform
from faceswap.faces.faceset import Faceset
from faceswap.faces.index import StoredFace
from faceswap.options import FacesExportConfig
from faceswap.progress import Progress, quiet
from faceswap.types import Matrix
from faceswap.video.images import write_image

PICTURES, MASKS, TABLE, RECORDS = "faces", "masks", "faces.csv", "faces.json"


@dataclass(frozen=True)
class ExportResult:
    """What was exported: the folder, and how many faces."""

    folder: Path
    faces: int

    def __str__(self) -> str:
        """A line for people."""
        return f"{self.faces} faces, {TABLE} and {RECORDS} in {self.folder}"


def faces_export(config: FacesExportConfig, progress: Progress = quiet) -> ExportResult:
    """Write the faces as pictures in `faces`, and what is known of them to `faces.csv` and `faces.json`.

    The table has a row for each face; the records have its landmarks and its matrix too, for the picture as
    it was exported. With masks, PNGs are transparent off the face; beside JPEGs, `masks` has a grey PNG each.

    Raises:
        InputError: There is no faceset, it is empty, or a picture cannot be read.
        OutputError: The output exists or cannot be written.
    """
    with Faceset.open(config.faceset) as faceset:
        faces = faceset.faces()
        if not faces:
            raise InputError(f"{config.faceset} has no faces: extract a clip that shows some")
        sources = {source.number: str(source.path) for source in faceset.sources()}
        with whole(config.output) as draft:
            with writing(config.output):
                (draft / PICTURES).mkdir()
                if config.masks and config.format == "jpg":
                    (draft / MASKS).mkdir()
            records = []
            for face in progress(faces, total=len(faces), desc="export", unit="face"):
                name = _write(draft, faceset, face, config)
                records.append(_record(face, name, sources[face.source], config.size))
            with writing(config.output):
                _tabulate(draft, records)
    return ExportResult(config.output, len(faces))


def _write(draft: Path, faceset: Faceset, face: StoredFace, config: FacesExportConfig) -> str:
    """Write a face's picture, and its mask if asked to; returns the picture's name within the folder."""
    aligned = faceset.load(face)
    side = config.size or aligned.alignment.size
    image, mask = fitted(aligned.image, side), fitted(aligned.mask, side)
    stem = Path(face.file).stem
    name = f"{PICTURES}/{stem}.{config.format}"
    if config.masks and config.format == "png":
        image = np.dstack([image, mask])
    elif config.masks:
        write_image(draft / MASKS / f"{stem}.png", mask)
    write_image(draft / name, image)
    return name


def _record(face: StoredFace, name: str, source: str, size: int) -> dict[str, Any]:
    """All that is known of a face, for the picture at `size` pixels (0: as it is in the faceset)."""
    side = size or face.alignment.size
    matrix = scaled(face.alignment.matrix, side / face.alignment.size)
    box, found, traits = face.face.box, face.face, face.traits
    return {
        "file": name,
        "source": source,
        "frame": face.frame_index,
        "frame_width": face.frame_size[0],
        "frame_height": face.frame_size[1],
        "track": found.track_id,
        "person": face.person,
        "interpolated": found.interpolated,
        "score": round(found.score, 4),
        **{edge: round(getattr(box, edge), 2) for edge in ("left", "top", "right", "bottom")},
        "size": side,
        "coverage": face.alignment.coverage,
        "sharpness": round(traits.sharpness, 2),
        "brightness": round(traits.brightness, 2),
        **{angle: round(getattr(traits, angle), 2) for angle in ("yaw", "pitch", "roll")},
        "faceset_sha256": face.hash,
        "matrix": matrix.round(6).tolist(),
        "landmarks": transform(found.landmarks, matrix).astype(float).round(2).tolist(),
        "landmarks_in_frame": found.landmarks.astype(float).round(2).tolist(),
    }


def scaled(matrix: Matrix, factor: float) -> Matrix:
    """The (2, 3) matrix to a picture `factor` times as large; the centre of the first pixel is (0, 0)."""
    larger = matrix * factor
    larger[:, 2] += (factor - 1) / 2
    return larger


def _tabulate(draft: Path, records: list[dict[str, Any]]) -> None:
    """The table has what fits in a cell, the records everything."""
    columns = [name for name, value in records[0].items() if not isinstance(value, list)]
    with (draft / TABLE).open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows(records)
    (draft / RECORDS).write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
