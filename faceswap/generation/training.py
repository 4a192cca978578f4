"""Learning to make faces out of noise."""

from __future__ import annotations

import csv
import logging
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np

from faceswap import registry
from faceswap.errors import writing
from faceswap.generation.material import batch, split
from faceswap.generation.model import GeneratorConfig, build, opened
from faceswap.generation.scoring import MANY, Judge, Score, collapsed, grid
from faceswap.networks import checkpoint, model_folder
from faceswap.networks.adversarial import BETA_1, BETA_2, Adversary
from faceswap.networks.alternation import GenerationStep
from faceswap.networks.autoencoder import seed_everything
from faceswap.networks.checkpoint import TrainingState
from faceswap.networks.generators import Generator, draw_noise
from faceswap.networks.optimizers import Average
from faceswap.options import GenerateTrainConfig
from faceswap.progress import Progress, quiet
from faceswap.threads import ahead
from faceswap.types import Image
from faceswap.video.images import read_image, write_image

log = logging.getLogger(__name__)

AVERAGED = 0.995  # of the running mean of the weights stays at each step
SHOWN, COLUMNS = 64, 8  # faces on a sheet, and in a row of it
MOMENTS = 8  # rows of the sheet over time
SCORES, SAMPLES, OVER_TIME = "scores.csv", "samples", "over_time.png"
BATCHES_AHEAD = 4


@dataclass(frozen=True)
class GenerateTrainResult:
    """How far a model is.

    Attributes:
        model: The folder.
        iterations: Steps taken in all.
        seconds: Time trained in all.
        score: Of the faces it makes now; None if nothing was left to do.
        floor: The Fréchet distance of one half of the held-out faces to the other.
        collapsed: Whether the faces have become alike.
        faces_per_second: Real faces shown a second in this run.
        interrupted: Whether Ctrl-C or SIGTERM ended it.
        sheet: Faces it makes now.
    """

    model: Path
    iterations: int
    seconds: float
    score: Score | None
    floor: float
    collapsed: bool
    faces_per_second: float
    interrupted: bool
    sheet: Path

    def __str__(self) -> str:
        """A few lines for people."""
        text = f"{self.iterations} iterations, {self.seconds / 60:.1f} minutes in all: {self.model}"
        if self.score is None:
            return f"{text}\nalready trained so far: raise --minutes or --iterations to go on"
        text += f"\nFréchet distance {self.score.frechet:.3f} (real faces to real ones: {self.floor:.3f})"
        text += f", diversity {self.score.diversity:.0%} of real faces'"
        text += f"\nfaces: {self.sheet}, over time: {self.model / OVER_TIME}"
        if self.collapsed:
            text += f"\n{_advice(self.model)}"
        return text + ("\nstopped and saved: run it again to go on" if self.interrupted else "")


def generate_train(config: GenerateTrainConfig, progress: Progress = quiet) -> GenerateTrainResult:
    """Train a generator of faces on facesets, or go on with one.

    Raises:
        DependencyError: The weight file of the identity network is not installed.
        InputError: A faceset is missing or damaged, or there are too few faces.
        ModelError: The model is damaged or of another kind.
        OutputError: The model cannot be written.
    """
    if config.overwrite:
        _remove(config.model)
    seed_everything(config.seed)
    session = _Session(config, *opened(config))
    if _share(config, session.state) >= 1:
        state = session.state
        sheet = session.sheet_path()
        return GenerateTrainResult(
            config.model, state.iterations, state.seconds, None, 0.0, False, 0.0, False, sheet
        )
    return session.run(progress)


def _remove(folder: Path) -> None:
    """Remove a model and what training wrote beside it; other files stay."""
    model_folder.remove(folder)
    with writing(folder):
        for path in [folder / SCORES, folder / OVER_TIME, *folder.glob(f"{SAMPLES}/*.png")]:
            path.unlink(missing_ok=True)


def _share(config: GenerateTrainConfig, state: TrainingState) -> float:
    """How much of the training asked for is done, 0 to 1; 0 where there is no limit."""
    by_time = state.seconds / (config.minutes * 60) if config.minutes else 0.0
    by_steps = state.iterations / config.iterations if config.iterations else 0.0
    return max(by_time, by_steps)


def _advice(model: Path) -> str:
    """What to do about a collapse."""
    return (
        "the faces have become alike (mode collapse): delete the newest checkpoints in"
        f" {model / 'checkpoints'} to go back, and train on with a smaller --learning-rate"
    )


class _Session:
    """One run of training: the loop, and what is written while it goes."""

    def __init__(self, config: GenerateTrainConfig, model: GeneratorConfig, generator: Generator) -> None:
        import keras  # the package `networks` has loaded it, quietly

        self._config, self._model, self._generator = config, model, generator
        optimizer = keras.optimizers.Adam(config.learning_rate, BETA_1, BETA_2, name="adam")
        discriminator = registry.load(registry.DISCRIMINATORS, model.discriminator)(model.size)
        self._adversary = Adversary(discriminator, config.game, optimizer)
        self._average = Average(build(model), AVERAGED)
        self._step = GenerationStep(generator, self._adversary, self._average, config.learning_rate)
        self.state = TrainingState()
        if checkpoint.has_checkpoint(config.model):
            self.state = checkpoint.load(
                config.model,
                generator,
                self._step.optimizer,
                self._average.network,
                kept=self._adversary.kept,
            )
        self._begun = self._saved = self.state
        self._score: Score | None = None
        self._collapsed = False
        self._best = float(self.state.about.get("diversity", 0.0))
        self._losses = (float("nan"),) * 3

    def run(self, progress: Progress) -> GenerateTrainResult:
        """Train until the time or the steps are up, or until interrupted; saved in any case."""
        config = self._config
        learned, held_out = split(config, self._model, progress)
        self._judge = Judge(held_out, self._model.coverage)
        model_folder.create(config.model, self._model)
        with writing(config.model):
            (config.model / SAMPLES).mkdir(exist_ok=True)
        total = config.iterations - self.state.iterations if config.iterations else None
        interrupted = False
        made = (batch(learned, config.batch_size, config.seed, n) for n in count(self.state.iterations))
        with closing(ahead(made, BATCHES_AHEAD)) as batches:
            try:
                for _ in progress(self._loop(batches), total=total, desc="training", note=self._note):
                    pass
            except KeyboardInterrupt:
                interrupted = True
        self._save()
        self._look()
        return GenerateTrainResult(
            config.model,
            self.state.iterations,
            self.state.seconds,
            self._score,
            self._judge.floor(),
            self._collapsed,
            self._speed(),
            interrupted,
            self.sheet_path(),
        )

    def _loop(self, batches: Iterator[Image]) -> Iterator[int]:
        """The training loop; yields the iteration after each step."""
        config, clock = self._config, time.monotonic
        saved = looked = clock()
        if not self.state.iterations:
            self._look()
        before = clock()
        for faces in batches:
            noise = draw_noise(config.seed, self.state.iterations, len(faces), self._generator.noise)
            self._losses = self._step(noise, faces)
            now = clock()
            self.state = replace(
                self.state, iterations=self.state.iterations + 1, seconds=self.state.seconds + now - before
            )
            if now - looked > config.score_seconds:
                self._look()
                looked = clock()
            if now - saved > config.save_seconds:
                self._save()
                saved = clock()
            before = clock()
            yield self.state.iterations
            if _share(config, self.state) >= 1:
                return

    def _look(self) -> None:
        """Make the same faces as ever, score them, and write down how they are."""
        state, shown = self.state, self._average.network
        faces = shown.make(draw_noise(self._config.seed, -1 % 2**31, MANY, shown.noise))
        self._score = self._judge.score(faces)
        was, self._collapsed = self._collapsed, collapsed(self._score, self._best)
        self._best = max(self._best, self._score.diversity)
        self.state = replace(self.state, about={**asdict(self._model), "diversity": self._best})
        if self._collapsed and not was:
            log.warning("%s", _advice(self._config.model))
        write_image(self.sheet_path(), grid(faces[:SHOWN], COLUMNS, 2))
        self._write_over_time()
        path = self._config.model / SCORES
        header = ["iterations", "seconds", "frechet", "diversity", "generator", "fake", "real"]
        values = [self._score.frechet, self._score.diversity, *self._losses]
        row = [state.iterations, f"{state.seconds:.1f}", *(f"{value:.5f}" for value in values)]
        with writing(path):
            fresh = not path.exists()
            with path.open("a", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([header, row] if fresh else [row])

    def sheet_path(self) -> Path:
        """Where the faces made after so many steps are shown."""
        return self._config.model / SAMPLES / f"{self.state.iterations:09d}.png"

    def _write_over_time(self) -> None:
        """The first row of sheets from the first to the last, one below the other."""
        sheets = sorted((self._config.model / SAMPLES).glob("*.png"))
        chosen = np.unique(np.linspace(0, len(sheets) - 1, MOMENTS).round().astype(int))
        rows = [read_image(sheets[place])[: 2 * self._model.size] for place in chosen]
        write_image(self._config.model / OVER_TIME, np.concatenate(rows))

    def _save(self) -> None:
        if self.state.iterations > self._saved.iterations or not self._saved.iterations:
            checkpoint.save(
                self._config.model,
                self._generator,
                self._step.optimizer,
                self.state,
                self._average.network,
                kept=self._adversary.kept,
            )
            self._saved = self.state

    def _speed(self) -> float:
        seconds = self.state.seconds - self._begun.seconds
        steps = self.state.iterations - self._begun.iterations
        return steps * self._config.batch_size / seconds if seconds > 0 else 0.0

    def _note(self) -> str:
        scored = f", Fréchet {self._score.frechet:.3f}" if self._score else ""
        return f"{self.state.seconds / 60:.1f} min{scored}, {self._speed():.0f} faces/s"
