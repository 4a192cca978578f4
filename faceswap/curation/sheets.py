"""Contact sheets: small pictures in rows, each with a line or two of text, drawn with matplotlib.

Figures are made without pyplot, so nothing looks for a screen and nothing is left open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from faceswap.figures import rendered
from faceswap.types import Image
from faceswap.video.images import write_image

# === Config, pixels ===
DPI = 100
COLUMNS, TILE = 8, 176  # in a row, and their side
GAP = 14
LINE = 17  # of text
TITLE = 40
HEADING = 34

INK, FAINT, PAPER = "#202020", "#666666", "#ffffff"


@dataclass(frozen=True)
class Tile:
    """A picture of a sheet.

    Attributes:
        image: BGR uint8, square.
        lines: What stands under it; about 24 letters fit.
    """

    image: Image
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """Some pictures of a sheet under a heading of their own.

    Attributes:
        heading: One line.
        tiles: The pictures; all with as many lines of text.
        colour: Of the heading, as matplotlib names it.
    """

    heading: str
    tiles: Sequence[Tile]
    colour: str = INK


def write_sheet(
    path: Path, title: str, sections: Sequence[Section], columns: int = COLUMNS, tile: int = TILE
) -> None:
    """Draw a sheet and write it; the file appears whole or not at all.

    Args:
        path: A .png file.
        title: One line at the top.
        sections: What is on it, from the top.
        columns: Pictures in a row.
        tile: Their side, pixels.

    Raises:
        OutputError: The file cannot be written.
    """
    shown = [section for section in sections if section.tiles]
    width = GAP + columns * (tile + GAP)
    height = TITLE + sum(_height(section, columns, tile) for section in shown) + GAP
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    page = np.full((height, width, 3), 255, np.uint8)
    _write(axes, GAP, GAP, title, 13, INK, "bold")
    top = TITLE
    for section in shown:
        _write(axes, GAP, top + 8, section.heading, 11, section.colour, "bold")
        _place(axes, page, top + HEADING, section, columns, tile)
        top += _height(section, columns, tile)
    axes.imshow(page[..., ::-1], interpolation="none", extent=(0, width, height, 0), aspect="auto")
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    write_image(path, rendered(figure))


def fitted(image: Image, side: int) -> Image:
    """A square picture at another size, without aliasing."""
    way = cv2.INTER_AREA if image.shape[0] > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (side, side), interpolation=way), np.uint8)


def spread(count: int, most: int) -> list[int]:
    """Up to `most` of the places 0 to `count` - 1, evenly, the first and the last among them; 0: all."""
    if not most or count <= most:
        return list(range(count))
    return [int(place) for place in np.linspace(0, count - 1, most).round()]


def _height(section: Section, columns: int, tile: int) -> int:
    rows = -(-len(section.tiles) // columns)
    return HEADING + rows * _row(section, tile)


def _row(section: Section, side: int) -> int:
    return side + LINE * len(section.tiles[0].lines) + GAP


def _place(axes: Axes, page: Image, top: int, section: Section, columns: int, side: int) -> None:
    for number, tile in enumerate(section.tiles):
        x = GAP + number % columns * (side + GAP)
        y = top + number // columns * _row(section, side)
        page[y : y + side, x : x + side] = fitted(tile.image, side)
        for line, text in enumerate(tile.lines):
            _write(axes, x, y + side + 2 + line * LINE, text, 8.5, INK if line == 0 else FAINT)


def _write(
    axes: Axes, x: float, y: float, text: str, size: float, colour: str, weight: str = "normal"
) -> None:
    """Text whose top left corner is at (x, y), as it is: a $ is no formula."""
    axes.text(x, y, text, fontsize=size, color=colour, weight=weight, va="top", parse_math=False)
