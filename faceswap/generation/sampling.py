"""Faces of people who do not exist, by a trained generator."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import faceswap
from faceswap.errors import OutputError, writing
from faceswap.generation.model import COMMAND, GeneratorConfig, build
from faceswap.generation.scoring import grid
from faceswap.networks import checkpoint, model_folder
from faceswap.networks.generators import draw_noise
from faceswap.options import GenerateSampleConfig
from faceswap.progress import Progress, quiet
from faceswap.provenance.metadata import write_notes
from faceswap.video.atomic import check_output
from faceswap.video.images import FORMATS, write_image


@dataclass(frozen=True)
class GenerateSampleResult:
    """What was made.

    Attributes:
        output: The picture.
        count: Faces on it.
        iterations: Steps that the model was trained for.
    """

    output: Path
    count: int
    iterations: int

    def __str__(self) -> str:
        """One line."""
        return f"{self.count} faces after {self.iterations} iterations: {self.output}"


def generate_sample(config: GenerateSampleConfig, progress: Progress = quiet) -> GenerateSampleResult:
    """Make a sheet of faces; its metadata says that a model made it.

    Raises:
        ModelError: The model is missing, damaged or of another kind.
        OutputError: The picture exists or cannot be written.
    """
    if config.output.suffix.lower() not in FORMATS:
        raise OutputError(f"cannot write {config.output}: name it with one of {', '.join(FORMATS)}")
    check_output(config.output, config.model, config.overwrite)
    generator = build(model_folder.read_as(config.model, GeneratorConfig, COMMAND))
    state = checkpoint.load(config.model, generator)
    noise = draw_noise(config.seed, 0, config.count, generator.noise) * config.spread
    columns = math.ceil(math.sqrt(config.count))
    draft = config.output.with_name(f".{config.output.stem}.part{config.output.suffix}")
    with writing(config.output):
        try:
            write_image(draft, grid(generator.make(noise.astype("float32")), columns))
            write_notes(draft, faceswap.__version__, "the faces of nobody were made")
            os.replace(draft, config.output)
        finally:
            draft.unlink(missing_ok=True)
    return GenerateSampleResult(config.output, config.count, state.iterations)
