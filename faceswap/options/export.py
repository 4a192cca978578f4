"""Options of exporting."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceswap.config import Options, option
from faceswap.errors import UsageError
from faceswap.registry import PACKERS

PRECISIONS = ("float32", "float16", "int8")


@dataclass(frozen=True, kw_only=True)
class ExportConfig(Options):
    """Write a trained model to a file that converts without TensorFlow, smaller and faster where asked."""

    model: Path = option(help="model folder", positional=True)
    output: Path = option(help="file to write: .onnx (ONNX Runtime) or .tflite (LiteRT)", short="-o")
    swap_direction: bool = option(False, "export what puts A's face into B's video instead")
    precision: str = option("float32", "what the weights are stored as", choices=PRECISIONS)
    prune: float = option(
        0.0,
        "take out this share of each layer's channels, the weakest, and tune the rest",
        low=0,
        high=0.9,
    )
    tune_minutes: float = option(2.0, "how long a pruned model is tuned", low=0, high=1e6)
    faceset: Path | None = option(
        None,
        "faces like those to be swapped (A's): int8 is calibrated and pruning tuned on them, the last fifth"
        " is measured",
    )
    identity: Path | None = option(
        None, "faceset of the person whose face is put there (B), to tune on and to measure against too"
    )
    seed: int = option(0, "seed of everything random", low=0, high=2**31 - 1)
    overwrite: bool = option(False, "replace the output where it exists")

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if self.output.suffix.lower() not in PACKERS:
            raise UsageError(f"cannot export to {self.output}: name it with one of {', '.join(PACKERS)}")
        for name, asked in (("precision int8", self.precision == "int8"), ("prune", self.prune > 0)):
            if asked and self.faceset is None:
                raise UsageError(f"--{name} needs --faceset, a faceset of faces like those to be swapped")
