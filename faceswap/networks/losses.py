"""How far a picture is from the one it should be. Pictures are float32 (batch, height, width, 3), 0 to 1."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

WINDOW = 7  # pixels: side of the uniform window of SSIM
STRIDE = 2  # pixels between two windows in the loss: as good as every pixel, and a step takes a fifth less
C1, C2 = 0.01**2, 0.03**2


def ssim_map(x: Any, y: Any, stride: int = 1) -> Any:
    """Structural similarity around every `stride`-th pixel, of each channel, -1 to 1.

    Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP 13(4),
    2004, equation 13, with a uniform window, which is several times faster on a CPU than the Gaussian one.
    """
    stacked = tf.concat([x, y, x * x + y * y, x * y], axis=-1)
    mean_x, mean_y, squares, product = tf.split(tf.nn.avg_pool2d(stacked, WINDOW, stride, "SAME"), 4, axis=-1)
    means = mean_x * mean_y
    mean_squares = mean_x * mean_x + mean_y * mean_y
    spread = (2 * (product - means) + C2) / (squares - mean_squares + C2)
    return (2 * means + C1) / (mean_squares + C1) * spread


def reconstruction(x: Any, y: Any, weight: Any) -> Any:
    """L1 plus DSSIM, weighted by pixel: a number per batch.

    Args:
        x: The pictures made.
        y: The pictures wanted.
        weight: (batch, height, width, 1); how much each pixel counts.
    """
    coarse = tf.nn.avg_pool2d(weight, STRIDE, STRIDE, "SAME")
    dissimilarity = (1 - ssim_map(x, y, STRIDE)) / 2
    return _mean(tf.abs(x - y), weight) + _mean(dissimilarity, coarse)


def _mean(values: Any, weight: Any) -> Any:
    """Weighted mean over pictures, pixels and the three channels."""
    return tf.reduce_sum(weight * values) / (3 * tf.reduce_sum(weight))
