"""Options of all three stages in one go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceswap.config import option
from faceswap.options.conversion import ConvertOptions
from faceswap.options.extraction import ExtractOptions
from faceswap.options.training import TrainOptions


@dataclass(frozen=True, kw_only=True)
class SwapConfig(ExtractOptions, TrainOptions, ConvertOptions):
    """Extract, train and convert in one go; run again to go on where it was stopped."""

    source: Path = option(help="clip of the person whose face is put in (B)")
    target: Path = option(help="clip that gets the face (A)")
    output: Path = option(help="video to write", short="-o")
    work: Path | None = option(None, "work folder; default: the output's name with .faceswap")
    no_report: bool = option(False, "do not measure at the end how good the swap is")
    overwrite: bool = option(False, "replace the output where it exists")
