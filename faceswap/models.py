"""A trained model as conversion needs it: what draws the faces, whatever it was made with.

A folder is loaded by Keras, a file that `faceswap export` wrote by the runtime of its format. TensorFlow is
imported for a folder only, so that a machine which converts with exported models need not have it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from faceswap import registry
from faceswap.durable import checksum
from faceswap.errors import ModelError
from faceswap.types import Image, to_float, to_image

Swap = Callable[[Image], Image]


@dataclass(frozen=True)
class Model:
    """What draws one person's face.

    Attributes:
        size: Side of its pictures, pixels.
        coverage: Side of those pictures, extents of the mean face.
        swap: BGR uint8 (N, size, size, 3) to uint8 (N, size, size, 4): the face drawn, and where it is.
    """

    size: int
    coverage: float
    swap: Swap


def open_model(path: Path, side: str, use: str = "newest") -> Model:
    """The model at `path`, ready to draw the face of `side` ('a' or 'b').

    It counts in 16 bits where that is faster: a third of the time less, for 0.4 grey levels in the mean.
    Of a folder, `use` says which checkpoint: the 'newest', or the 'best' by its held-out faces.

    Raises:
        DependencyError: The runtime of an exported model is not installed.
        ModelError: It is missing or damaged, has not been trained, or was exported to draw the other face.
    """
    if is_exported(path):
        return _open_exported(path, side)
    from faceswap.networks import checkpoint, model_folder, precision  # late: it loads TensorFlow

    config = model_folder.read_config(path)
    with precision.counting(precision.drawing()):
        network = model_folder.build(config)
    checkpoint.load(path, network, use=use)
    return Model(config.size, config.coverage, network.predictor(side))


def is_exported(path: Path) -> bool:
    """Whether `path` names a file that `export` wrote, not a model folder."""
    return path.suffix.lower() in registry.RUNNERS and not path.is_dir()


def _open_exported(path: Path, side: str) -> Model:
    _check_exported(path)
    run = registry.load(registry.RUNNERS, path.suffix.lower())(path)
    if run.card.side != side:
        other = "without --swap-direction" if run.card.side == "b" else "with --swap-direction"
        raise ModelError(f"{path} draws {run.card.side.upper()}'s face: convert {other}, or export the other")
    turn = Lock()  # segments run side by side; LiteRT's interpreters must not

    def swap(images: Image) -> Image:
        with turn:
            return to_image(run(to_float(images)))

    return Model(run.card.size, run.card.coverage, swap)


def _check_exported(path: Path) -> None:
    if not path.is_file():
        raise ModelError(f"{path} does not exist: make it with 'faceswap export MODEL -o {path}'")


def fingerprint(path: Path, use: str = "newest") -> str:
    """What a model's weights are, so that another state of the same model is told from it.

    Of a folder, `use` says which checkpoint, as `open_model` has it.

    Raises:
        ModelError: There is no trained model.
    """
    if is_exported(path):
        _check_exported(path)
        return checksum(path)
    from faceswap.networks import checkpoint, model_folder  # late: it loads TensorFlow

    model_folder.read_config(path)  # says so where there is no model at all
    return checkpoint.fingerprint(path, use)
