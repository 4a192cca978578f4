"""Options of making faces of nobody."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceswap.config import Options, option
from faceswap.registry import DISCRIMINATORS, GAMES, GENERATORS


@dataclass(frozen=True, kw_only=True)
class GenerateTrainConfig(Options):
    """Learn to make faces out of noise from those of facesets; a model that exists is trained on."""

    facesets: tuple[Path, ...] = option(help="facesets to learn from", positional=True)
    model: Path = option(help="model folder", short="-m")
    generator: str = option("face64", "what makes the faces", choices=GENERATORS)
    discriminator: str = option("whole", "what judges them", choices=DISCRIMINATORS)
    game: str = option("hinge", "what the two of them lose", choices=GAMES)
    minutes: float = option(30.0, "stop when the model has trained so long in all", low=0.0, high=1e6)
    iterations: int = option(0, "stop after so many steps in all; 0 is no limit", low=0)
    batch_size: int = option(32, "faces in a step", low=2, high=512)
    learning_rate: float = option(3e-4, "size of the steps of both networks", low=1e-7, high=1)
    score_seconds: float = option(120.0, "seconds between scores, each with a sheet of samples", low=1.0)
    save_seconds: float = option(60.0, "seconds between checkpoints", low=1.0)
    seed: int = option(0, "seed of everything random", low=0, high=2**31 - 1)
    overwrite: bool = option(False, "start again where the model exists")


@dataclass(frozen=True, kw_only=True)
class GenerateSampleConfig(Options):
    """Make a sheet of faces of people who do not exist."""

    model: Path = option(help="model folder of 'generate train'", short="-m")
    output: Path = option(help="picture to write", short="-o")
    count: int = option(64, "faces on it", low=1, high=1024)
    spread: float = option(
        1.0, "how far from the mean face, 1 as in training; less is tidier and more alike", low=0.05, high=2
    )
    seed: int = option(0, "which faces", low=0, high=2**31 - 1)
    overwrite: bool = option(False, "replace the picture where it exists")
