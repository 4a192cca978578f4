"""Every option of every stage. Names are unique over the stages, so that `swap` takes them all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from faceswap.config import Options, option
from faceswap.errors import UsageError
from faceswap.registry import BLENDS, COLORS, DETECTORS, LANDMARKERS, MASKERS, NETWORKS, OPTIMIZERS

CODECS = ("h264", "h265")
CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")
PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow"),
)
ORDERS = (
    *("sharpness", "yaw", "pitch", "roll", "size", "brightness", "hue"),
    *("similarity", "dissimilarity", "duplicates", "time"),
)
PICTURES = ("jpg", "png")
MASKS = ("faceset", "predicted", "both")
SCHEDULES = ("constant", "cosine", "plateau")
# What a swap is judged by; `quality.measures` says what each is.
MEASURES = (
    *("identity", "distance", "cosine", "rank", "pose", "placement", "expression", "shapes", "mouth", "eyes"),
    *("gaze", "ssim", "psnr", "seam", "sharpness", "grain", "flicker", "missed"),
)
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
        "where nobody is seen, turn the picture in steps of so many degrees and look again; 0: do not",
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


@dataclass(frozen=True, kw_only=True)
class AugmentOptions(Options):
    """How faces are varied before the network sees them; 0 switches a thing off."""

    warp: float = option(0.03, "pushing parts of the input about, share of the side", low=0, high=0.2)
    rotation: float = option(8.0, "largest turn either way, degrees", low=0, high=180)
    zoom: float = option(0.05, "largest change of scale either way", low=0, high=0.5)
    shift: float = option(0.04, "largest shift either way, share of the side", low=0, high=0.5)
    flip: float = option(0.5, "chance of a mirror image", low=0, high=1)
    random_crop: float = option(0.0, "largest share of the side cut off, the rest blown up", low=0, high=0.8)
    light: float = option(0.06, "largest change of brightness either way", low=0, high=1)
    contrast: float = option(0.1, "largest change of contrast either way", low=0, high=1)
    gamma: float = option(0.0, "largest change of gamma; 0.5: from 1/1.5 to 1.5", low=0, high=3)
    hue: float = option(0.0, "largest turn of the hue either way, degrees", low=0, high=180)
    color_transfer: float = option(
        0.0, "how far at most colours move to those of a face of the other person", low=0, high=1
    )
    standardize: float = option(
        0.0, "how far at most each picture's mean and contrast move to a common one", low=0, high=1
    )
    noise: float = option(0.0, "strongest noise on the input, share of full scale", low=0, high=1)
    blur: float = option(0.0, "strongest blur of the input, share of the side", low=0, high=0.2)
    jpeg: float = option(0.0, "how much JPEG quality the input loses at most", low=0, high=1)


@dataclass(frozen=True, kw_only=True)
class OptimizerOptions(Options):
    """How the weights are moved."""

    optimizer: str = option("adam", "what moves the weights", choices=OPTIMIZERS)
    learning_rate: float = option(
        0.0, "size of its steps; 0: what suits the optimizer, 0.001 for adam", low=0, high=100
    )
    schedule: str = option("constant", "how the learning rate falls", choices=SCHEDULES)
    warmup: int = option(0, "steps over which the learning rate rises from 0", low=0, high=1_000_000)
    clip: float = option(0.0, "largest length of the gradient, the rest is cut; 0: any", low=0, high=1e6)
    ema: float = option(
        0.0,
        "previews and conversion use a running mean of the weights that keeps so much a step, as 0.999;"
        " 0: the weights",
        low=0,
        high=0.99999,
    )
    weight_decay: float = option(
        0.0, "share of the weights that is lost, times the learning rate; 0: 0.004 for adamw", low=0, high=1
    )


@dataclass(frozen=True, kw_only=True)
class TrainOptions(AugmentOptions, OptimizerOptions):
    """How the two faces are learned."""

    network: str = option("swift", "network to train", choices=NETWORKS)
    minutes: float = option(10.0, "stop when the model has trained so long in all", low=0.0, high=1e6)
    iterations: int = option(0, "stop after so many steps in all; 0 is no limit", low=0)
    batch_size: int = option(8, "faces of each side in a step", low=1, high=512)
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
    show_augmentation: Path | None = option(
        None, "write a picture of what is done to the faces, and train nothing"
    )
    find_rate: Path | None = option(
        None, "try learning rates on a copy, write a picture of the losses, and train nothing"
    )

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if self.show_augmentation and self.find_rate:
            raise UsageError("show_augmentation and find_rate are two things: ask for one at a time")


@dataclass(frozen=True, kw_only=True)
class ConvertOptions(Options):
    """How the swapped face is put into the picture."""

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
    face_scale: float = option(1.0, "size of the swapped face against the frame's", low=0.5, high=2)
    crisp: float = option(
        0.8, "narrow the edges of a face that is drawn smaller than it is shown; 0: as drawn", low=0, high=2
    )
    sharpen: float = option(0.0, "sharpen the face (unsharp mask) by this amount", low=0, high=5)
    match_detail: float = option(
        1.0, "how far the face's sharpness is brought to that of the frame's face", low=0, high=1
    )
    match_grain: float = option(1.0, "how far its grain is brought to the frame's", low=0, high=1)
    fade_from: float = option(
        50.0, "degrees of turning away from which the swap fades out, over 20 more", low=0, high=180
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
    output: Path | None = option(None, "video or folder to write", short="-o")
    faceset: Path | None = option(None, "faceset of the source, so that it is not searched again")
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

    @property
    def destination(self) -> Path:
        """What is written: the output, or the picture to choose from."""
        path = self.output or self.try_
        assert path is not None
        return path


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


@dataclass(frozen=True, kw_only=True)
class FacesInfoConfig(Options):
    """Say what is in a faceset, and what another lacks that it has."""

    faceset: Path = option(help="faceset to look at", positional=True)
    against: Path | None = option(
        None, "faceset learned from (B): say which poses of FACESET (A, what the video asks for) it lacks"
    )
    output: Path | None = option(None, "picture to write: samples, histograms, poses", short="-o")
    overwrite: bool = option(False, "replace the picture where it exists")


@dataclass(frozen=True, kw_only=True)
class FacesSortConfig(Options):
    """List the faces of a faceset in an order, or name the pictures so."""

    faceset: Path = option(help="faceset to sort", positional=True)
    by: str = option(
        help="what to sort by; the sharpest, largest, most alike and so on come first", choices=ORDERS
    )
    reference: tuple[Path, ...] = option(
        (), "pictures of a person, for --by similarity; without, the mean of the faceset's faces"
    )
    reverse: bool = option(False, "the other way round")
    rename: bool = option(
        False, "name the pictures so that a file browser shows this order; --by time gives the names back"
    )


@dataclass(frozen=True, kw_only=True)
class FacesCleanConfig(Options):
    """Propose which faces of a faceset to drop, with contact sheets to look at, and move them on request.

    A frame whose face is dropped is not swapped when the faceset is given to convert.
    """

    faceset: Path = option(help="faceset to clean", positional=True)
    output: Path | None = option(None, "folder for the contact sheets; default: the faceset's", short="-o")
    apply: bool = option(False, "move what is proposed to the faceset's 'rejected' folder")
    blurred: float = option(
        0.25, "less sharp than this share of the faceset's median; 0: not looked at", low=0, high=1
    )
    cut_off: float = option(
        0.03, "with more than this share of the face past the frame's border; 0: not looked at", low=0, high=1
    )
    stranger: float = option(
        0.6,
        "in a track further than this from the person with the most faces; 0: not looked at",
        low=0,
        high=2,
    )
    duplicate: int = option(
        4, "differing in so few of 256 bits from a sharper one; 0: not looked at", low=0, high=128
    )
    misfit: float = option(
        0.045,
        "landmarks further than this from any face's, shares of its size; 0: not looked at",
        low=0,
        high=1,
    )
    doubtful: float = option(
        0.1, "scored by the detector under this share of the median; 0: not looked at", low=0, high=1
    )


@dataclass(frozen=True, kw_only=True)
class FacesSplitConfig(Options):
    """Make a faceset of each person in a faceset."""

    faceset: Path = option(help="faceset to split", positional=True)
    output: Path = option(help="folder to make: person_0 has the most faces, and so on", short="-o")
    fewest: int = option(1, "leave out people with fewer faces", low=1)


@dataclass(frozen=True, kw_only=True)
class FacesMergeConfig(Options):
    """Make one faceset of several."""

    facesets: tuple[Path, ...] = option(help="facesets to put together", positional=True)
    output: Path = option(help="faceset to make", short="-o")

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if len({path.resolve() for path in self.facesets}) < 2:
            raise UsageError("faces merge needs two facesets or more")


@dataclass(frozen=True, kw_only=True)
class FacesDrawConfig(Options):
    """Draw what is known of the faces: landmarks, mask, pose, track and person."""

    faceset: Path = option(help="faceset to draw", positional=True)
    output: Path = option(help="picture to make, or a folder for as many as are needed", short="-o")
    count: int = option(24, "faces to draw, evenly over the faceset; 0: all", low=0)
    overwrite: bool = option(False, "replace what was drawn there before")


@dataclass(frozen=True, kw_only=True)
class FacesExportConfig(Options):
    """Write the faces as plain pictures, with a table of all that is known of them."""

    faceset: Path = option(help="faceset to export", positional=True)
    output: Path = option(help="folder to make", short="-o")
    format: str = option("jpg", "format of the pictures", choices=PICTURES)
    size: int = option(0, "side of the pictures, pixels; 0: as they are", low=0, high=4096)
    masks: bool = option(False, "masks too: as transparency of png, as pictures of their own beside jpg")


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(Options):
    """Measure how good a swap is, and write a report with the worst frames of each measure."""

    original: Path = option(help="clip before the swap (A)")
    swapped: Path = option(help="clip after the swap")
    identity: Path = option(help="faceset of the person whose face was put in (B)")
    target: Path | None = option(None, "faceset of A; without, A is who is in the original clip")
    gallery: Path | None = option(
        None, "folder of pictures of other people, a file or a subfolder each, to rank B among"
    )
    output: Path = option(help="folder to write report.html and report.json to", short="-o")
    every: int = option(
        0, "measure each so manieth frame; 0: so that 300 or fewer are, the rest is read only", low=0
    )
    fail_under: tuple[str, ...] = option(
        (),
        "end with exit code 8 where a measure is worse than this, as identity=0.9, or for one of which less"
        f" is better, pose=5; there are {', '.join(MEASURES)}",
    )
    overwrite: bool = option(False, "replace the report where it exists")

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        _ = self.limits

    @property
    def limits(self) -> dict[str, float]:
        """The limits of `fail_under`, by measure."""
        found = {}
        for text in self.fail_under:
            name, _, value = text.partition("=")
            if name not in MEASURES:
                raise UsageError(f"there is no measure '{name}': choose from {', '.join(MEASURES)}")
            try:
                found[name] = float(value)
            except ValueError as error:
                raise UsageError(
                    f"fail_under takes a measure and a number, as {name}=0.9; not '{text}'"
                ) from error
            if not math.isfinite(found[name]):
                raise UsageError(f"fail_under takes a finite number, not '{text}'")
        if "rank" in found and self.gallery is None:
            raise UsageError("the measure rank needs --gallery, a folder of pictures of other people")
        return found


@dataclass(frozen=True, kw_only=True)
class ConsentOptions(Options):
    """Who agreed to be shown."""

    consent: str = option("", "who agreed to this swap, and to what; kept in the output's manifest")
    consent_date: str = option("", "when they agreed, as YYYY-MM-DD")

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if self.consent_date:
            try:
                date.fromisoformat(self.consent_date)
            except ValueError as error:
                raise UsageError(
                    f"consent_date must be a day as YYYY-MM-DD, not '{self.consent_date}'"
                ) from error
            if not self.consent:
                raise UsageError("consent_date needs --consent, which says who agreed")


@dataclass(frozen=True, kw_only=True)
class ProvenanceOptions(ConsentOptions):
    """What an output says of itself."""

    no_provenance: bool = option(False, "write no manifest, no notes and no mark in the pixels")
    label: bool = option(False, "draw a visible label, 'AI-modified', on every changed frame")
    label_position: str = option("bottom-right", "where the label stands", choices=CORNERS)
    label_size: float = option(0.04, "height of the label as a share of the frame's", low=0.01, high=0.2)
    certificate: Path | None = option(
        None, "PEM file of the certificate chain to sign with; default: this machine's own"
    )
    certificate_key: Path | None = option(
        None, "PEM file of its private key, where it is not in the certificate's"
    )

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if self.certificate_key and not self.certificate:
            raise UsageError("certificate_key needs --certificate, whose key it is")


@dataclass(frozen=True, kw_only=True)
class InspectConfig(Options):
    """Say where a file comes from: its manifest, its notes and the mark in its pixels."""

    file: Path = option(help="video or image to look at", positional=True)
    json: bool = option(False, "print it as JSON, for other programs")
