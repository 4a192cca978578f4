"""How far the faces that a network makes are from a person: a loss in the identity network.

Noise meets it as well as a face does: from random weights, with a weight of 0.3, pictures of pure noise were
after 12 steps nearer to B than to A in all held-out frames, by that network. So it is for a small weight, for
a network that draws faces already, and a score by the same network says less where it was trained for.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from faceswap.networks.identity import LENGTH, SIZE, chip_matrix
from faceswap.types import Image, Points, to_float

SEVERAL = 64  # faces that speak for a person
BATCH = 16  # of them go through the network together


class Likeness:
    """The identity network, looking at a network's pictures where the face lies in them.

    The person, too, is described from pictures of that size: what the size costs does not count as distance.
    """

    def __init__(self, identity: keras.Model, landmarks: Points, size: int) -> None:
        """Look at pictures of `size` pixels.

        Args:
            identity: As `identity.build_identity` makes it.
            landmarks: (68, 2), where the mean face lies in the pictures, pixels.
            size: Their side.
        """
        self._identity = identity
        scale, _, left = chip_matrix(landmarks)[0]
        top = chip_matrix(landmarks)[1, 2]
        self._across, self._down = (tf.constant(_sampling(scale, shift, size)) for shift in (left, top))
        self._goal = tf.Variable(tf.zeros(LENGTH), trainable=False)

    def aim(self, faces: Image) -> None:
        """Take the person of these faces, BGR uint8 (N, size, size, 3), N >= 1, for the one to be like."""
        chosen = faces[np.linspace(0, len(faces) - 1, min(len(faces), SEVERAL)).round().astype(int)]
        parts = [to_float(chosen[first : first + BATCH]) for first in range(0, len(chosen), BATCH)]
        described = [self._identity.predict_on_batch(self._chips(part).numpy()) for part in parts]
        self._goal.assign(np.concatenate(described).mean(axis=0))

    def distance(self, pictures: Any) -> Any:
        """Mean squared distance of pictures, float32 (N, size, size, 3), to the person."""
        found = self._identity(self._chips(pictures), training=False)
        return tf.reduce_mean(tf.reduce_sum(tf.square(found - self._goal), -1))

    def _chips(self, pictures: Any) -> Any:
        """The pictures that the identity network takes, by bilinear interpolation."""
        return tf.einsum("yh,nhwc,xw->nyxc", self._down, pictures, self._across)


def _sampling(scale: float, shift: float, size: int) -> np.ndarray:
    """What each pixel of the picture gives to each of the chip, along one side: float32 (150, size).

    The mean face is upright and so is its chip, so columns and rows can be taken one after the other. What
    lies past the border repeats it.
    """
    places = np.clip((np.arange(SIZE) - shift) / scale, 0, size - 1)
    first = np.minimum(places.astype(int), size - 2)
    weights = np.zeros((SIZE, size), np.float32)
    weights[np.arange(SIZE), first] = 1 - (places - first)
    weights[np.arange(SIZE), first + 1] += places - first
    return weights
