"""How far a picture is from the one it should be.

A loss is a function of the pictures made, the pictures wanted and how much each pixel counts that gives a
number, 0 where they are the same; `registry.LOSSES` names it, and the option of that name is its weight.
Pictures are float32 (batch, height, width, 3), 0 to 1; what pixels count is (batch, height, width, 1), 0 or
more, and only counts against what the others do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

WINDOW = 7  # pixels: side of the uniform window of SSIM
LOSS_WINDOW = 6  # pixels: of the windows of the losses, three pairs of rows; one begins every second pixel
C1, C2 = 0.01**2, 0.03**2
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # what each scale counts, from the finest
LEAST = 1e-3  # below it, the gradient of a power would burst
LEVELS = 4  # of the Laplacian pyramid, at most


def l1(made: Any, wanted: Any, weight: Any) -> Any:
    """Mean absolute difference."""
    return _mean(tf.abs(made - wanted), weight)


def mse(made: Any, wanted: Any, weight: Any) -> Any:
    """Mean squared difference."""
    return _mean(tf.square(made - wanted), weight)


def dssim(made: Any, wanted: Any, weight: Any) -> Any:
    """Structural dissimilarity, (1 - SSIM) / 2."""
    means, spread, coarse = _likeness(made, wanted, weight)
    return _mean((1 - means * spread) / 2, coarse)


def ms_ssim(made: Any, wanted: Any, weight: Any) -> Any:
    """1 - multi-scale SSIM.

    Wang, Simoncelli and Bovik, "Multi-scale structural similarity for image quality assessment", Asilomar
    2003, equation 7, with as many of its five scales as the picture is large enough for.
    """
    scales = _scales(made.shape[1], WINDOW, len(SCALES))
    total, product = sum(SCALES[:scales]), tf.ones(tf.shape(made)[0])
    for scale in range(scales):
        if scale:
            made, wanted, weight = _halved(made), _halved(wanted), _halved(weight)
        means, spread, coarse = _likeness(made, wanted, weight)
        likeness = means * spread if scale == scales - 1 else spread
        each = tf.reduce_sum(coarse * likeness, (1, 2, 3)) / (3 * tf.reduce_sum(coarse, (1, 2, 3)))
        product *= tf.maximum(each, LEAST) ** (SCALES[scale] / total)
    return 1 - tf.reduce_mean(product)


def laplacian(made: Any, wanted: Any, weight: Any) -> Any:
    """Mean absolute difference of each level of a Laplacian pyramid, added up.

    Burt and Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans. Comm. 31(4), 1983; as a
    loss in Bojanowski et al., "Optimizing the latent space of generative networks", ICML 2018, section 3.1.
    The pyramid is linear, so that of the difference is all that is needed.
    """
    difference, total = made - wanted, 0.0
    for _ in range(_scales(made.shape[1], WINDOW, LEVELS)):
        coarse = _halved(difference)
        blurred = tf.image.resize(coarse, tf.shape(difference)[1:3], "bilinear")
        total += _mean(tf.abs(difference - blurred), weight)
        difference, weight = coarse, _halved(weight)
    return total + _mean(tf.abs(difference), weight)


def ssim_map(x: Any, y: Any) -> Any:
    """Structural similarity around every pixel, of each channel, -1 to 1.

    Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP 13(4),
    2004, equation 13, with a uniform window, which is several times faster on a CPU than the Gaussian one.
    """
    stacked = tf.nn.avg_pool2d(tf.concat([x, y, x * x + y * y, x * y], -1), WINDOW, 1, "SAME")
    means, spread = _factors(*tf.split(stacked, 4, -1))
    return means * spread


def _factors(mean_x: Any, mean_y: Any, squares: Any, product: Any) -> tuple[Any, Any]:
    """The two factors of SSIM: how alike the means are, and how alike what varies around them."""
    means = mean_x * mean_y
    mean_squares = mean_x * mean_x + mean_y * mean_y
    spread = (2 * (product - means) + C2) / (squares - mean_squares + C2)
    return (2 * means + C1) / (mean_squares + C1), spread


def _likeness(made: Any, wanted: Any, weight: Any) -> tuple[Any, Any, Any]:
    """The two factors of SSIM in windows `LOSS_WINDOW` wide, all within the picture, and what each counts."""
    x, y, weight = (tf.transpose(values, (0, 3, 1, 2)) for values in (made, wanted, weight))
    return *_factors(*map(_windowed, (x, y, x * x + y * y, x * y))), _windowed(weight)


def _windowed(values: Any) -> Any:
    """Means over windows two pixels apart: (n, c, h, w) to (n, c, h // 2 - 2, w // 2 - 2).

    Rows are added up and columns multiplied by a matrix, for that is what XLA does best.
    """
    height, width = values.shape[2:]
    pairs = values[:, :, 0 : height // 2 * 2 : 2] + values[:, :, 1::2]
    rows = pairs[:, :, :-2] + pairs[:, :, 1:-1] + pairs[:, :, 2:]
    taken = np.zeros((width, width // 2 - 2), np.float32)
    for column in range(taken.shape[1]):
        taken[2 * column : 2 * column + LOSS_WINDOW, column] = LOSS_WINDOW**-2
    return tf.tensordot(rows, taken, 1)  # a batched product with a matrix, outside XLA, has crashed


def _scales(side: int, least: int, most: int) -> int:
    """How many times a side can be halved before it is under `least`, at most `most`, at least one."""
    count = 1
    while count < most and side // 2**count >= least:
        count += 1
    return count


def _halved(values: Any) -> Any:
    return tf.nn.avg_pool2d(values, 2, 2, "SAME")


def _mean(values: Any, weight: Any) -> Any:
    """Weighted mean over pictures, pixels and the three channels, wherever these come."""
    return tf.reduce_sum(weight * values) / (3 * tf.reduce_sum(weight))
