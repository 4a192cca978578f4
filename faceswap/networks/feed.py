"""Keeps the training step supplied: samples are made in a thread, ahead of time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from faceswap.networks.augmentation import Jitter, vary
from faceswap.types import Image

AHEAD = 4  # batches made ahead of the step


@dataclass(frozen=True)
class Album:
    """The faces of one person, as the network's feed wants them.

    Attributes:
        images: BGR uint8 (N, side, side, 3); `side` leaves room around the network's picture.
        masks: uint8 (N, side, side), 255 on the face.
    """

    images: Image
    masks: Image


@dataclass(frozen=True)
class Batch:
    """Samples of both people joined: the first half is A's, the second B's.

    Attributes:
        inputs: BGR uint8 (2n, size, size, 3).
        targets: The same shape.
        masks: uint8 (2n, size, size), 255 on the face.
    """

    inputs: Image
    targets: Image
    masks: Image


class Feed:
    """An endless supply of batches; a context manager.

    Batch number i depends on the seed, i and the jitter only, so a resumed training sees what an
    uninterrupted one would have seen.
    """

    def __init__(self, albums: tuple[Album, Album], size: int, batch: int, seed: int, first: int) -> None:
        """Prepare to make batches `first`, `first` + 1, ... of `batch` faces a side, `size` pixels each."""
        self._albums, self._size, self._batch, self._seed, self._first = albums, size, batch, seed, first
        self.jitter = Jitter()
        self._queue: queue.Queue[Batch | BaseException] = queue.Queue(AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="feed", daemon=True)

    def __enter__(self) -> Feed:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the thread."""
        self._stop.set()
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=0.05)
            except queue.Empty:
                continue
        self._thread.join()

    def __iter__(self) -> Iterator[Batch]:
        """Batches, in order; an error in the thread is raised here."""
        while True:
            item = self._queue.get()
            if isinstance(item, BaseException):
                raise item
            yield item

    def _work(self) -> None:
        number = self._first
        try:
            while not self._stop.is_set():
                self._queue.put(self.make(number))
                number += 1
        except BaseException as error:
            self._queue.put(error)

    def make(self, number: int) -> Batch:
        """Batch `number`."""
        samples: list[tuple[NDArray[np.uint8], ...]] = []
        for side, album in enumerate(self._albums):
            draw = np.random.default_rng([self._seed, number, side])
            for index in draw.integers(0, len(album.images), self._batch):
                samples.append(vary(album.images[index], album.masks[index], self._size, self.jitter, draw))
        inputs, targets, masks = (np.stack(parts) for parts in zip(*samples, strict=True))
        return Batch(inputs, targets, masks)
