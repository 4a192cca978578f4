"""Runs a model that was exported to LiteRT (TensorFlow Lite).

What the file says of itself is a ZIP archive at its end, where the format has such things. The interpreter
reads from the front and does not see it.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import DependencyError, ModelError
from faceswap.portable.card import NAME, Card

ENTRY = f"{NAME}.json"


class LitertRunner:
    """A loaded model; call it with float32 (N, size, size, 3), BGR, 0 to 1, for (N, size, size, 4)."""

    def __init__(self, path: Path) -> None:
        """Load the model.

        Raises:
            DependencyError: LiteRT is missing.
            ModelError: The file is damaged or not of this program.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise DependencyError("ai-edge-litert is missing: run 'pip install ai-edge-litert'") from error
        try:
            self._interpreter = Interpreter(str(path), num_threads=os.cpu_count())
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{path} is not a whole LiteRT model: export it again") from error
        self.card = Card.read(_entry(path), path)
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self._shape: tuple[int, ...] = ()
        self._lock = Lock()  # segments are converted side by side, an interpreter runs one call at a time

    def __call__(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Draw."""
        with self._lock:
            if pictures.shape != self._shape:
                self._interpreter.resize_tensor_input(self._input["index"], pictures.shape)
                self._interpreter.allocate_tensors()
                self._shape = pictures.shape
            self._interpreter.set_tensor(self._input["index"], _packed(pictures, self._input))
            self._interpreter.invoke()
            made = self._interpreter.get_tensor(self._output)
        return np.asarray(made, np.float32)


def _entry(path: Path) -> str | None:
    try:
        with ZipFile(path) as archive:
            return archive.read(ENTRY).decode()
    except (BadZipFile, KeyError, UnicodeDecodeError):
        return None


def _packed(values: NDArray[np.float32], about: dict[str, Any]) -> NDArray[Any]:
    """Values as a tensor holds them: as they are, or in steps of a scale from a zero point."""
    if about["dtype"] == np.float32:
        return values
    scale, zero = about["quantization"]
    limits = np.iinfo(about["dtype"])
    return np.asarray(np.clip(np.rint(values / scale) + zero, limits.min, limits.max), about["dtype"])
