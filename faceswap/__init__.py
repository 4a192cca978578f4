"""Two clips in, a swapped clip out: find faces, learn two of them, put one in the other's place.

    from faceswap import SwapConfig, swap
    swap(SwapConfig(source="b.mp4", target="a.mp4", output="out.mp4", minutes=10))

Nothing heavy is imported before a function is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faceswap.conversion import convert
    from faceswap.diagnosis import doctor
    from faceswap.errors import FaceswapError
    from faceswap.extraction import extract
    from faceswap.options import ConvertConfig, ExtractConfig, SwapConfig, TrainConfig
    from faceswap.swapping import swap
    from faceswap.training import train

__version__ = "0.1.0"

_HOMES = {
    "extract": "extraction",
    "train": "training",
    "convert": "conversion",
    "swap": "swapping",
    "doctor": "diagnosis",
    "DoctorConfig": "options",
    "ExtractConfig": "options",
    "TrainConfig": "options",
    "ConvertConfig": "options",
    "SwapConfig": "options",
    "FaceswapError": "errors",
}
__all__ = [
    "ConvertConfig",
    "ExtractConfig",
    "FaceswapError",
    "SwapConfig",
    "TrainConfig",
    "convert",
    "doctor",
    "extract",
    "swap",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import faceswap` stays instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'faceswap' has no attribute '{name}'")
    return getattr(import_module(f"faceswap.{_HOMES[name]}"), name)
