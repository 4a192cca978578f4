"""Every option, a file a stage. Names are unique over the stages, so that `swap` takes them all."""

from faceswap.options.conversion import CODECS, MASKS, PRESETS, ConvertConfig, ConvertOptions
from faceswap.options.curation import (
    ORDERS,
    PICTURES,
    FacesCleanConfig,
    FacesDrawConfig,
    FacesExportConfig,
    FacesInfoConfig,
    FacesMergeConfig,
    FacesSortConfig,
    FacesSplitConfig,
)
from faceswap.options.diagnosis import DoctorConfig
from faceswap.options.evaluation import MEASURES, EvaluateConfig
from faceswap.options.export import PRECISIONS, ExportConfig
from faceswap.options.extraction import FACE_TYPES, ExtractConfig, ExtractOptions
from faceswap.options.generation import GenerateSampleConfig, GenerateTrainConfig
from faceswap.options.provenance import (
    CORNERS,
    ConsentOptions,
    InspectConfig,
    ProvenanceOptions,
    SigningOptions,
)
from faceswap.options.stylization import StylizeConfig
from faceswap.options.swapping import SwapConfig
from faceswap.options.training import (
    SCHEDULES,
    AugmentOptions,
    BottleneckOptions,
    DimensionOptions,
    ListConfig,
    LossOptions,
    OptimizerOptions,
    TrainConfig,
    TrainOptions,
)
from faceswap.options.verification import SIMILARITIES, VerifyConfig, VerifyTrainConfig

__all__ = [
    "CODECS",
    "CORNERS",
    "FACE_TYPES",
    "MASKS",
    "MEASURES",
    "ORDERS",
    "PICTURES",
    "PRECISIONS",
    "PRESETS",
    "SCHEDULES",
    "SIMILARITIES",
    "AugmentOptions",
    "BottleneckOptions",
    "ConsentOptions",
    "ConvertConfig",
    "ConvertOptions",
    "DimensionOptions",
    "DoctorConfig",
    "EvaluateConfig",
    "ExportConfig",
    "ExtractConfig",
    "ExtractOptions",
    "FacesCleanConfig",
    "FacesDrawConfig",
    "FacesExportConfig",
    "FacesInfoConfig",
    "FacesMergeConfig",
    "FacesSortConfig",
    "FacesSplitConfig",
    "GenerateSampleConfig",
    "GenerateTrainConfig",
    "InspectConfig",
    "ListConfig",
    "LossOptions",
    "OptimizerOptions",
    "ProvenanceOptions",
    "SigningOptions",
    "StylizeConfig",
    "SwapConfig",
    "TrainConfig",
    "TrainOptions",
    "VerifyConfig",
    "VerifyTrainConfig",
]
