"""Stage two: two facesets in, a model out."""

from __future__ import annotations

import csv
import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from faceswap import registry
from faceswap.errors import InputError, ModelError, OutputError, writing
from faceswap.faces.faceset import Faceset
from faceswap.networks import checkpoint
from faceswap.networks.augmentation import Jitter
from faceswap.networks.autoencoder import Autoencoder, seed_everything
from faceswap.networks.checkpoint import ModelConfig, TrainingState
from faceswap.networks.feed import Album, Batch, Feed
from faceswap.networks.preview import sheet
from faceswap.networks.step import TrainingStep
from faceswap.options import TrainConfig
from faceswap.progress import Progress, quiet
from faceswap.types import Image
from faceswap.video.images import write_image

log = logging.getLogger(__name__)

COVERAGE = 1.25  # extents: the network's picture holds the whole face and little else
FEWEST = 8  # faces of a person, below which nothing can be learned
WARPED = 0.8  # share of the training in which faces are warped; then the network sharpens what it knows
PREVIEW = "preview.png"
LOSSES = "losses.csv"
LOSS_SECONDS = 5.0
PREVIEW_FACES = 5
STEADY = Jitter(warp=0.0, rotation=4.0, zoom=0.03, shift=0.02)


@dataclass(frozen=True)
class TrainResult:
    """How far a model is.

    Attributes:
        model: The folder.
        iterations: Steps taken in all.
        seconds: Time trained in all.
        loss_a: Mean loss of A over the last seconds of this run; None if nothing was left to do.
        loss_b: The same of B.
        faces_per_second: Faces of both sides trained a second in this run.
        interrupted: Whether Ctrl-C or SIGTERM ended it.
        preview: The preview sheet.
    """

    model: Path
    iterations: int
    seconds: float
    loss_a: float | None
    loss_b: float | None
    faces_per_second: float
    interrupted: bool
    preview: Path

    def __str__(self) -> str:
        """A few lines for people."""
        text = f"{self.iterations} iterations, {self.seconds / 60:.1f} minutes in all: {self.model}"
        if self.loss_a is None:
            return f"{text}\nalready trained so far: raise --minutes or --iterations to go on"
        losses = f"loss A {self.loss_a:.4f}, B {self.loss_b:.4f}, {self.faces_per_second:.0f} faces/s"
        stopped = "\nstopped and saved: run it again to go on" if self.interrupted else ""
        return f"{text}\n{losses}\npreview: {self.preview}{stopped}"


def train(config: TrainConfig, progress: Progress = quiet) -> TrainResult:
    """Train a model on two facesets, or go on with one.

    Raises:
        InputError: A faceset is missing, damaged or has too few faces.
        ModelError: The model is damaged or of another network.
        OutputError: The model cannot be written.
    """
    if config.overwrite:
        _remove(config.model)
    seed_everything(config.seed)
    model, network = _open(config)
    step = TrainingStep(network, config.learning_rate)
    state = TrainingState()
    if checkpoint.has_checkpoint(config.model):
        state = checkpoint.load(config.model, network, step.optimizer)
    if _progress(config, state) >= 1:
        preview = config.model / PREVIEW
        return TrainResult(config.model, state.iterations, state.seconds, None, None, 0.0, False, preview)
    album_a, digest_a = _album(config.faceset_a, model)
    album_b, digest_b = _album(config.faceset_b, model)
    checkpoint.create(config.model, model)
    about = {
        "options": {key: value for key, value in asdict(config).items() if not isinstance(value, Path)},
        "faces": {"a": digest_a, "b": digest_b},
        "versions": {name: version(name) for name in ("keras", "tensorflow", "numpy")},
    }
    session = _Session(config, network, step, replace(state, about=about), (album_a, album_b))
    return session.run(progress)


def _open(config: TrainConfig) -> tuple[ModelConfig, Autoencoder]:
    """What the model on disk, or a new one, is, and its network with random weights; nothing is written."""
    if checkpoint.exists(config.model):
        model = checkpoint.read_config(config.model)
        if model.network != config.network:
            raise ModelError(
                f"{config.model} is a '{model.network}' model: use --network {model.network}, another folder,"
                " or --overwrite to start again"
            )
        return model, checkpoint.build(model)
    with writing(config.model):
        if config.model.exists() and not checkpoint.is_empty(config.model):
            raise OutputError(f"{config.model} exists and is not a model: choose another folder")
    network: Autoencoder = registry.load(registry.NETWORKS, config.network)()
    return ModelConfig(config.network, network.size, COVERAGE), network


def _remove(folder: Path) -> None:
    """Remove a model and what training wrote beside it; other files stay."""
    checkpoint.remove(folder)
    with writing(folder):
        for name in (PREVIEW, LOSSES):
            (folder / name).unlink(missing_ok=True)


def _album(folder: Path, model: ModelConfig) -> tuple[Album, str]:
    """The faces of a faceset at the size the feed wants, and the faceset's digest."""
    with Faceset.open(folder) as faceset:
        stored = faceset.faces()
        if len(stored) < FEWEST:
            raise InputError(
                f"{folder} has {len(stored)} faces, training needs {FEWEST} or more: extract a longer clip"
            )
        coverage = stored[0].alignment.coverage
        if coverage < model.coverage:
            raise InputError(
                f"{folder} was cut with --coverage {coverage:g}, training needs {model.coverage:g} or more:"
                " extract it again"
            )
        side = round(model.size * coverage / model.coverage)
        images = np.empty((len(stored), side, side, 3), np.uint8)
        masks = np.empty((len(stored), side, side), np.uint8)
        for index, face in enumerate(stored):
            aligned = faceset.load(face)
            way = cv2.INTER_AREA if aligned.alignment.size > side else cv2.INTER_CUBIC
            images[index] = cv2.resize(aligned.image, (side, side), interpolation=way)
            masks[index] = cv2.resize(aligned.mask, (side, side), interpolation=cv2.INTER_AREA)
        return Album(images, masks), faceset.digest()


def _progress(config: TrainConfig, state: TrainingState) -> float:
    """How much of the training asked for is done, 0 to 1; 0 where there is no limit."""
    by_time = state.seconds / (config.minutes * 60) if config.minutes else 0.0
    by_steps = state.iterations / config.iterations if config.iterations else 0.0
    return max(by_time, by_steps)


class _Session:
    """One run of training: the loop, and what is written while it goes."""

    def __init__(
        self,
        config: TrainConfig,
        network: Autoencoder,
        step: TrainingStep,
        state: TrainingState,
        albums: tuple[Album, Album],
    ) -> None:
        self._config, self._network, self._step, self._albums = config, network, step, albums
        self.state = self._begun = self._saved = state
        self._recent: list[tuple[float, float]] = []
        self._mean = (float("nan"), float("nan"))

    def run(self, progress: Progress) -> TrainResult:
        """Train until the time or the steps are up, or until interrupted; saved in any case."""
        config = self._config
        _trim_losses(config.model / LOSSES, self.state.iterations)
        total = config.iterations - self.state.iterations if config.iterations else None
        interrupted = False
        feed = Feed(self._albums, self._network.size, config.batch_size, config.seed)
        with closing(feed.batches(self.state.iterations)) as batches:
            try:
                loop = self._loop(feed, batches)
                for _ in progress(loop, total=total, desc="training", note=self._note):
                    pass
            except KeyboardInterrupt:
                interrupted = True
        self._save()
        self._write_losses()
        self._write_preview()
        return TrainResult(
            config.model,
            self.state.iterations,
            self.state.seconds,
            *self._mean,
            self._speed(),
            interrupted,
            config.model / PREVIEW,
        )

    def _loop(self, feed: Feed, batches: Iterator[Batch]) -> Iterator[int]:
        """The training loop; yields the iteration after each step."""
        config, clock = self._config, time.monotonic
        save, preview = _Every(config.save_seconds), _Every(config.preview_seconds)
        losses = _Every(LOSS_SECONDS)
        before = clock()
        for batch in batches:
            if _progress(config, self.state) >= WARPED:
                feed.jitter = STEADY
            self._recent.append(self._step(batch.inputs, batch.targets, batch.masks))
            if losses.due():
                self._write_losses()
            if preview.due():
                self._write_preview()
            if save.due():
                self._save()
            now = clock()
            self.state = replace(
                self.state, iterations=self.state.iterations + 1, seconds=self.state.seconds + now - before
            )
            before = now
            yield self.state.iterations
            if _progress(config, self.state) >= 1:
                return

    def _save(self) -> None:
        if self.state.iterations > self._saved.iterations or not self._saved.iterations:
            checkpoint.save(self._config.model, self._network, self._step.optimizer, self.state)
            self._saved = self.state

    def _write_losses(self) -> None:
        if not self._recent:
            return
        mean_a, mean_b = np.mean(self._recent, axis=0)
        self._mean = (float(mean_a), float(mean_b))
        self._recent.clear()
        path = self._config.model / LOSSES
        state = self.state
        with writing(path), path.open("a", newline="", encoding="utf-8") as file:
            row = [state.iterations, f"{state.seconds:.1f}", f"{mean_a:.5f}", f"{mean_b:.5f}"]
            csv.writer(file).writerow([*row, f"{self._speed():.1f}"])

    def _write_preview(self) -> None:
        size = self._network.size
        faces_a, faces_b = (_spread(album.images, size) for album in self._albums)
        minutes = self.state.seconds / 60
        title = f"{self.state.iterations} iterations, {minutes:.1f} min, loss A {self._mean[0]:.4f}"
        picture = sheet(self._network, faces_a, faces_b, f"{title} B {self._mean[1]:.4f}")
        write_image(self._config.model / PREVIEW, picture)

    def _speed(self) -> float:
        seconds = self.state.seconds - self._begun.seconds
        steps = self.state.iterations - self._begun.iterations
        return steps * 2 * self._config.batch_size / seconds if seconds > 0 else 0.0

    def _note(self) -> str:
        done, wanted = self.state.seconds / 60, self._config.minutes
        clock = f"{done:.1f} of {wanted:g} min" if wanted else f"{done:.1f} min"
        return f"{clock}, A {self._mean[0]:.4f} B {self._mean[1]:.4f}, {self._speed():.0f} faces/s"


class _Every:
    """Says when a time has passed again."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._last = seconds, time.monotonic()

    def due(self) -> bool:
        """Whether the time has passed since this was last true."""
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


def _spread(images: Image, size: int) -> Image:
    """The middles of a few faces spread over the album: (PREVIEW_FACES, size, size, 3)."""
    edge = (images.shape[1] - size) // 2
    chosen = images[np.linspace(0, len(images) - 1, PREVIEW_FACES).round().astype(int)]
    return np.ascontiguousarray(chosen[:, edge : edge + size, edge : edge + size])


def _trim_losses(path: Path, iterations: int) -> None:
    """Begin the CSV of losses, or drop its rows after the checkpoint that is gone on from."""
    header = ["iterations", "seconds", "loss_a", "loss_b", "faces_per_second"]
    rows: Iterable[list[str]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                r for r in islice(csv.reader(file), 1, None) if r[0].isdigit() and int(r[0]) <= iterations
            ]
    draft = path.with_name(f".{path.name}.part")
    with writing(path):
        with draft.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
        os.replace(draft, path)
