"""Runs a model that was exported to ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import DependencyError, ModelError
from faceswap.portable.card import NAME, Card

FATAL = 4  # of ONNX Runtime's log levels


class OnnxRunner:
    """A loaded model; call it with float32 (N, size, size, 3), BGR, 0 to 1, for (N, size, size, 4)."""

    def __init__(self, path: Path) -> None:
        """Load the model.

        Raises:
            DependencyError: ONNX Runtime is missing.
            ModelError: The file is damaged or not of this program.
        """
        try:
            import onnxruntime
        except ImportError as error:
            raise DependencyError("onnxruntime is missing: run 'pip install onnxruntime'") from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = FATAL
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its own classes stand in a private module
            raise ModelError(f"{path} is not a whole ONNX model: export it again") from error
        self.card = Card.read(self._session.get_modelmeta().custom_metadata_map.get(NAME), path)
        self._input = self._session.get_inputs()[0].name

    def __call__(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Draw."""
        return np.asarray(self._session.run(None, {self._input: pictures})[0], np.float32)
