"""What stylize paints on: the picture at each size, where it may be painted, and how it is put back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import NoFacesError
from faceswap.faces.masks import hull
from faceswap.finding import Finder
from faceswap.options import ExtractOptions, StylizeConfig
from faceswap.types import Image, Pixels

Floats = NDArray[np.float32]

FEATHER = 0.06  # of a face's width: deviation of the soft edge between what is painted and what is not
NOISE = 0.1  # deviation of the noise about the content's mean colour, of a range of 1
GREY = np.array([0.114, 0.587, 0.299], np.float32)  # BGR to luma, ITU-R BT.601


class Canvas:
    """A picture that is to be painted.

    Attributes:
        content: At the output's size, BGR, float32, 0 to 1; grey in all three where colours are kept.
    """

    def __init__(self, image: Image, config: StylizeConfig) -> None:
        """Bring the picture to size, and find the faces in it where they matter.

        Args:
            image: BGR uint8 (height, width, 3).
            config: The options.

        Raises:
            NoFacesError: Faces matter, and nobody is there.
        """
        self._original = sized(to_floats(image), config.size)
        self._grey = config.keep_colors
        self.content = _greyed(self._original) if self._grey else self._original
        self._weight: Floats | None = None
        if config.mask:
            face = fitted(_faces(image, config.content), self._original.shape)
            self._weight = face if config.mask == "face" else 1 - face

    def at(self, size: int) -> tuple[Floats, Floats | None]:
        """The content, and where it is painted, with a longer side of `size` pixels."""
        content = sized(self.content, size)
        return content, None if self._weight is None else fitted(self._weight, content.shape)

    def painting(self, style: Floats, size: int) -> Floats:
        """The painting with a longer side of `size` pixels.

        Where colours are kept it is grey, with the content's mean and deviation (Gatys, Bethge, Hertzmann and
        Shechtman, "Preserving color in neural artistic style transfer", 2016, section 4).
        """
        style = sized(style, size)
        if not self._grey:
            return style
        grey, content = _greyed(style), self.content
        spread = content.std() / max(float(grey.std()), 1e-6)
        return np.asarray(np.clip((grey - grey.mean()) * spread + content.mean(), 0, 1), np.float32)

    def start(self, kind: str, seed: int) -> Floats:
        """The first picture: 'content', 'noise' or a 'mix' of half of each."""
        share = {"content": 0.0, "mix": 0.5, "noise": 1.0}[kind]
        noise = np.random.default_rng(seed).normal(0, NOISE, self.content.shape).astype(np.float32)
        noise = np.clip(self.content.mean((0, 1)) + noise, 0, 1)
        return np.asarray((1 - share) * self.content + share * noise, np.float32)

    def finished(self, picture: Floats) -> Image:
        """What was painted, at any size, as the output: BGR uint8, colours and unpainted parts put back."""
        picture = np.clip(fitted(picture, self.content.shape), 0, 1)
        if self._grey:
            picture = self._original + (_greyed(picture) - _greyed(self._original))
        if self._weight is not None:
            picture = self._original + self._weight[..., None] * (picture - self._original)
        return to_image(picture)


def to_floats(image: Image) -> Floats:
    """A BGR uint8 picture as float32, 0 to 1."""
    return image.astype(np.float32) / np.float32(255)


def to_image(picture: Floats) -> Image:
    """A float32 picture, 0 to 1, as uint8."""
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def fitted(picture: Floats, shape: tuple[int, ...]) -> Floats:
    """A picture or a mask at the height and width of `shape`."""
    if picture.shape[:2] == shape[:2]:
        return picture
    way = cv2.INTER_AREA if shape[0] < picture.shape[0] else cv2.INTER_CUBIC
    return np.asarray(np.clip(cv2.resize(picture, shape[1::-1], interpolation=way), 0, 1), np.float32)


def sized(picture: Floats, longer: int) -> Floats:
    """A picture with a longer side of so many pixels."""
    scale = longer / max(picture.shape[:2])
    height, width = (max(round(side * scale), 16) for side in picture.shape[:2])
    return fitted(picture, (height, width))


def _greyed(picture: Floats) -> Floats:
    """Its luma, three times."""
    return np.repeat((picture @ GREY)[..., None], 3, axis=-1)


def _faces(image: Image, path: Path) -> Floats:
    """Where faces are, 0 to 1 with soft edges, (height, width)."""
    sight, picture = Finder(ExtractOptions()).sight(), Pixels(image)
    seen = sight.everywhere(picture)
    if not seen:
        raise NoFacesError(f"no face found in {path}: leave out --mask, or give a picture that shows one")
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.float32)
    for sighting in seen:
        face = sight.face(picture, sighting, 0)[0]
        sharp = hull(face.landmarks, max(height, width))[:height, :width]
        soft = cv2.GaussianBlur(to_floats(sharp), (0, 0), FEATHER * face.box.width)
        mask = np.maximum(mask, soft)
    return mask
