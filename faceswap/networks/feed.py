"""Keeps the training step supplied: samples are made in a thread, ahead of time."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from faceswap.networks.augmentation import Jitter, vary
from faceswap.threads import ahead
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
    """An endless supply of batches.

    Batch number i depends on the seed, i and the jitter only, so a resumed training sees what an
    uninterrupted one would have seen.
    """

    def __init__(self, albums: tuple[Album, Album], size: int, batch: int, seed: int) -> None:
        """Prepare to make batches of `batch` faces a side, `size` pixels each."""
        self._albums, self._size, self._batch, self._seed = albums, size, batch, seed
        self.jitter = Jitter()

    def batches(self, first: int) -> Generator[Batch, None, None]:
        """Batch `first` and all that follow, made in a thread ahead of their use; close it to stop that."""
        return ahead((self.make(number) for number in count(first)), AHEAD)

    def make(self, number: int) -> Batch:
        """Batch `number`."""
        samples: list[tuple[NDArray[np.uint8], ...]] = []
        for side, album in enumerate(self._albums):
            draw = np.random.default_rng([self._seed, number, side])
            for index in draw.integers(0, len(album.images), self._batch):
                samples.append(vary(album.images[index], album.masks[index], self._size, self.jitter, draw))
        inputs, targets, masks = (np.stack(parts) for parts in zip(*samples, strict=True))
        return Batch(inputs, targets, masks)
