"""Training the Siamese network, and testing it on people whom it never saw."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import InputError, OutputError, writing
from faceswap.faces.people import Descriptors
from faceswap.networks import checkpoint
from faceswap.networks.augmentation import Jitter, vary
from faceswap.networks.autoencoder import seed_everything
from faceswap.networks.checkpoint import TrainingState
from faceswap.networks.siamese import Siamese, SiameseStep, build
from faceswap.options import SIMILARITIES, VerifyTrainConfig
from faceswap.portraits import portraits
from faceswap.progress import Progress, quiet
from faceswap.threads import ahead
from faceswap.types import Image
from faceswap.verification.measuring import Curve, curve, drawn, fair_accuracy
from faceswap.video.images import write_image

log = logging.getLogger(__name__)

COMMAND = "verify train"
COVERAGE = 1.25  # extents: side of the network's picture
ROOM = 1.15  # of it is kept around, to turn and shift the face in
SEVERAL = 2  # faces that a person needs to be tested on
TESTED = 10  # faces of a person that are tested at most
BATCH = 64
AHEAD = 4
ROC = "roc.png"

# What may differ between two pictures of one person: the light, the camera, how it is cut; not the features.
JITTER = Jitter(
    warp=0.0,
    rotation=10.0,
    zoom=0.07,
    shift=0.05,
    light=0.12,
    contrast=0.25,
    gamma=0.3,
    hue=8.0,
    noise=0.03,
    blur=0.02,
    jpeg=0.5,
)


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
    format: int = checkpoint.FORMAT


@dataclass(frozen=True)
class People:
    """Faces and whose they are.

    Attributes:
        faces: BGR uint8 (N, side, side, 3); the network's picture is their middle.
        names: int (N,), who each shows.
    """

    faces: Image
    names: NDArray[np.int64]

    def of(self, names: NDArray[np.int64]) -> People:
        """Only those people."""
        chosen = np.isin(self.names, names)
        return People(self.faces[chosen], self.names[chosen])


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
        checkpoint.remove(config.model)
    seed_everything(config.seed)
    network, state = build(), TrainingState()
    step = SiameseStep(network, config.loss, config.learning_rate)
    if checkpoint.has_checkpoint(config.model):
        checkpoint.read_as(config.model, VerifierConfig, COMMAND)
        state = checkpoint.load(config.model, network, step.optimizer)
    else:
        _check_free(config.model)
    learned, tested = divided(config, network.size, progress)
    checkpoint.create(config.model, VerifierConfig(1, network.size, COVERAGE))
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
    model, network = checkpoint.read_as(folder, VerifierConfig, COMMAND), build()
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


def divided(config: VerifyTrainConfig, size: int, progress: Progress) -> tuple[People, People]:
    """Who is learned from and who is tested on; nobody is both.

    Raises:
        InputError: A faceset is missing or damaged, or there are too few people.
    """
    everybody = _people(config.facesets, size, progress)
    if config.test:
        tested = _people(config.test, size, progress)
        names, counts = np.unique(tested.names, return_counts=True)
        learned, chosen = everybody, names[counts >= SEVERAL]
    else:
        names, counts = np.unique(everybody.names, return_counts=True)
        several = np.random.default_rng(config.seed).permutation(names[counts >= SEVERAL])
        chosen = several[: max(round(len(several) * config.held_out), 2)]
        learned, tested = everybody.of(np.setdiff1d(names, chosen)), everybody
    if len(chosen) < 2 or len(np.unique(learned.names)) < 2:
        raise InputError(
            "too few people: two or more to learn from are needed, and two others with several faces to test"
            " on; give a faceset a person, or one with several people in it"
        )
    tested = tested.of(chosen)
    places = [_spread(np.flatnonzero(tested.names == name), TESTED) for name in chosen]
    kept = np.concatenate(places)
    return learned, People(tested.faces[kept], tested.names[kept])


def batches(
    people: People, config: VerifyTrainConfig, size: int, first: int
) -> Iterator[tuple[Image, NDArray[np.int32]]]:
    """Batch `first` and all that follow: several varied faces each of several people, and who they are."""
    names = np.unique(people.names)
    places = {name: np.flatnonzero(people.names == name) for name in names}
    whole = np.full(people.faces.shape[1:3], 255, np.uint8)
    for number in count(first):
        draw = np.random.default_rng([config.seed, number])
        chosen = draw.permutation(names)[: config.people]
        faces = []
        for name in chosen:
            mine = draw.permutation(places[name])
            for turn in range(config.faces):
                image = people.faces[mine[turn % len(mine)]]
                faces.append(vary(image, whole, size, JITTER, draw)[0])
        yield np.stack(faces), np.repeat(np.arange(len(chosen), dtype=np.int32), config.faces)


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


def _people(folders: tuple[Path, ...], size: int, progress: Progress) -> People:
    """The faces of facesets, and a number for each person of each."""
    faces, names, before = [], [], 0
    for folder in folders:
        found, people = portraits(folder, round(size * ROOM), COVERAGE * ROOM, progress)
        faces.append(found)
        names.append(people + before)
        before += int(people.max()) + 1
    return People(np.concatenate(faces), np.concatenate(names))


def _spread(places: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """At most so many of them, evenly."""
    if len(places) <= most:
        return places
    return np.asarray(places[np.linspace(0, len(places) - 1, most).round().astype(int)])


def _check_free(folder: Path) -> None:
    """Raise `OutputError` where there is something else."""
    with writing(folder):
        if folder.exists() and not checkpoint.exists(folder) and not checkpoint.is_empty(folder):
            raise OutputError(f"{folder} exists and is not a model: choose another folder")
