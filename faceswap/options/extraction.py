"""Options of extraction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceswap.config import Options, option
from faceswap.errors import UsageError
from faceswap.registry import DETECTORS, LANDMARKERS, MASKERS

FACE_TYPES = {"face": 1.6, "full": 2.2, "head": 3.0}  # coverage: from brows to chin, to the ears, all of it


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
    rotate: int = option(
        0,
        "where nobody is seen, turn the picture in steps of so many degrees and look again; 0: only where a"
        " clip lies on its side",
        low=0,
        high=180,
    )
    profiles: bool = option(False, "see faces from the side too, with MediaPipe's networks")
    face_size: int = option(256, "side of a face image in the faceset, pixels", low=32, high=1024)
    face_type: str = option("face", "how much a face image shows around the face", choices=FACE_TYPES)
    coverage: float = option(
        0.0,
        "its side as a multiple of the face's extent, 1 or more; 0: as the face type has it",
        low=0,
        high=8,
    )

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if 0 < self.coverage < 1:
            raise UsageError(
                f"coverage must be 1 or more, or 0 for that of the face type; not {self.coverage:g}"
            )


@dataclass(frozen=True, kw_only=True)
class ExtractConfig(ExtractOptions):
    """Find the faces of videos or images and write them to a faceset."""

    sources: tuple[Path, ...] = option(help="videos, image folders, images or globs", positional=True)
    output: Path = option(help="faceset folder to write; an unfinished one is gone on with", short="-o")
    reference: tuple[Path, ...] = option((), "pictures of the people to keep; others' faces are moved aside")
    exclude: tuple[Path, ...] = option((), "pictures of people to leave out")
    overwrite: bool = option(False, "start again where the faceset exists")

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if not self.sources:
            raise UsageError("extract needs at least one source: a video, an image or a folder of images")
