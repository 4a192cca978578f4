"""The default network, sized in FLOPs for a CPU: see models/README.md for what was tried."""

from __future__ import annotations

import keras
from keras import layers

from faceswap.networks.autoencoder import Autoencoder
from faceswap.networks.layers import PixelShuffle, convolution, residual, upscale

# === Config ===
SIZE = 96
ENCODER = (24, 48, 96, 192)
DENSE = 256
DECODER = (96, 64, 40)


def build() -> Autoencoder:
    """A new network with random weights."""
    return Autoencoder(SIZE, _encoder(), _decoder("decoder_a"), _decoder("decoder_b"))


def _encoder() -> keras.Model:
    x = picture = keras.Input((SIZE, SIZE, 3))
    for filters in ENCODER:
        x = convolution(x, filters, 3, 2)
    code = layers.Dense(DENSE)(layers.Flatten()(x))
    return keras.Model(picture, code, name="encoder")


def _decoder(name: str) -> keras.Model:
    side = SIZE // 16
    code = keras.Input((DENSE,))
    x = layers.Dense(side * side * DECODER[0], activation="relu")(code)
    x = layers.Reshape((side, side, DECODER[0]))(x)
    for filters in DECODER:
        x = residual(upscale(x, filters), filters)
    x = PixelShuffle()(convolution(x, 16, activation=None))
    return keras.Model(code, layers.Activation("sigmoid")(x), name=name)
