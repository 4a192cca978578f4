"""What a training begins with: the model as far as it is, and what trains it."""

from __future__ import annotations

import math
import os
import time
from contextlib import closing
from dataclasses import dataclass, replace

import psutil

from faceswap.config import pick
from faceswap.errors import ModelError, OutputError, writing
from faceswap.faces.template import mean_landmarks
from faceswap.faces.traits import VARIED
from faceswap.faces.weights import RESNET, weight_file
from faceswap.networks import base, building, checkpoint, model_folder, precision
from faceswap.networks.augmentation import Jitter
from faceswap.networks.autoencoder import Autoencoder, graphics_cards, seed_everything
from faceswap.networks.bottleneck import Bottleneck
from faceswap.networks.checkpoint import TrainingState
from faceswap.networks.critics import Critics
from faceswap.networks.feed import Album, Feed
from faceswap.networks.identity import build_identity
from faceswap.networks.likeness import Likeness
from faceswap.networks.model_folder import ModelConfig
from faceswap.networks.objective import Objective
from faceswap.networks.optimizers import Average, Schedule, make, weights_of
from faceswap.networks.reading import Reading
from faceswap.networks.stacking import pretrain, stages
from faceswap.networks.step import TrainingStep
from faceswap.options import AugmentOptions, BottleneckOptions, DimensionOptions, LossOptions, TrainConfig
from faceswap.progress import Progress

COVERAGE = 1.25  # extents: the network's picture holds the whole face and little else
FACES_A_CORE, FEWEST_FACES, MOST_FACES = 4, 4, 32  # of each side in a step
MEMORY = 0.5  # of what is free, for the faces of a step
BYTES = 4 * 3  # float32: what a layer gives, its gradient, and what is between
SHARP = 1.0  # what the Laplacian pyramid counts in the last part of a training, at least
STEADY = {"warp": 0.0, "rotation": 4.0, "zoom": 0.03, "shift": 0.02, "random_crop": 0.05}  # at most, then


@dataclass(frozen=True)
class Start:
    """A training before its next step.

    Attributes:
        model: What the model is.
        network: Its network, with the weights of the last checkpoint or random ones.
        step: What trains it, with its moments.
        schedule: The learning rate over the training.
        state: How far it is; its batch size is set.
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
    seed_everything(config.seed, config.deterministic)
    policy = precision.chosen(config.precision)
    with precision.counting(policy):
        model, network = _open(config)
    goes_on = checkpoint.has_checkpoint(config.model) and not config.overwrite
    digest = "" if goes_on else base.start(network, config.network, config.from_)
    optimizer = make(config.optimizer, config.learning_rate, config.weight_decay)
    optimizer = precision.scaled(optimizer, policy)
    average = Average(model_folder.build(model), config.ema) if config.ema else None
    step = TrainingStep(
        network, optimizer, config.clip, average, _objective(config, model, network), _bottleneck(config)
    )
    schedule = Schedule(config.schedule, step.rate, config.warmup)
    state = TrainingState(about={"base": digest})
    if goes_on:
        mean = average.network if average else None
        state = checkpoint.load(config.model, network, optimizer, mean, kept=step.kept)
    state = replace(state, batch_size=batch_size(config, network, state))
    return Start(model, network, step, schedule, state)


def aim(start: Start, album_b: Album) -> None:
    """Show the training whom A's faces are to be like, where that is trained for."""
    likeness = start.step.objective.likeness
    if likeness is not None:
        likeness.aim(album_b.middles(start.model.size))


def stacked(config: TrainConfig, start: Start, both: tuple[Album, Album], progress: Progress) -> Start:
    """The training with its encoder trained layer by layer, where that is asked for and it has just begun."""
    if config.bottleneck != "stacked" or start.state.iterations:
        return start
    began, encoder = time.monotonic(), start.network.encoder
    feed = Feed(both, start.model.size, start.state.batch_size, config.seed, steadied(jitter_of(config)))
    total = len(stages(encoder)) * config.stack_steps
    with closing(feed.batches(0)) as batches:
        for _ in progress(pretrain(encoder, batches, config.stack_steps), total=total, desc="layer by layer"):
            pass
    if start.step.average is not None:
        start.step.average.start(weights_of(start.network))
    spent = start.state.seconds + time.monotonic() - began
    return replace(start, state=replace(start.state, seconds=spent))


def jitter_of(config: TrainConfig) -> Jitter:
    """How strongly the options have faces varied."""
    return Jitter(**pick(config, AugmentOptions))


def steadied(jitter: Jitter) -> Jitter:
    """Warp off and gentle geometry, for the last part of a training; colours and flaws as they were."""
    return replace(jitter, **{name: min(getattr(jitter, name), most) for name, most in STEADY.items()})


def batch_size(config: TrainConfig, network: Autoencoder, state: TrainingState) -> int:
    """Faces of each side in a step: those asked for, those of the run before, or what suits the machine."""
    if config.batch_size or state.batch_size:
        return config.batch_size or state.batch_size
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    fitting = MOST_FACES if graphics_cards() else max(FEWEST_FACES, min(MOST_FACES, FACES_A_CORE * cores))
    room = MEMORY * psutil.virtual_memory().available
    while fitting > 1 and 2 * fitting * network.activations * BYTES > room:
        fitting //= 2
    return fitting


def sharpen(config: TrainConfig, start: Start, on: bool) -> None:
    """Make detail count more from the next step on, or as the options have it again."""
    counts = max(config.laplacian, SHARP) if on else config.laplacian
    wanted = replace(config, laplacian=counts)
    start.step.pursue(_objective(wanted, start.model, start.network, start.step.objective))


def _objective(
    config: TrainConfig, model: ModelConfig, network: Autoencoder, before: Objective | None = None
) -> Objective:
    """What the options have the network trained for; what has learned `before` goes on.

    Raises:
        DependencyError: The weights of the identity network are needed and not installed.
    """
    landmarks = mean_landmarks(model.size, model.coverage)
    losses = LossOptions(**pick(config, LossOptions))
    if before is not None:
        parts = before.likeness, before.critics, before.reading
        return Objective(losses, model.size, landmarks, *parts)
    likeness = critics = reading = None
    if config.identity_loss:
        likeness = Likeness(build_identity(weight_file(RESNET)), landmarks, model.size)
    if config.adversarial:
        critics = Critics(model.size, config.adversarial_game)
    if config.expression:
        reading = Reading(math.prod(network.encoder.output_shape[1:]), len(VARIED))
    return Objective(losses, model.size, landmarks, likeness, critics, reading)


def _bottleneck(config: TrainConfig) -> Bottleneck:
    """What the options ask of the code."""
    return Bottleneck(BottleneckOptions(**pick(config, BottleneckOptions)), config.seed)


def _open(config: TrainConfig) -> tuple[ModelConfig, Autoencoder]:
    """What the model on disk, or a new one, is, and its network with random weights; nothing is written."""
    if model_folder.exists(config.model):
        model = model_folder.read_config(config.model)
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
        return model, model_folder.build(model)
    with writing(config.model):
        if config.model.exists() and not model_folder.is_empty(config.model):
            raise OutputError(f"{config.model} exists and is not a model: choose another folder")
    wanted = pick(config, DimensionOptions)
    network = building.build(config.network, DimensionOptions(**wanted))
    return ModelConfig(config.network, coverage=COVERAGE, **{**wanted, "size": network.size}), network
