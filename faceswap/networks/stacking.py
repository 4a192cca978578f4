"""Greedy pre-training: each layer of the encoder learns to keep what the layer before it gives.

Bengio et al., "Greedy layer-wise training of deep networks", NIPS 2006; for convolutions as in Masci et al.,
"Stacked convolutional auto-encoders", ICANN 2011.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from faceswap.networks.feed import Batch
from faceswap.types import to_float

RATE = 1e-3  # of Adam, for a layer and what inverts it

Upstream = Callable[[Any], Any]


def stages(encoder: keras.Model) -> list[tuple[Upstream, keras.layers.Layer]]:
    """The layers of an encoder that have a kernel, each with what makes its input of a picture.

    Of an encoder that is made of models, the first one's output is what the others take.
    """
    models = [layer for layer in encoder.layers if isinstance(layer, keras.Model)]
    if not models:
        return _flat(encoder, lambda pictures: pictures)
    found = _flat(models[0], lambda pictures: pictures)
    for model in models[1:]:
        found += _flat(model, models[0])
    return found


def pretrain(encoder: keras.Model, batches: Iterable[Batch], steps: int) -> Iterator[float]:
    """Train layer after layer, `steps` steps each; yields the loss of each step."""
    supply = iter(batches)
    for upstream, layer in stages(encoder):
        inverse = _inverse(layer)
        weights = [*layer.trainable_variables, *inverse.trainable_variables]
        learn = _learning(upstream, layer, inverse, weights)
        for batch in islice(supply, steps):
            yield float(learn(to_float(batch.inputs)))


def _flat(model: keras.Model, before: Upstream) -> list[tuple[Upstream, keras.layers.Layer]]:
    weighted = [layer for layer in model.layers if hasattr(layer, "kernel")]
    return [(_to(keras.Model(model.input, layer.input), before), layer) for layer in weighted]


def _to(inner: keras.Model, before: Upstream) -> Upstream:
    return lambda pictures: inner(before(pictures))


def _inverse(layer: keras.layers.Layer) -> keras.Model:
    """What is to give a layer's input back from its output."""
    shape, code = layer.input.shape[1:], keras.Input(layer.output.shape[1:])
    if isinstance(layer, layers.Dense):
        return keras.Model(code, layers.Dense(shape[-1])(code))
    way = layers.Conv2DTranspose(shape[-1], layer.kernel_size, layer.strides, "same")
    return keras.Model(code, way(code))


def _learning(
    upstream: Upstream, layer: keras.layers.Layer, inverse: keras.Model, weights: list[Any]
) -> Callable[[Any], Any]:
    """A compiled step of one layer: pictures in, its loss out."""
    optimizer = keras.optimizers.Adam(RATE)
    optimizer.build(weights)

    def step(pictures: Any) -> Any:
        wanted = tf.stop_gradient(upstream(pictures))
        with tf.GradientTape() as tape:
            made = inverse(layer(wanted))
            difference = tf.cast(made, tf.float32) - tf.cast(wanted, tf.float32)
            loss = tf.reduce_mean(tf.square(difference))
        optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    return tf.function(step)  # type: ignore[no-any-return]
