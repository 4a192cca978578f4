"""The classic autoencoder of the field: 64 pixels, 5x5 convolutions, dense 1024, pixel shuffle.

82 million weights and 3.8 GFLOP a face: made for a GPU, hopeless on a CPU. It is here to compare with.
"""

from __future__ import annotations

import keras
from keras import layers

from faceswap.networks.autoencoder import Autoencoder
from faceswap.networks.layers import convolution, upscale

# === Config ===
SIZE = 64
ENCODER = (128, 256, 512, 1024)
DENSE = 1024
DECODER = (256, 128, 64)


def build() -> Autoencoder:
    """A new network with random weights."""
    return Autoencoder(SIZE, _encoder(), _decoder("decoder_a"), _decoder("decoder_b"))


def _encoder() -> keras.Model:
    x = picture = keras.Input((SIZE, SIZE, 3))
    for filters in ENCODER:
        x = convolution(x, filters, 5, 2)
    x = layers.Dense(DENSE)(layers.Flatten()(x))
    x = layers.Dense(4 * 4 * 1024)(x)
    x = upscale(layers.Reshape((4, 4, 1024))(x), 512)
    return keras.Model(picture, x, name="encoder")


def _decoder(name: str) -> keras.Model:
    x = code = keras.Input((8, 8, 512))
    for filters in DECODER:
        x = upscale(x, filters)
    return keras.Model(code, layers.Conv2D(4, 5, 1, "same", activation="sigmoid")(x), name=name)
