"""The sheet that shows how far a training is, and the small one of which a film is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from faceswap.types import Image

TILE = 128  # pixels
GAP = 6
HEADINGS = ("original", "rebuilt", "swapped", "its mask")
BLACK, HELD = (0, 0, 0), (30, 140, 30)
FRAME = 3  # pixels: the border around a face that was held out

Draw = Callable[[Image], Image]


@dataclass(frozen=True)
class Sitters:
    """The faces of one person that are shown, always the same.

    Attributes:
        faces: BGR uint8 (N, size, size, 3).
        held: For each, whether it is held out of the training.
    """

    faces: Image
    held: Sequence[bool]


def sheet(draw_a: Draw, draw_b: Draw, a: Sitters, b: Sitters, title: str) -> Image:
    """Originals, reconstructions and swaps of both sides.

    Args:
        draw_a: The network's path to A, from uint8 (N, size, size, 3) to uint8 (N, size, size, 4).
        draw_b: Its path to B.
        a: Faces of A.
        b: Faces of B; there may be more or fewer of them.
        title: A line above it all.

    Returns:
        BGR uint8: a row a pair of faces; on the left A's original, rebuilt as A, swapped to B, and the mask
        of that; on the right B's. Faces that were held out have a green border.
    """
    halves = []
    for sitters, own, other in ((a, draw_a, draw_b), (b, draw_b, draw_a)):
        rebuilt, swapped = own(sitters.faces)[..., :3], other(sitters.faces)
        masks = np.repeat(swapped[..., 3:], 3, axis=-1)
        rows = zip(sitters.faces, rebuilt, swapped[..., :3], masks, sitters.held, strict=True)
        halves.append(np.vstack([_row(list(tiles), held) for *tiles, held in rows]))
    most = max(map(len, halves))
    halves = [np.pad(half, ((0, most - len(half)), (0, 0), (0, 0)), constant_values=255) for half in halves]
    gap = np.full((len(halves[0]), GAP, 3), 255, np.uint8)
    body = np.hstack([halves[0], gap, halves[1]])
    headings = [f"{side}: {word}" for side in "AB" for word in HEADINGS]
    return np.vstack([_header(body.shape[1], title, headings), body])


def film_frame(draw_b: Draw, faces: Image, title: str) -> Image:
    """A frame of the time-lapse: A's faces above, swapped below; BGR uint8, even sides."""
    rows = [np.hstack([_tile(face) for face in pictures]) for pictures in (faces, draw_b(faces)[..., :3])]
    body = np.vstack(rows)
    strip = np.full((24, body.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, title, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, BLACK, 1, cv2.LINE_AA)
    return np.vstack([strip, body])


def _row(tiles: list[Image], held: bool) -> Image:
    shown = [_tile(tile) for tile in tiles]
    if held:
        cv2.rectangle(shown[0], (0, 0), (TILE - 1, TILE - 1), HELD, 2 * FRAME - 1)
    return np.hstack(shown)


def _tile(image: Image) -> Image:
    way = cv2.INTER_AREA if image.shape[0] > TILE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (TILE, TILE), interpolation=way), np.uint8)


def _header(width: int, title: str, headings: list[str]) -> Image:
    strip = np.full((44, width, 3), 255, np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(strip, title, (6, 16), font, 0.45, BLACK, 1, cv2.LINE_AA)
    cv2.putText(strip, "green border: held out", (width - 190, 16), font, 0.45, HELD, 1, cv2.LINE_AA)
    for column, text in enumerate(headings):
        left = column * TILE + (GAP if column >= len(HEADINGS) else 0)
        cv2.putText(strip, text, (left + 6, 37), font, 0.42, BLACK, 1, cv2.LINE_AA)
    return strip
