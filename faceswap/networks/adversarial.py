"""The adversarial game: a discriminator learns to tell made pictures from real ones, a generator to fool it.

Goodfellow et al., "Generative adversarial nets", NIPS 2014. The generator is whatever makes pictures: one
that turns noise into faces, or the decoders of a swap network. Its owner holds the tape and moves its
weights; here is what all of them share:

    with tf.GradientTape() as tape:
        fakes = generator(noise, training=True)
        turns = adversary.play(tape, fakes, reals)
    gradients = tape.gradient(turns.persuasion, generator.trainable_variables)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from faceswap import registry

# === Config ===
RATE = 2e-4  # of the discriminator's optimizer
BETA_1, BETA_2 = 0.5, 0.99  # a short memory: what it is to tell apart changes all the time

Score = Callable[[Any], Any]


@dataclass(frozen=True)
class Game:
    """What the players lose. Each takes the discriminator's scores, of any shape, high meaning real.

    Attributes:
        real: What the discriminator loses on real pictures.
        fake: What it loses on made ones.
        persuade: What the generator loses on its own.
    """

    real: Score
    fake: Score
    persuade: Score


class Turns(NamedTuple):
    """What came of the three steps; scalars.

    Attributes:
        persuasion: The generator's loss, with a gradient to the pictures it made.
        fake: The discriminator's loss on made pictures, before it learned from them.
        real: Its loss on real ones, before it learned from them.
    """

    persuasion: Any
    fake: Any
    real: Any


# Scores beyond 1 on the right side are good enough (Lim and Ye, "Geometric GAN", 2017).
HINGE = Game(
    real=lambda scores: tf.reduce_mean(tf.nn.relu(1 - scores)),
    fake=lambda scores: tf.reduce_mean(tf.nn.relu(1 + scores)),
    persuade=lambda scores: -tf.reduce_mean(scores),
)
# 1 for real, 0 for made (Mao et al., "Least squares generative adversarial networks", ICCV 2017, equation 9).
LEAST_SQUARES = Game(
    real=lambda scores: tf.reduce_mean(tf.square(scores - 1)) / 2,
    fake=lambda scores: tf.reduce_mean(tf.square(scores)) / 2,
    persuade=lambda scores: tf.reduce_mean(tf.square(scores - 1)) / 2,
)
# Cross-entropy, the generator's turned round so that it learns while it loses (Goodfellow et al., section 3).
NON_SATURATING = Game(
    real=lambda scores: tf.reduce_mean(tf.nn.softplus(-scores)),
    fake=lambda scores: tf.reduce_mean(tf.nn.softplus(scores)),
    persuade=lambda scores: tf.reduce_mean(tf.nn.softplus(-scores)),
)


class Adversary:
    """A discriminator, what trains it, and the game it plays; its steps belong into a `tf.function`."""

    def __init__(
        self,
        discriminator: keras.Model,
        game: str = "hinge",
        optimizer: keras.optimizers.Optimizer | None = None,
    ) -> None:
        """Prepare to play.

        Args:
            discriminator: Pictures float32 (batch, height, width, channels), 0 to 1, to scores.
            game: A key of `registry.GAMES`.
            optimizer: What moves its weights, made for it alone; None for one that suits.

        Raises:
            UsageError: There is no such game.
        """
        self.discriminator = discriminator
        self.optimizer = optimizer or keras.optimizers.Adam(RATE, BETA_1, BETA_2, name="adam")
        self._game: Game = registry.load(registry.GAMES, game)
        self._weights = discriminator.trainable_variables
        self.optimizer.build(self._weights)

    @property
    def kept(self) -> dict[str, Sequence[Any]]:
        """All that its steps change, by name, for a checkpoint."""
        return {
            "discriminator": self.discriminator.variables,
            "discriminator_optimizer": self.optimizer.variables,
        }

    @property
    def variables(self) -> list[Any]:
        """The same in one list."""
        return [variable for variables in self.kept.values() for variable in variables]

    def play(self, tape: tf.GradientTape, fakes: Any, reals: Any) -> Turns:
        """The three steps of one round.

        The discriminator learns that the made pictures are false, then that the real ones are true; then the
        generator is told, through the discriminator as it is now, what would have made its pictures pass for
        true. The discriminator is frozen in that: nothing in it changes, and whoever holds the tape moves
        the generator's weights only.

        Args:
            tape: On which `fakes` were made; it goes on recording afterwards.
            fakes: float32 (n, height, width, channels), 0 to 1, made by the generator.
            reals: The same shape but for n.
        """
        with tape.stop_recording():
            fake = self._learn(tf.stop_gradient(fakes), self._game.fake)
            real = self._learn(reals, self._game.real)
        return Turns(self._game.persuade(self.discriminator(fakes, training=False)), fake, real)

    def _learn(self, pictures: Any, lost: Score) -> Any:
        """Move the discriminator once; its loss before."""
        with tf.GradientTape() as tape:
            loss = lost(self.discriminator(pictures, training=True))
        self.optimizer.apply(tape.gradient(loss, self._weights), self._weights)
        return loss
