"""How strongly faces are varied."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Jitter:
    """How strongly faces are varied; 0 switches a thing off.

    Attributes:
        warp: Standard deviation of the warp's grid, share of the picture's side.
        rotation: Largest turn either way, degrees.
        zoom: Largest change of scale either way.
        shift: Largest shift either way, share of the side.
        flip: Chance of a mirror image.
        random_crop: Largest share of the side cut off at random, the rest blown up to the whole.
        light: Largest change of brightness either way, share of full scale.
        contrast: Largest change of contrast either way.
        gamma: Largest change of gamma: 0.5 is from 1/1.5 to 1.5.
        hue: Largest turn of the hue either way, degrees.
        color_transfer: How far at most a face's colours move to those of a face of the other person, 0 to 1.
        standardize: How far at most a picture's mean and deviation move to those all have in common, 0 to 1.
        noise: Largest deviation of Gaussian noise, share of full scale.
        blur: Largest deviation of Gaussian blur, share of the side.
        jpeg: How much JPEG quality is lost at most, 0 to 1.
    """

    warp: float = 0.03
    rotation: float = 8.0
    zoom: float = 0.05
    shift: float = 0.04
    flip: float = 0.5
    random_crop: float = 0.0
    light: float = 0.06
    contrast: float = 0.1
    gamma: float = 0.0
    hue: float = 0.0
    color_transfer: float = 0.0
    standardize: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    jpeg: float = 0.0
