"""Fits one look to a painting or a film still by the Gram loss: colours and kernels, from a few faces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from faceswap.networks.style import Extractor, Floats, Recipe, relative

# The style layers see colour, grain and strokes, not what is shown; the content layer sees eyes and mouths.
RECIPE = Recipe("conv3_3", {"conv1_1": 1.0, "conv2_1": 1.0, "conv3_1": 1.0}, ratio=5.0, smoothness=0.0)
RATE = 0.02  # Adam's, for values of 0 to 1
STEPS = 50
GENTLE = 0.05  # weight of the mean square of the kernels: what they need not do, they leave


def fit_look(
    faces: Floats,
    fine: Floats,
    weight: Floats,
    style: Floats,
    counts: Floats | None,
    side: int,
    watched: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> tuple[Floats, Floats, list[float]]:
    """The colours and the kernels with which faces have the Gram matrices of a picture.

    Args:
        faces: BGR, float32, 0 to 1, (faces, height, width, 3).
        fine: Their detail, see `blending.look`.
        weight: (faces, height, width), 0 to 1, where they are face.
        style: The picture, (height, width, 3).
        counts: (height, width), 0 to 1, where the picture counts; None: everywhere.
        side: Of the kernels, pixels.
        watched: Wraps the steps, to show how far it is.

    Returns:
        Colours (3, 4), kernels (3, 3, side, side) out and in, and the style loss of each step.

    Raises:
        DependencyError: The weights of VGG16 are not installed.
    """
    extractor = Extractor(RECIPE)
    wanted, place = extractor.grams(style, counts), tf.constant(weight[..., None])
    content = extractor.features(tf.constant(faces))[RECIPE.content_layer]
    edge = side // 2
    padded = tf.constant(np.pad(fine, ((0, 0), (edge, edge), (edge, edge), (0, 0)), "edge"))
    colors = tf.Variable(np.eye(4, 3, dtype=np.float32))
    kernels = tf.Variable(np.zeros((side, side, 3, 3), np.float32))
    first = [tf.Variable(tf.zeros_like(v)) for v in (colors, kernels)]
    second = [tf.Variable(tf.zeros_like(v)) for v in (colors, kernels)]

    @tf.function  # type: ignore[untyped-decorator]
    def measured() -> Any:
        with tf.GradientTape() as tape:
            made = tf.tensordot(faces, colors[:3], 1) + colors[3] + tf.nn.conv2d(padded, kernels, 1, "VALID")
            features = extractor.features(tf.clip_by_value(made, 0, 1))
            odd = extractor.style_loss(features, wanted, place)
            total = relative(features[RECIPE.content_layer], content) + RECIPE.ratio * odd
            total += GENTLE * tf.reduce_mean(tf.square(kernels))
        return odd, tape.gradient(total, [colors, kernels])

    losses = []
    for step in watched(range(1, STEPS + 1)):
        odd, gradients = measured()
        losses.append(float(odd))
        for value, mean, spread, gradient in zip((colors, kernels), first, second, gradients, strict=True):
            mean.assign(0.9 * mean + 0.1 * gradient)
            spread.assign(0.99 * spread + 0.01 * gradient**2)
            size = tf.sqrt(spread / (1 - 0.99**step)) + 1e-12
            value.assign_sub(RATE * (1 - step / (STEPS + 1)) * mean / (1 - 0.9**step) / size)
    return colors.numpy().T.copy(), np.transpose(kernels.numpy(), (3, 2, 0, 1)).copy(), losses
