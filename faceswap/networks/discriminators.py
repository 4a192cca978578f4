"""What tells made pictures from real ones: networks from a picture to scores, high meaning real.

Every layer is held to a spectral norm of 1 (Miyato et al., "Spectral normalization for generative adversarial
networks", ICLR 2018): a discriminator that cannot become steep leaves the generator a gradient to follow,
which is what keeps it from collapsing onto a few pictures.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

# === Config ===
FILTERS = (24, 48, 96, 128)  # after each halving; the last for all that follow
SMALLEST = 4  # side of the map at which `whole` has seen enough
HALVINGS = 3  # of `patch`: a score looks at 38 pixels
KERNEL = 4  # twice the stride: with 3 some pixels meet a kernel four times and others once, and what the
# generator learns through that is a woven pattern


@keras.saving.register_keras_serializable("faceswap")
class BatchSpread(layers.Layer):  # type: ignore[misc]
    """Adds a channel that says how much the pictures of the batch differ.

    Karras et al., "Progressive growing of GANs", ICLR 2018, section 3: a batch of pictures that are all alike
    gives itself away. The batch is one group.
    """

    def call(self, inputs: Any) -> Any:
        """Append the mean standard deviation over the batch."""
        spread = ops.mean(ops.sqrt(ops.var(inputs, axis=0) + 1e-8))
        return ops.concatenate([inputs, ops.ones_like(inputs[..., :1]) * spread], axis=-1)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """A channel more."""
        assert shape[-1]
        return *shape[:-1], shape[-1] + 1


def whole(size: int, channels: int = 3) -> keras.Model:
    """One score for a whole picture, which looks also at how much the pictures of a batch differ.

    Args:
        size: Side of the pictures, pixels: 4 times a power of two.
        channels: Of the pictures.
    """
    picture = keras.Input((size, size, channels))
    x, step = picture * 2 - 1, 0
    while x.shape[1] > SMALLEST:
        x, step = _halved(x, step), step + 1
    x = _normed(layers.Conv2D(FILTERS[-1], 3, padding="same", activation="relu"))(BatchSpread()(x))
    score = _normed(layers.Dense(1))(layers.Flatten()(x))
    return keras.Model(picture, score, name="discriminator")


def patch(size: int, channels: int = 3) -> keras.Model:
    """A score for each patch of a picture: whether its texture is real, whatever the whole shows.

    Isola et al., "Image-to-image translation with conditional adversarial networks", CVPR 2017, section 3.2.

    Args:
        size: Side of the pictures, pixels: a multiple of 8.
        channels: Of the pictures.
    """
    picture = keras.Input((size, size, channels))
    x = picture * 2 - 1
    for step in range(HALVINGS):
        x = _halved(x, step)
    scores = _normed(layers.Conv2D(1, 3, padding="same"))(x)
    return keras.Model(picture, scores, name="discriminator")


def _halved(x: Any, step: int) -> Any:
    filters = FILTERS[min(step, len(FILTERS) - 1)]
    return _normed(layers.Conv2D(filters, KERNEL, 2, "same", activation="relu"))(x)


def _normed(layer: layers.Layer) -> layers.Layer:
    return layers.SpectralNormalization(layer)
