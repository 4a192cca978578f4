"""Learning who is who: one network that puts pictures of a person near one another, used on both of a pair.

Bromley et al., "Signature verification using a Siamese time delay neural network", NIPS 1993. Distances are
Euclidean, between points on a sphere of radius 1. A batch has several pictures each of several people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from faceswap import registry
from faceswap.networks.layers import convolution, residual

# === Config ===
SIZE = 64  # side of the picture, pixels
LENGTH = 128  # numbers in a descriptor
FILTERS = (24, 48, 96, 160)  # after each halving
MARGIN = 0.2  # of squared distances, between another person and the same
APART = 1.0  # distance from which the contrastive loss leaves two people alone
FAR = 1e6  # more than any squared distance
EASIER = {"hard": "semi-hard"}  # what a loss begins with
WARM_UP = 60  # steps of it


@dataclass(frozen=True)
class Siamese:
    """The network.

    Attributes:
        size: Side of the pictures, pixels.
        model: BGR float32 (batch, size, size, 3), 0 to 1, to float32 (batch, 128) of length 1.
    """

    size: int
    model: keras.Model

    @property
    def parts(self) -> dict[str, keras.Model]:
        """The model by name, as checkpoints keep it."""
        return {"siamese": self.model}


def build() -> Siamese:
    """The network with random weights; 0.05 GFLOP a face."""
    picture = keras.Input((SIZE, SIZE, 3))
    x = picture * 2 - 1
    for step, filters in enumerate(FILTERS):
        x = convolution(x, filters, 3, 2)
        x = residual(x, filters) if step in (1, 2) else x
    x = layers.Dense(LENGTH)(layers.Flatten()(x))
    return Siamese(SIZE, keras.Model(picture, layers.UnitNormalization()(x), name="siamese"))


def squared_distances(points: Any) -> Any:
    """Between all points (n, length) of length 1: (n, n)."""
    return tf.maximum(2 - 2 * tf.matmul(points, points, transpose_b=True), 0.0)


def relations(people: Any) -> tuple[Any, Any]:
    """Which pairs are two pictures of one person, and which are of two people: bool (n, n) each."""
    same = people[:, None] == people[None]
    return same & ~tf.eye(tf.shape(people)[0], dtype=tf.bool), ~same


def random_triplets(points: Any, people: Any) -> Any:
    """Triplet loss of a random positive and a random negative for each picture, to compare with."""
    squares, (same, other) = squared_distances(points), relations(people)
    chance = tf.random.uniform(tf.shape(squares))
    positive = tf.argmax(tf.where(same, chance, -1.0), axis=1)
    negative = tf.argmax(tf.where(other, chance, -1.0), axis=1)
    near, far = (tf.gather(squares, which, axis=1, batch_dims=1) for which in (positive, negative))
    return tf.reduce_mean(tf.nn.relu(near - far + MARGIN))


def semi_hard_triplets(points: Any, people: Any) -> Any:
    """Triplet loss of every pair of one person with the nearest other who is further away than that.

    Schroff et al., "FaceNet: a unified embedding for face recognition and clustering", CVPR 2015, equations 3
    and 4. Where nobody else is further away, the furthest counts.
    """
    squares, (same, other) = squared_distances(points), relations(people)
    further = other[:, None] & (squares[:, None] > squares[..., None])  # anchor, positive, negative
    nearest = tf.reduce_min(tf.where(further, squares[:, None], FAR), axis=2)
    furthest = tf.reduce_max(tf.where(other, squares, 0.0), axis=1, keepdims=True)
    negative = tf.where(nearest < FAR, nearest, furthest)
    return _mean(tf.nn.relu(squares - negative + MARGIN), same)


def hard_triplets(points: Any, people: Any) -> Any:
    """Triplet loss of each picture's furthest own and nearest other.

    Hermans et al., "In defense of the triplet loss for person re-identification", 2017, equation 5, whose
    soft margin and plain distances it takes: with a fixed margin, or with squared distances, the loss stayed
    where all distances are alike. Out of random weights it lingers there too: see `SiameseStep`.
    """
    squares, (same, other) = squared_distances(points), relations(people)
    furthest = tf.reduce_max(tf.where(same, squares, 0.0), axis=1)
    nearest = tf.reduce_min(tf.where(other, squares, FAR), axis=1)
    return tf.reduce_mean(tf.nn.softplus(_root(furthest) - _root(nearest)))


def contrastive(points: Any, people: Any) -> Any:
    """Pairs of one person pull, pairs of two push until they are far enough apart; each kind counts half.

    Hadsell et al., "Dimensionality reduction by learning an invariant mapping", CVPR 2006, equation 4.
    """
    squares, (same, other) = squared_distances(points), relations(people)
    push = tf.square(tf.nn.relu(APART - _root(squares)))
    return (_mean(squares, same) + _mean(push, other)) / 4


class SiameseStep:
    """The compiled step.

    Hard triplets wait for `WARM_UP` semi-hard steps. Without them the loss of one training was still log 2,
    that of equal distances, after 125 steps (Schroff et al., section 3.2, warn of it), and 0.56 with them;
    after 250 no difference was measured.
    """

    def __init__(self, network: Siamese, loss: str, rate: float) -> None:
        """Prepare to train.

        Args:
            network: What is trained.
            loss: A key of `registry.METRIC_LOSSES`.
            rate: Learning rate of Adam.
        """
        self._model = network.model
        self._first, self._loss = (
            registry.load(registry.METRIC_LOSSES, name) for name in (EASIER.get(loss, loss), loss)
        )
        self._weights = network.model.trainable_variables
        self.optimizer = keras.optimizers.Adam(rate, name="adam")
        self.optimizer.build(self._weights)
        self._compiled = tf.function(self._step, reduce_retracing=True)

    def __call__(self, faces: Any, people: Any) -> float:
        """Learn from a batch and return its loss.

        Args:
            faces: BGR uint8 (n, size, size, 3).
            people: int (n,), who each is; two of each at least, and two people.
        """
        early = int(self.optimizer.iterations) < WARM_UP
        return float(self._compiled(faces, people, self._first if early else self._loss).numpy())

    def _step(self, faces: Any, people: Any, measure: Callable[[Any, Any], Any]) -> Any:
        pictures = tf.cast(faces, tf.float32) / 255.0
        with tf.GradientTape() as tape:
            loss = measure(self._model(pictures, training=True), people)
        self.optimizer.apply(tape.gradient(loss, self._weights), self._weights)
        return loss


def _mean(values: Any, chosen: Any) -> Any:
    """The mean of the values that are chosen."""
    weight = tf.cast(chosen, tf.float32)
    return tf.reduce_sum(values * weight) / tf.maximum(tf.reduce_sum(weight), 1.0)


def _root(squares: Any) -> Any:
    """The square root, with a gradient at 0 too."""
    return tf.sqrt(squares + 1e-9)
