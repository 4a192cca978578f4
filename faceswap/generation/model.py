"""What a generator's model folder is, and the network that it names."""

from __future__ import annotations

from dataclasses import dataclass

from faceswap import registry
from faceswap.errors import ModelError, OutputError, writing
from faceswap.groundwork import COVERAGE
from faceswap.networks import model_folder
from faceswap.networks.generators import Generator
from faceswap.options import GenerateTrainConfig

COMMAND = "generate train"


@dataclass(frozen=True)
class GeneratorConfig:
    """What a model is, from its first to its last day.

    Attributes:
        generator: Name in the registry.
        discriminator: Name in the registry.
        size: Side of the pictures, pixels.
        coverage: Side of the pictures, extents of the mean face.
        format: Version of the folder's layout.
    """

    generator: str
    discriminator: str
    size: int
    coverage: float
    format: int = model_folder.FORMAT


def opened(config: GenerateTrainConfig) -> tuple[GeneratorConfig, Generator]:
    """What the model on disk, or a new one, is, and its generator with random weights; nothing is written."""
    if model_folder.exists(config.model):
        model = model_folder.read_as(config.model, GeneratorConfig, COMMAND)
        asked = (config.generator, config.discriminator)
        if (model.generator, model.discriminator) != asked:
            raise ModelError(
                f"{config.model} has --generator {model.generator} --discriminator {model.discriminator}:"
                " ask for these, another folder, or --overwrite to start again"
            )
        return model, build(model)
    with writing(config.model):
        if config.model.exists() and not model_folder.is_empty(config.model):
            raise OutputError(f"{config.model} exists and is not a model: choose another folder")
    generator: Generator = registry.load(registry.GENERATORS, config.generator)()
    model = GeneratorConfig(config.generator, config.discriminator, generator.size, COVERAGE)
    return model, generator


def build(model: GeneratorConfig) -> Generator:
    """The generator that a model names, with random weights.

    Raises:
        ModelError: This program does not know it, or knows another of the name.
    """
    if model.generator not in registry.GENERATORS:
        raise ModelError(f"the model's generator '{model.generator}' is unknown to this program")
    generator: Generator = registry.load(registry.GENERATORS, model.generator)()
    if generator.size != model.size:
        raise ModelError(f"the model is of {model.size} pixels, '{model.generator}' now of {generator.size}")
    return generator
