"""Options of conversion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceswap.config import Pair, option
from faceswap.errors import UsageError
from faceswap.options.provenance import ProvenanceOptions
from faceswap.registry import BLENDS, COLORS

CODECS = (
    *("h264", "h265", "av1", "vp9", "ffv1"),
    *("h264_nvenc", "h264_qsv", "h264_amf", "h264_videotoolbox"),
    *("hevc_nvenc", "hevc_qsv", "hevc_amf", "hevc_videotoolbox"),
    *("av1_nvenc", "av1_qsv", "av1_amf"),
)
KINDS = ("video", "mask", "side-by-side", "patches", "frames", "gif")
DEPTHS = ("source", "8", "10")
PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow"),
)
MASKS = ("faceset", "predicted", "both")
USES = ("newest", "best")


@dataclass(frozen=True, kw_only=True)
class ConvertOptions(ProvenanceOptions):
    """How the swapped face is put into the picture."""

    use: str = option(
        "newest",
        "which state of the model: the newest, as its preview shows it, or the one whose held-out faces were"
        " the best",
        choices=USES,
    )
    color: str = option("mkl", "how the face takes on the frame's colours", choices=COLORS)
    steady_frames: float = option(
        8.0, "steady the colours over so many frames both ways; 0: each frame for itself", low=0, high=100
    )
    mask: str = option(
        "both", "which mask: the faceset's, the one the network predicts, or what both cover", choices=MASKS
    )
    erode: float = option(0.0, "shrink the mask by this share of the face's size", low=-0.5, high=0.5)
    erode_top: float = option(0.0, "shrink it more at the top", low=-0.5, high=0.5)
    erode_bottom: float = option(0.0, "shrink it more at the bottom", low=-0.5, high=0.5)
    erode_left: float = option(0.0, "shrink it more on the left of the upright face", low=-0.5, high=0.5)
    erode_right: float = option(0.0, "shrink it more on the right of the upright face", low=-0.5, high=0.5)
    feather: float = option(
        0.12, "soften the mask's edge over this share of the face's size", low=0, high=0.5
    )
    blend: str = option("alpha", "how the face is joined to the frame", choices=BLENDS)
    opacity: float = option(1.0, "how much of the swapped face shows", low=0, high=1)
    fit: float = option(
        1.0,
        "how far the drawn face is moved and scaled until its features lie where the frame's do, by the same"
        " amount in all frames; 0: where it was drawn",
        low=0,
        high=1,
    )
    face_scale: float = option(1.0, "size of the swapped face against the frame's", low=0.5, high=2)
    crisp: float = option(
        0.8, "narrow the edges of a face that is drawn smaller than it is shown; 0: as drawn", low=0, high=2
    )
    restore: bool = option(
        True,
        "add the detail that the network leaves out, from the pictures of the person that the model keeps",
    )
    blinks: bool = option(
        True,
        "bring the drawn lids down where the frame's are, by the pictures of the person that the model keeps",
    )
    sharpen: float = option(0.0, "sharpen the face (unsharp mask) by this amount", low=0, high=5)
    match_detail: float = option(
        1.0, "how far the face's sharpness is brought to that of the frame's face", low=0, high=1
    )
    match_grain: float = option(1.0, "how far its grain is brought to the frame's", low=0, high=1)
    fade_from: float = option(
        50.0, "degrees of turning away from which the swap fades out, over 20 more", low=0, high=180
    )
    codec: str = option(
        "h264", "video codec; ffv1 loses nothing, names with _ are those of graphics cards", choices=CODECS
    )
    crf: int | None = option(
        None, "constant rate factor; smaller is better; default: the codec's own, 18 for h264", low=0, high=63
    )
    preset: str = option("fast", "how much time encoding takes; slower is smaller", choices=PRESETS)
    bit_depth: str = option("source", "bits of a sample in the output", choices=DEPTHS)
    output_kind: str = option(
        "video",
        "what is written: the swap, its mask, both side by side; faces with alpha and a table of where they"
        " belong; numbered PNG files; an animation",
        choices=KINDS,
    )
    swap_direction: bool = option(False, "put A's face into B's video instead")

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if self.output_kind == "patches" and self.blend != "alpha":
            raise UsageError("patches are laid over by their alpha: leave out --blend")


@dataclass(frozen=True, kw_only=True)
class ConvertConfig(ConvertOptions):
    """Put the learned face into a video or a folder of images."""

    source: Path = option(help="video, image or folder of images", positional=True)
    model: Path | None = option(None, "model folder, or a file that 'faceswap export' wrote", short="-m")
    output: Path | None = option(None, "video or folder to write", short="-o")
    faceset: Path | None = option(None, "faceset of the source, so that it is not searched again")
    reference: tuple[Path, ...] = option(
        (), "pictures of the person whose face is swapped; others are left as they are"
    )
    map_: tuple[Pair, ...] = option(
        (), "in place of --model: PICTURE=MODEL for each person who is swapped, others are left as they are"
    )
    style: Path | None = option(
        None, "painting or still whose look all swapped faces take on; fitted once, the same in every frame"
    )
    try_: Path | None = option(
        None, "convert nothing; write a picture to choose from here: a frame by all colors, masks and blends"
    )
    try_frames: int = option(1, "frames shown there", low=1, high=20)
    overwrite: bool = option(False, "replace the output where it exists")

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if (self.output is None) == (self.try_ is None):
            raise UsageError("convert needs one of --output (video or folder to write) and --try (a picture)")
        self._check_roles()
        if self.try_ and self.style:
            raise UsageError("--try shows no --style: the look is fitted when the clip is converted")

    def _check_roles(self) -> None:
        if (self.model is None) == (not self.map_):
            raise UsageError(
                "convert needs one of --model (it draws every face) and --map (PICTURE=MODEL for each person)"
            )
        if self.map_ and self.reference:
            raise UsageError("--map takes no --reference: its own pictures say whose faces are swapped")
        pictures = [picture for picture, _ in self.roles]
        if twice := {picture for picture in pictures if pictures.count(picture) > 1}:
            raise UsageError(f"{min(twice)} stands twice for whose face is swapped: name it once")

    @property
    def roles(self) -> tuple[tuple[Path, Path], ...]:
        """A picture of each person who is swapped, and the model; none: everybody is, by the one model."""
        if self.model is None:
            return tuple((pair.one, pair.other) for pair in self.map_)
        return tuple((picture, self.model) for picture in self.reference)

    @property
    def models(self) -> tuple[Path, ...]:
        """The models there are, each once."""
        return (self.model,) if self.model else tuple(dict.fromkeys(pair.other for pair in self.map_))

    @property
    def destination(self) -> Path:
        """What is written: the output, or the picture to choose from."""
        path = self.output or self.try_
        assert path is not None
        return path
