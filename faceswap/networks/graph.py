"""Writes a network's path to a file that other programs run."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from faceswap.errors import DependencyError

FORMATS = {".onnx": "onnx", ".tflite": "litert"}


def write_graph(model: keras.Model, path: Path) -> None:
    """Write a model in the format that the suffix names, float32, for any number of pictures at a time.

    Raises:
        DependencyError: The package that writes ONNX is missing.
        OSError: The file cannot be written.
    """
    try:
        with _quietly():
            model(np.zeros((1, *model.input_shape[1:]), np.float32))  # only a called model is exported
            model.export(path, format=FORMATS[path.suffix.lower()], verbose=False)
    except ImportError as error:
        raise DependencyError('tf2onnx is missing: run pip install -e ".[export]"') from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Lead away what the converters write to both streams from C++, and their advice."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.stdout.flush()
        for stream, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, stream)
            os.close(copy)
        os.close(nowhere)
