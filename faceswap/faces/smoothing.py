"""Steadying a face's points through time, without delay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from faceswap.types import Points

NOISE = 0.006  # standard deviation of a detected point about where it is, shares of the face's extent
PUSH = 0.012  # standard deviation of its acceleration, extents a frame squared


def steady(track: Sequence[Points], frames: Sequence[int]) -> list[Points]:
    """Smooth the points of one track both ways in time.

    A Kalman filter with constant velocity runs forwards, then the Rauch-Tung-Striebel smoother backwards
    (AIAA Journal 3(8), 1965), so that every point is judged by what came before and after it: there is no
    lag. All points share one covariance, so one small recursion serves them all.

    Args:
        track: float32 (N, 2) each, pixels of the frame.
        frames: Their frame numbers, increasing; gaps are allowed.

    Returns:
        As many points, smoothed.
    """
    if len(track) < 3:
        return list(track)
    measured = np.stack(track).astype(np.float64)
    extent = float(np.median(np.ptp(measured, axis=1).max(1)))
    noise, push = (NOISE * extent) ** 2, (PUSH * extent) ** 2
    steps = np.diff(np.asarray(frames), prepend=frames[0])
    states, spreads, guesses, guessed = _forwards(measured, steps, noise, push)
    for index in range(len(track) - 2, -1, -1):
        gain = spreads[index] @ _move(steps[index + 1]).T @ np.linalg.inv(guessed[index + 1])
        states[index] += np.einsum("ij,jpc->ipc", gain, states[index + 1] - guesses[index + 1])
    return [np.asarray(state[0], np.float32) for state in states]


def _forwards(
    measured: NDArray[np.float64], steps: NDArray[np.int64], noise: float, push: float
) -> tuple[list[NDArray[np.float64]], ...]:
    """The filter: states (2, N, 2) and covariances (2, 2), after and before each measurement."""
    state = np.stack([measured[0], np.zeros_like(measured[0])])
    spread = np.diag([noise, 1e4 * noise])  # nothing is known of the speed at first
    states, spreads, guesses, guessed = [state], [spread], [state], [spread]
    for points, step in zip(measured[1:], steps[1:], strict=True):
        move = _move(step)
        shove = np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]]) * push
        guess = np.einsum("ij,jpc->ipc", move, state)
        wide = move @ spread @ move.T + shove
        gain = wide[:, 0] / (wide[0, 0] + noise)
        state = guess + gain[:, None, None] * (points - guess[0])
        spread = wide - np.outer(gain, wide[0])
        for kept, value in zip(
            (states, spreads, guesses, guessed), (state, spread, guess, wide), strict=True
        ):
            kept.append(value)
    return states, spreads, guesses, guessed


def _move(step: int) -> NDArray[np.float64]:
    """Position and velocity after `step` frames."""
    return np.array([[1.0, step], [0.0, 1.0]])
