"""What a network costs on this machine."""

from __future__ import annotations

import time

import numpy as np
import psutil
import tensorflow as tf

from faceswap.networks.autoencoder import Autoencoder
from faceswap.networks.optimizers import make
from faceswap.networks.step import TrainingStep

WARM = 2  # steps that are not counted: the first is compiled


def operations(network: Autoencoder) -> float:
    """Floating point operations for one face through the network, forward; a multiply-add is two."""
    path = network.path("b")
    picture = tf.TensorSpec((1, network.size, network.size, 3), tf.float32)
    graph = tf.function(lambda pictures: path(pictures, training=False)).get_concrete_function(picture).graph
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    return float(tf.compat.v1.profiler.profile(graph, options=options).total_float_ops)


def speed(network: Autoencoder, batch: int, seconds: float) -> float:
    """Faces of both people trained a second, on noise; it may take a step longer than `seconds`."""
    step, size = TrainingStep(network, make("adam")), network.size
    pictures = np.random.default_rng(0).integers(0, 256, (2 * batch, size, size, 3)).astype(np.uint8)
    masks, taken = np.full(pictures.shape[:3], 255, np.uint8), 0
    for _ in range(WARM):
        step(pictures, pictures, masks)
    started = time.monotonic()
    while not taken or time.monotonic() - started < seconds:
        step(pictures, pictures, masks)
        taken += 1
    return taken * len(pictures) / (time.monotonic() - started)


def memory() -> int:
    """What this process takes of the machine's memory, bytes."""
    return int(psutil.Process().memory_info().rss)
