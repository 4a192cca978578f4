"""Options of the work with facesets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceswap.config import Options, option
from faceswap.errors import UsageError

ORDERS = (
    *("sharpness", "yaw", "pitch", "roll", "size", "brightness", "hue"),
    *("similarity", "dissimilarity", "duplicates", "time"),
)
PICTURES = ("jpg", "png")


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
