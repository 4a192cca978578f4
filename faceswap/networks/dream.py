"""DeepDream: a picture is changed so that a layer of VGG16 sees more of what it sees in it already.

Mordvintsev, Olah and Tyka, "Inceptionism: going deeper into neural networks", Google AI blog, 2015: gradient
ascent on the square of the activations, over sizes from small to large, the picture shifted before each step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from faceswap.networks.style import Floats
from faceswap.networks.vgg16 import build_vgg16

LEAST = 32  # pixels: a smaller picture is not dreamt into


@dataclass(frozen=True)
class Dream:
    """How it is dreamt.

    Attributes:
        layer: A layer of `vgg16.LAYERS`.
        octaves: How many sizes; those below `LEAST` pixels a side are left out.
        scale: Each so much larger than the one before.
        jitter: Pixels by which the picture is shifted at most.
        step: Mean change of a value in a step; white is 1.
        steps: In all.
        seed: Of the shifts.
    """

    layer: str
    octaves: int
    scale: float
    jitter: int
    step: float
    steps: int
    seed: int


def dream(picture: Floats, how: Dream, seen: Callable[[float, Floats], None]) -> None:
    """Dream into a picture.

    Args:
        picture: BGR, float32, 0 to 1, (height, width, 3).
        how: How.
        seen: Called after each step with the mean squared activation and the picture at the step's size.

    Raises:
        DependencyError: The weights are not installed, or damaged.
    """
    climb = _climber(how.layer)
    random = np.random.default_rng(how.seed)
    sizes = _sizes(picture, how)
    detail = np.zeros_like(picture)
    for place, (width, height) in enumerate(sizes):
        base = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        detail = cv2.resize(detail, (width, height), interpolation=cv2.INTER_CUBIC)
        now = np.clip(base + detail, 0, 1)
        first, last = (how.steps * edge // len(sizes) for edge in (place, place + 1))
        for _ in range(first, last):
            shift = tuple(random.integers(-how.jitter, how.jitter + 1, 2))
            activation, gradient = climb(tf.constant(np.roll(now, shift, (0, 1))[None]))
            uphill = np.roll(gradient[0].numpy(), tuple(-s for s in shift), (0, 1))
            now = np.clip(now + how.step * uphill / (np.abs(uphill).mean() + 1e-12), 0, 1)
            seen(float(activation), now)
        detail = now - base


def _climber(layer: str) -> Any:
    """The mean squared activation of a layer, and its gradient, for a batch of one picture."""
    network = build_vgg16((layer,))

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def climb(picture: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(picture)
            activation = tf.reduce_mean(tf.square(network(picture)))
        return activation, tape.gradient(activation, picture)

    return climb


def _sizes(picture: Floats, how: Dream) -> list[tuple[int, int]]:
    """Width and height of each octave, the smallest first; the last is the picture's."""
    height, width = picture.shape[:2]
    scales = [how.scale**-power for power in range(how.octaves)]
    sizes = [(round(width * scale), round(height * scale)) for scale in scales]
    return [size for size in sizes if min(size) >= LEAST or size == sizes[0]][::-1]
