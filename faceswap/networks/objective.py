"""What a network is trained for: the losses that count, added up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from faceswap import registry
from faceswap.networks.autoencoder import graphics_cards
from faceswap.networks.critics import Critics
from faceswap.networks.likeness import Likeness
from faceswap.networks.matching import energy_distance
from faceswap.networks.reading import Reading
from faceswap.options import LossOptions
from faceswap.types import Points

# === Config ===
EYES = (slice(36, 42), slice(42, 48))  # of the 68 landmarks
MOUTH = (slice(48, 68),)
AROUND = 0.03  # of the picture's side: how far past a feature's points it counts, for faces vary
SOFT = 0.03  # of the side: deviation of the blur at its edge
APART = ("laplacian", "perceptual")  # they enlarge pictures or have a network: XLA is slow at it


class Objective:
    """The losses that have a weight; the others cost nothing."""

    def __init__(
        self,
        options: LossOptions,
        size: int,
        landmarks: Points | None = None,
        likeness: Likeness | None = None,
        critics: Critics | None = None,
        reading: Reading | None = None,
    ) -> None:
        """Prepare the losses.

        Args:
            options: What each counts.
            size: Side of the network's pictures, pixels.
            landmarks: (68, 2), where the mean face lies in them, pixels; needed where eyes or mouth count
                more than the rest.
            likeness: What tells who is in a picture; needed where that counts.
            critics: What tells whether a picture is real; needed where that counts.
            reading: What reads from a code what the face does; needed where that counts.

        Raises:
            DependencyError: A loss needs a network whose weights are not installed.
        """
        shares = {name: getattr(options, name) for name in registry.LOSSES if getattr(options, name)}
        self._apart = [(shares.pop(name), _named(name)) for name in APART if name in shares]
        self._fused = fused(tuple(shares.items()), options.mask_loss)
        self._background = options.background
        self._features = None
        if (options.eyes, options.mouth) != (1, 1):
            assert landmarks is not None
            self._features = tf.constant(importance(landmarks, size, options.eyes, options.mouth)[..., None])
        self.likeness = likeness if options.identity_loss else None
        self.critics = critics if options.adversarial else None
        self.reading = reading if options.expression else None
        self._identity, self._faces = options.identity_loss, options.identity_faces
        self._adversarial, self._match = options.adversarial, options.code_match
        self._expression = options.expression
        blank = tf.zeros((1, size, size, 3))
        for _, loss in self._apart:
            loss(blank, blank, blank[..., :1] + 1)  # what it lacks shows now, not in the middle of tracing

    @property
    def kept(self) -> dict[str, Sequence[Any]]:
        """What the losses themselves learn, by name, for a checkpoint."""
        learning = [part for part in (self.critics, self.reading) if part is not None]
        return {name: variables for part in learning for name, variables in part.kept.items()}

    @property
    def crossed(self) -> dict[str, int | None]:
        """How many of the other person's faces each decoder draws, None for all: 'a' and 'b' to that."""
        if self.critics:
            return {"a": None, "b": None}
        return {"a": 0, "b": self._faces if self.likeness else 0}

    def rebuilt(self, made: Any, wanted: Any, mask: Any) -> Any:
        """How far faces made are from those that went in.

        Args:
            made: float32 (n, size, size, 4), face and mask.
            wanted: float32 (n, size, size, 3), the face.
            mask: float32 (n, size, size, 1), 1 on it.
        """
        weight = self._background + (1 - self._background) * mask
        if self._features is not None:
            weight *= self._features
        total = self._fused(made, wanted, mask, weight)
        picture, _ = tf.split(made, [3, 1], -1)  # the gradient of slices takes six times as long
        for share, loss in self._apart:
            total += share * loss(picture, wanted, weight)
        return total

    def swapped(self, made: Any) -> Any:
        """How far A's faces through B's decoder, float32 (n, size, size, 4), are from B."""
        if self.likeness is None:
            return tf.constant(0.0)
        return self._identity * self.likeness.distance(made[: self._faces, ..., :3])

    def told_apart(self, code_a: Any, code_b: Any) -> Any:
        """How well the codes of A's and of B's faces, (n, ...), are told apart; one of each says nothing."""
        if not self._match:
            return tf.constant(0.0)
        several = tf.shape(code_a)[0] > 1
        return self._match * tf.cond(
            several, lambda: energy_distance(code_a, code_b), lambda: tf.constant(0.0)
        )

    def misread(self, tape: tf.GradientTape, code: Any, expressions: Any) -> Any:
        """How badly what the faces do, float32 (n, count), is read from their codes; see `Reading`."""
        if self.reading is None or expressions is None:
            return tf.constant(0.0)
        return self._expression * self.reading.error(tape, code, expressions)

    def exposed(self, tape: tf.GradientTape, person: str, fakes: Any, reals: Any) -> Any:
        """How easily faces made are told from real ones; what tells them learns from it. See `Critics`."""
        assert self.critics is not None
        return self._adversarial * self.critics.play(tape, person, fakes, reals)


@cache
def fused(shares: tuple[tuple[str, float], ...], mask_share: float) -> Callable[..., Any]:
    """The sum of the losses of these names and shares, and of the mask's, as a function of tensors.

    It takes what `Objective.rebuilt` takes, and what each pixel counts, float32 (n, size, size, 1); its
    gradient is by what was made alone. XLA compiles both as one piece: they are dozens of small operations,
    with which, one by one, a step takes a tenth longer. It takes a second, once for each size in a process.
    """
    losses = [(share, _named(name)) for name, share in shares]

    def total(made: Any, wanted: Any, mask: Any, weight: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(made)
            picture, seen = tf.split(made, [3, 1], -1)
            cost = mask_share * tf.reduce_mean(tf.abs(seen - mask))
            for share, loss in losses:
                cost += share * loss(picture, wanted, weight)
        return cost, tape.gradient(cost, made)

    compiled = tf.function(total, autograph=False, jit_compile=not graphics_cards())  # anew for each size

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def cost(made: Any, wanted: Any, mask: Any, weight: Any) -> tuple[Any, Callable[[Any], Any]]:
        value, gradient = compiled(made, wanted, mask, weight)
        return value, lambda upstream: (upstream * gradient, None, None, None)

    return cast(Callable[..., Any], cost)


def _named(name: str) -> Callable[..., Any]:
    return cast(Callable[..., Any], registry.load(registry.LOSSES, name))


def importance(landmarks: Points, size: int, eyes: float, mouth: float) -> NDArray[np.float32]:
    """What each pixel of a face counts: float32 (size, size), 1 but for the eyes and the mouth.

    Args:
        landmarks: (68, 2), where the mean face lies, pixels.
        size: Side of the picture, pixels.
        eyes: What the eyes count.
        mouth: What the mouth counts.
    """
    counts = np.ones((size, size), np.float32)
    for share, features in ((eyes, EYES), (mouth, MOUTH)):
        drawn = np.zeros((size, size), np.float32)
        for feature in features:
            hull = cv2.convexHull(np.rint(landmarks[feature]).astype(np.int32))
            cv2.fillConvexPoly(drawn, hull, 1.0)
            cv2.polylines(drawn, [hull], True, 1.0, max(round(2 * AROUND * size), 1))
        counts += (share - 1) * cv2.GaussianBlur(drawn, (0, 0), SOFT * size)
    return counts
