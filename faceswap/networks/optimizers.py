"""What moves the weights, how fast over the time of a training, and the running mean of where they were.

An optimizer is a function of a learning rate and a weight decay, 0 for its own, that makes a Keras optimizer;
`registry.OPTIMIZERS` names it, and its `name` is what a checkpoint remembers it by. The learning rate is a
variable, so it can be changed while the step stays compiled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from keras.optimizers import Optimizer

from faceswap import registry

# === Config ===
FLOOR = 0.01  # share of the learning rate at the end of a cosine
WINDOW = 200  # steps over whose mean a plateau is judged
PATIENCE = 3  # windows without a better loss, then the rate falls
BETTER = 0.01  # share by which a loss must fall to be better
FALL = 0.5  # what is left of the rate each time
LEAST = 1 / 64  # of the rate; it falls no further


def make(name: str, rate: float = 0.0, decay: float = 0.0) -> Optimizer:
    """The optimizer called `name`.

    Args:
        name: A key of `registry.OPTIMIZERS`.
        rate: Learning rate; 0 for the one that suits the optimizer.
        decay: Weight decay; 0 for the optimizer's own, which is none but for adamw.

    Raises:
        UsageError: There is no such optimizer.
    """
    optimizer: Optimizer = registry.load(registry.OPTIMIZERS, name)(rate, decay)
    return optimizer


def sgd(rate: float, decay: float) -> Optimizer:
    """Plain stochastic gradient descent."""
    return keras.optimizers.SGD(rate or 0.5, weight_decay=decay or None, name="sgd")


def momentum(rate: float, decay: float) -> Optimizer:
    """Gradient descent with momentum (Polyak, 1964)."""
    return keras.optimizers.SGD(rate or 0.1, momentum=0.9, weight_decay=decay or None, name="momentum")


def adagrad(rate: float, decay: float) -> Optimizer:
    """Duchi et al., "Adaptive subgradient methods", JMLR 12, 2011."""
    return keras.optimizers.Adagrad(rate or 0.2, weight_decay=decay or None, name="adagrad")


def adadelta(rate: float, decay: float) -> Optimizer:
    """Zeiler, "ADADELTA: an adaptive learning rate method", 2012; its own rate is 1."""
    return keras.optimizers.Adadelta(rate or 1.0, weight_decay=decay or None, name="adadelta")


def rmsprop(rate: float, decay: float) -> Optimizer:
    """Tieleman and Hinton, lecture 6.5 of "Neural networks for machine learning", 2012."""
    return keras.optimizers.RMSprop(rate or 1e-3, weight_decay=decay or None, name="rmsprop")


def ftrl(rate: float, decay: float) -> Optimizer:
    """FTRL-Proximal with a little L1, without which it would be AdaGrad; the decay is its L2."""
    return _Ftrl(rate or 0.2, l1_regularization_strength=1e-3, l2_regularization_strength=decay, name="ftrl")


def adam(rate: float, decay: float) -> Optimizer:
    """Kingma and Ba, "Adam", ICLR 2015, with the short momentum that suits generators."""
    return _Adam(rate or 1e-3, 0.5, 0.999, weight_decay=decay or None, name="adam")


def adamw(rate: float, decay: float) -> Optimizer:
    """Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019; `adam` with decay."""
    return _Adam(rate or 1e-3, 0.5, 0.999, weight_decay=decay or 0.004, name="adamw")


def nadam(rate: float, decay: float) -> Optimizer:
    """Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016."""
    return keras.optimizers.Nadam(rate or 1e-3, 0.5, 0.999, weight_decay=decay or None, name="nadam")


def lion(rate: float, decay: float) -> Optimizer:
    """Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023."""
    return keras.optimizers.Lion(rate or 3e-4, weight_decay=decay or None, name="lion")


class _Adam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam by TensorFlow's own kernel, one for a variable: the same numbers as Keras' dozen, in less time."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one variable."""
        index = self._get_variable_index(variable)
        beta_1, beta_2 = (tf.constant(beta, variable.dtype) for beta in (self.beta_1, self.beta_2))
        number = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(beta_1, number),
            beta2_power=tf.pow(beta_2, number),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )


class _Ftrl(keras.optimizers.Ftrl):  # type: ignore[misc]
    """FTRL-Proximal that starts from weights other than 0 and bears a learning rate that changes.

    McMahan et al., "Ad click prediction: a view from the trenches", KDD 2013, algorithm 1, with z multiplied
    by the rate. As Keras has it, the first step throws the initial weights away, and each change of the rate
    scales all of them.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one variable."""
        index = self._get_variable_index(variable)
        squares, linear = self._accumulators[index], self._linears[index]
        rate = ops.cast(learning_rate, variable.dtype)
        root = ops.sqrt(squares)
        new_squares = squares + ops.square(gradient)
        new_root = ops.sqrt(new_squares)
        before = ops.where(ops.equal(self.iterations, 0), -root * variable, linear)
        z = before + rate * gradient - (new_root - root) * variable
        threshold = rate * self.l1_regularization_strength
        pull = 2 * rate * self.l2_regularization_strength
        self.assign(variable, (ops.clip(z, -threshold, threshold) - z) / (new_root + pull))
        self.assign(linear, z)
        self.assign(squares, new_squares)


class Average:
    """A network whose weights are the exponential moving average of another's.

    It makes steadier pictures than the network that is trained, which jumps about with each batch. Keras'
    optimizers have `use_ema`, but it lives in their variables: to look through it, the weights would have to
    be overwritten, and a checkpoint saved at that moment would lose them.
    """

    def __init__(self, network: Any, decay: float) -> None:
        """Take a network of the kind of the one to follow; `decay` (0 to 1) is kept at each step."""
        self.network, self._decay = network, decay

    @property
    def weights(self) -> list[Any]:
        """The averages, in the order of the network's weights."""
        return weights_of(self.network)

    def start(self, weights: list[Any]) -> None:
        """Begin with these weights."""
        for mean, weight in zip(self.weights, weights, strict=True):
            mean.assign(weight)

    def follow(self, weights: list[Any], steps: Any) -> None:
        """Go a little way towards `weights`; to be called in the compiled step.

        Args:
            weights: Where the network is now.
            steps: How many it has taken, an integer tensor; while they are few the average is short.
        """
        taken = tf.cast(steps, tf.float32)
        way = 1 - tf.minimum(self._decay, (1 + taken) / (10 + taken))
        for mean, weight in zip(self.weights, weights, strict=True):
            mean.assign_add(way * (weight - mean))


def weights_of(network: Any) -> list[Any]:
    """All weights of a network, in the order of its parts."""
    return [weight for part in network.parts.values() for weight in part.weights]


@dataclass(frozen=True)
class Schedule:
    """The learning rate over a training, as a function of how much of it is done.

    Nothing is remembered from step to step, so a resumed training goes on right.

    Attributes:
        kind: 'constant'; 'cosine': down to a hundredth along half a cosine (Loshchilov and Hutter, "SGDR",
            ICLR 2017, equation 5); 'plateau': as `Plateau` has it.
        rate: The learning rate to begin with.
        warmup: Steps over which it rises to that in a straight line.
    """

    kind: str
    rate: float
    warmup: int = 0

    def at(self, share: float, iterations: int, scale: float = 1.0) -> float:
        """The learning rate of a step.

        Args:
            share: How much of the training is done, 0 to 1.
            iterations: Steps taken before this one.
            scale: What is left of the rate after plateaus, 0 to 1.
        """
        rate = self.rate * scale
        if self.kind == "cosine":
            rate *= FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * min(share, 1.0))) / 2
        if iterations < self.warmup:
            rate *= (iterations + 1) / self.warmup
        return rate


@dataclass(frozen=True)
class Plateau:
    """Lowers the rate where the loss has stopped falling; JSON values, so that a checkpoint keeps them.

    Attributes:
        scale: What is left of the learning rate.
        best: The least mean loss of a window so far; None before the first.
        waited: Windows since then.
        total: Sum of the losses in the present window.
        count: How many they are.
    """

    scale: float = 1.0
    best: float | None = None
    waited: int = 0
    total: float = 0.0
    count: int = 0

    def after(self, loss: float) -> Plateau:
        """What it is after one more step with this loss."""
        total, count = self.total + loss, self.count + 1
        if count < WINDOW:
            return replace(self, total=total, count=count)
        mean = total / count
        if self.best is None or mean < self.best * (1 - BETTER):
            return Plateau(self.scale, mean)
        if self.waited + 1 < PATIENCE:
            return Plateau(self.scale, self.best, self.waited + 1)
        return Plateau(max(self.scale * FALL, LEAST), self.best)
