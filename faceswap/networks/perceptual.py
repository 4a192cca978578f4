"""How far apart pictures look: the distance of their features in VGG16, trained on what things are."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import tensorflow as tf

from faceswap.networks.vgg16 import LPIPS_LAYERS, build_vgg16, lpips_weights

# === Config ===
DEPTH = 3  # of the five layers of LPIPS: edges, textures, small parts; the deeper ones cost as much again
FACES = 2  # of each batch: the network costs several times what a swap network does


def perceptual(made: Any, wanted: Any, weight: Any) -> Any:
    """Squared difference of features, as LPIPS has it, of the first faces of the batch.

    Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", CVPR 2018,
    equation 1. The order of a batch is random, so its first faces are as good as any.

    Raises:
        DependencyError: The weights are not installed, or damaged.
    """
    made, wanted, weight = made[:FACES], wanted[:FACES], weight[:FACES]
    network, channels = features()
    both = network(tf.concat([made, tf.stop_gradient(wanted)], 0), training=False)
    total = tf.constant(0.0)
    for found, counts in zip(both, channels, strict=True):
        x, y = tf.split(found / (tf.norm(found, axis=-1, keepdims=True) + 1e-8), 2)
        apart = tf.reduce_sum(counts * tf.square(x - y), -1, keepdims=True)
        factor = weight.shape[1] // apart.shape[1]
        coarse = tf.nn.avg_pool2d(weight, factor, factor, "VALID")
        total += tf.reduce_sum(coarse * apart) / tf.reduce_sum(coarse)
    return total


@cache
def features() -> tuple[keras.Model, list[Any]]:
    """The network and what each channel of each of its outputs counts."""
    taken = LPIPS_LAYERS[:DEPTH]
    counts = lpips_weights()
    with tf.init_scope():
        return build_vgg16(taken), [counts[name] for name in taken]
