"""A picture of what is done to the faces: what a network is going to see, to be looked at before it does."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from faceswap.networks.augmentation import Jitter, vary
from faceswap.networks.feed import Album
from faceswap.types import Image

TILE = 112  # pixels
GAP = 8
LABEL = 210  # pixels: width of the first column
PAIRS = 3  # faces of each person
BLACK, GREY = (0, 0, 0), (120, 120, 120)
# What stands for a thing that is switched off: enough to see what it would do.
STRONG = Jitter(
    warp=0.05,
    rotation=20.0,
    zoom=0.15,
    shift=0.12,
    flip=1.0,
    random_crop=0.4,
    light=0.25,
    contrast=0.5,
    gamma=1.0,
    hue=40.0,
    color_transfer=1.0,
    standardize=1.0,
    noise=0.15,
    blur=0.03,
    jpeg=1.0,
)


def augmentation_sheet(albums: tuple[Album, Album], size: int, jitter: Jitter, seed: int) -> Image:
    """Each thing that is done to a face alone, then all that is switched on together.

    Args:
        albums: The faces of A and of B.
        size: Side of the network's pictures, pixels.
        jitter: How strongly; what is 0 in it is shown as strong as `STRONG` has it, and labelled so.
        seed: Seed of all chance.

    Returns:
        BGR uint8: a row a thing, its name on the left, then pairs of input and target, those of A first.
        Down a column it is the same face.
    """
    names = list(Jitter.__dataclass_fields__)
    still = Jitter(**dict.fromkeys(names, 0.0))
    rows = [_row("as they are", "", albums, size, still, seed)]
    for name in names:
        value, strong = getattr(jitter, name), getattr(STRONG, name)
        note = f"set to {value:g}" if value else f"off; shown at {strong:g}"
        rows.append(_row(name, note, albums, size, replace(still, **{name: value or strong}), seed))
    rows.append(_row("all together", "as set", albums, size, jitter, seed))
    return np.vstack([_header(rows[0].shape[1]), *rows])


def _row(name: str, note: str, albums: tuple[Album, Album], size: int, jitter: Jitter, seed: int) -> Image:
    label = np.full((TILE + GAP, LABEL, 3), 255, np.uint8)
    _write(label, name, (8, TILE // 2), 0.55, BLACK)
    _write(label, note, (8, TILE // 2 + 22), 0.42, GREY)
    tiles = [label]
    for side, album in enumerate(albums):
        draw = np.random.default_rng([seed, side])
        others = albums[1 - side]
        tiles.append(np.full((TILE + GAP, GAP, 3), 255, np.uint8))
        for index in _spread(album.images):
            sample = vary(
                *(album.images[index], album.masks[index], size, jitter),
                *(draw, _any(others, draw)),
            )
            tiles += [_tile(sample[0], 1), _tile(sample[1], GAP)]
    return np.hstack(tiles)


def _any(album: Album, draw: Generator) -> tuple[Image, Image]:
    which = draw.integers(0, len(album.images))
    return album.images[which], album.masks[which]


def _spread(images: Image) -> NDArray[np.int64]:
    """The numbers of a few faces evenly over the album."""
    return np.linspace(0, len(images) - 1, PAIRS + 2)[1:-1].round().astype(np.int64)


def _tile(image: Image, right: int) -> Image:
    way = cv2.INTER_AREA if image.shape[0] > TILE else cv2.INTER_CUBIC
    tile = np.asarray(cv2.resize(image, (TILE, TILE), interpolation=way), np.uint8)
    return np.pad(tile, ((0, GAP), (0, right), (0, 0)), constant_values=255)


def _header(width: int) -> Image:
    strip = np.full((34, width, 3), 255, np.uint8)
    half = (width - LABEL) // 2
    for side, letter in enumerate("AB"):
        text = f"{letter}: pairs of input (what the network sees) and target (what it is to make of it)"
        _write(strip, text, (LABEL + GAP + side * half, 22), 0.42, BLACK)
    return strip


def _write(
    image: Image, text: str, place: tuple[int, int], scale: float, colour: tuple[int, int, int]
) -> None:
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
