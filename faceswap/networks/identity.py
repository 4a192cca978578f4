"""Who is in a picture: dlib's face recognition network as a Keras model, and how its pictures are cut.

The network is Davis King's `dlib_face_recognition_resnet_model_v1` (dlib.net, 2017): a residual network after
He et al., "Deep residual learning for image recognition", CVPR 2016, with 29 convolutions, half the usual
filters and a 7x7 stem, trained so that pictures of one person lie within 0.6 of each other and pictures of
two people do not. Here it gives the same numbers, but for many pictures at once and with a gradient to them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from faceswap.errors import DependencyError
from faceswap.networks.dlib_format import REMEDY, Layer, Pair, Weights, read_layers
from faceswap.types import Matrix, Points

# === Config ===
SIZE = 150  # side of the picture, pixels
LENGTH = 128  # numbers in a descriptor
THRESHOLD = 0.6  # the distance that its training set between the same and another person

# Nose, eyes, upper lip and corners of the mouth, of the 68 landmarks.
CHIP_POINTS = np.r_[27:55, 60:65]

# Where they lie in the chip on average, float32 (33, 2), pixels, (0, 0) being the centre of the first one.
# Found by moving one landmark after the other and looking at what dlib's `get_face_chip_details` made of it.
# fmt: off
CHIP_TEMPLATE: Points = np.array(
    [
        [73.5127, 44.8352], [73.5127, 55.2009], [73.5127, 65.4805], [73.5127, 76.0625], [61.1880, 83.2326],
        [67.1036, 85.4345], [73.5127, 87.3106], [79.9217, 85.4345], [85.8373, 83.2326], [36.6737, 46.1423],
        [43.2122, 42.3758], [51.0825, 42.4852], [57.9606, 47.6733], [50.5918, 49.0099], [42.7743, 48.9077],
        [89.0647, 47.6733], [95.9428, 42.4852], [103.8132, 42.3758], [110.3516, 46.1423], [104.2510, 48.9077],
        [96.4335, 49.0099], [49.9149, 102.5233], [58.5985, 99.0405], [67.3858, 97.2388], [73.5127, 98.7578],
        [79.6395, 97.2388], [88.4268, 99.0405], [97.1104, 102.5233], [53.5379, 102.9792], [67.3096, 102.3746],
        [73.5127, 103.0343], [79.7157, 102.3746], [93.4874, 102.9792],
    ],
    dtype=np.float32,
)
# fmt: on


def chip_matrix(landmarks: Points) -> Matrix:
    """The similarity transform from a frame to the picture that the network wants.

    It is that of dlib's `get_face_chip_details(shape, 150, 0.25)`. The usual least squares fit of the face to
    the template is another: dlib fits the template to the face, which makes the face larger in the chip by
    1 / correlation ** 2 (1% on average, 8% for a profile), and cuts a square that is one frame pixel narrower
    than it says. Other cuts give other descriptors: up to 0.2 away for the usual fit. Here a rotation and a
    scale are one complex factor. From 2 frame pixels per chip pixel on, dlib first halves the frame and lies
    half a frame pixel beside this; that moves its descriptor by about 0.05.

    Args:
        landmarks: (68, 2), pixels of the frame.

    Returns:
        float64 (2, 3), from frame pixels to the (150, 150) pixels of the chip.
    """
    template, face = CHIP_TEMPLATE @ [1, 1j], landmarks[CHIP_POINTS] @ [1, 1j]
    spread = template - template.mean()
    factor = np.vdot(spread, face) / np.vdot(spread, spread).real
    middle = (SIZE - 1) / 2 * (1 + 1j)
    centre = face.mean() + factor * (middle - template.mean())
    side = max(abs(factor) * SIZE - 1, 1.0)
    turn = np.conj(factor) / max(abs(factor), 1e-12) * (SIZE - 1) / side
    shift = middle - turn * centre
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def build_identity(weights: Path) -> keras.Model:
    """The network, ready to use and frozen.

    It takes float32 (batch, 150, 150, 3), BGR, 0 to 1, cut with `chip_matrix`, and gives float32
    (batch, 128): the descriptors as dlib gives them, not normalised, to be compared by Euclidean distance.
    Call it through `predict_on_batch` or within a `tf.function`: layer by layer it takes twice as long for 64
    pictures and seven times as long for one.

    Args:
        weights: The file `dlib_face_recognition_resnet_model_v1.dat`.

    Raises:
        DependencyError: The file is missing, damaged or holds another network.
    """
    parts = _Parts(read_layers(weights))
    try:
        return _model(parts)
    except ValueError as error:  # ours, and those of numpy and Keras where shapes do not fit
        raise DependencyError(
            f"{weights.name} holds another network than dlib's face recognition "
            f"({str(error).splitlines()[0]}): {REMEDY}"
        ) from error


class _Parts:
    """The layers of the file, taken one after the other."""

    def __init__(self, found: list[Layer]) -> None:
        """Begin with the first."""
        self._layers = found

    @property
    def following(self) -> str:
        """What kind of layer comes next, 'end' after the last one."""
        return self._layers[0].kind if self._layers else "end"

    def take(self, kind: str, **settings: Pair) -> Layer:
        """The next layer; `ValueError` unless it is of this kind and has these settings."""
        if self.following != kind:
            raise ValueError(f"'{self.following}' where '{kind}' should be")
        layer = self._layers.pop(0)
        for name, value in settings.items():
            if getattr(layer, name) != value:
                raise ValueError(f"a {name} of {getattr(layer, name)} in '{kind}'")
        return layer


def _model(parts: _Parts) -> keras.Model:
    picture = keras.Input((SIZE, SIZE, 3), name="chip")
    mean = parts.take("input", window=(SIZE, SIZE)).weights["mean"]
    x = _convolution(parts, picture, "relu", mean)
    pool = parts.take("max_pool", padding=(0, 0))
    x = layers.MaxPooling2D(pool.window, pool.stride)(x)
    while parts.following == "con":
        x = _residual(parts, x)
    parts.take("avg_pool", window=(0, 0))
    x = layers.GlobalAveragePooling2D()(x)
    dense = layers.Dense(LENGTH, use_bias=False, kernel_initializer="zeros", name="descriptor")
    model = keras.Model(picture, dense(x), name="identity", trainable=False)
    dense.set_weights([parts.take("fc").weights["kernel"]])
    return model


def _convolution(parts: _Parts, x: Any, activation: str | None, mean: Weights | None = None) -> Any:
    """A convolution of the file with the affine layer (frozen batch normalisation) after it folded in.

    Args:
        parts: The convolution, its affine layer and, if there is one, its activation come next.
        x: What goes in.
        activation: 'relu' or None.
        mean: If given, `x` is a picture in BGR, 0 to 1. The network was trained on RGB, 0 to 255, less this
            mean, over 256. That is folded in too, which is exact where no zeros are put around.
    """
    layer, affine = parts.take("con"), parts.take("affine").weights
    same = (layer.window, layer.stride, layer.padding) == ((3, 3), (1, 1), (1, 1))
    if not same and layer.padding != (0, 0):
        raise ValueError(f"a padding of {layer.padding} in 'con'")
    kernel = layer.weights["kernel"].transpose(2, 3, 1, 0).astype(np.float64) * affine["gamma"]
    bias = layer.weights["bias"].astype(np.float64) * affine["gamma"] + affine["beta"]
    if mean is not None:
        bias -= np.einsum("hwio,i->o", kernel, mean / 256)
        kernel = kernel[:, :, ::-1] * (255 / 256)
    if activation:
        parts.take(activation)
    convolution = layers.Conv2D(
        len(bias),
        layer.window,
        layer.stride,
        "same" if same else "valid",
        activation=activation,
        kernel_initializer="zeros",
    )
    y = convolution(x)
    convolution.set_weights([kernel, bias])
    return y


def _residual(parts: _Parts, x: Any) -> Any:
    """Two convolutions, added to what went in.

    Where the size halves, what went in is averaged. The two then differ in size (a convolution without
    padding loses a pixel) and channels; what is missing counts as zero, as dlib's `add_prev` has it.
    """
    y = _convolution(parts, x, "relu")
    y = _convolution(parts, y, None)
    if parts.following == "avg_pool":
        pool = parts.take("avg_pool", padding=(0, 0))
        x = layers.AveragePooling2D(pool.window, pool.stride)(x)
    parts.take("add_prev")
    parts.take("relu")
    shape = [max(sizes) for sizes in zip(x.shape[1:], y.shape[1:], strict=True)]
    return layers.ReLU()(layers.Add()([_padded(x, shape), _padded(y, shape)]))


def _padded(x: Any, shape: list[int]) -> Any:
    """`x` with zeros at the bottom, the right and the last channels."""
    missing = [(0, size - had) for size, had in zip(shape, x.shape[1:], strict=True)]
    return keras.ops.pad(x, [(0, 0), *missing]) if any(after for _, after in missing) else x
