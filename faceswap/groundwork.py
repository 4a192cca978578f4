"""What a training begins with: the model as far as it is, what trains it, and the faces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from faceswap.config import pick
from faceswap.errors import InputError, ModelError, OutputError, writing
from faceswap.faces.faceset import Faceset
from faceswap.faces.template import MEAN_FACE
from faceswap.faces.weights import RESNET, weight_file
from faceswap.networks import base, building, checkpoint
from faceswap.networks.augmentation import Jitter
from faceswap.networks.autoencoder import Autoencoder, seed_everything
from faceswap.networks.checkpoint import ModelConfig, TrainingState
from faceswap.networks.feed import Album
from faceswap.networks.identity import build_identity
from faceswap.networks.likeness import Likeness
from faceswap.networks.objective import Objective
from faceswap.networks.optimizers import Average, Schedule, make
from faceswap.networks.step import TrainingStep
from faceswap.options import AugmentOptions, DimensionOptions, LossOptions, TrainConfig

COVERAGE = 1.25  # extents: the network's picture holds the whole face and little else
FEWEST = 8  # faces of a person, below which nothing can be learned
STEADY = {"warp": 0.0, "rotation": 4.0, "zoom": 0.03, "shift": 0.02, "random_crop": 0.05}  # at most, then


@dataclass(frozen=True)
class Start:
    """A training before its next step.

    Attributes:
        model: What the model is.
        network: Its network, with the weights of the last checkpoint or random ones.
        step: What trains it, with its moments.
        schedule: The learning rate over the training.
        state: How far it is.
    """

    model: ModelConfig
    network: Autoencoder
    step: TrainingStep
    schedule: Schedule
    state: TrainingState


def begin(config: TrainConfig) -> Start:
    """The model as far as it is, or a new one with --overwrite; nothing is written.

    Raises:
        ModelError: The model, or what it is to start from, is damaged or of another network.
        OutputError: There is something else in its place.
        DependencyError: The weights to start from are not installed.
    """
    seed_everything(config.seed)
    model, network = _open(config)
    goes_on = checkpoint.has_checkpoint(config.model) and not config.overwrite
    digest = "" if goes_on else base.start(network, config.network, config.base)
    optimizer = make(config.optimizer, config.learning_rate, config.weight_decay)
    average = Average(checkpoint.build(model), config.ema) if config.ema else None
    step = TrainingStep(network, optimizer, config.clip, average, _objective(config, model))
    schedule = Schedule(config.schedule, step.rate, config.warmup)
    state = TrainingState(about={"base": digest})
    if goes_on:
        state = checkpoint.load(config.model, network, optimizer, average.network if average else None)
    return Start(model, network, step, schedule, state)


def aim(start: Start, album_b: Album) -> None:
    """Show the training whom A's faces are to be like, where that is trained for."""
    likeness = start.step.objective.likeness
    if likeness is not None:
        likeness.aim(album_b.middles(start.model.size))


def jitter_of(config: TrainConfig) -> Jitter:
    """How strongly the options have faces varied."""
    return Jitter(**pick(config, AugmentOptions))


def steadied(jitter: Jitter) -> Jitter:
    """Warp off and gentle geometry, for the last part of a training; colours and flaws as they were."""
    return replace(jitter, **{name: min(getattr(jitter, name), most) for name, most in STEADY.items()})


def albums(config: TrainConfig, model: ModelConfig) -> tuple[tuple[Album, str], tuple[Album, str]]:
    """The faces of A and of B at the size the feed wants, each with the digest of the faceset.

    Raises:
        InputError: A faceset is missing, damaged, has too few faces, or they are cut too close.
    """
    return album_of(config.faceset_a, model), album_of(config.faceset_b, model)


def album_of(folder: Path, model: ModelConfig) -> tuple[Album, str]:
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


def _objective(config: TrainConfig, model: ModelConfig) -> Objective:
    """What the options have the network trained for.

    Raises:
        DependencyError: The weights of the identity network are needed and not installed.
    """
    landmarks = (MEAN_FACE / model.coverage + 0.5) * model.size - 0.5
    likeness = None
    if config.identity_loss:
        likeness = Likeness(build_identity(weight_file(RESNET)), landmarks, model.size)
    return Objective(LossOptions(**pick(config, LossOptions)), model.size, landmarks, likeness)


def _open(config: TrainConfig) -> tuple[ModelConfig, Autoencoder]:
    """What the model on disk, or a new one, is, and its network with random weights; nothing is written."""
    if checkpoint.exists(config.model):
        model = checkpoint.read_config(config.model)
        if model.network != config.network:
            raise ModelError(
                f"{config.model} is a '{model.network}' model: use --network {model.network}, another folder,"
                " or --overwrite to start again"
            )
        for name, value in pick(config, DimensionOptions).items():
            if value not in (0, getattr(model, name)):
                raise ModelError(
                    f"{config.model} was begun with another {name} ({getattr(model, name) or 'its own'}):"
                    f" leave --{name.replace('_', '-')} out, or choose another folder"
                )
        return model, checkpoint.build(model)
    with writing(config.model):
        if config.model.exists() and not checkpoint.is_empty(config.model):
            raise OutputError(f"{config.model} exists and is not a model: choose another folder")
    wanted = pick(config, DimensionOptions)
    network = building.build(config.network, DimensionOptions(**wanted))
    return ModelConfig(config.network, coverage=COVERAGE, **{**wanted, "size": network.size}), network
