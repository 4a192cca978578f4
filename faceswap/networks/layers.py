"""Blocks that several networks are built of."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable("faceswap")
class PixelShuffle(layers.Layer):  # type: ignore[misc]
    """Turns channels into pixels: (h, w, 4c) to (2h, 2w, c).

    Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional
    neural network", CVPR 2016.
    """

    def call(self, inputs: Any) -> Any:
        """Shuffle."""
        return tf.nn.depth_to_space(inputs, 2)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Twice the height and width, a quarter of the channels."""
        batch, height, width, channels = shape
        assert height and width and channels
        return batch, height * 2, width * 2, channels // 4


def convolution(
    x: Any, filters: int, kernel: int = 3, stride: int = 1, activation: str | None = "relu"
) -> Any:
    """A convolution that keeps the size but for the stride, He-initialised."""
    return layers.Conv2D(
        filters, kernel, stride, "same", activation=activation, kernel_initializer="he_normal"
    )(x)


def upscale(x: Any, filters: int, kernel: int = 3) -> Any:
    """A convolution, then pixel shuffle: twice the size, `filters` channels."""
    return PixelShuffle()(convolution(x, filters * 4, kernel))


def residual(x: Any, filters: int) -> Any:
    """Two convolutions whose result is added to what went in (He et al., CVPR 2016)."""
    y = convolution(convolution(x, filters), filters, activation=None)
    return layers.ReLU()(layers.Add()([x, y]))
