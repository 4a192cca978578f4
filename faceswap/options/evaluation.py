"""Options of the measuring of swaps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from faceswap.config import Options, option
from faceswap.errors import UsageError

# What a swap is judged by; `quality.measures` says what each is.
MEASURES = (
    *("identity", "distance", "cosine", "rank", "pose", "placement", "expression", "shapes", "mouth", "eyes"),
    *("gaze", "ssim", "psnr", "seam", "sharpness", "grain", "flicker", "missed"),
)


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
