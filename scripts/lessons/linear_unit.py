"""Lesson 2: a linear unit learns by gradient descent, and the learning rate decides how.

A unit without a step function has an error that can be differentiated. The mean squared error over weight
and bias is a bowl, and each step goes down its steepest side (the delta rule; Widrow and Hoff, "Adaptive
switching circuits", 1960). Too small a rate crawls, too large a one climbs out. The bottom is known: least
squares.

    python scripts/lessons/linear_unit.py -o linear_unit.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

RATES = {0.01: "#93c5fd", 0.1: "#2563eb", 0.62: "#dc2626"}
STEPS = 40


def loss(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean squared error of y = w x + b, for weights (..., 2)."""
    made = weights[..., :1] * x + weights[..., 1:]
    return ((made - y) ** 2).mean(-1)


def gradient(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How that error changes with weight and bias."""
    error = weights[0] * x + weights[1] - y
    return np.array([2 * (error * x).mean(), 2 * error.mean()])


def descend(rate: float, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weight and bias after each step from (0, 0)."""
    path = [np.zeros(2)]
    for _ in range(STEPS):
        path.append(path[-1] - rate * gradient(path[-1], x, y))
    return np.array(path)


def draw_bowl(axes: plt.Axes, best: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Lines of equal error over weight and bias."""
    w, b = np.meshgrid(np.linspace(-1.2, 4.2, 80), np.linspace(-1.2, 3.2, 80))
    heights = loss(np.stack([w, b], -1), x, y)
    axes.contour(w, b, np.log(heights), 18, cmap="Greys", linewidths=0.7)
    axes.plot(*best, "k*", markersize=12, label="least squares")
    axes.set(xlabel="weight", ylabel="bias", xlim=(-1.2, 4.2), ylim=(-1.2, 3.2), title="ways down the bowl")


def main() -> None:
    """Descend with each rate, compare with least squares, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("linear_unit.png"), help="picture to write")
    args = parser.parse_args()
    random = np.random.default_rng(2)
    x = random.uniform(-1, 2.2, 60)
    y = 1.6 * x + 0.7 + random.normal(0, 0.35, 60)
    best = np.linalg.lstsq(np.c_[x, np.ones_like(x)], y, rcond=None)[0]
    figure, (data, bowl, errors) = plt.subplots(1, 3, figsize=(14, 4.4))
    data.plot(x, y, ".", color="#6b7280")
    draw_bowl(bowl, best, x, y)
    for rate, colour in RATES.items():
        path = descend(rate, x, y)
        bowl.plot(*path.T, "o-", color=colour, markersize=3, linewidth=1, label=f"rate {rate}")
        errors.semilogy(loss(path, x, y), color=colour, label=f"rate {rate}")
        ends = np.array([-1, 2.2])
        data.plot(ends, path[-1, 0] * ends + path[-1, 1], color=colour, label=f"rate {rate}")
        away = np.abs(path[-1] - best).max()
        print(f"rate {rate}: after {STEPS} steps {away:.2g} away from least squares")
    errors.axhline(loss(best, x, y), color="k", linestyle="--", linewidth=0.8, label="least squares")
    errors.set(xlabel="step", ylabel="mean squared error", title="errors")
    data.set(title=f"after {STEPS} steps", ylim=(-2, 6))
    for axes in (data, bowl, errors):
        axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(args.output, dpi=90)


if __name__ == "__main__":
    plt.switch_backend("agg")
    main()
