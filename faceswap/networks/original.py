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
    """A new network with random weights. The code is the dense layer; both people share what expands it."""
    squeeze, expand = _encoder(), _inner()
    decoders = {name: _decoder(name) for name in ("decoder_a", "decoder_b")}
    code, picture = keras.Input((DENSE,)), keras.Input((SIZE, SIZE, 3))
    paths = [keras.Model(code, each(expand(code)), name=name) for name, each in decoders.items()]
    whole = keras.Model(picture, expand(squeeze(picture)), name="encoder")
    return Autoencoder(SIZE, squeeze, paths[0], paths[1], {"encoder": whole, **decoders})


def _encoder() -> keras.Model:
    x = picture = keras.Input((SIZE, SIZE, 3))
    for filters in ENCODER:
        x = convolution(x, filters, 5, 2)
    return keras.Model(picture, layers.Dense(DENSE)(layers.Flatten()(x)), name="squeeze")


def _inner() -> keras.Model:
    code = keras.Input((DENSE,))
    x = layers.Dense(4 * 4 * 1024)(code)
    x = upscale(layers.Reshape((4, 4, 1024))(x), 512)
    return keras.Model(code, x, name="expand")


def _decoder(name: str) -> keras.Model:
    x = code = keras.Input((8, 8, 512))
    for filters in DECODER:
        x = upscale(x, filters)
    return keras.Model(code, layers.Conv2D(4, 5, 1, "same", activation="sigmoid")(x), name=name)
