"""One step of training: both people at once."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from faceswap.networks.autoencoder import Autoencoder
from faceswap.networks.objective import Objective
from faceswap.networks.optimizers import Average, weights_of
from faceswap.options import LossOptions


class TrainingStep:
    """The optimizer and the compiled step that moves all weights once.

    The encoder runs once over both people's pictures joined, each decoder on its half of the codes.
    """

    def __init__(
        self,
        network: Autoencoder,
        optimizer: keras.optimizers.Optimizer,
        clip: float = 0.0,
        average: Average | None = None,
        objective: Objective | None = None,
    ) -> None:
        """Prepare to train.

        Args:
            network: What is trained.
            optimizer: What moves its weights; made for it alone.
            clip: Longest gradient, over all weights together, that is used as it is; 0: any.
            average: What follows the weights, beginning here.
            objective: What it is trained for; left out, what the options say by default.
        """
        self._network, self._clip, self.average = network, clip, average
        self.objective = objective or Objective(LossOptions(), network.size)
        self._weights = [w for part in network.parts.values() for w in part.trainable_variables]
        self.optimizer = optimizer
        self.optimizer.build(self._weights)
        if average is not None:
            average.start(weights_of(network))
        self.crossed = 0.0  # what A's faces as B's cost in the last step
        self._compiled = tf.function(self._step, reduce_retracing=True)

    @property
    def shown(self) -> Autoencoder:
        """The network to look through: the average of the weights where there is one."""
        return self._network if self.average is None else self.average.network

    @property
    def variables(self) -> list[Any]:
        """All that a step changes."""
        averaged = [] if self.average is None else self.average.weights
        return [*weights_of(self._network), *self.optimizer.variables, *averaged]

    @property
    def finite(self) -> bool:
        """Whether all weights and moments are numbers."""
        floats = [tf.convert_to_tensor(v) for v in self.variables if v.dtype.startswith("float")]
        return all(bool(np.isfinite(value.numpy()).all()) for value in floats)

    @property
    def rate(self) -> float:
        """The learning rate; to change it costs nothing, the step stays compiled."""
        return float(self.optimizer.learning_rate.numpy())

    @rate.setter
    def rate(self, value: float) -> None:
        self.optimizer.learning_rate = value

    def __call__(self, inputs: Any, targets: Any, masks: Any) -> tuple[float, float]:
        """Learn from one batch.

        Args:
            inputs: uint8 (2n, size, size, 3), BGR; the first n are A's, the rest B's.
            targets: The same shape, what should come out.
            masks: uint8 (2n, size, size), 255 on the face.

        Returns:
            The losses of A and of B.
        """
        loss_a, loss_b, self.crossed = map(float, self._compiled(inputs, targets, masks).numpy())
        return loss_a, loss_b

    def _step(self, inputs: Any, targets: Any, masks: Any) -> Any:
        x, y = tf.cast(inputs, tf.float32) / 255.0, tf.cast(targets, tf.float32) / 255.0
        mask = tf.cast(masks, tf.float32)[..., None] / 255.0
        with tf.GradientTape() as tape:
            loss_a, loss_b, crossed = self._losses(x, y, mask)
            loss = loss_a + loss_b + crossed
        gradients = tape.gradient(loss, self._weights)
        if self._clip:
            gradients, _ = tf.clip_by_global_norm(gradients, self._clip)
        self.optimizer.apply(gradients, self._weights)
        if self.average is not None:
            self.average.follow(weights_of(self._network), self.optimizer.iterations)
        return tf.stack([loss_a, loss_b, crossed])

    def _losses(self, x: Any, y: Any, mask: Any) -> tuple[Any, Any, Any]:
        """The losses of A, of B and of A's faces as B's."""
        code_a, code_b = tf.split(self._network.encoder(x, training=True), 2)
        (y_a, y_b), (mask_a, mask_b) = tf.split(y, 2), tf.split(mask, 2)
        crossed, count = self.objective.crossed, tf.shape(y_b)[0]
        made_a = self._network.decoder_a(code_a, training=True)
        # One call of the decoder: two small ones take longer.
        joined = tf.concat([code_b, code_a[:crossed]], 0) if crossed else code_b
        made_b = self._network.decoder_b(joined, training=True)
        loss_a = self.objective.rebuilt(made_a, y_a, mask_a)
        loss_b = self.objective.rebuilt(made_b[:count], y_b, mask_b)
        swapped = self.objective.swapped(made_b[count:]) if crossed else tf.constant(0.0)
        return loss_a, loss_b, swapped
