"""The default network, sized in FLOPs for a CPU: see models/README.md for what was tried."""

from __future__ import annotations

import keras
from keras import layers

from faceswap.networks.autoencoder import Autoencoder
from faceswap.networks.layers import PixelShuffle, convolution, residual, upscale

# === Config ===
SIZE = 128
ENCODER = (24, 48, 96, 192)
DENSE = 256
FIRST = 96  # channels of the smallest picture in the decoder
DECODER = (96, 48)  # channels each time it has doubled, with a residual block
FINE = 24  # channels at half the size of the picture, where a block would cost more than it brings


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
    x = layers.Dense(side * side * FIRST, activation="relu")(code)
    x = layers.Reshape((side, side, FIRST))(x)
    for filters in DECODER:
        x = residual(upscale(x, filters), filters)
    x = upscale(x, FINE)
    x = PixelShuffle()(convolution(x, 16, activation=None))
    return keras.Model(code, layers.Activation("sigmoid")(x), name=name)
