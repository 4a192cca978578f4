"""How well the codes of two people's faces are told apart: a swap suffers from it, reconstruction hides it.

Each decoder only learns codes of its own person. Where A's codes lie elsewhere, B's decoder has to guess, and
guesses a blur. So the encoder also learns to put both people's codes in the same places: what is left in them
is what the faces do, not whose they are.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

LEAST = 1e-6  # of a squared distance, so that its root has a gradient


def energy_distance(first: Any, second: Any) -> Any:
    """Energy distance of two sets of codes, against the mean distance within them.

    0 in the mean where both were drawn from one distribution, the more the farther apart they lie. It is the
    unbiased estimate, so it may be a little below 0: a biased one would reward codes that are all the same.
    Székely and Rizzo, "Energy statistics: a class of statistics based on distances", Journal of Statistical
    Planning and Inference 143, 2013, equation 5.

    Args:
        first: Codes of one person, (N, ...) with N of 2 or more.
        second: Those of the other, (M, ...).
    """
    first, second = _flat(first), _flat(second)
    within = _within(first) + _within(second)
    between = 2 * tf.reduce_mean(_distances(first, second))
    return (between - within) / tf.stop_gradient(within / 2 + LEAST)


def _flat(codes: Any) -> Any:
    return tf.reshape(tf.cast(codes, tf.float32), (tf.shape(codes)[0], -1))


def _within(codes: Any) -> Any:
    """The mean distance of two different codes of a set."""
    count = tf.cast(tf.shape(codes)[0], tf.float32)
    distances = _distances(codes, codes)
    others = tf.reduce_sum(distances) - tf.linalg.trace(distances)
    return others / tf.maximum(count * (count - 1), 1)


def _distances(first: Any, second: Any) -> Any:
    """Euclidean distances of each of the first to each of the second, (N, M)."""
    return tf.sqrt(tf.reduce_sum(tf.square(first[:, None] - second[None]), -1) + LEAST)
