"""One step of training: both people at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from faceswap.networks.autoencoder import Autoencoder
from faceswap.networks.bottleneck import Bottleneck
from faceswap.networks.objective import Objective
from faceswap.networks.optimizers import Average, weights_of
from faceswap.options import BottleneckOptions, LossOptions


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
        bottleneck: Bottleneck | None = None,
    ) -> None:
        """Prepare to train.

        Args:
            network: What is trained.
            optimizer: What moves its weights; made for it alone.
            clip: Longest gradient, over all weights together, that is used as it is; 0: any.
            average: What follows the weights, beginning here.
            objective: What it is trained for; left out, what the options say by default, but that eyes and
                mouth count as much as the rest.
            bottleneck: What is asked of the code; left out, what the options say by default.
        """
        self._network, self._clip, self.average = network, clip, average
        self.objective = objective or Objective(LossOptions(eyes=1.0, mouth=1.0), network.size)
        self._bottleneck = bottleneck or Bottleneck(BottleneckOptions())
        self._weights = [w for part in network.parts.values() for w in part.trainable_variables]
        self.optimizer = optimizer
        self.optimizer.build(self._weights)
        if average is not None:
            average.start(weights_of(network))
        self.crossed = 0.0  # what A's faces as B's cost in the last step
        self.pursue(self.objective)

    def pursue(self, objective: Objective) -> None:
        """Train for this from the next step on, which is compiled anew."""
        self.objective = objective
        # Nothing in it branches on a tensor, so there is nothing to rewrite, which would take half a second.
        self._compiled = tf.function(self._step, reduce_retracing=True, autograph=False)

    @property
    def shown(self) -> Autoencoder:
        """The network to look through: the average of the weights where there is one."""
        return self._network if self.average is None else self.average.network

    @property
    def variables(self) -> list[Any]:
        """All that a step changes."""
        averaged = [] if self.average is None else self.average.weights
        others = [variable for variables in self.kept.values() for variable in variables]
        return [*weights_of(self._network), *self.optimizer.variables, *averaged, *others]

    @property
    def kept(self) -> dict[str, Sequence[Any]]:
        """What else a checkpoint must hold for the training to go on as it would have, by name."""
        return self.objective.kept

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

    def __call__(self, inputs: Any, targets: Any, masks: Any, expressions: Any = None) -> tuple[float, float]:
        """Learn from one batch.

        Args:
            inputs: uint8 (2n, size, size, 3), BGR; the first n are A's, the rest B's.
            targets: The same shape, what should come out.
            masks: uint8 (2n, size, size), 255 on the face.
            expressions: float32 (2n, count), what the faces do; None: not told.

        Returns:
            The losses of A and of B.
        """
        loss_a, loss_b, self.crossed = map(float, self._compiled(inputs, targets, masks, expressions).numpy())
        return loss_a, loss_b

    def _step(self, inputs: Any, targets: Any, masks: Any, expressions: Any) -> Any:
        x, y = tf.cast(inputs, tf.float32) / 255.0, tf.cast(targets, tf.float32) / 255.0
        mask = tf.cast(masks, tf.float32)[..., None] / 255.0
        with tf.GradientTape() as tape:
            losses = self._losses(tape, x, y, mask, expressions)
            total = self.optimizer.scale_loss(tf.add_n(losses))
        gradients = tape.gradient(total, self._weights)
        if self._clip:
            longest = self.optimizer.scale_loss(tf.constant(self._clip))
            gradients, _ = tf.clip_by_global_norm(gradients, longest)
        self.optimizer.apply(gradients, self._weights)
        if self.average is not None:
            self.average.follow(weights_of(self._network), self.optimizer.iterations)
        return tf.stack(losses[:3])

    def _losses(self, tape: tf.GradientTape, x: Any, y: Any, mask: Any, expressions: Any) -> list[Any]:
        """The losses of A, of B, of A's faces as B's, and of all else that counts."""
        network, objective, steps = self._network, self.objective, self.optimizer.iterations
        code = network.encoder(self._bottleneck.pictures(x, steps), training=True)
        others = [self._bottleneck.cost(code), objective.told_apart(*tf.split(code, 2))]
        others.append(objective.misread(tape, code, expressions))
        code_a, code_b = tf.split(self._bottleneck.code(code, steps), 2)
        (y_a, y_b), (mask_a, mask_b) = tf.split(y, 2), tf.split(mask, 2)
        crossed = objective.crossed
        made_a, cross_a = _drawn(network.decoder_a, code_a, code_b, crossed["a"])
        made_b, cross_b = _drawn(network.decoder_b, code_b, code_a, crossed["b"])
        loss_a = objective.rebuilt(made_a, y_a, mask_a)
        loss_b = objective.rebuilt(made_b, y_b, mask_b)
        if objective.critics:
            sides = {"a": (made_a, mask_a, cross_a, mask_b, y_a), "b": (made_b, mask_b, cross_b, mask_a, y_b)}
            for person, (made, own, cross, other, real) in sides.items():
                fakes = tf.concat([made[..., :3] * own, cross[..., :3] * other], 0)
                others.append(objective.exposed(tape, person, fakes, real * own))
        return [loss_a, loss_b, objective.swapped(cross_b), *others]


def _drawn(decoder: keras.Model, own: Any, other: Any, count: int | None) -> tuple[Any, Any]:
    """What a decoder makes of its person's codes and of `count` of the other's, None: of all; float32.

    One call of it: two small ones take longer.
    """
    if count == 0:
        return tf.cast(decoder(own, training=True), tf.float32), None
    made = decoder(tf.concat([own, other[:count]], 0), training=True)
    first = tf.shape(own)[0]
    made, crossed = tf.split(tf.cast(made, tf.float32), [first, tf.shape(made)[0] - first])
    return made, crossed
