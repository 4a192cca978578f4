"""Teaches a smaller network to draw what a larger one draws.

Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015: what is wanted is the larger
network's answer. So the swap itself is kept, for which there are no photographs.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from faceswap.networks.objective import fused
from faceswap.types import Image

RATE = 1e-3
BATCH = 8
FLOOR = 0.1  # what a pixel off the face counts, against 1 on it
LOSSES = (("l1", 1.0), ("dssim", 1.0))
MASK = 0.2  # what the mask counts, against 1 for the picture


class Distillation:
    """Moves the weights of `student` towards drawing what `teacher` draws of the same faces."""

    def __init__(self, teacher: keras.Model, student: keras.Model, faces: Image, seed: int) -> None:
        """Prepare to teach.

        Args:
            teacher: float32 (N, size, size, 3) to (N, size, size, 4); it stays as it is.
            student: The same, with fewer weights.
            faces: BGR uint8 (N, size, size, 3), what is drawn.
            seed: Of the order in which they come.
        """
        self._teacher, self._student, self._faces = teacher, student, faces
        self._draw = np.random.default_rng(seed)
        self._optimizer = keras.optimizers.Adam(RATE)
        self._optimizer.build(student.trainable_variables)
        self._compiled = tf.function(self._step)

    def step(self, share: float) -> float:
        """Learn from one batch; returns the loss.

        Args:
            share: How much of the time is over, 0 to 1; the learning rate falls to a twentieth by a cosine.
        """
        self._optimizer.learning_rate = RATE * (0.05 + 0.95 * (1 + np.cos(np.pi * min(share, 1.0))) / 2)
        chosen = self._faces[self._draw.integers(0, len(self._faces), BATCH)]
        return float(self._compiled(chosen).numpy())

    def _step(self, faces: tf.Tensor) -> tf.Tensor:
        pictures = tf.cast(faces, tf.float32) / 255.0
        wanted = self._teacher(pictures, training=False)
        face, mask = wanted[..., :3], wanted[..., 3:]
        weights = self._student.trainable_variables
        with tf.GradientTape() as tape:
            made = self._student(pictures, training=True)
            loss = fused(LOSSES, MASK)(made, face, mask, FLOOR + (1 - FLOOR) * mask)
        self._optimizer.apply(tape.gradient(loss, weights), weights)
        return loss
