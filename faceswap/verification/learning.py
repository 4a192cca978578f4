"""Training the Siamese network, and testing it on people whom it never saw."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from faceswap.errors import OutputError, writing
from faceswap.faces.people import Descriptors
from faceswap.networks import checkpoint, model_folder
from faceswap.networks.autoencoder import seed_everything
from faceswap.networks.checkpoint import TrainingState
from faceswap.networks.siamese import Siamese, SiameseStep, build
from faceswap.options import SIMILARITIES, VerifyTrainConfig
from faceswap.progress import Progress, quiet
from faceswap.threads import ahead
from faceswap.types import Image
from faceswap.verification.measuring import Curve, curve, drawn, fair_accuracy
from faceswap.verification.people import COVERAGE, People, batches, divided
from faceswap.video.images import write_image

log = logging.getLogger(__name__)

COMMAND = "verify train"
BATCH = 64
AHEAD = 4
ROC = "roc.png"


@dataclass(frozen=True)
class VerifierConfig:
    """What a model is.

    Attributes:
        siamese: Which network; there is one.
        size: Side of its pictures, pixels.
        coverage: Side of its pictures, extents of the mean face.
        format: Version of the folder's layout.
    """

    siamese: int
    size: int
    coverage: float
    format: int = model_folder.FORMAT


@dataclass(frozen=True)
class VerifyTrainResult:
    """How far a model is, and how it does on people it never saw.

    Attributes:
        model: The folder.
        iterations: Steps taken in all.
        seconds: Time trained in all.
        learned: People learned from.
        tested: People tested on.
        curves: The errors by similarity.
        accuracies: The accuracy by similarity, with thresholds that other people chose; 0.5 is chance.
        interrupted: Whether Ctrl-C or SIGTERM ended it.
    """

    model: Path
    iterations: int
    seconds: float
    learned: int
    tested: int
    curves: dict[str, Curve]
    accuracies: dict[str, float]
    interrupted: bool

    def __str__(self) -> str:
        """A few lines for people."""
        minutes = self.seconds / 60
        lines = [
            f"{self.iterations} iterations, {minutes:.1f} minutes in all: {self.model}",
            f"learned from {self.learned} people, tested on {self.tested} others (chance: 50%):",
        ]
        for name, one in self.curves.items():
            error, threshold = one.equal_error
            lines.append(
                f"{name:10} equal error {error:.1%} at {threshold:.3f},"
                f" accuracy {self.accuracies[name]:.1%}, area under the ROC curve {one.area:.3f}"
            )
        lines.append(f"ROC curves: {self.model / ROC}")
        return "\n".join(lines) + ("\nstopped and saved: run it again to go on" if self.interrupted else "")


def verify_train(config: VerifyTrainConfig, progress: Progress = quiet) -> VerifyTrainResult:
    """Train a Siamese network on the people of facesets, or go on with one, and test it on others.

    Raises:
        InputError: A faceset is missing or damaged, or there are too few people.
        ModelError: The model is damaged or of another kind.
        OutputError: The model cannot be written.
    """
    if config.overwrite:
        model_folder.remove(config.model)
    seed_everything(config.seed)
    network, state = build(), TrainingState()
    step = SiameseStep(network, config.loss, config.learning_rate)
    if checkpoint.has_checkpoint(config.model):
        model_folder.read_as(config.model, VerifierConfig, COMMAND)
        state = checkpoint.load(config.model, network, step.optimizer)
    else:
        _check_free(config.model)
    learned, tested = divided(config, network.size, progress)
    model_folder.create(config.model, VerifierConfig(1, network.size, COVERAGE))
    state, interrupted = _train(config, network, step, learned, state, progress)
    vectors = describe(network, tested.faces)
    curves = {name: curve(vectors, tested.names, name) for name in SIMILARITIES}
    accuracies = {name: fair_accuracy(vectors, tested.names, name) for name in SIMILARITIES}
    about = {"thresholds": {name: one.equal_error[1] for name, one in curves.items()}, "accuracy": accuracies}
    state = replace(state, about=about)
    checkpoint.save(config.model, network, step.optimizer, state)
    write_image(config.model / ROC, drawn(curves))
    return VerifyTrainResult(
        config.model,
        state.iterations,
        state.seconds,
        len(np.unique(learned.names)),
        len(np.unique(tested.names)),
        curves,
        accuracies,
        interrupted,
    )


def opened(folder: Path) -> tuple[Siamese, float, dict[str, float]]:
    """A trained network, the coverage of its pictures, and its thresholds by similarity.

    Raises:
        ModelError: The model is missing, damaged or of another kind.
    """
    model, network = model_folder.read_as(folder, VerifierConfig, COMMAND), build()
    state = checkpoint.load(folder, network)
    return network, model.coverage, dict(state.about.get("thresholds", {}))


def describe(network: Siamese, faces: Image) -> Descriptors:
    """The descriptors (N, 128) of the middles of faces (N, side, side, 3)."""
    edge = (faces.shape[1] - network.size) // 2
    middles = faces[:, edge : edge + network.size, edge : edge + network.size]
    batches = [middles[first : first + BATCH] for first in range(0, len(middles), BATCH)]
    return np.concatenate(
        [network.model(batch.astype(np.float32) / 255, training=False).numpy() for batch in batches]
    )


def _train(
    config: VerifyTrainConfig,
    network: Siamese,
    step: SiameseStep,
    people: People,
    state: TrainingState,
    progress: Progress,
) -> tuple[TrainingState, bool]:
    """Train until the steps or the time are up; how far it is then, and whether it was interrupted."""
    begun, clock, saved, losses = state, time.monotonic, time.monotonic(), [float("nan")]
    left = range(state.iterations, config.iterations)

    def note() -> str:
        return f"loss {losses[-1]:.4f}"

    started, interrupted = clock(), False
    with closing(ahead(batches(people, config, network.size, state.iterations), AHEAD)) as made:
        try:
            for done in progress(left, total=len(left), desc="training", note=note):
                if config.minutes and state.seconds >= config.minutes * 60:
                    break
                losses[:] = [step(*next(made))]
                seconds = begun.seconds + clock() - started
                state = replace(state, iterations=done + 1, seconds=seconds, about={})
                if clock() - saved > config.save_seconds:
                    checkpoint.save(config.model, network, step.optimizer, state)
                    saved = clock()
        except KeyboardInterrupt:
            interrupted = True
    return state, interrupted


def _check_free(folder: Path) -> None:
    """Raise `OutputError` where there is something else."""
    with writing(folder):
        if folder.exists() and not model_folder.exists(folder) and not model_folder.is_empty(folder):
            raise OutputError(f"{folder} exists and is not a model: choose another folder")
