"""`liae`: one encoder, two inner blocks and one decoder; what they share lets light and colour pass better.

After Perov et al. (see `df`), section 3.2: the block of both people draws what both have in common, the other
what only A, the person in the video, has. A is decoded from one of each, B from the common one twice; so a
swap is A's face without what was A's alone.
"""

from __future__ import annotations

import keras
from keras import layers

from faceswap.networks import df
from faceswap.networks.autoencoder import Autoencoder
from faceswap.options import DimensionOptions

# === Config ===
CHANNELS = 2  # times the inner width: of what an inner block draws


def build(dimensions: DimensionOptions) -> Autoencoder:
    """A new network with random weights.

    The code is that of both inner blocks, one after the other.

    Raises:
        UsageError: The size is no multiple of 16 from 64 to 512.
    """
    size, width = df.side(dimensions), dimensions.inner_width or df.INNER
    stem, channels = df.encoder(size, dimensions), CHANNELS * width
    squeezes = [df.code(size, dimensions, f"squeeze_{name}") for name in ("both", "a")]
    both, only_a = (df.expansion(size, width, channels, f"expand_{name}") for name in ("both", "a"))
    drawing = df.decoder((size // 8, size // 8, 2 * channels), dimensions, "decoder")
    picture, numbers = keras.Input((size, size, 3)), keras.Input((2 * width,))
    features = stem(picture)
    joined = layers.Concatenate()([squeeze(features) for squeeze in squeezes])
    shared = both(numbers[:, :width])
    paths = [
        keras.Model(numbers, drawing(layers.Concatenate()([first, shared])), name=f"decoder_{name}")
        for name, first in (("a", only_a(numbers[:, width:])), ("b", shared))
    ]
    whole = keras.Model(picture, joined, name="encoder")
    parts = {"encoder": stem, "decoder": drawing}
    for name, squeeze, expand in zip(("inner_both", "inner_a"), squeezes, (both, only_a), strict=True):
        features = keras.Input(stem.output.shape[1:])
        parts[name] = keras.Model(features, expand(squeeze(features)), name=name)
    return Autoencoder(size, whole, paths[0], paths[1], parts)
