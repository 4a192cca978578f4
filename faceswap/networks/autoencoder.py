"""What every swap network is: a way from a picture to a code, and one back for each person."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import tensorflow as tf

from faceswap.types import Image


@dataclass(frozen=True)
class Autoencoder:
    """The Keras models of a swap network.

    Pictures go in as float32 (batch, size, size, 3), BGR, 0 to 1. What comes out has a fourth channel: where
    the face is, 0 to 1; it tells the conversion how far the other person's face reaches.

    Attributes:
        size: Side of the pictures in pixels.
        encoder: Picture to code.
        decoder_a: Code to the face and mask of the person in the video.
        decoder_b: Code to the face and mask of the person who is put there.
        blocks: What these are made of, where they share more than the encoder; models by name, of which no
            two have a weight in common. Empty: the three are all there is.
    """

    size: int
    encoder: keras.Model
    decoder_a: keras.Model
    decoder_b: keras.Model
    blocks: dict[str, keras.Model] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, keras.Model]:
        """All weights, each once: models by name, in the order in which they are saved."""
        return self.blocks or {
            "encoder": self.encoder,
            "decoder_a": self.decoder_a,
            "decoder_b": self.decoder_b,
        }

    @property
    def parameters(self) -> int:
        """How many weights there are in all."""
        return sum(int(part.count_params()) for part in self.parts.values())

    @property
    def activations(self) -> int:
        """How many numbers the layers give for one face on its way through one path."""
        outputs = [layer.output for part in (self.encoder, self.decoder_a) for layer in _layers(part)]
        shapes = [each.shape[1:] for output in outputs for each in keras.tree.flatten(output)]
        return sum(math.prod(side or 1 for side in shape) for shape in shapes)

    def path(self, side: str) -> keras.Model:
        """Encoder and the decoder of `side` ('a' or 'b') as one model; it shares their weights."""
        picture = keras.Input((self.size, self.size, 3))
        decoder = self.decoder_a if side == "a" else self.decoder_b
        return keras.Model(picture, decoder(self.encoder(picture)))

    def predictor(self, side: str) -> Callable[[Image], Image]:
        """The path of `side` compiled, from uint8 (N, size, size, 3) to uint8 (N, size, size, 4).

        Called layer by layer, a small batch would take several times as long.
        """
        path = self.path(side)

        def drawn(images: tf.Tensor) -> tf.Tensor:
            made = tf.cast(path(tf.cast(images, tf.float32) / 255, training=False), tf.float32)
            return tf.cast(tf.clip_by_value(tf.round(made * 255), 0, 255), tf.uint8)

        pictures = tf.TensorSpec((None, self.size, self.size, 3), tf.uint8)
        compiled = tf.function(drawn, input_signature=[pictures])
        return lambda images: compiled(images).numpy()


def _layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers of a model and of the models in it."""
    parts = [_layers(each) if isinstance(each, keras.Model) else [each] for each in model.layers]
    return [layer for part in parts for layer in part]


def seed_everything(seed: int, deterministic: bool = False) -> None:
    """Seed Python, numpy and TensorFlow, so that new weights are the same again.

    Args:
        seed: The seed.
        deterministic: Whether all that is computed is the same again too, whatever the number of threads;
            from now on, in the whole process.
    """
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()


def graphics_cards() -> list[str]:
    """The names of the graphics cards that TensorFlow can use."""
    return [card.name for card in tf.config.list_physical_devices("GPU")]
