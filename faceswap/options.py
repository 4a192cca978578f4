"""Every option of every stage. Names are unique over the stages, so that `swap` takes them all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceswap.config import Options, option
from faceswap.errors import UsageError
from faceswap.registry import COLORS, DETECTORS, LANDMARKERS, MASKERS, NETWORKS

CODECS = ("h264", "h265")
PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow"),
)


@dataclass(frozen=True, kw_only=True)
class ExtractOptions(Options):
    """How faces are found and cut out."""

    detector: str = option("hog", "what finds faces", choices=DETECTORS)
    landmarker: str = option("dlib68", "what finds the points of a face", choices=LANDMARKERS)
    masker: str = option("hull", "what says which pixels are face", choices=MASKERS)
    min_face: int = option(
        0,
        "smallest face looked for, pixels of the frame; 0: a tenth of its shorter side, 40 or more",
        low=0,
        high=2000,
    )
    face_size: int = option(256, "side of a face image in the faceset, pixels", low=32, high=1024)
    coverage: float = option(
        1.6, "side of a face image as a multiple of the face (brows to chin)", low=1.0, high=4.0
    )


@dataclass(frozen=True, kw_only=True)
class ExtractConfig(ExtractOptions):
    """Find the faces of videos or images and write them to a faceset."""

    sources: tuple[Path, ...] = option(help="videos, image folders, images or globs", positional=True)
    output: Path = option(help="faceset folder to write; an unfinished one is gone on with", short="-o")
    overwrite: bool = option(False, "start again where the faceset exists")

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if not self.sources:
            raise UsageError("extract needs at least one source: a video, an image or a folder of images")


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Options):
    """How the two faces are learned."""

    network: str = option("swift", "network to train", choices=NETWORKS)
    minutes: float = option(10.0, "stop when the model has trained so long in all", low=0.0, high=1e6)
    iterations: int = option(0, "stop after so many steps in all; 0 is no limit", low=0)
    batch_size: int = option(8, "faces of each side in a step", low=1, high=512)
    learning_rate: float = option(1e-3, "step size of Adam", low=1e-7, high=0.1)
    save_seconds: float = option(60.0, "seconds between checkpoints", low=1.0)
    preview_seconds: float = option(30.0, "seconds between preview images", low=1.0)
    seed: int = option(0, "seed of everything random", low=0, high=2**31 - 1)


@dataclass(frozen=True, kw_only=True)
class TrainConfig(TrainOptions):
    """Train a model on two facesets; a model that exists is trained on."""

    faceset_a: Path = option(help="faceset of the person in the video", short="-a")
    faceset_b: Path = option(help="faceset of the person whose face is put there", short="-b")
    model: Path = option(help="model folder", short="-m")
    overwrite: bool = option(False, "start again where the model exists")


@dataclass(frozen=True, kw_only=True)
class ConvertOptions(Options):
    """How the swapped face is put into the picture."""

    color: str = option("reinhard", "how the face takes on the frame's colours", choices=COLORS)
    erode: float = option(0.0, "shrink the mask by this share of the face's size", low=-0.5, high=0.5)
    feather: float = option(
        0.12, "soften the mask's edge over this share of the face's size", low=0, high=0.5
    )
    codec: str = option("h264", "video codec of the output", choices=CODECS)
    crf: int = option(18, "constant rate factor of the encoder; smaller is better", low=0, high=51)
    preset: str = option("fast", "encoder preset", choices=PRESETS)
    swap_direction: bool = option(False, "put A's face into B's video instead")


@dataclass(frozen=True, kw_only=True)
class ConvertConfig(ConvertOptions):
    """Put the learned face into a video or a folder of images."""

    source: Path = option(help="video, image or folder of images", positional=True)
    model: Path = option(help="model folder", short="-m")
    output: Path = option(help="video or folder to write", short="-o")
    faceset: Path | None = option(None, "faceset of the source, so that it is not searched again")
    overwrite: bool = option(False, "replace the output where it exists")


@dataclass(frozen=True, kw_only=True)
class SwapConfig(ExtractOptions, TrainOptions, ConvertOptions):
    """Extract, train and convert in one go; run again to go on where it was stopped."""

    source: Path = option(help="clip of the person whose face is put in (B)")
    target: Path = option(help="clip that gets the face (A)")
    output: Path = option(help="video to write", short="-o")
    work: Path | None = option(None, "work folder; default: the output's name with .faceswap")
    overwrite: bool = option(False, "replace the output where it exists")


@dataclass(frozen=True, kw_only=True)
class DoctorConfig(Options):
    """Look at the machine and the installation, and say what is wrong."""
