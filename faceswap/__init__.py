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
    from faceswap.curation.cleaning import faces_clean
    from faceswap.curation.drawing import faces_draw
    from faceswap.curation.exporting import faces_export
    from faceswap.curation.merging import faces_merge
    from faceswap.curation.overview import faces_info
    from faceswap.curation.sorting import faces_sort
    from faceswap.curation.splitting import faces_split
    from faceswap.diagnosis import doctor
    from faceswap.errors import FaceswapError
    from faceswap.evaluation import evaluate
    from faceswap.exporting.delivery import export
    from faceswap.extraction import extract
    from faceswap.generation.sampling import generate_sample
    from faceswap.generation.training import generate_train
    from faceswap.inspection import inspect
    from faceswap.options import (
        ConvertConfig,
        ExportConfig,
        ExtractConfig,
        FacesCleanConfig,
        FacesDrawConfig,
        FacesExportConfig,
        FacesInfoConfig,
        FacesMergeConfig,
        FacesSortConfig,
        FacesSplitConfig,
        GenerateSampleConfig,
        GenerateTrainConfig,
        StylizeConfig,
        SwapConfig,
        TrainConfig,
        VerifyConfig,
        VerifyTrainConfig,
    )
    from faceswap.stylization import stylize
    from faceswap.swapping import swap
    from faceswap.training import train
    from faceswap.verification.comparing import verify
    from faceswap.verification.learning import verify_train

__version__ = "0.1.0"

_HOMES = {
    "extract": "extraction",
    "train": "training",
    "convert": "conversion",
    "swap": "swapping",
    "doctor": "diagnosis",
    "stylize": "stylization",
    "faces_info": "curation.overview",
    "faces_sort": "curation.sorting",
    "faces_clean": "curation.cleaning",
    "faces_split": "curation.splitting",
    "faces_merge": "curation.merging",
    "faces_draw": "curation.drawing",
    "faces_export": "curation.exporting",
    "generate_train": "generation.training",
    "generate_sample": "generation.sampling",
    "verify": "verification.comparing",
    "verify_train": "verification.learning",
    "inspect": "inspection",
    "evaluate": "evaluation",
    "export": "exporting.delivery",
    "DoctorConfig": "options",
    "InspectConfig": "options",
    "EvaluateConfig": "options",
    "ExportConfig": "options",
    "ExtractConfig": "options",
    "TrainConfig": "options",
    "ListConfig": "options",
    "list_networks": "listing",
    "ConvertConfig": "options",
    "SwapConfig": "options",
    "StylizeConfig": "options",
    "FacesInfoConfig": "options",
    "FacesSortConfig": "options",
    "FacesCleanConfig": "options",
    "FacesSplitConfig": "options",
    "FacesMergeConfig": "options",
    "FacesDrawConfig": "options",
    "FacesExportConfig": "options",
    "GenerateSampleConfig": "options",
    "GenerateTrainConfig": "options",
    "VerifyConfig": "options",
    "VerifyTrainConfig": "options",
    "FaceswapError": "errors",
}
__all__ = [
    "ConvertConfig",
    "EvaluateConfig",
    "ExportConfig",
    "ExtractConfig",
    "FacesCleanConfig",
    "FacesDrawConfig",
    "FacesExportConfig",
    "FacesInfoConfig",
    "FacesMergeConfig",
    "FacesSortConfig",
    "FacesSplitConfig",
    "FaceswapError",
    "GenerateSampleConfig",
    "GenerateTrainConfig",
    "InspectConfig",
    "ListConfig",
    "StylizeConfig",
    "SwapConfig",
    "TrainConfig",
    "VerifyConfig",
    "VerifyTrainConfig",
    "convert",
    "doctor",
    "evaluate",
    "export",
    "extract",
    "faces_clean",
    "faces_draw",
    "faces_export",
    "faces_info",
    "faces_merge",
    "faces_sort",
    "faces_split",
    "generate_sample",
    "generate_train",
    "inspect",
    "list_networks",
    "stylize",
    "swap",
    "train",
    "verify",
    "verify_train",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import faceswap` stays instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'faceswap' has no attribute '{name}'")
    return getattr(import_module(f"faceswap.{_HOMES[name]}"), name)
