"""Reads the float32 arrays of a pickle in which somebody else published weights.

A pickle is a program for making objects, and an ordinary reader lets it call any function there is. This one
knows four names, gives each a stand-in of its own, and refuses every other one, so that a file can make
dictionaries, texts, numbers and float32 arrays and nothing else. Nothing of this program is kept in pickles.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def _dtype(name: str, *_: object) -> np.dtype[Any]:
    if name != "f4":
        raise pickle.UnpicklingError(f"an array of type '{name}'")
    return np.dtype("f4", copy=True)  # a copy: the file sets its byte order


def _empty(*_: object) -> NDArray[np.float32]:
    """An array that the file fills in its next step."""
    return np.empty(0, np.float32)


def _no_type(*_: object) -> None:
    raise pickle.UnpicklingError("a call of 'ndarray'")  # it is only ever named


_KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _empty,
    ("numpy._core.multiarray", "_reconstruct"): _empty,  # as NumPy 2 calls it
    ("numpy", "ndarray"): _no_type,
    ("numpy", "dtype"): _dtype,
}


class _Arrays(pickle.Unpickler):
    """An unpickler that knows arrays only."""

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """Our stand-in for something the file names."""
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"'{module}.{name}'")
        return _KNOWN[module, name]


def read_arrays(data: bytes) -> dict[str, NDArray[np.float32]]:
    """The arrays in a pickle of nested dictionaries.

    Args:
        data: The file's bytes.

    Returns:
        float32 arrays by their keys, outer key first, with a slash between two.

    Raises:
        ValueError: It is no such pickle, or holds something else; the text says what. Nothing was run.
    """
    try:
        found = _Arrays(io.BytesIO(data)).load()
    except Exception as error:  # a damaged pickle raises what its half-read values happen to raise
        raise ValueError(f"not a pickle of float32 arrays: {error}") from error
    arrays: dict[str, NDArray[np.float32]] = {}
    _collect(found, "", arrays)
    return arrays


def _collect(value: object, path: str, arrays: dict[str, NDArray[np.float32]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _collect(inner, f"{path}/{key}" if path else str(key), arrays)
    elif isinstance(value, np.ndarray) and value.dtype == np.float32:
        arrays[path] = value
    else:
        raise ValueError(f"not a pickle of float32 arrays: {path or 'it'} is a {type(value).__name__}")
