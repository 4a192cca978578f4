"""What is asked of the code besides that a face can be drawn from it.

A narrow layer (`undercomplete`) is what every network here has. Beyond that the code may have to be `sparse`
(few of its numbers are far from 0 for a picture) or to bear noise (`denoising`), or the encoder may be
trained layer by layer first (`stacked`, see `stacking`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from faceswap.options import BottleneckOptions

LEAST = 1e-6  # of a mean square, so that an empty code has a gradient


class Bottleneck:
    """The kind that the options ask for; what it does not do costs nothing."""

    def __init__(self, options: BottleneckOptions, seed: int = 0) -> None:
        """Prepare; `seed` is that of all noise, which depends on it and on the step only."""
        kind = options.bottleneck
        self._seed = seed
        self._weight = options.sparse_weight if kind == "sparse" else 0.0
        self._share = options.sparse_share
        self._cost: Callable[[Any], Any] = {"l1": sparsity, "kl": self._divergence}[options.sparsity]
        noisy = kind == "denoising"
        self._noise = {"mask": masked, "gaussian": blurred}[options.noise_kind]
        self._input, self._code = (options.noise_input, options.noise_code) if noisy else (0.0, 0.0)

    def pictures(self, pictures: Any, step: Any) -> Any:
        """What the encoder is shown of pictures, float32 (N, size, size, 3), at a step (an integer)."""
        return self._noise(pictures, self._input, 1.0, [self._seed, step]) if self._input else pictures

    def code(self, code: Any, step: Any) -> Any:
        """What the decoders are shown of a code, (N, numbers)."""
        if not self._code:
            return code
        return self._noise(code, self._code, tf.cast(rms(code), code.dtype), [self._seed + 1, step])

    def cost(self, code: Any) -> Any:
        """What the code itself loses, a number."""
        if not self._weight:
            return tf.constant(0.0)
        return self._weight * self._cost(tf.cast(code, tf.float32))

    def _divergence(self, code: Any) -> Any:
        return divergence(code, self._share)


def sparsity(code: Any) -> Any:
    """L1 of the code over its L2, per picture: 1 where all numbers are as large, less the fewer are.

    Hoyer, "Non-negative matrix factorization with sparseness constraints", JMLR 5, 2004, section 3.1. L1
    alone would be met by a smaller code and a larger decoder.

    Args:
        code: float32 (N, ...).
    """
    flat = tf.reshape(code, (tf.shape(code)[0], -1))
    return tf.reduce_mean(tf.reduce_mean(tf.abs(flat), 1, keepdims=True) / rms(flat))


def divergence(code: Any, share: float) -> Any:
    """How far from `share` the part of the batch is for which each number of the code is active.

    The Kullback-Leibler divergence of Ng, "Sparse autoencoder", CS294A lecture notes, 2011, section 3. A
    number is active by tanh of its size over the code's: so, too, a smaller code gains nothing.

    Args:
        code: float32 (N, ...).
        share: Of the batch, 0 to 1.
    """
    flat = tf.reshape(code, (tf.shape(code)[0], -1))
    active = tf.reduce_mean(tf.tanh(tf.abs(flat) / rms(flat)), 0)
    active = tf.clip_by_value(active, 1e-4, 1 - 1e-4)
    there = share * tf.math.log(share / active)
    return tf.reduce_mean(there + (1 - share) * tf.math.log((1 - share) / (1 - active)))


def rms(code: Any) -> Any:
    """Root mean square of each picture's code, float32 (N, 1, ...)."""
    values = tf.cast(code, tf.float32)
    axes = list(range(1, len(values.shape)))
    return tf.sqrt(tf.reduce_mean(tf.square(values), axes, keepdims=True) + LEAST)


def masked(values: Any, share: float, scale: Any, seed: list[Any]) -> Any:
    """Values of which a share is 0: Vincent et al., "Stacked denoising autoencoders", JMLR 11, 2010.

    Args:
        values: Pictures, of which whole pixels go, or codes.
        share: 0 to 1.
        scale: Is not needed: zero is zero.
        seed: Two integers.
    """
    shape = tf.shape(values)
    shape = tf.concat([shape[:-1], [1]], 0) if len(values.shape) == 4 else shape
    kept = tf.random.stateless_uniform(shape, _seed(seed)) >= share
    return values * tf.cast(kept, values.dtype)


def blurred(values: Any, deviation: float, scale: Any, seed: list[Any]) -> Any:
    """Values with Gaussian noise of `deviation` times `scale`."""
    noise = tf.random.stateless_normal(tf.shape(values), _seed(seed))
    return values + scale * tf.cast(deviation * noise, values.dtype)


def _seed(numbers: list[Any]) -> Any:
    return tf.stack([tf.cast(number, tf.int64) for number in numbers])
