"""What turns noise into faces: networks from a normal vector to a picture."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from faceswap.networks.layers import convolution
from faceswap.types import Image, to_image

# === Config ===
NOISE = 96  # numbers a face is made of
BATCH = 64  # pictures made together


@dataclass(frozen=True)
class Generator:
    """A generator of faces.

    Attributes:
        size: Side of the pictures, pixels.
        model: Noise float32 (batch, noise), standard normal, to BGR float32 (batch, size, size, 3), 0 to 1.
    """

    size: int
    model: keras.Model

    @property
    def parts(self) -> dict[str, keras.Model]:
        """The model by name, as checkpoints keep it."""
        return {"generator": self.model}

    @property
    def noise(self) -> int:
        """How many numbers a face is made of."""
        return int(self.model.input_shape[1])

    def make(self, noise: NDArray[np.float32]) -> Image:
        """The faces of these vectors, BGR uint8 (N, size, size, 3)."""
        batches = [noise[first : first + BATCH] for first in range(0, len(noise), BATCH)]
        return np.concatenate([to_image(self.model(batch, training=False).numpy()) for batch in batches])


def face64() -> Generator:
    """64 pixels; 0.07 GFLOP a face, for a CPU."""
    return Generator(64, _model(first=128, filters=(64, 48, 32, 16)))


def tiny() -> Generator:
    """16 pixels, for tests."""
    return Generator(16, _model(first=24, filters=(16, 12)))


def draw_noise(seed: int, number: int, count: int, length: int) -> NDArray[np.float32]:
    """Standard normal vectors (count, length); the same for the same seed and number."""
    draw = np.random.default_rng([seed, number, count])
    return draw.standard_normal((count, length)).astype(np.float32)


def _model(first: int, filters: tuple[int, ...]) -> keras.Model:
    """From 4x4 up by doubling pixels: pixel shuffle begins with a checkerboard that takes long to unlearn.

    Batch normalisation after Radford et al., "Unsupervised representation learning with deep convolutional
    generative adversarial networks", ICLR 2016; like them, not before the picture itself.
    """
    noise = keras.Input((NOISE,))
    x = layers.Dense(16 * first, activation="relu", kernel_initializer="he_normal")(noise)
    x = layers.Reshape((4, 4, first))(x)
    for count in filters:
        x = layers.UpSampling2D()(layers.BatchNormalization(momentum=0.9)(x))
        x = convolution(x, count)
    return keras.Model(noise, layers.Conv2D(3, 3, padding="same", activation="sigmoid")(x), name="generator")
