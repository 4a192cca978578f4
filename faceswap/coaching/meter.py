"""What is measured from step to step of a training, and when something is due."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

from faceswap.coaching.diary import Entry
from faceswap.coaching.exam import Scores

T = TypeVar("T")


class Meter:
    """What is measured from step to step."""

    def __init__(self) -> None:
        """Nothing is measured yet."""
        self.losses: list[tuple[float, float]] = []
        self._mean: tuple[float, float] | None = None
        self.scores: Scores | None = None
        self._waited = self._passed = 0.0

    @property
    def mean(self) -> tuple[float, float]:
        """The losses of A and of B in the last row; before the first one, over the steps there are."""
        if self._mean is not None or not self.losses:
            return self._mean or (float("nan"), float("nan"))
        return _mean(self.losses)

    @property
    def waiting(self) -> float:
        """Share of the time of this run that was spent waiting for faces, 0 to 1."""
        return self._waited / self._passed if self._passed else 0.0

    def supplied(self, batches: Iterable[T]) -> Iterator[T]:
        """The batches; the time until each is there is counted."""
        supply = iter(batches)
        while True:
            asked = time.monotonic()
            batch = next(supply, None)
            if batch is None:
                return
            self._waited += time.monotonic() - asked
            yield batch
            self._passed += time.monotonic() - asked

    def entry(self, speed: float, stage: str) -> Entry:
        """A row for the CSV; the losses and scores since the last one are used up."""
        self._mean = _mean(self.losses)
        self.losses.clear()
        scores, self.scores = self.scores, None
        return Entry(self._mean, speed, self.waiting, stage, scores)


def _mean(losses: list[tuple[float, float]]) -> tuple[float, float]:
    loss_a, loss_b = np.mean(losses, axis=0).tolist()
    return loss_a, loss_b


class Every:
    """Says when a time has passed again."""

    def __init__(self, seconds: float) -> None:
        """Count `seconds` from now on."""
        self._seconds, self._last = seconds, time.monotonic()

    def over(self) -> bool:
        """Whether the time has passed since this was last true."""
        if time.monotonic() - self._last < self._seconds:
            return False
        self.restart()
        return True

    def restart(self) -> None:
        """Count from now on."""
        self._last = time.monotonic()
