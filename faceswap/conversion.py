"""Stage three: a source and a model in, the swapped source out.

Finished segments wait in a hidden folder beside the output, so that a killed run goes on at the last one; at
the end they are joined to the output, which appears whole or not at all.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from faceswap import registry
from faceswap.blending.mask import soften
from faceswap.blending.paste import enlarge, paste
from faceswap.config import pick
from faceswap.errors import InputError, OutputError, writing
from faceswap.extraction import extract
from faceswap.faces.alignment import align, cut, moved
from faceswap.faces.faceset import Faceset
from faceswap.faces.index import StoredFace
from faceswap.faces.tracks import steadied
from faceswap.networks import checkpoint
from faceswap.networks.checkpoint import ModelConfig
from faceswap.options import ConvertConfig, ConvertOptions, ExtractConfig
from faceswap.progress import Progress, quiet
from faceswap.types import Frame, Image, Patch
from faceswap.video.output import Output, Patched, open_output
from faceswap.video.source import Source, open_source, segments

log = logging.getLogger(__name__)

BATCH = 8  # frames whose faces go through the network together
Faces = dict[int, list[StoredFace]]
CANVAS = 256  # pixels: side of the crop in which colours are matched and the mask is softened


@dataclass(frozen=True)
class ConvertResult:
    """What a conversion made.

    Attributes:
        output: The video or the folder.
        frames: Frames written.
        swapped: Frames in which a face was put.
        faces: Faces put.
        problems: Damaged frames and files, a line each.
        seconds: Wall-clock time of this run.
    """

    output: Path
    frames: int
    swapped: int
    faces: int
    problems: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        """A few lines for people."""
        text = f"{self.frames} frames, {self.swapped} swapped: {self.output} ({self.seconds:.1f} s)"
        return text + (f"\n{len(self.problems)} problems" if self.problems else "")


def convert(config: ConvertConfig, progress: Progress = quiet) -> ConvertResult:
    """Put the learned face into a video, an image or a folder of images.

    Raises:
        InputError: The source is unreadable, or the faceset is not of this source.
        NoFacesError: Nobody is in the source.
        ModelError: The model is missing or damaged.
        OutputError: The output exists, or cannot be written.
    """
    started = time.monotonic()
    with open_source(config.source) as source:
        parts = config.output.with_name(f".{config.output.name}.parts")
        output = open_output(
            source, config.output, parts, codec=config.codec, crf=config.crf, preset=config.preset
        )
        check_output(config.output, config.source, config.overwrite)
        swapper = Swapper(config, checkpoint.read_config(config.model))
        _open_parts(parts, _settings(config, source))
        faces = _faces(config, source, parts, progress)
        todo = [segment for segment in segments(source) if not output.finished(segment)]
        work = _convert_segments(source, output, todo, faces, swapper)
        total = sum(map(len, todo))
        for _ in progress(work, total=total, desc=f"swapping {config.source.name}", unit="frame"):
            pass
        output.finish()
        with writing(parts):
            shutil.rmtree(parts)
        for line in source.problems:
            log.warning("%s", line)
        problems = tuple(source.problems)
    put = sum(map(len, faces.values()))
    return ConvertResult(config.output, source.count, len(faces), put, problems, time.monotonic() - started)


def _convert_segments(
    source: Source, output: Output, todo: list[range], faces: Faces, swapper: Swapper
) -> Iterator[int]:
    """Do the segments; yields the index of each frame when it is written."""
    for segment in todo:
        yield from output.write(segment, _patched(source, segment, faces, swapper))


def _patched(source: Source, segment: range, faces: Faces, swapper: Swapper) -> Iterator[Patched]:
    """The frames of a segment with their patches; faces go through the network in batches."""
    frames = source.frames(segment.start, segment.stop)
    while batch := list(islice(frames, BATCH)):
        found = [faces.get(frame.index, []) for frame in batch]
        yield from zip(batch, swapper.patches(batch, found), strict=True)


class Swapper:
    """Makes the patches that put the other face into a frame."""

    def __init__(self, config: ConvertConfig, model: ModelConfig) -> None:
        """Load the model.

        Raises:
            ModelError: It is damaged or has not been trained.
        """
        network = checkpoint.build(model)
        checkpoint.load(config.model, network)
        self._swap = network.predictor("a" if config.swap_direction else "b")
        self._model, self._config = model, config
        self._recolor: Callable[..., Image] = registry.load(registry.COLORS, config.color)

    def patches(self, frames: Sequence[Frame], faces: Sequence[Sequence[StoredFace]]) -> list[list[Patch]]:
        """The patches of each frame; `faces` are those found in each."""
        size, coverage = self._model.size, self._model.coverage
        crops = [
            cut(frame.picture, align(face.face.landmarks, size, coverage))
            for frame, found in zip(frames, faces, strict=True)
            for face in found
        ]
        made = iter(self._swap(np.stack(crops)) if crops else ())
        return [
            [patch for face in found if (patch := self._patch(frame, face, next(made)))]
            for frame, found in zip(frames, faces, strict=True)
        ]

    def _patch(self, frame: Frame, face: StoredFace, made: Image) -> Patch | None:
        """Blend a face (BGR and mask, four channels) into its frame, as far as both people's faces reach."""
        alignment = align(face.face.landmarks, CANVAS, self._model.coverage)
        swapped, reach = enlarge(made[..., :3], CANVAS), enlarge(made[..., 3], CANVAS)
        mask = np.minimum(reach, moved(face.mask, face.alignment, alignment))
        extent = CANVAS / self._model.coverage
        opacity = soften(mask, self._config.erode * extent, self._config.feather * extent)
        recolored = self._recolor(swapped, cut(frame.picture, alignment), opacity > 0.5)
        return paste(frame.picture, recolored, opacity, alignment)


def check_output(output: Path, source: Path, overwrite: bool) -> None:
    """Refuse, before any work, an output that exists or cannot be.

    Raises:
        OutputError: With what to do.
    """
    with writing(output):
        if output.exists() and output.resolve() == source.resolve():
            raise OutputError(f"{output} is the source itself: choose another output")
        if output.exists() and not overwrite and not (output.is_dir() and not any(output.iterdir())):
            raise OutputError(f"{output} exists: choose another output or use --overwrite")
        output.parent.mkdir(parents=True, exist_ok=True)


def _settings(config: ConvertConfig, source: Source) -> str:
    """Everything that a finished segment depends on, as JSON."""
    settings: dict[str, Any] = pick(config, ConvertOptions)
    settings["source"] = source.fingerprint()
    settings["model"] = checkpoint.fingerprint(config.model)
    settings["faceset"] = _digest(config.faceset) if config.faceset else None
    return json.dumps(settings)


def _digest(folder: Path) -> str:
    """What the faces in a faceset are, so that a deleted one is not found in an earlier run's segments."""
    with Faceset.open(folder) as faceset:
        return faceset.digest()


def _open_parts(parts: Path, settings: str) -> None:
    """Begin the folder of finished segments, or keep it if it was begun with the same settings."""
    about = parts / "settings.json"
    with writing(parts):
        if about.is_file() and about.read_text(encoding="utf-8") == settings:
            return
        if parts.exists():
            shutil.rmtree(parts)
        parts.mkdir(parents=True)
        about.write_text(settings, encoding="utf-8")


def _faces(config: ConvertConfig, source: Source, parts: Path, progress: Progress) -> Faces:
    """The faces of each frame: from the faceset that was given, or from one made now."""
    folder = config.faceset or parts / "faceset"
    if not config.faceset:
        extract(ExtractConfig(sources=(config.source,), output=folder), progress)
    with Faceset.open(folder) as faceset:
        number = faceset.source_number(source.fingerprint())
        if number is None:
            raise InputError(f"{folder} holds no faces of {config.source}: extract them or drop --faceset")
        if not faceset.is_numbered(number):
            raise InputError(f"{folder} is not finished: run the 'faceswap extract' that began it again")
        by_frame: Faces = defaultdict(list)
        for face in steadied(faceset.faces(number)):
            by_frame[face.frame_index].append(face)
    return dict(by_frame)
