"""`df`: one encoder, one inner block, a decoder for each person, and a branch of its own for the mask.

After Perov et al., "DeepFaceLab: integrated, flexible and extensible face-swapping framework", 2020
(arXiv:2005.05535), section 3.2, with rectifiers in place of leaky ones, which are slower on a CPU. At its own
widths and 128 pixels it wants a graphics card.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from faceswap.errors import UsageError
from faceswap.networks.autoencoder import Autoencoder
from faceswap.networks.layers import convolution, residual, upscale
from faceswap.options import DimensionOptions

# === Config ===
SIZE = 128
SIZES = (64, 512)  # pixels: the least and the largest
STEP = 16  # four times halved
ENCODER = 64  # channels after the first of four convolutions; doubled by each
INNER = 256  # numbers in the code, and channels of the smallest picture
DECODER = 64  # half of the channels before the last layer; eight times it after the first upscale
MASK = 22 / 64  # of the decoder's width, for the mask's branch


def build(dimensions: DimensionOptions) -> Autoencoder:
    """A new network with random weights.

    Raises:
        UsageError: The size is no multiple of 16 from 64 to 512.
    """
    size = side(dimensions)
    width = dimensions.inner_width or INNER
    stem, squeeze = encoder(size, dimensions), code(size, dimensions, "squeeze")
    expand = expansion(size, width, width, "expand")
    drawn = (size // 8, size // 8, width)
    picture, numbers = keras.Input((size, size, 3)), keras.Input((width,))
    decoders = {name: decoder(drawn, dimensions, name) for name in ("decoder_a", "decoder_b")}
    paths = [keras.Model(numbers, each(expand(numbers)), name=name) for name, each in decoders.items()]
    whole = keras.Model(picture, squeeze(stem(picture)), name="encoder")
    features = keras.Input(stem.output.shape[1:])
    inner = keras.Model(features, expand(squeeze(features)), name="inner")
    return Autoencoder(size, whole, paths[0], paths[1], {"encoder": stem, "inner": inner, **decoders})


def side(dimensions: DimensionOptions) -> int:
    """The side of the picture, pixels."""
    size = dimensions.size or SIZE
    if size % STEP or not SIZES[0] <= size <= SIZES[1]:
        raise UsageError(f"size must be a multiple of {STEP} from {SIZES[0]} to {SIZES[1]}, not {size}")
    return size


def encoder(size: int, dimensions: DimensionOptions) -> keras.Model:
    """Picture to features: four convolutions of stride 2."""
    x = picture = keras.Input((size, size, 3))
    for times in (1, 2, 4, 8):
        x = convolution(x, times * (dimensions.encoder_width or ENCODER), 5, 2)
    return keras.Model(picture, layers.Flatten()(x), name="stem")


def code(size: int, dimensions: DimensionOptions, name: str) -> keras.Model:
    """Features to the code, the first half of an inner block."""
    channels = 8 * (dimensions.encoder_width or ENCODER)
    features = keras.Input(((size // STEP) ** 2 * channels,))
    return keras.Model(features, layers.Dense(dimensions.inner_width or INNER)(features), name=name)


def expansion(size: int, width: int, channels: int, name: str) -> keras.Model:
    """Code to a small picture, (size / 8, size / 8, channels): the second half of an inner block."""
    numbers, small = keras.Input((width,)), size // STEP
    x = layers.Dense(small * small * channels)(numbers)
    x = upscale(layers.Reshape((small, small, channels))(x), channels)
    return keras.Model(numbers, x, name=name)


def decoder(shape: tuple[int, int, int], dimensions: DimensionOptions, name: str) -> keras.Model:
    """Small picture to face and mask, in two branches: three times upscaled."""
    width = dimensions.decoder_width or DECODER
    x = y = drawn = keras.Input(shape)
    for times in (8, 4, 2):
        x = residual(upscale(x, times * width), times * width)
        y = upscale(y, max(round(times * width * MASK), 1))
    joined = layers.Concatenate()([_last(x, 3), _last(y, 1)])
    return keras.Model(drawn, joined, name=name)


def _last(x: Any, channels: int) -> Any:
    return layers.Conv2D(channels, 1, activation="sigmoid")(x)
