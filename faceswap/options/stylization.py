"""Options of neural style transfer and of dreaming."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceswap.config import option
from faceswap.errors import UsageError
from faceswap.options.provenance import SigningOptions
from faceswap.registry import DESCENTS

FEATURES = (
    *("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3"),
    *("conv4_1", "conv4_2", "conv4_3", "conv5_1", "conv5_2", "conv5_3"),
)
STARTS = ("content", "noise", "mix")
REGIONS = ("face", "rest")
PAINTING, DREAMING = 200, 40  # steps; a longer dream leaves nothing of the picture


@dataclass(frozen=True, kw_only=True)
class StylizeConfig(SigningOptions):
    """Paint a picture in the style of another, or let a network dream into it."""

    content: Path = option(help="picture to paint", positional=True)
    style: Path | None = option(None, "painting whose style it takes (not with --dream)", positional=True)
    output: Path = option(help="picture to write", short="-o")
    size: int = option(512, "longer side of the output, pixels", low=64, high=2048)
    iterations: int = option(
        0,
        f"steps in all, over all sizes or octaves; 0: {PAINTING}, or {DREAMING} with --dream",
        low=0,
        high=10000,
    )
    seed: int = option(7, "seed of noise and jitter", low=0)
    ratio: float = option(5.0, "how much style counts against content", low=0, high=1e6)
    style_scale: float = option(
        1.0,
        "the painting's longer side as a multiple of the output's: larger, broader strokes",
        low=0.1,
        high=4,
    )
    content_layer: str = option("conv4_2", "layer of VGG16 at which content is compared", choices=FEATURES)
    style_layers: tuple[str, ...] = option(
        ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"),
        "layers at which style is compared, each with a weight if need be, as conv1_1=0.5",
    )
    smoothness: float = option(1.0, "weight of total variation: how far neighbours may differ", low=0)
    optimizer: str = option("lbfgs", "how the picture is changed", choices=DESCENTS)
    start: str = option("content", "where it begins: the picture, noise, or half of each", choices=STARTS)
    keep_colors: bool = option(False, "keep the picture's colours and take on brightness alone")
    mask: str | None = option(None, "style only the faces, or only the rest", choices=REGIONS)
    snapshots: int = option(0, "pictures of the way to write beside the output", low=0, high=1000)
    dream: str | None = option(
        None, "no style: raise the activations of this layer of VGG16 (DeepDream)", choices=FEATURES
    )
    octaves: int = option(4, "sizes dreamt at, the smallest first", low=1, high=12)
    octave_scale: float = option(1.4, "each so much larger than the one before", low=1.1, high=2)
    jitter: int = option(
        32, "pixels by which the picture is shifted at random before a step", low=0, high=256
    )
    dream_step: float = option(0.01, "mean change of a pixel in a step; white is 1", low=0.0001, high=0.5)
    no_provenance: bool = option(False, "write no manifest and no notes")
    overwrite: bool = option(False, "replace the output where it exists")

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if (self.style is None) == (self.dream is None):
            raise UsageError("stylize needs one of STYLE (a painting) and --dream (a layer)")
        if not self.style_layers:
            raise UsageError("style_layers needs a layer or more, as conv3_1")
        if not any(self.style_weights.values()):
            raise UsageError("style_layers needs a weight above 0")

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.iterations or (DREAMING if self.dream else PAINTING)

    @property
    def style_weights(self) -> dict[str, float]:
        """The weights of `style_layers` by layer."""
        found = {}
        for text in self.style_layers:
            name, _, weight = text.partition("=")
            if name not in FEATURES:
                raise UsageError(f"style_layers: there is no layer '{name}'; there are {', '.join(FEATURES)}")
            try:
                found[name] = float(weight or 1)
            except ValueError as error:
                raise UsageError(f"style_layers takes a layer and a number, not '{text}'") from error
            if not 0 <= found[name] < 1e6:
                raise UsageError(f"style_layers: a weight is 0 or more, not '{weight}'")
        return found
