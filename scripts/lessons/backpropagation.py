"""Lesson 3: a network of three layers with back-propagation written out, checked against TensorFlow.

Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", Nature 323, 1986. Each
layer's error is the next one's, sent back through its weights and scaled by the slope of the activation; the
gradient of a weight is its input times that error. TensorFlow's automatic gradients must be the same numbers.
The data are two spirals, which no line parts.

    python scripts/lessons/backpropagation.py -o backpropagation.png
"""

from __future__ import annotations

import argparse
import os
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

SIZES = (2, 24, 24, 1)
RATE, MOMENTUM, STEPS = 0.3, 0.9, 3000


def forward(layers: list, x: np.ndarray) -> list[np.ndarray]:
    """What goes into each layer, and what comes out of the last: tanh within, a sigmoid at the end."""
    values = [x]
    for place, (weights, bias) in enumerate(layers):
        z = values[-1] @ weights + bias
        values.append(np.tanh(z) if place < len(layers) - 1 else 1 / (1 + np.exp(-z)))
    return values


def backward(layers: list, values: list[np.ndarray], y: np.ndarray) -> list:
    """The gradient of the mean cross-entropy for each layer's weights and bias."""
    error = (values[-1] - y) / len(y)  # of sigmoid and cross-entropy together, before the sigmoid
    gradients = []
    for place in reversed(range(len(layers))):
        gradients.insert(0, (values[place].T @ error, error.sum(0)))
        if place:
            error = (error @ layers[place][0].T) * (1 - values[place] ** 2)  # the slope of tanh
    return gradients


def difference_to_tensorflow(layers: list, x: np.ndarray, y: np.ndarray) -> float:
    """The largest difference of a gradient to TensorFlow's, as a share of the largest gradient."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    variables = [[tf.Variable(part) for part in layer] for layer in layers]
    with tf.GradientTape() as tape:
        z = tf.constant(x)
        for weights, bias in variables[:-1]:
            z = tf.tanh(z @ weights + bias)
        z = z @ variables[-1][0] + variables[-1][1]
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.constant(y), z))
    theirs = [part.numpy() for layer in tape.gradient(loss, variables) for part in layer]
    ours = [part for layer in backward(layers, forward(layers, x), y) for part in layer]
    largest = max(np.abs(part).max() for part in theirs)
    return float(max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True)) / largest)


def main() -> None:
    """Check the gradients, learn, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("backpropagation.png"), help="to write")
    args = parser.parse_args()
    random = np.random.default_rng(1)
    turn = np.sqrt(random.uniform(0.02, 1, 150)) * 3 * np.pi
    arm = np.c_[turn * np.cos(turn), turn * np.sin(turn)] / 9 + random.normal(0, 0.02, (150, 2))
    x, y = np.concatenate([arm, -arm]), np.repeat([[0.0], [1.0]], 150, 0)
    layers = [(random.normal(0, 1.5 / np.sqrt(a), (a, b)), np.zeros(b)) for a, b in pairwise(SIZES)]
    difference = difference_to_tensorflow(layers, x, y)
    print(f"gradients differ from TensorFlow's by {difference:.1e} of the largest")
    moves = [[np.zeros_like(part) for part in layer] for layer in layers]
    losses = []
    for _ in range(STEPS):
        values = forward(layers, x)
        losses.append(-np.log(np.abs(1 - y - values[-1]) + 1e-12).mean())  # cross-entropy
        for place, gradients in enumerate(backward(layers, values, y)):
            moves[place] = [MOMENTUM * m - RATE * g for m, g in zip(moves[place], gradients, strict=True)]
            layers[place] = tuple(p + m for p, m in zip(layers[place], moves[place], strict=True))
    right = ((forward(layers, x)[-1] > 0.5) == y).mean()
    print(f"after {STEPS} steps: cross-entropy {losses[-1]:.4f}, {right:.1%} right")
    figure, (curve, surface) = plt.subplots(1, 2, figsize=(10, 4.6))
    curve.semilogy(losses)
    curve.set(xlabel="step", ylabel="cross-entropy")
    grid = np.stack(np.meshgrid(*[np.linspace(-1.3, 1.3, 200)] * 2), -1)
    made = forward(layers, grid.reshape(-1, 2))[-1].reshape(200, 200)
    surface.contourf(grid[..., 0], grid[..., 1], made, 20, cmap="coolwarm", alpha=0.7)
    surface.scatter(*x.T, c=y.ravel(), cmap="coolwarm", edgecolors="k", s=14, linewidths=0.4)
    surface.set(title=f"{right:.1%} right; gradients within {difference:.0e} of TensorFlow's")
    figure.tight_layout()
    figure.savefig(args.output, dpi=90)


if __name__ == "__main__":
    plt.switch_backend("agg")
    main()
