"""Every plug-in, by name. A new one is a file and a line here; it is imported when it is used.

A value is `module:attribute`, relative to this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from faceswap.errors import UsageError

DETECTORS = {
    "hog": "faces.detectors.hog:HogDetector",
    "cnn": "faces.detectors.cnn:CnnDetector",
    "mesh": "faces.detectors.mesh:MeshDetector",
    "fake": "faces.detectors.fake:FakeDetector",
}
LANDMARKERS = {
    "dlib68": "faces.landmarkers.dlib68:Dlib68",
    "dlib5": "faces.landmarkers.dlib5:Dlib5",
    "mesh468": "faces.landmarkers.mesh468:Mesh468",
    "fake": "faces.landmarkers.fake:FakeLandmarker",
}
MASKERS = {
    "hull": "faces.maskers.hull:HullMasker",
    "box": "faces.maskers.box:BoxMasker",
    "mesh": "faces.maskers.mesh:MeshMasker",
    "grabcut": "faces.maskers.grabcut:GrabCutMasker",
}
NETWORKS = {
    "swift": "networks.swift:build",
    "original": "networks.original:build",
    "df": "networks.df:build",
    "liae": "networks.liae:build",
    "tiny": "networks.tiny:build",
}
LOSSES = {
    "l1": "networks.losses:l1",
    "mse": "networks.losses:mse",
    "dssim": "networks.losses:dssim",
    "ms_ssim": "networks.losses:ms_ssim",
    "laplacian": "networks.losses:laplacian",
    "perceptual": "networks.perceptual:perceptual",
}
RUNNERS = {
    ".onnx": "portable.onnx_runner:OnnxRunner",
    ".tflite": "portable.litert_runner:LitertRunner",
}
PACKERS = {
    ".onnx": "portable.onnx_packer:pack",
    ".tflite": "portable.litert_packer:pack",
}
OPTIMIZERS = {
    "adam": "networks.optimizers:adam",
    "adamw": "networks.optimizers:adamw",
    "nadam": "networks.optimizers:nadam",
    "lion": "networks.optimizers:lion",
    "rmsprop": "networks.optimizers:rmsprop",
    "adagrad": "networks.optimizers:adagrad",
    "adadelta": "networks.optimizers:adadelta",
    "ftrl": "networks.optimizers:ftrl",
    "momentum": "networks.optimizers:momentum",
    "sgd": "networks.optimizers:sgd",
}
GENERATORS = {
    "face64": "networks.generators:face64",
    "tiny": "networks.generators:tiny",
}
DISCRIMINATORS = {
    "whole": "networks.discriminators:whole",
    "patch": "networks.discriminators:patch",
}
GAMES = {
    "hinge": "networks.adversarial:HINGE",
    "least-squares": "networks.adversarial:LEAST_SQUARES",
    "non-saturating": "networks.adversarial:NON_SATURATING",
}
METRIC_LOSSES = {
    "semi-hard": "networks.siamese:semi_hard_triplets",
    "hard": "networks.siamese:hard_triplets",
    "random": "networks.siamese:random_triplets",
    "contrastive": "networks.siamese:contrastive",
}
COLORS = {
    "none": "blending.color:keep",
    "reinhard": "blending.color:reinhard",
    "lct": "blending.color:lct",
    "mkl": "blending.color:mkl",
    "hist": "blending.distribution:hist",
    "idt": "blending.distribution:idt",
}
BLENDS = {
    "alpha": "blending.blend:alpha",
    "pyramid": "blending.blend:pyramid",
    "clone": "blending.blend:clone",
    "mixed-clone": "blending.blend:mixed_clone",
}
DESCENTS = {
    "lbfgs": "networks.descent:lbfgs",
    "adam": "networks.descent:adam",
}


def load(table: Mapping[str, str], name: str) -> Any:
    """Import and return the plug-in called `name` in `table`.

    Raises:
        UsageError: There is no such plug-in.
    """
    if name not in table:
        raise UsageError(f"there is no '{name}'; choose one of {', '.join(table)}")
    module, attribute = table[name].split(":")
    return getattr(import_module(f"faceswap.{module}"), attribute)
