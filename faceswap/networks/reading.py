"""Reading from a code what a face does, in the same way for both people.

B's decoder has learned B's codes only. Where an open mouth moves A's code one way and B's code another, the
swapped mouth opens by a part of what A's does. So mouth and eyes are read from the codes of both by the same
linear map, which learns along, and the encoder is asked to make that possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

RATE, BETA_1 = 1e-3, 0.5  # of the Adam that moves the map, as of the one that moves the network
SPREAD = 0.01  # deviation of its first weights


class Reading:
    """The linear map, and what trains it; its steps belong into a `tf.function`."""

    def __init__(self, length: int, count: int) -> None:
        """Begin to read.

        Args:
            length: Numbers in a code.
            count: Numbers that are read from it.
        """
        first = np.random.default_rng(0).normal(0, SPREAD, (length, count)).astype(np.float32)
        self._map = keras.Variable(first, dtype="float32", name="reading")
        self._middle = keras.Variable(np.zeros(count, np.float32), dtype="float32", name="reading_middle")
        self._optimizer = keras.optimizers.Adam(RATE, BETA_1, name="adam")
        self._optimizer.build([self._map, self._middle])

    @property
    def kept(self) -> dict[str, Sequence[Any]]:
        """All that reading changes, by name, for a checkpoint."""
        return {"reading": [self._map, self._middle], "reading_optimizer": self._optimizer.variables}

    def error(self, tape: tf.GradientTape, code: Any, wanted: Any) -> Any:
        """How far what is read is from what should be, the mean square; the map learns from it.

        Args:
            tape: On which the code was made.
            code: (n, ...).
            wanted: float32 (n, count).
        """
        numbers = tf.cast(tf.reshape(code, (tf.shape(code)[0], self._map.shape[0])), tf.float32)
        with tape.stop_recording():
            self._learn(tf.stop_gradient(numbers), wanted)
        return self._off(numbers, wanted)

    def _learn(self, numbers: Any, wanted: Any) -> None:
        with tf.GradientTape() as tape:
            off = self._off(numbers, wanted)
        weights = [self._map, self._middle]
        self._optimizer.apply(tape.gradient(off, weights), weights)

    def _off(self, numbers: Any, wanted: Any) -> Any:
        return tf.reduce_mean(tf.square(tf.matmul(numbers, self._map) + self._middle - wanted))
