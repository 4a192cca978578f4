"""The contact sheet of `convert --try`: one face in every look there is, each with the flags that make it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from faceswap.faces.alignment import align, cut
from faceswap.faces.index import StoredFace
from faceswap.finishing import Drawn, Finisher
from faceswap.options import MASKS, ConvertConfig
from faceswap.registry import BLENDS, COLORS
from faceswap.steadying import Palettes
from faceswap.types import Frame, Image, Pixels
from faceswap.video.patching import image_apply

TILE = 240  # pixels
LINE = 16  # pixels: height of a line of text
VIEW = 1.5  # coverage of a tile


@dataclass(frozen=True)
class Trial:
    """A face to be shown.

    Attributes:
        frame: Its frame.
        face: Where it is.
        own: What the network made of it.
        palettes: The colours of that and of the original.
        coverage: What the network was trained with.
    """

    frame: Frame
    face: StoredFace
    own: Drawn
    palettes: Palettes
    coverage: float


def sheet(trials: Sequence[Trial], config: ConvertConfig, name: str) -> Image:
    """All looks of some faces: a row for each colour transfer, a column for each mask and blend.

    Args:
        trials: The faces, one or more.
        config: The options that are not varied.
        name: What the source is called.

    Returns:
        BGR uint8.
    """
    parts = []
    for trial in trials:
        rows = [np.hstack(_row(trial, config, color)) for color in COLORS]
        title = _text([f"{name}, frame {trial.frame.index}"], rows[0].shape[1], 0.6)
        parts += [title, *rows]
    return np.vstack(parts)


def _row(trial: Trial, config: ConvertConfig, color: str) -> list[Image]:
    """The original and a tile for each mask and blend."""
    tiles = [_tile(trial, trial.frame.image, ["original", ""])]
    for mask in MASKS:
        for blend in BLENDS:
            finisher = Finisher(replace(config, color=color, mask=mask, blend=blend), trial.coverage)
            recolor = finisher.recolor(*trial.palettes)
            patch = finisher.patch(trial.frame, trial.face, trial.own, recolor)
            shown = image_apply(trial.frame.image, [patch] if patch else [])
            tiles.append(_tile(trial, shown, [f"--color {color} --mask {mask}", f"--blend {blend}"]))
    return tiles


def _tile(trial: Trial, image: Image, lines: list[str]) -> Image:
    """The upright face with what makes it written below."""
    face = cut(Pixels(image), align(trial.face.face.landmarks, TILE, VIEW))
    return np.vstack([face, _text(lines, TILE, 0.4)])


def _text(lines: list[str], width: int, scale: float) -> Image:
    """Black lines on white."""
    strip = np.full((LINE * len(lines) + 6, width, 3), 255, np.uint8)
    for place, line in enumerate(lines):
        spot = (4, LINE * (place + 1) - 3)
        cv2.putText(strip, line, spot, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 1, cv2.LINE_AA)
    return strip
