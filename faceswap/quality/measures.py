"""What is measured: each measure with its unit, its direction and what it means in plain words."""

from __future__ import annotations

import math
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
        rule: Against what its figure is to be held, as short as can be.
        headline: 'mean' of the frames, or the 'share' of frames in which it is above 0.
        whole: Whether it is about the frame around the face rather than the face.
        decimals: How many are shown.
        best: The value of a frame without a flaw.
    """

    name: str
    title: str
    unit: str
    better: Literal["more", "less", "one"]
    meaning: str
    rule: str
    headline: Literal["mean", "share"] = "mean"
    whole: bool = False
    decimals: int = 3
    best: float = 0.0

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
        "A good swap has 100%.",
        headline="share",
        best=math.inf,
    ),
    Measure(
        "distance",
        "Distance to B",
        "",
        "less",
        "How far the swapped face is from B in that network's space.",
        "Two pictures of one person are mostly less than 0.6 apart, those of two people more.",
    ),
    Measure(
        "cosine",
        "Likeness to B (cosine)",
        "",
        "more",
        "The same as an angle: 1 for the same direction.",
        "Other people are mostly below 0.93.",
        best=1,
    ),
    Measure(
        "rank",
        "Rank of B in the gallery",
        "",
        "less",
        "Where B stands when B and the people of the gallery are sorted by likeness to the swapped face.",
        "1 is first: nobody in the gallery is more like it.",
        decimals=2,
        best=1,
    ),
    Measure(
        "pose",
        "Head turned otherwise",
        "°",
        "less",
        "The angle between the turn of the head in the original and in the swap, both read off a mean head."
        " The plots of yaw, pitch and roll show how turns are followed.",
        "3 to 10° in all frames alike come from the shapes of the two faces.",
        decimals=2,
    ),
    Measure(
        "placement",
        "Face put aside",
        "eye distances",
        "less",
        "How far the face was moved, as a share of the distance between the outer corners of the eyes.",
        "An eye is about 0.3 wide.",
    ),
    Measure(
        "expression",
        "Features off their place",
        "eye distances",
        "less",
        "How far brows, eyes and lips are from the original's when both heads are turned to the front.",
        "Some hundredths in all frames alike come from the shapes of the two faces.",
    ),
    Measure(
        "shapes",
        "Expression differs",
        "eye distances",
        "less",
        "How much the openings of the eyes and the mouth, the mouth's width and the height of the brows"
        " differ from the original's, on average.",
        "A mouth opened wide has about 0.3, open eyes have 0.1.",
    ),
    Measure(
        "mouth",
        "Mouth opened otherwise",
        "eye distances",
        "less",
        "The difference between the openings of the lips.",
        "A mouth opened wide has about 0.3.",
    ),
    Measure(
        "eyes",
        "Eyes opened otherwise",
        "eye distances",
        "less",
        "The difference between the openings of the eyes, the mean of both.",
        "Open eyes have about 0.1; a blink that is missed, nearly as much.",
    ),
    Measure(
        "gaze",
        "Looks elsewhere",
        "eye widths",
        "less",
        "How far the irises are from where they are in the original's eyes. Frames with closed eyes do not"
        " count.",
        "From one corner of the eye to the other is 1.",
    ),
    Measure(
        "ssim",
        "Rest of the picture kept (SSIM)",
        "",
        "more",
        "Structural similarity off the face; 1 where nothing changed.",
        "Below 0.95 it can be seen.",
        whole=True,
        best=1,
    ),
    Measure(
        "psnr",
        "Rest of the picture kept (PSNR)",
        "dB",
        "more",
        "The same as a signal-to-noise ratio; 100 stands for no difference at all.",
        "Above 40 dB nobody sees a difference.",
        whole=True,
        decimals=1,
        best=100,
    ),
    Measure(
        "seam",
        "Seam",
        "grey levels",
        "less",
        "The step in brightness and colour that the swap adds along the edge of the face, of 255.",
        "Below 4 it is hard to see.",
        decimals=2,
    ),
    Measure(
        "sharpness",
        "Sharpness of the face",
        "of the original's",
        "one",
        "Fine detail in the face compared with the original's. What the new encoding took from the rest of"
        " the picture is allowed for.",
        "1 is as sharp, 0.5 has half of the detail.",
        decimals=2,
        best=1,
    ),
    Measure(
        "grain",
        "Grain of the face",
        "of the original's",
        "one",
        "Noise in the face compared with the original's.",
        "Below 1 the face is smoother than the film around it.",
        decimals=2,
        best=1,
    ),
    Measure(
        "flicker",
        "Flicker",
        "grey levels",
        "less",
        "What jumps up and down from frame to frame within the face, beyond what does so in the original."
        " Grain does not count.",
        "Below 0 the swap is calmer than the original.",
        decimals=2,
    ),
    Measure(
        "missed",
        "Frames missed",
        "",
        "less",
        "The share of the frames with a face in which it is unchanged, cannot be found, or is not nearer"
        " to B.",
        "A good swap has 0%.",
    ),
)
MEASURES = {measure.name: measure for measure in _ALL}
assert tuple(MEASURES) == NAMES, "the names in options.py and the measures differ"
