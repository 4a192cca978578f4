"""A trained model as conversion needs it: what draws the faces, whatever it was made with.

A folder is loaded by Keras. TensorFlow is imported for that and not before, so that whoever has a model in
another form need not have it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faceswap.types import Image

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


def open_model(path: Path, side: str) -> Model:
    """The model at `path`, ready to draw the face of `side` ('a' or 'b').

    Raises:
        ModelError: It is missing or damaged, or has not been trained.
    """
    from faceswap.networks import checkpoint  # late: it loads TensorFlow

    config = checkpoint.read_config(path)
    network = checkpoint.build(config)
    checkpoint.load(path, network)
    return Model(config.size, config.coverage, network.predictor(side))


def fingerprint(path: Path) -> str:
    """What a model's weights are, so that another state of the same model is told from it.

    Raises:
        ModelError: There is no trained model.
    """
    from faceswap.networks import checkpoint  # late: it loads TensorFlow

    return checkpoint.fingerprint(path)
