"""The faces that a generator learns from, those that only the scores see, and batches of them."""

from __future__ import annotations

import numpy as np

from faceswap.errors import InputError
from faceswap.generation.model import GeneratorConfig
from faceswap.generation.scoring import MANY
from faceswap.options import GenerateTrainConfig
from faceswap.portraits import portraits
from faceswap.progress import Progress, quiet
from faceswap.types import Image

HELD_OUT = 0.1  # share of each faceset that only the scores see
FEWEST = 64  # faces


def split(
    config: GenerateTrainConfig, model: GeneratorConfig, progress: Progress = quiet
) -> tuple[Image, Image]:
    """The faces to learn from and those held out, BGR uint8 (N, size, size, 3).

    The last tenth of each faceset is held out: in a clip its neighbours in time go with it.

    Raises:
        InputError: A faceset is missing or damaged, or there are too few faces.
    """
    albums = [portraits(folder, model.size, model.coverage, progress)[0] for folder in config.facesets]
    cuts = [len(faces) - max(round(len(faces) * HELD_OUT), 1) for faces in albums]
    if sum(map(len, albums)) < FEWEST:
        raise InputError(f"{sum(map(len, albums))} faces are too few: give {FEWEST} or more")
    learned = np.concatenate([faces[:cut] for faces, cut in zip(albums, cuts, strict=True)])
    held_out = np.concatenate([faces[cut:] for faces, cut in zip(albums, cuts, strict=True)])
    chosen = np.linspace(0, len(held_out) - 1, min(len(held_out), MANY)).round().astype(int)
    return learned, held_out[chosen]


def batch(faces: Image, size: int, seed: int, number: int) -> Image:
    """Batch `number` of the training, half of it mirrored."""
    draw = np.random.default_rng([seed, number])
    chosen = faces[draw.integers(0, len(faces), size)]
    mirrored = draw.random(size) < 0.5
    chosen[mirrored] = chosen[mirrored, :, ::-1]
    return chosen
