"""Checkpoints: folders that are either whole or not there.

    MODEL/checkpoints/000001200/       state after so many iterations
        encoder.npz  decoder_a.npz  decoder_b.npz  optimizer.npz       the parts of the network, by name
        discriminator.npz  ...         whatever else training goes on with
        average_encoder.npz  ...       the running mean of the weights, where training keeps one
        state.json                     iterations, minutes, seed, data, versions; SHA-256 of each file

A checkpoint is written to a temporary name, synced and renamed. The last few are kept, and the one whose
held-out faces were the best. Nothing is pickled.
Weights are plain numpy archives and not Keras' HDF5 files: HDF5 ends the whole process with a segmentation
fault when the disk is full.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from faceswap.durable import checksum, sync, write_json
from faceswap.errors import ModelError, writing

log = logging.getLogger(__name__)

KEEP = 3
STATE = "state.json"
AVERAGE = "average_"


class Network(Protocol):
    """Whatever consists of Keras models with names."""

    @property
    def parts(self) -> dict[str, keras.Model]:
        """The models, in the order in which they are saved."""
        ...


@dataclass(frozen=True)
class TrainingState:
    """How far a model is.

    Attributes:
        iterations: Steps taken in all.
        seconds: Time spent training in all.
        about: Whatever else should be known later: seed, data, versions; JSON values.
        plateau: The fields of `optimizers.Plateau`, where the learning rate depends on it.
        pilot: The fields of what steers the training.
        scores: What the held-out faces showed last, and after how many `iterations`.
        batch_size: Faces of each side in a step.
    """

    iterations: int = 0
    seconds: float = 0.0
    about: dict[str, Any] = field(default_factory=dict)
    plateau: dict[str, Any] = field(default_factory=dict)
    pilot: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    batch_size: int = 0

    @property
    def score(self) -> float | None:
        """The error of the held-out faces at these very weights, None where they were not looked at."""
        measured = self.scores.get("iterations") == self.iterations
        return self.scores.get("error") if measured else None


def save(
    folder: Path,
    network: Network,
    optimizer: keras.optimizers.Optimizer,
    state: TrainingState,
    average: Network | None = None,
    kept: Mapping[str, Sequence[Any]] | None = None,
) -> None:
    """Write a checkpoint; the old ones stand until it is whole.

    Args:
        folder: The model.
        network: Its weights.
        optimizer: Its moments.
        state: How far it is.
        average: The running mean of its weights.
        kept: What else the training goes on with, variables by name.

    Raises:
        OutputError: The disk is full or cannot be written.
    """
    home = folder / "checkpoints"
    final, draft = home / f"{state.iterations:09d}", home / f".{state.iterations:09d}.part"
    with writing(folder):
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir(parents=True)
            for prefix, each in (("", network), *([(AVERAGE, average)] if average else [])):
                for name, part in each.parts.items():
                    _save_variables(draft / f"{prefix}{name}.npz", part.variables)
            for name, variables in {"optimizer": optimizer.variables, **(kept or {})}.items():
                _save_variables(draft / f"{name}.npz", variables)
            sums = {path.name: checksum(path) for path in sorted(draft.iterdir())}
            write_json(draft / STATE, {**asdict(state), "optimizer": optimizer.name, "files": sums})
            for path in draft.iterdir():
                sync(path)
            shutil.rmtree(final, ignore_errors=True)
            os.replace(draft, final)
            sync(home)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    best = _best(folder)
    for old in _checkpoints(folder)[KEEP:]:
        if old != best:
            shutil.rmtree(old, ignore_errors=True)


def load(
    folder: Path,
    network: Network,
    optimizer: keras.optimizers.Optimizer | None = None,
    average: Network | None = None,
    use: str = "newest",
    kept: Mapping[str, Sequence[Any]] | None = None,
) -> TrainingState:
    """Read the newest whole checkpoint, or the best, to use it or to train it on.

    A damaged checkpoint is passed over with a warning if an older one is whole.

    Args:
        folder: The model.
        network: What the weights are read into: without an optimizer, to be used, their running mean if there
            is one; with it, to be trained on, the weights themselves.
        optimizer: What the moments are read into. They begin afresh, with a warning, where the checkpoint is
            of another optimizer.
        average: What the running mean is read into; where there is none, it begins with the weights.
        use: 'newest', or 'best': the one whose held-out faces had the least error.
        kept: What else the training goes on with, variables by name; where the checkpoint has none, they
            stay as they are.

    Raises:
        ModelError: No checkpoint is whole, or they are of another version of the network.
    """
    for path in _wanted(folder, use):
        try:
            return _read(path, network, optimizer, average, kept or {})
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("checkpoint %s is damaged: %s", path, error)
    raise ModelError(f"no checkpoint in {folder} is whole: restore one or train again with --overwrite")


def has_checkpoint(folder: Path) -> bool:
    """Whether training got as far as its first save."""
    return bool(_checkpoints(folder))


def fingerprint(folder: Path, use: str = "newest") -> str:
    """SHA-256 of a checkpoint's state, which holds the hashes of its weights; `use` is as `load` has it.

    Raises:
        ModelError: There is no checkpoint.
    """
    return checksum(_wanted(folder, use)[0] / STATE)


def best_score(folder: Path) -> float | None:
    """The least error of held-out faces among the checkpoints, None where none was looked at."""
    best = _best(folder)
    return None if best is None else _score(best)


def drop_newest(folder: Path) -> None:
    """Remove the newest checkpoint, if it is not the only one: what was saved was spoilt already."""
    newest, *older = _checkpoints(folder)
    if older:
        shutil.rmtree(newest, ignore_errors=True)


def _wanted(folder: Path, use: str) -> list[Path]:
    """The checkpoints, those first that are asked for."""
    found = _checkpoints(folder)
    if not found:
        raise ModelError(f"{folder} holds no checkpoint yet: train it first")
    best = _best(folder) if use == "best" else None
    if use == "best" and best is None:
        log.warning("no checkpoint of %s was scored yet: the newest is used", folder)
    return found if best is None else [best, *(path for path in found if path != best)]


def _best(folder: Path) -> Path | None:
    """The checkpoint with the least error of held-out faces, the newest of equals."""
    scored = [(score, path) for path in _checkpoints(folder) if (score := _score(path)) is not None]
    return min(scored, key=lambda pair: pair[0])[1] if scored else None


def _score(path: Path) -> float | None:
    """The error of held-out faces that a checkpoint's state tells; None where it tells none."""
    try:
        state = json.loads((path / STATE).read_text(encoding="utf-8"))
        scores = state.get("scores", {})
        return float(scores["error"]) if scores.get("iterations") == state["iterations"] else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # damaged: whoever reads it says so


def _checkpoints(folder: Path) -> list[Path]:
    """The checkpoints, newest first."""
    return sorted((p for p in folder.glob("checkpoints/*") if p.name.isdigit()), reverse=True)


def _read(
    path: Path,
    network: Network,
    optimizer: keras.optimizers.Optimizer | None,
    average: Network | None,
    kept: Mapping[str, Sequence[Any]],
) -> TrainingState:
    state = json.loads((path / STATE).read_text(encoding="utf-8"))
    for name, written in state.pop("files").items():
        if checksum(path / name) != written:
            raise ValueError(f"{name} is not what was written")
    before = state.pop("optimizer", "adam")
    mean = AVERAGE if all((path / f"{AVERAGE}{name}.npz").exists() for name in network.parts) else ""
    _load_parts(path, network, mean if optimizer is None else "")
    if average is not None:
        _load_parts(path, average, mean)
    if optimizer is not None and optimizer.name == before:
        _load_variables(path / "optimizer.npz", optimizer.variables)
    elif optimizer is not None:
        log.warning("trained with %s so far: %s begins without its moments", before, optimizer.name)
    for name, variables in kept.items():
        if (path / f"{name}.npz").exists():
            _load_variables(path / f"{name}.npz", variables)
    return TrainingState(**state)


def _load_parts(path: Path, network: Network, prefix: str) -> None:
    for name, part in network.parts.items():
        _load_variables(path / f"{prefix}{name}.npz", part.variables)


def _save_variables(path: Path, variables: Sequence[Any]) -> None:
    """Write variables by their order, which a network has from the order of its layers."""
    np.savez(path, *(variable.numpy() for variable in variables))


def _load_variables(path: Path, variables: Sequence[Any]) -> None:
    with np.load(path, allow_pickle=False) as arrays:
        if len(arrays.files) != len(variables):
            raise ValueError(f"{path.name} holds {len(arrays.files)} arrays, not {len(variables)}")
        for index, variable in enumerate(variables):
            array = arrays[f"arr_{index}"]
            if array.shape != tuple(variable.shape):
                raise ModelError(
                    f"{path.parents[2]} is of another version of this program, whose network had other"
                    " layers: use that version, or train again with --overwrite"
                )
            variable.assign(array)
