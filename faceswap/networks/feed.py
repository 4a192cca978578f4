"""Keeps the training step supplied: samples are made in a thread, ahead of time."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from faceswap.networks.augmentation import Jitter, vary
from faceswap.threads import ahead, opencv_alone
from faceswap.types import Image

AHEAD = 4  # batches made ahead of the step


@dataclass(frozen=True)
class Album:
    """The faces of one person, as the network's feed wants them.

    Attributes:
        images: BGR uint8 (N, side, side, 3); `side` leaves room around the network's picture.
        masks: uint8 (N, side, side), 255 on the face.
        held: Which of them are held out: the feed never shows them.
        expressions: float32 (N, count), what each of them does; None where that is not known.
    """

    images: Image
    masks: Image
    held: range = range(0)
    expressions: NDArray[np.float32] | None = None

    @property
    def taught(self) -> int:
        """How many faces are trained on."""
        return len(self.images) - len(self.held)

    def place(self, number: int) -> int:
        """Which picture the `number`-th face that is trained on is."""
        return number if number < self.held.start else number + len(self.held)

    def middles(self, size: int) -> Image:
        """What the network's pictures show where nothing is varied: (N, size, size, 3), not copied."""
        edge = (self.images.shape[1] - size) // 2
        return self.images[:, edge : edge + size, edge : edge + size]


@dataclass(frozen=True)
class Batch:
    """Samples of both people joined: the first half is A's, the second B's.

    Attributes:
        inputs: BGR uint8 (2n, size, size, 3).
        targets: The same shape.
        masks: uint8 (2n, size, size), 255 on the face.
        expressions: float32 (2n, count), what the faces do; None where that is not known of both people.
    """

    inputs: Image
    targets: Image
    masks: Image
    expressions: NDArray[np.float32] | None = None


class Feed:
    """An endless supply of batches.

    Batch number i depends on the seed, i and the jitter only, so a resumed training sees what an
    uninterrupted one would have seen.
    """

    def __init__(
        self, albums: tuple[Album, Album], size: int, batch: int, seed: int, jitter: Jitter | None = None
    ) -> None:
        """Prepare to make batches of `batch` faces a side, `size` pixels each.

        Args:
            albums: The faces of A and of B.
            size: Side of a sample, pixels.
            batch: Faces of each side in a batch.
            seed: Seed of all chance.
            jitter: How strongly faces are varied; it may be changed later, see `batches`.
        """
        self._albums, self._size, self._batch, self._seed = albums, size, batch, seed
        self.jitter = jitter or Jitter()

    def batches(self, first: int) -> Generator[Batch, None, None]:
        """Batch `first` and all that follow, made in a thread ahead of their use; close it to stop that.

        Where `jitter` is changed between two batches, the next one is made with the new one already: what was
        made ahead is thrown away. So a run that is resumed after the change gets the same.
        """
        number = first
        with opencv_alone():
            while True:
                jitter = self.jitter
                with closing(ahead((self.make(coming) for coming in count(number)), AHEAD)) as made:
                    for batch in made:
                        if self.jitter != jitter:
                            break
                        yield batch
                        number += 1

    def make(self, number: int) -> Batch:
        """Batch `number`."""
        samples: list[tuple[NDArray[np.uint8], ...]] = []
        told = []
        for side, album in enumerate(self._albums):
            draw = np.random.default_rng([self._seed, number, side])
            others = self._albums[1 - side]
            for number in draw.integers(0, album.taught, self._batch):
                index, which = album.place(int(number)), others.place(int(draw.integers(0, others.taught)))
                other = others.images[which], others.masks[which]
                sample = vary(album.images[index], album.masks[index], self._size, self.jitter, draw, other)
                samples.append(sample)
                if album.expressions is not None:
                    told.append(album.expressions[index])
        inputs, targets, masks = (np.stack(parts) for parts in zip(*samples, strict=True))
        return Batch(inputs, targets, masks, np.stack(told) if len(told) == len(samples) else None)
