"""The folder of a model: what it is, from its first to its last day.

MODEL/config.json     network, picture size, coverage
MODEL/checkpoints/    how far it is, see `checkpoint`
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from faceswap.durable import write_json
from faceswap.errors import ModelError, UsageError, writing
from faceswap.networks import building
from faceswap.networks.autoencoder import Autoencoder
from faceswap.options import DimensionOptions

C = TypeVar("C")

FORMAT = 1
CONFIG = "config.json"
LEFT = ("checkpoints", "cache")  # what an unfinished start of a training leaves


@dataclass(frozen=True)
class ModelConfig:
    """What a model is, from its first to its last day.

    Attributes:
        network: Name in the registry.
        size: Side of the network's pictures, pixels.
        coverage: Side of those pictures, extents of the mean face.
        encoder_width: As `DimensionOptions` has it; 0 for the network's own.
        inner_width: The same.
        decoder_width: The same.
        format: Version of the folder's layout.
    """

    network: str
    size: int
    coverage: float
    encoder_width: int = 0
    inner_width: int = 0
    decoder_width: int = 0
    format: int = FORMAT

    @property
    def dimensions(self) -> DimensionOptions:
        """What its network is built with."""
        return DimensionOptions(**{f.name: getattr(self, f.name) for f in fields(DimensionOptions)})


def exists(folder: Path) -> bool:
    """Whether there is a model in `folder`."""
    return (folder / CONFIG).is_file()


def create(folder: Path, config: Any) -> None:
    """Make a model folder.

    Args:
        folder: Where.
        config: A dataclass of JSON values that says what the model is.

    Raises:
        OutputError: It cannot be written.
    """
    with writing(folder):
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        write_json(folder / CONFIG, asdict(config))


def remove(folder: Path) -> None:
    """Remove what a model consists of, and nothing else, from `folder`."""
    with writing(folder):
        (folder / CONFIG).unlink(missing_ok=True)
        if (folder / "checkpoints").is_dir():
            shutil.rmtree(folder / "checkpoints")


def read_config(folder: Path) -> ModelConfig:
    """What the swap model in `folder` is; see `read_as`."""
    return read_as(folder, ModelConfig, "train")


def read_as(folder: Path, kind: type[C], command: str) -> C:
    """What the model in `folder` is.

    Args:
        folder: The model.
        kind: The dataclass that `create` was given; it has a `format`.
        command: What makes such models.

    Raises:
        ModelError: There is none, or its config is damaged, of another kind or of a newer program.
    """
    if not exists(folder):
        raise ModelError(f"{folder} is not a model: make one with 'faceswap {command} ... -m {folder}'")
    try:
        values = dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{folder / CONFIG} is damaged: restore it or train again ({error})") from error
    written = values.get("format", FORMAT)
    if written != FORMAT:
        raise ModelError(f"{folder} is a model of format {written}, this program reads {FORMAT}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ModelError(f"{folder} is not a model that 'faceswap {command}' makes: give it one") from error


def build(config: ModelConfig) -> Autoencoder:
    """The network that `config` names, with random weights.

    Raises:
        ModelError: The network is unknown or makes pictures of another size.
    """
    try:
        return building.build(config.network, config.dimensions)
    except UsageError as error:
        raise ModelError(f"this program cannot build the model's network: {error}") from error


def is_empty(folder: Path) -> bool:
    """Whether a folder holds nothing, or only what an unfinished start of a training leaves."""
    return not any(path.name not in LEFT and path.name[0] != "." for path in folder.iterdir())
