"""What is measured: each measure with its unit, its direction and what it means in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from faceswap.options import MEASURES as NAMES


@dataclass(frozen=True)
class Measure:
    """One of the things a swap is judged by.

    Attributes:
        name: As it is called in `--fail-under` and in `report.json`.
        title: As it is called in the report.
        unit: Of its value; empty for a bare number.
        better: 'more' or 'less' where such a value is better, 'one' where 1 is best.
        meaning: What it says, for people who have never heard of it.
        headline: 'mean' of the frames, or the 'share' of frames in which it is above 0.
        whole: Whether it is about the frame around the face rather than the face.
        decimals: How many are shown.
    """

    name: str
    title: str
    unit: str
    better: Literal["more", "less", "one"]
    meaning: str
    headline: Literal["mean", "share"] = "mean"
    whole: bool = False
    decimals: int = 3

    def is_worse(self, value: float | None, limit: float) -> bool:
        """Whether a value fails a limit; one that could not be measured does."""
        if value is None:
            return True
        if self.better == "less":
            return value > limit
        return (min(value, 1 / max(value, 1e-9)) if self.better == "one" else value) < limit

    def badness(self, value: float) -> float:
        """A number that is larger the worse the value is, to put frames in order."""
        if self.better == "one":
            return max(value, 1e-9, 1 / max(value, 1e-9))
        return value if self.better == "less" else -value


_ALL = (
    Measure(
        "identity",
        "Looks like B rather than A",
        "",
        "more",
        "The share of frames in which a face recognition network finds the swapped face nearer to B than"
        " to A; the plot shows by how much (distance to A less distance to B).",
        headline="share",
    ),
    Measure(
        "distance",
        "Distance to B",
        "",
        "less",
        "How far the swapped face is from B in that network's space. Two pictures of one person are"
        " mostly less than 0.6 apart, those of two people more.",
    ),
    Measure(
        "cosine",
        "Likeness to B (cosine)",
        "",
        "more",
        "The same as an angle: 1 for the same direction; other people are mostly below 0.93.",
    ),
    Measure(
        "rank",
        "Rank of B in the gallery",
        "",
        "less",
        "Where B stands when B and the people of the gallery are sorted by likeness to the swapped face;"
        " 1 is first.",
        decimals=2,
    ),
    Measure(
        "pose",
        "Head turned otherwise",
        "°",
        "less",
        "The angle between the turn of the head in the original and in the swap, both read off a mean head."
        " That two people's faces differ in shape is part of it, as a turn up or down by 3 to 10° in all"
        " frames alike; the plots of yaw, pitch and roll show how much that is, and how turns are followed.",
        decimals=2,
    ),
    Measure(
        "placement",
        "Face put aside",
        "eye distances",
        "less",
        "How far the face was moved, as a share of the distance between the outer corners of the eyes.",
    ),
    Measure(
        "expression",
        "Features off their place",
        "eye distances",
        "less",
        "How far brows, eyes and lips are from the original's when both heads are turned to the front."
        " That two people's features differ in shape is part of it: some hundredths are to be expected.",
    ),
    Measure(
        "shapes",
        "Expression differs",
        "eye distances",
        "less",
        "How much the openings of the eyes and the mouth, the mouth's width and the height of the brows"
        " differ from the original's, on average.",
    ),
    Measure(
        "mouth",
        "Mouth opened otherwise",
        "eye distances",
        "less",
        "The difference between the openings of the lips. A mouth opened wide has about 0.3.",
    ),
    Measure(
        "eyes",
        "Eyes opened otherwise",
        "eye distances",
        "less",
        "The difference between the openings of the eyes, the mean of both. Open eyes have about 0.1, so a"
        " blink that is missed has nearly as much.",
    ),
    Measure(
        "gaze",
        "Looks elsewhere",
        "eye widths",
        "less",
        "How far the irises are from where they are in the original's eyes. From one corner of the eye to"
        " the other is 1. Frames with closed eyes do not count.",
    ),
    Measure(
        "ssim",
        "Rest of the picture kept (SSIM)",
        "",
        "more",
        "Structural similarity off the face; 1 where nothing changed. Below 0.95 it can be seen.",
        whole=True,
    ),
    Measure(
        "psnr",
        "Rest of the picture kept (PSNR)",
        "dB",
        "more",
        "The same as a signal-to-noise ratio; above 40 dB nobody sees a difference, 100 stands for none"
        " at all.",
        whole=True,
        decimals=1,
    ),
    Measure(
        "seam",
        "Seam",
        "grey levels",
        "less",
        "The step in brightness and colour that the swap adds along the edge of the face, of 255. Below 3"
        " it is hard to see.",
        decimals=2,
    ),
    Measure(
        "sharpness",
        "Sharpness of the face",
        "of the original's",
        "one",
        "Fine detail in the face compared with the original's: 1 is as sharp, 0.5 has half of it. What"
        " the new encoding took from the rest of the picture is allowed for.",
        decimals=2,
    ),
    Measure(
        "grain",
        "Grain of the face",
        "of the original's",
        "one",
        "Noise in the face compared with the original's: below 1 the face is smoother than the film"
        " around it.",
        decimals=2,
    ),
    Measure(
        "flicker",
        "Flicker",
        "grey levels",
        "less",
        "What jumps up and down from frame to frame within the face, beyond what does so in the original;"
        " below 0 the swap is calmer. Grain does not count.",
        decimals=2,
    ),
    Measure(
        "missed",
        "Frames missed",
        "",
        "less",
        "The share of the frames with a face in which it is unchanged, cannot be found, or is not nearer"
        " to B.",
    ),
)
MEASURES = {measure.name: measure for measure in _ALL}
assert tuple(MEASURES) == NAMES, "the names in options.py and the measures differ"
