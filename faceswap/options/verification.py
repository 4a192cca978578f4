"""Options of telling whether two pictures show one person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceswap.config import Options, option
from faceswap.errors import UsageError
from faceswap.registry import METRIC_LOSSES

SIMILARITIES = ("euclidean", "cosine", "jaccard")


@dataclass(frozen=True, kw_only=True)
class VerifyConfig(Options):
    """Say whether two pictures show one person, or who of a gallery a picture shows.

    Ends with 0 for the same person, or one of the gallery, and with 15 for another.
    """

    pictures: tuple[Path, ...] = option(help="two pictures; one with --gallery", positional=True)
    gallery: Path | None = option(
        None, "folder of known people: a picture each, or a folder with pictures each, named after them"
    )
    model: Path | None = option(None, "model of 'verify train'; default: dlib's network", short="-m")
    similarity: str = option(
        "euclidean",
        "how descriptors are compared; jaccard: which of their numbers are above 0",
        choices=SIMILARITIES,
    )
    threshold: float = option(
        0.0, "largest distance of one person; 0: the network's own, 0.6 for dlib's", low=0, high=2
    )

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        wanted = 1 if self.gallery else 2
        if len(self.pictures) != wanted:
            what = "one picture with --gallery" if self.gallery else "two pictures, or one with --gallery"
            raise UsageError(f"verify takes {what}, not {len(self.pictures)}")
        if self.similarity != "euclidean" and not (self.model or self.threshold):
            raise UsageError(
                f"no threshold for {self.similarity} is known of dlib's network: give --threshold"
            )


@dataclass(frozen=True, kw_only=True)
class VerifyTrainConfig(Options):
    """Train a Siamese network to tell people apart, and test it on people it never saw."""

    facesets: tuple[Path, ...] = option(
        help="facesets to learn from; each person of each counts as another", positional=True
    )
    model: Path = option(help="model folder; one that exists is trained on", short="-m")
    test: tuple[Path, ...] = option((), "facesets of other people to test on; none: some are held out")
    held_out: float = option(
        0.25, "share of the people with several faces that is held out to test", low=0.05, high=0.9
    )
    loss: str = option("semi-hard", "triplets by how hard they are, or pairs", choices=METRIC_LOSSES)
    iterations: int = option(2000, "stop after so many steps in all", low=1)
    minutes: float = option(0.0, "stop when the model has trained so long in all; 0 is no limit", low=0)
    people: int = option(16, "people in a step", low=2, high=256)
    faces: int = option(4, "pictures of each in a step", low=2, high=64)
    learning_rate: float = option(1e-3, "size of the steps", low=1e-7, high=1)
    save_seconds: float = option(60.0, "seconds between checkpoints", low=1.0)
    seed: int = option(0, "seed of everything random", low=0, high=2**31 - 1)
    overwrite: bool = option(False, "start again where the model exists")
