"""`faceswap export`: a model folder in, a file that converts without TensorFlow out."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

import faceswap
from faceswap import registry
from faceswap.assessment.likeness import faces_of, person_of
from faceswap.errors import writing
from faceswap.examples import hand_on
from faceswap.exporting.comparison import HEADINGS, SHOWN, Judges, Row, Subject, compare, remarks
from faceswap.exporting.material import Material, read_material
from faceswap.models import open_model
from faceswap.networks import checkpoint, model_folder
from faceswap.networks.autoencoder import Autoencoder, seed_everything
from faceswap.networks.distilling import Distillation
from faceswap.networks.graph import write_graph
from faceswap.networks.pruning import prune_path
from faceswap.options import ExportConfig
from faceswap.portable.card import Card
from faceswap.progress import Progress, quiet
from faceswap.recognizer import Recognizer
from faceswap.types import to_float
from faceswap.video.atomic import check_output, replacing

CALIBRATING = 100  # faces by which an int8 model is calibrated
RUNTIMES = {".onnx": "ONNX Runtime", ".tflite": "LiteRT"}


@dataclass(frozen=True)
class ExportResult:
    """What was exported.

    Attributes:
        output: The file.
        card: What it says of itself.
        rows: What was measured: the model in Keras, what came between, and last the file.
        notes: What should be known of these figures, a line each.
    """

    output: Path
    card: Card
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """A table for people."""
        cells = [list(HEADINGS), *(row.cells() for row in self.rows)]
        shown = [place for place in range(len(HEADINGS)) if any(row[place] for row in cells[1:])]
        widths = [max(len(row[place]) for row in cells) for place in shown]
        lines = [
            "  ".join(
                row[place].rjust(width) if place else row[place].ljust(width)
                for place, width in zip(shown, widths, strict=True)
            )
            for row in cells
        ]
        return "\n".join([*lines, *self.notes, str(self.output)])


def export(config: ExportConfig, progress: Progress = quiet) -> ExportResult:
    """Write a trained model to an ONNX or LiteRT file, made smaller where that is asked, and measure it.

    Raises:
        DependencyError: A package that writes or runs the format is not installed.
        InputError: A faceset is missing, damaged or has too few faces.
        ModelError: The model is missing or damaged, or has not been trained.
        OutputError: The output exists or cannot be written.
    """
    check_output(config.output, config.model, config.overwrite)
    seed_everything(config.seed)
    work = _Work(config)
    with TemporaryDirectory() as folder:
        subjects, files = work.forms(Path(folder), progress)
        rows = compare(subjects, work.judges(), work.model.size)
        hand_on(config.model, work.side, config.output)
        with writing(config.output), replacing(config.output) as draft:
            shutil.copyfile(files[-1], draft)
    notes = remarks(rows[-2], rows[-1]) if config.precision == "int8" else []
    return ExportResult(config.output, work.card, tuple(rows), tuple(notes))


class _Work:
    """One export: the model, the faces, and the forms in which the model is measured."""

    def __init__(self, config: ExportConfig) -> None:
        self._config, self.side = config, "a" if config.swap_direction else "b"
        self.model = model_folder.read_config(config.model)
        self._network: Autoencoder = model_folder.build(self.model)
        checkpoint.load(config.model, self._network)
        self._swapped, self._person = (self._material(path) for path in (config.faceset, config.identity))
        self.card = Card(
            network=self.model.network,
            size=self.model.size,
            coverage=self.model.coverage,
            side=self.side,
            precision=config.precision,
            pruned=config.prune,
            model=checkpoint.fingerprint(config.model),
            version=faceswap.__version__,
        )

    def _material(self, folder: Path | None) -> Material | None:
        return read_material(folder, self.model.size, self.model.coverage) if folder else None

    def judges(self) -> Judges:
        """The held-out faces, and who is drawn."""
        swapped, person = (
            each.split()[1].few(SHOWN) if each else None for each in (self._swapped, self._person)
        )
        if not self._config.identity:
            return Judges(swapped, person)
        recognizer = Recognizer()
        return Judges(swapped, person, recognizer, person_of(faces_of(self._config.identity), recognizer))

    def forms(self, folder: Path, progress: Progress) -> tuple[list[Subject], list[Path]]:
        """Every form to measure, as written into `folder`; the last is what was asked for."""
        suffix = self._config.output.suffix.lower()
        path: Any = self._network.path(self.side)
        swap = self._network.predictor(self.side)
        subjects = [Subject("Keras, float32", 4 * int(path.count_params()), swap)]
        files: list[Path] = []

        def add(graph: Path, what: str, card: Card) -> None:
            files.append(folder / f"{len(files)}{suffix}")
            shutil.copyfile(graph, files[-1])
            registry.load(registry.PACKERS, suffix)(files[-1], card, self._calibration())
            name = f"{RUNTIMES[suffix]}, {what}{card.precision}"
            subjects.append(Subject(name, files[-1].stat().st_size, open_model(files[-1], self.side).swap))

        graph, plain = folder / f"graph{suffix}", replace(self.card, precision="float32", pruned=0.0)
        write_graph(path, graph)
        add(graph, "", plain)
        what = ""
        if self._config.prune:
            graph, what = folder / f"pruned{suffix}", "pruned, "
            write_graph(self._pruned(path, progress), graph)
            add(graph, what, replace(plain, pruned=self._config.prune))
        if self._config.precision != "float32":
            add(graph, what, self.card)
        return subjects, files

    def _calibration(self) -> NDArray[np.float32] | None:
        """Faces like those to be swapped that are not held out, float32."""
        return to_float(self._swapped.split()[0].few(CALIBRATING).faces) if self._swapped else None

    def _pruned(self, teacher: Any, progress: Progress) -> Any:
        """The path with fewer channels, taught to draw what the whole one draws."""
        student = prune_path(self._network, self.side, self._config.prune)
        known = [each.split()[0].faces for each in (self._swapped, self._person) if each]
        lesson = Distillation(teacher, student, np.concatenate(known), self._config.seed)
        for _ in progress(_lessons(lesson, 60 * self._config.tune_minutes), desc="tuning"):
            pass
        return student


def _lessons(lesson: Distillation, seconds: float) -> Iterator[float]:
    """Teach for so long; yields the loss of each step."""
    started = time.monotonic()
    while (share := (time.monotonic() - started) / seconds if seconds else 1.0) < 1:
        yield lesson.step(share)
