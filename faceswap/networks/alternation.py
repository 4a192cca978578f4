"""One round of training a generator of faces from noise."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from faceswap.networks.adversarial import BETA_1, BETA_2, Adversary
from faceswap.networks.generators import Generator
from faceswap.networks.optimizers import Average, weights_of


class GenerationStep:
    """The compiled round: the discriminator learns twice, then the generator through it."""

    def __init__(self, generator: Generator, adversary: Adversary, average: Average, rate: float) -> None:
        """Prepare to train.

        Args:
            generator: What is trained.
            adversary: What judges it.
            average: What follows its weights, beginning here; its pictures are steadier.
            rate: The learning rate of the generator.
        """
        self._generator, self._adversary, self.average = generator, adversary, average
        self._weights = generator.model.trainable_variables
        self.optimizer = keras.optimizers.Adam(rate, BETA_1, BETA_2, name="adam")
        self.optimizer.build(self._weights)
        average.start(weights_of(generator))
        self._compiled = tf.function(self._step, reduce_retracing=True)

    def __call__(self, noise: Any, faces: Any) -> tuple[float, float, float]:
        """Learn from one batch.

        Args:
            noise: float32 (n, noise), standard normal.
            faces: BGR uint8 (n, size, size, 3), real ones.

        Returns:
            The losses of the generator, and of the discriminator on made and on real faces.
        """
        persuasion, fake, real = self._compiled(noise, faces).numpy()
        return float(persuasion), float(fake), float(real)

    def _step(self, noise: Any, faces: Any) -> Any:
        reals = tf.cast(faces, tf.float32) / 255.0
        with tf.GradientTape() as tape:
            fakes = self._generator.model(noise, training=True)
            turns = self._adversary.play(tape, fakes, reals)
        self.optimizer.apply(tape.gradient(turns.persuasion, self._weights), self._weights)
        self.average.follow(weights_of(self._generator), self.optimizer.iterations)
        return tf.stack(turns)
