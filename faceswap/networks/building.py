"""Networks by name. One that takes dimensions is built from `DimensionOptions`, another from nothing."""

from __future__ import annotations

from dataclasses import asdict
from inspect import signature

from faceswap import registry
from faceswap.errors import UsageError
from faceswap.networks.autoencoder import Autoencoder
from faceswap.options import DimensionOptions


def build(name: str, dimensions: DimensionOptions) -> Autoencoder:
    """A new network with random weights.

    Args:
        name: A key of `registry.NETWORKS`.
        dimensions: What was asked for.

    Raises:
        UsageError: There is no such network, or it cannot be given these dimensions.
    """
    builder = registry.load(registry.NETWORKS, name)
    if takes_dimensions(name):
        network: Autoencoder = builder(dimensions)
        return network
    network = builder()
    if dimensions.size not in (0, network.size):
        raise UsageError(f"'{name}' makes pictures of {network.size} pixels, not {dimensions.size}")
    for option, value in asdict(dimensions).items():
        if value and option != "size":
            raise UsageError(f"'{name}' takes no --{option.replace('_', '-')}: leave it out")
    return network


def takes_dimensions(name: str) -> bool:
    """Whether a network can be given dimensions."""
    return bool(signature(registry.load(registry.NETWORKS, name)).parameters)
