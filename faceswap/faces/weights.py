"""Where the weight files of dlib's networks lie, and what they should be."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from faceswap.durable import checksum
from faceswap.errors import DependencyError

MMOD = "mmod_human_face_detector.dat"
RESNET = "dlib_face_recognition_resnet_model_v1.dat"
SHAPE_5 = "shape_predictor_5_face_landmarks.dat"
SHAPE_68 = "shape_predictor_68_face_landmarks.dat"
# fmt: off
CHECKSUMS = {
    "dlib_face_recognition_resnet_model_v1.dat":
        "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    "mmod_human_face_detector.dat":
        "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
    "shape_predictor_5_face_landmarks.dat":
        "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    "shape_predictor_68_face_landmarks.dat":
        "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
}
# fmt: on


def weight_file(name: str) -> Path:
    """The path of a weight file of the `face_recognition_models` package.

    The package is not imported: its `__init__` needs a module that new setuptools no longer have.

    Raises:
        DependencyError: The package or the file is missing.
    """
    spec = find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise DependencyError(f"{name} is missing: run 'pip install face_recognition_models==0.3.0'")


def is_intact(path: Path) -> bool:
    """Whether a weight file is the one that this program was tried with."""
    return checksum(path) == CHECKSUMS.get(path.name)
