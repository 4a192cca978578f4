"""Whether faces could be pictures of A, or of B: an adversary for each, in a swap network's training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from faceswap import registry
from faceswap.networks.adversarial import Adversary

DISCRIMINATOR = "patch"  # whether the texture is real; what the face is like, the other losses tell


class Critics:
    """Both adversaries. They see what lies inside the mask: the background is not what is learned."""

    def __init__(self, size: int, game: str) -> None:
        """Prepare to play `game`, a key of `registry.GAMES`, on faces of `size` pixels."""
        build = registry.load(registry.DISCRIMINATORS, DISCRIMINATOR)
        self._adversaries = {person: Adversary(build(size), game) for person in "ab"}

    @property
    def kept(self) -> dict[str, Sequence[Any]]:
        """All that playing changes, by name, for a checkpoint."""
        return {
            f"{name}_{person}": variables
            for person, adversary in self._adversaries.items()
            for name, variables in adversary.kept.items()
        }

    def play(self, tape: tf.GradientTape, person: str, fakes: Any, reals: Any) -> Any:
        """One round; what the faces that were made lose.

        Args:
            tape: On which they were made.
            person: 'a' or 'b', whose faces they are to be.
            fakes: float32 (n, size, size, 3), rebuilt and swapped faces, 0 outside the mask.
            reals: The same of the person's own.
        """
        return self._adversaries[person].play(tape, fakes, reals).persuasion
