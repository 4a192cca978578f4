"""Style and content of pictures by the features of VGG16, and how far a picture is from those it should have.

Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks", CVPR 2016. Their losses
are sums that differ by powers of ten from layer to layer; here each is divided by what it would be where
nothing is active, so that 1 means 'nothing in common', weights compare, and one ratio fits most pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from faceswap.networks.vgg16 import build_vgg16

Floats = NDArray[np.float32]

TINY = 1e-8


class Losses(NamedTuple):
    """How far a picture is from what it should be.

    Attributes:
        total: The weighted sum, which is made small.
        content: Squared difference of features at the content layer, as a share of their square.
        style: The same of the Gram matrices, the weighted mean over the style layers.
        smoothness: Mean squared difference of neighbouring pixels.
    """

    total: float
    content: float
    style: float
    smoothness: float


@dataclass(frozen=True)
class Recipe:
    """What is compared, and how much it counts.

    Attributes:
        content_layer: A layer of `vgg16.LAYERS`.
        style_weights: Weights by layer; only their ratios matter.
        ratio: Weight of style; that of content is 1.
        smoothness: Weight of `Losses.smoothness`.
    """

    content_layer: str
    style_weights: Mapping[str, float]
    ratio: float
    smoothness: float


def gram(features: Any, weight: Any | None = None) -> Any:
    """How often two channels are active at one place: (channels, channels) of (1, height, width, channels).

    Args:
        features: Activations.
        weight: (1, height, width, 1), how much each place counts; None: all the same. Gatys et al.,
            "Controlling perceptual factors in neural style transfer", CVPR 2017, section 4.

    Returns:
        The mean over places, so that pictures of different sizes compare.
    """
    flat = tf.reshape(features, (-1, features.shape[-1]))
    if weight is None:
        return tf.matmul(flat, flat, transpose_a=True) / tf.cast(tf.shape(flat)[0], tf.float32)
    share = tf.reshape(weight, (-1, 1))
    return tf.matmul(flat * share, flat, transpose_a=True) / (tf.reduce_sum(share) + TINY)


def relative(found: Any, wanted: Any) -> Any:
    """Squared difference over the square of what is wanted: 0 for the same, 1 for nothing at all."""
    return tf.reduce_sum(tf.square(found - wanted)) / (tf.reduce_sum(tf.square(wanted)) + TINY)


def roughness(picture: Any) -> Any:
    """Mean squared difference of neighbours, down and across (total variation, squared)."""
    down = tf.reduce_mean(tf.square(picture[:, 1:] - picture[:, :-1]))
    return down + tf.reduce_mean(tf.square(picture[:, :, 1:] - picture[:, :, :-1]))


def _at(weight: Any | None, features: Any) -> Any | None:
    """The weight of each pixel as that of each place in a layer; None stays None."""
    return None if weight is None else tf.image.resize(weight, features.shape[1:3], "area")


class Extractor:
    """VGG16 for one recipe: from pictures to features by layer."""

    def __init__(self, recipe: Recipe) -> None:
        """Build the network up to the deepest layer needed.

        Raises:
            DependencyError: The weights are not installed, or damaged.
        """
        self.recipe = recipe
        weights = {name: weight for name, weight in recipe.style_weights.items() if weight}
        whole = sum(weights.values())
        self.shares = {name: weight / whole for name, weight in weights.items()}
        self._taken = tuple(dict.fromkeys([recipe.content_layer, *self.shares]))
        self._network = build_vgg16(self._taken, pooling="average")

    def features(self, pictures: Any) -> dict[str, Any]:
        """Activations by layer of a batch, (batch, height, width, 3), BGR, float32, 0 to 1."""
        found = self._network(pictures)
        return dict(zip(self._taken, found if len(self._taken) > 1 else [found], strict=True))

    def grams(self, picture: Floats, weight: Floats | None = None) -> dict[str, Any]:
        """The Gram matrices of a picture (height, width, 3), by style layer.

        Args:
            picture: BGR, float32, 0 to 1.
            weight: (height, width), how much each pixel counts; None: all the same.
        """
        features = self.features(tf.constant(picture[None]))
        place = None if weight is None else tf.constant(weight[None, :, :, None])
        return {name: gram(features[name], _at(place, features[name])) for name in self.shares}

    def style_loss(self, features: Mapping[str, Any], wanted: Mapping[str, Any], weight: Any = None) -> Any:
        """The style loss of one picture's features against Gram matrices.

        Args:
            features: Of `features`, a batch of one.
            wanted: Of `grams`.
            weight: (1, height, width, 1), how much each pixel counts, or None.
        """
        loss = tf.constant(0.0)
        for name, share in self.shares.items():
            found = gram(features[name], _at(weight, features[name]))
            loss += share * relative(found, wanted[name])
        return loss


class Objective:
    """The losses of a picture of one size, and their gradient."""

    def __init__(
        self,
        extractor: Extractor,
        content: Floats,
        style: Floats,
        weight: Floats | None = None,
        ease: float = 1.0,
    ) -> None:
        """Take the features of the pictures.

        Args:
            extractor: The network and the recipe.
            content: What is shown, BGR, float32, 0 to 1, (height, width, 3).
            style: How it is painted, of any size.
            weight: (height, width), 0 to 1: where style is compared; None: everywhere.
            ease: The share of its weight that style gets.
        """
        self.shape = content.shape
        recipe, layer = extractor.recipe, extractor.recipe.content_layer
        wanted = extractor.features(tf.constant(content[None]))[layer]
        grams = extractor.grams(style)
        place = None if weight is None else tf.constant(weight[None, :, :, None])

        @tf.function(input_signature=[tf.TensorSpec((1, *content.shape), tf.float32)])  # type: ignore[untyped-decorator]
        def step(picture: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(picture)
                features = extractor.features(picture)
                far = relative(features[layer], wanted)
                odd = extractor.style_loss(features, grams, place)
                rough = roughness(picture)
                total = far + ease * recipe.ratio * odd + recipe.smoothness * rough
            return (total, far, odd, rough), tape.gradient(total, picture)

        self._step = step

    def __call__(self, picture: Floats) -> tuple[Losses, Floats]:
        """The losses of a picture of the content's shape, and how the total changes with each value of it."""
        losses, gradient = self._step(tf.constant(picture[None]))
        return Losses(*(float(loss) for loss in losses)), gradient[0].numpy()
