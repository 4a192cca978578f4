"""The learning-rate finder: a short training with an ever larger rate, of which nothing is kept.

Smith, "Cyclical learning rates for training neural networks", WACV 2017, section 3.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from faceswap.figures import rendered
from faceswap.networks.feed import Batch
from faceswap.networks.step import TrainingStep
from faceswap.types import Image

# === Config ===
RANGE = (1e-6, 10.0)  # the least and the largest rate tried
STEPS = 140  # over the whole range: 20 to a power of ten
WIDTH = 4  # steps: deviation of the curve's smoothing
BURST = 1.5  # times the least loss; from there on it only gets worse
NEARLY = 0.05  # of the whole fall: where so little is missing, it has stopped
FALLING = 0.05  # share by which it must fall to say anything


@dataclass(frozen=True)
class Sweep:
    """What was seen of each learning rate.

    Attributes:
        rates: float64 (N,), rising.
        losses: float64 (N,), the loss of A and B together at the step with that rate.
        smoothed: float64 (N,), the same without the batches' ups and downs.
        suggested: The rate to train with; see `suggest`.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    suggested: float


def sweep(step: TrainingStep, batches: Iterable[Batch]) -> Sweep:
    """Try learning rates from small to large; weights, moments and rate are afterwards what they were.

    Args:
        step: The training, at any point of it.
        batches: What it learns from, `STEPS` of them or more.
    """
    kept = [variable.numpy().copy() for variable in step.variables]
    rates, losses = np.geomspace(*RANGE, STEPS), []
    try:
        for rate, batch in zip(rates, islice(batches, STEPS), strict=True):
            step.rate = float(rate)
            losses.append(sum(step(batch.inputs, batch.targets, batch.masks, batch.expressions)))
            if _burst(losses):
                break
    finally:
        for variable, value in zip(step.variables, kept, strict=True):
            variable.assign(value)
    finite = np.array([loss for loss in losses if np.isfinite(loss)])
    rates, smoothed = rates[: len(finite)], _smooth(finite)
    return Sweep(rates, finite, smoothed, suggest(rates, smoothed))


def suggest(rates: NDArray[np.float64], smoothed: NDArray[np.float64]) -> float:
    """The largest rate that is safe to train with.

    The rate of the steepest fall, which is often taken, is too careful here: it is that of the mean
    brightness, which a fiftieth of the best rate learns.

    Args:
        rates: float64 (N,), rising in equal ratios.
        smoothed: float64 (N,), the loss at each.

    Returns:
        A third of the rate at which the loss stops falling; where it hardly falls, as in a trained network, a
        tenth of the rate at which it begins to rise.
    """
    least = int(np.argmin(smoothed))
    drop = float(np.max(smoothed[: least + 1]) - smoothed[least])
    if drop < FALLING * (smoothed[least] + drop):
        steady = np.flatnonzero(smoothed <= smoothed[least] * (1 + FALLING))
        return float(rates[steady[-1]] / 10)
    end = int(np.argmax(smoothed <= smoothed[least] + NEARLY * drop))
    return float(rates[end] / 3)


def picture(found: Sweep) -> Image:
    """The losses over the rates, with the one suggested: BGR uint8 (500, 800, 3)."""
    figure = Figure(figsize=(8, 5), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    axes.semilogx(found.rates, found.losses, ".", color="#b0b0b0", markersize=4, label="a step")
    axes.semilogx(found.rates, found.smoothed, color="#1f5fa8", linewidth=2, label="smoothed")
    axes.axvline(found.suggested, color="#c04020", linestyle="--", label=f"suggested: {found.suggested:.2g}")
    axes.set(xlabel="learning rate", ylabel="loss of A and B", title="An ever larger learning rate")
    low, high = float(found.smoothed.min()), float(found.smoothed[0])
    axes.set_ylim(low - 0.1 * (high - low) - 0.01, high + 0.3 * (high - low) + 0.01)
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    return rendered(figure)


def _burst(losses: list[float]) -> bool:
    """Whether the last few losses are far above the best few, or one is no number."""
    if not np.isfinite(losses[-1]):
        return True
    if len(losses) < 3 * WIDTH:
        return False
    means = np.convolve(losses, np.full(WIDTH, 1 / WIDTH), "valid")
    return bool(means[-1] > BURST * means.min())


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A Gaussian mean that does not lag behind; at the ends over what there is."""
    reach = np.arange(-3 * WIDTH, 3 * WIDTH + 1)
    kernel = np.exp(-0.5 * (reach / WIDTH) ** 2)
    full = np.convolve(values, kernel), np.convolve(np.ones(len(values)), kernel)
    inside = slice(3 * WIDTH, 3 * WIDTH + len(values))
    return np.asarray(full[0][inside] / full[1][inside])
