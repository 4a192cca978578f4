"""A network small enough for tests: 32 pixels, a step in milliseconds."""

from __future__ import annotations

import keras
from keras import layers

from faceswap.networks.autoencoder import Autoencoder
from faceswap.networks.layers import convolution, upscale

# === Config ===
SIZE = 32
FILTERS = 16
DENSE = 32


def build() -> Autoencoder:
    """A new network with random weights."""
    return Autoencoder(SIZE, _encoder(), _decoder("decoder_a"), _decoder("decoder_b"))


def _encoder() -> keras.Model:
    picture = keras.Input((SIZE, SIZE, 3))
    x = convolution(convolution(picture, FILTERS, 3, 4), FILTERS, 3, 2)
    return keras.Model(picture, layers.Dense(DENSE)(layers.Flatten()(x)), name="encoder")


def _decoder(name: str) -> keras.Model:
    code = keras.Input((DENSE,))
    x = layers.Reshape((8, 8, FILTERS))(layers.Dense(64 * FILTERS, activation="relu")(code))
    x = upscale(upscale(x, FILTERS), FILTERS)
    return keras.Model(code, layers.Conv2D(4, 3, 1, "same", activation="sigmoid")(x), name=name)
