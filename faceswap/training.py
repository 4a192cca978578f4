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

import numpy as np

from faceswap.errors import OutputError, writing
from faceswap.groundwork import Start, aim, albums, begin, jitter_of, steadied
from faceswap.networks import checkpoint
from faceswap.networks.augmentation.sheet import augmentation_sheet
from faceswap.networks.checkpoint import TrainingState
from faceswap.networks.feed import Album, Batch, Feed
from faceswap.networks.optimizers import Plateau
from faceswap.networks.preview import sheet
from faceswap.networks.rates import STEPS, picture, sweep
from faceswap.options import TrainConfig
from faceswap.progress import Progress, quiet
from faceswap.types import Image
from faceswap.video.images import FORMATS, write_image

log = logging.getLogger(__name__)

WARPED = 0.8  # share of the training in which faces are warped; then the network sharpens what it knows
PREVIEW = "preview.png"
LOSSES = "losses.csv"
LOSS_SECONDS = 5.0
PREVIEW_FACES = 5


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
        note: What was done instead of training, where something else was asked for.
    """

    model: Path
    iterations: int
    seconds: float
    loss_a: float | None
    loss_b: float | None
    faces_per_second: float
    interrupted: bool
    preview: Path
    note: str = ""

    def __str__(self) -> str:
        """A few lines for people."""
        if self.note:
            return self.note
        text = f"{self.iterations} iterations, {self.seconds / 60:.1f} minutes in all: {self.model}"
        if self.loss_a is None:
            return f"{text}\nalready trained so far: raise --minutes or --iterations to go on"
        losses = f"loss A {self.loss_a:.4f}, B {self.loss_b:.4f}, {self.faces_per_second:.0f} faces/s"
        stopped = "\nstopped and saved: run it again to go on" if self.interrupted else ""
        return f"{text}\n{losses}\npreview: {self.preview}{stopped}"


def train(config: TrainConfig, progress: Progress = quiet) -> TrainResult:
    """Train a model on two facesets, or go on with one; or only show what a training would do.

    Raises:
        InputError: A faceset is missing, damaged or has too few faces.
        ModelError: The model is damaged or of another network.
        OutputError: The model or the picture asked for cannot be written.
    """
    if config.show_augmentation or config.find_rate:
        return _show(config, progress)
    if config.overwrite:
        _remove(config.model)
    start = begin(config)
    if _progress(config, start.state) >= 1:
        return _untrained(config, start.state, config.model / PREVIEW)
    (album_a, digest_a), (album_b, digest_b) = albums(config, start.model)
    aim(start, album_b)
    checkpoint.create(config.model, start.model)
    about = {
        "options": {key: value for key, value in asdict(config).items() if not isinstance(value, Path)},
        "faces": {"a": digest_a, "b": digest_b},
        "base": start.state.about.get("base", ""),  # SHA-256 of the weights it started from
        "versions": {name: version(name) for name in ("keras", "tensorflow", "numpy")},
    }
    start = replace(start, state=replace(start.state, about=about))
    return _Session(config, start, (album_a, album_b)).run(progress)


def _show(config: TrainConfig, progress: Progress) -> TrainResult:
    """Write the picture that was asked for; the model is not written to."""
    path = config.show_augmentation or config.find_rate
    assert path is not None
    if path.suffix.lower() not in FORMATS:
        raise OutputError(f"cannot write {path}: name it with one of {', '.join(FORMATS)}")
    if path.exists() and not config.overwrite:
        raise OutputError(f"{path} exists: choose another name, or --overwrite to replace it")
    start = begin(config)
    (album_a, _), (album_b, _) = albums(config, start.model)
    both, size, jitter = (album_a, album_b), start.model.size, jitter_of(config)
    if config.show_augmentation:
        write_image(path, augmentation_sheet(both, size, jitter, config.seed))
        return _untrained(config, start.state, path, f"what is done to the faces: {path}")
    aim(start, album_b)
    feed = Feed(both, size, config.batch_size, config.seed, jitter)
    with closing(feed.batches(start.state.iterations)) as batches:
        found = sweep(start.step, progress(batches, total=STEPS, desc="trying learning rates"))
    write_image(path, picture(found))
    text = f"suggested: --optimizer {config.optimizer} --learning-rate {found.suggested:.2g}"
    return _untrained(config, start.state, path, f"{text}\nlosses by learning rate: {path}")


def _untrained(config: TrainConfig, state: TrainingState, path: Path, note: str = "") -> TrainResult:
    """The result where nothing was trained."""
    return TrainResult(config.model, state.iterations, state.seconds, None, None, 0.0, False, path, note)


def _remove(folder: Path) -> None:
    """Remove a model and what training wrote beside it; other files stay."""
    checkpoint.remove(folder)
    with writing(folder):
        for name in (PREVIEW, LOSSES):
            (folder / name).unlink(missing_ok=True)


def _progress(config: TrainConfig, state: TrainingState) -> float:
    """How much of the training asked for is done, 0 to 1; 0 where there is no limit."""
    by_time = state.seconds / (config.minutes * 60) if config.minutes else 0.0
    by_steps = state.iterations / config.iterations if config.iterations else 0.0
    return max(by_time, by_steps)


class _Session:
    """One run of training: the loop, and what is written while it goes."""

    def __init__(self, config: TrainConfig, start: Start, both: tuple[Album, Album]) -> None:
        self._config, self._network, self._step, self._albums = config, start.network, start.step, both
        self._schedule, self._plateau = start.schedule, Plateau(**start.state.plateau)
        self._jitter = jitter_of(config)
        self.state = self._begun = self._saved = start.state
        self._recent: list[tuple[float, float]] = []
        self._mean = (float("nan"), float("nan"))

    def run(self, progress: Progress) -> TrainResult:
        """Train until the time or the steps are up, or until interrupted; saved in any case."""
        config = self._config
        _trim_losses(config.model / LOSSES, self.state.iterations)
        total = config.iterations - self.state.iterations if config.iterations else None
        interrupted = False
        feed = Feed(self._albums, self._network.size, config.batch_size, config.seed, self._jitter)
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
        self._prepare(feed)
        for batch in batches:
            self._recent.append(self._step(batch.inputs, batch.targets, batch.masks))
            self._watch(sum(self._recent[-1]))
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
            self._prepare(feed)
            yield self.state.iterations
            if _progress(config, self.state) >= 1:
                return

    def _prepare(self, feed: Feed) -> None:
        """Set what the next step depends on; it follows from the state, so resuming changes nothing."""
        share = _progress(self._config, self.state)
        feed.jitter = steadied(self._jitter) if share >= WARPED else self._jitter
        self._step.rate = self._schedule.at(share, self.state.iterations, self._plateau.scale)

    def _watch(self, loss: float) -> None:
        """Lower the learning rate where that was asked for and the loss has stopped falling."""
        if self._config.schedule != "plateau":
            return
        before, self._plateau = self._plateau, self._plateau.after(loss)
        self.state = replace(self.state, plateau=asdict(self._plateau))
        if self._plateau.scale < before.scale:
            log.info("the loss has stopped falling: %.2g of the learning rate is left", self._plateau.scale)

    def _save(self) -> None:
        if self.state.iterations > self._saved.iterations or not self._saved.iterations:
            average = self._step.average
            mean = average.network if average else None
            checkpoint.save(self._config.model, self._network, self._step.optimizer, self.state, mean)
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
        faces_a, faces_b = (_spread(album, size) for album in self._albums)
        minutes = self.state.seconds / 60
        title = f"{self.state.iterations} iterations, {minutes:.1f} min, loss A {self._mean[0]:.4f}"
        shown = sheet(self._step.shown, faces_a, faces_b, f"{title} B {self._mean[1]:.4f}")
        write_image(self._config.model / PREVIEW, shown)

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


def _spread(album: Album, size: int) -> Image:
    """The middles of a few faces spread over the album: (PREVIEW_FACES, size, size, 3)."""
    chosen = np.linspace(0, len(album.images) - 1, PREVIEW_FACES).round().astype(int)
    return np.ascontiguousarray(album.middles(size)[chosen])


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
