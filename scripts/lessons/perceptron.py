"""Lesson 1: a perceptron, one unit with a step function, learns to part two clouds of points.

Rosenblatt, "The perceptron: a probabilistic model for information storage and organization in the brain",
Psychological Review 65, 1958. Its rule moves the weights only where it errs, by the error times the input; if
a line can part the points, it finds one after a finite number of errors. The second picture shows what it
cannot do: no line parts the exclusive or, so the rule goes on for ever.

    python scripts/lessons/perceptron.py -o perceptron.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

RATE, ROUNDS = 0.1, 25


def step(z: np.ndarray) -> np.ndarray:
    """1 where z is 0 or more, else 0."""
    return (z >= 0).astype(float)


def learn(points: np.ndarray, labels: np.ndarray) -> tuple[list[np.ndarray], list[int]]:
    """Go through the points, round after round.

    Returns:
        The weights (bias, x, y) after each round, and how many points were wrong in it.
    """
    inputs = np.c_[np.ones(len(points)), points]  # the bias is the weight of an input that is always 1
    weights, history, wrong = np.zeros(3), [], []
    for _ in range(ROUNDS):
        errors = 0
        for x, wanted in zip(inputs, labels, strict=True):
            error = wanted - step(x @ weights)
            weights = weights + RATE * error * x
            errors += int(error != 0)
        history.append(weights)
        wrong.append(errors)
        if not errors:
            break
    return history, wrong


def clouds(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds that a line parts."""
    both = [random.normal(centre, 0.55, (60, 2)) for centre in ((-1.2, -0.8), (1.2, 0.9))]
    points, labels = np.concatenate(both), np.repeat([0.0, 1.0], 60)
    order = random.permutation(len(points))
    return points[order], labels[order]


def exclusive_or(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Four clouds: those across from each other belong together."""
    points = random.uniform(-2, 2, (120, 2))
    return points, (points[:, 0] * points[:, 1] > 0).astype(float)


def draw(axes: tuple, points: np.ndarray, labels: np.ndarray, title: str) -> None:
    """The points with the line after each round, the last one darkest, and the errors by round."""
    history, wrong = learn(points, labels)
    axes[0].scatter(*points.T, c=labels, cmap="coolwarm", s=14)
    x = np.array([-3, 3])
    for number, (bias, a, b) in enumerate(history):
        if b:
            share = (number + 1) / len(history)
            axes[0].plot(x, -(bias + a * x) / b, "k", alpha=0.15 + 0.85 * share**4, linewidth=0.5 + share)
    axes[0].set(xlim=(-3, 3), ylim=(-3, 3), title=title)
    axes[1].plot(range(1, len(wrong) + 1), wrong, "o-", color="#dc2626")
    axes[1].set(xlabel="round", ylabel="points that were wrong", ylim=(-0.3, 1.1 * max(wrong)))
    axes[1].locator_params(integer=True)
    print(f"{title}: {wrong[-1]} of {len(points)} wrong in round {len(wrong)}")


def main() -> None:
    """Learn both, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("perceptron.png"), help="picture to write")
    args = parser.parse_args()
    random = np.random.default_rng(4)
    figure, axes = plt.subplots(2, 2, figsize=(9, 8))
    draw(axes[:, 0], *clouds(random), "two clouds")
    draw(axes[:, 1], *exclusive_or(random), "exclusive or")
    figure.tight_layout()
    figure.savefig(args.output, dpi=90)


if __name__ == "__main__":
    plt.switch_backend("agg")
    main()
