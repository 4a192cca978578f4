"""Weights to start from: an encoder, and what of a decoder knows how faces are drawn, but not whose.

    models/swift/base.npz    float16 arrays encoder_0, encoder_1, ..., decoder_0, ...

`scripts/pretrain.py` makes them; models/README.md says from what, and what they are worth.
"""

from __future__ import annotations

import hashlib
import io
import os
import sysconfig
import zipfile
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import DependencyError, ModelError, writing
from faceswap.networks.autoencoder import Autoencoder

Array = NDArray[np.float32]

# Network: file under models/, SHA-256.
BASES = {
    "swift": ("swift/base.npz", "592e3cd9bcc06ca2887e5afb0de55229f28799da4636b2e3043c778631ecfc0c"),
}
OWN, NONE = "auto", "none"
# Arrays of the decoder that are not taken over: the dense layer that reads the code. In it lies whose face
# is drawn; with it the people of the pre-training show through.
OF_THE_PERSON = 2


def find(network: str) -> Path:
    """The base of a network.

    Raises:
        DependencyError: It is not installed.
    """
    name = BASES[network][0]
    beside = Path(__file__).parents[2] / "models"
    installed = Path(sysconfig.get_path("data")) / "share" / "faceswap" / "models"
    for folder in (beside, installed):
        if (folder / name).is_file():
            return folder / name
    raise DependencyError(f"models/{name} is missing: install this program again, or start with --from none")


def start(network: Autoencoder, name: str, source: str) -> str:
    """Give a network its first weights.

    Args:
        network: With random weights; some or all of them are replaced.
        name: What it is called in the registry.
        source: 'auto' for the one that came with the program, if there is one; 'none' for random weights;
            else a file that `write` made.

    Returns:
        The SHA-256 of the file; empty if the weights stay random.

    Raises:
        DependencyError: The base is not installed.
        ModelError: The file is missing, damaged, changed or of another network.
    """
    if source == NONE or (source == OWN and name not in BASES):
        return ""
    path = find(name) if source == OWN else Path(source)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}; name a file, 'auto' or 'none'") from error
    digest = digest_of(content)
    if source == OWN and digest != BASES[name][1]:
        raise ModelError(f"{path} is not the file it should be: install this program again, or --from none")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            encoder = _arrays(arrays, "encoder", network.encoder)
            decoder = _arrays(arrays, "decoder", network.decoder_a)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} holds no base for '{name}' ({error}): choose another, or none") from error
    _assign(network.encoder, encoder, 0)
    for part in (network.decoder_a, network.decoder_b):
        _assign(part, decoder, OF_THE_PERSON)
    return digest


def write(path: Path, network: Autoencoder) -> str:
    """Write the encoder and the decoder of A as float16; the SHA-256 of the file.

    Raises:
        OutputError: It cannot be written.
    """
    parts = {"encoder": network.encoder, "decoder": network.decoder_a}
    arrays = {
        f"{name}_{index}": variable.numpy().astype(np.float16)
        for name, part in parts.items()
        for index, variable in enumerate(part.variables)
    }
    draft = path.with_name(f".{path.name}.part.npz")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(draft, **arrays)
        os.replace(draft, path)
        return digest_of(path.read_bytes())


def digest_of(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _arrays(found: Mapping[str, Array], name: str, part: keras.Model) -> list[Array]:
    """The arrays of a part of the network, float32; `ValueError` where they are another's."""
    arrays = [np.asarray(found[f"{name}_{index}"], np.float32) for index in range(len(part.variables))]
    for index, (array, variable) in enumerate(zip(arrays, part.variables, strict=True)):
        if array.shape != tuple(variable.shape):
            raise ValueError(f"{name}_{index} is {array.shape}, not {tuple(variable.shape)}")
    return arrays


def _assign(part: keras.Model, arrays: list[Array], first: int) -> None:
    for variable, array in list(zip(part.variables, arrays, strict=True))[first:]:
        variable.assign(array)
