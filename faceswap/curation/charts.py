"""The picture of a faceset: samples, histograms and poses, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from numpy.typing import NDArray

from faceswap.curation.coverage import NEAR, Poses, distances
from faceswap.curation.sheets import DPI, FAINT, INK, fitted
from faceswap.figures import rendered
from faceswap.types import Image
from faceswap.video.images import write_image

# === Config ===
WIDTH = 16.0  # inches
COLUMNS = 12  # samples in a row
SAMPLE = 120  # pixels
BINS = 30
FAINTEST = 0.1  # percent: where the colours of the pose maps begin
CELL = 5  # degrees: side of a cell of the pose maps
A_COLOUR, B_COLOUR, LACK_COLOUR = "#1f5fa8", "#d9730d", "#c00020"

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """What one histogram shows.

    Attributes:
        name: Of what was measured.
        mine: A's values.
        theirs: B's values, if there is a B.
    """

    name: str
    mine: Values
    theirs: Values | None


def write_overview(
    path: Path, names: Sequence[str], samples: Sequence[Image], curves: Sequence[Curve], pair: Sequence[Poses]
) -> None:
    """Draw the picture of a faceset, or of two, and write it; the file appears whole or not at all.

    Args:
        path: A .png file.
        names: A's name, and B's if there is one.
        samples: Some of A's faces, BGR uint8.
        curves: The histograms.
        pair: A's yaw and pitch, (N, 2), and B's if there is one.

    Raises:
        OutputError: The file cannot be written.
    """
    rows = -(-len(samples) // COLUMNS)
    heights = [1.35 * rows, 2.6, 2.6, 4.6]
    figure = Figure(figsize=(WIDTH, sum(heights) + 2.2), dpi=DPI, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(h_pad=0.12, w_pad=0.1)  # type: ignore[union-attr,call-arg]
    grid = GridSpec(4, 6, figure, height_ratios=heights)
    title = f"{names[0]} (A)" + (f" against {names[1]} (B)" if len(names) > 1 else "")
    figure.suptitle(title if len(names) > 1 else names[0], fontsize=15, weight="bold", parse_math=False)
    _samples(figure.add_subplot(grid[0, :]), samples)
    for number, curve in enumerate(curves):
        row, column = divmod(number, 3)
        _histogram(figure.add_subplot(grid[1 + row, 2 * column : 2 * column + 2]), curve)
    if len(pair) == 1:
        _map(figure.add_subplot(grid[3, 2:4]), pair[0], _limits(pair), "poses")
    else:
        _maps(figure, grid, pair)
    write_image(path, rendered(figure))


def _samples(axes: Axes, samples: Sequence[Image]) -> None:
    rows = -(-len(samples) // COLUMNS)
    columns = min(COLUMNS, len(samples))
    page = np.full((rows * SAMPLE, columns * SAMPLE, 3), 255, np.uint8)
    for number, image in enumerate(samples):
        y, x = divmod(number, COLUMNS)
        page[y * SAMPLE : (y + 1) * SAMPLE, x * SAMPLE : (x + 1) * SAMPLE] = fitted(image, SAMPLE)
    axes.imshow(page[..., ::-1])
    axes.set_axis_off()


def _histogram(axes: Axes, curve: Curve) -> None:
    """Shares, so that facesets of different size can be compared."""
    both = curve.mine if curve.theirs is None else np.concatenate([curve.mine, curve.theirs])
    low, high = float(both.min()), float(both.max())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    for values, label, colour, filled in (
        (curve.mine, "A", A_COLOUR, True),
        (curve.theirs, "B", B_COLOUR, False),
    ):
        if values is not None:
            shares = np.histogram(values, edges)[0] / len(values) * 100
            axes.stairs(
                shares, edges, fill=filled, color=colour, alpha=0.65 if filled else 1, lw=2, label=label
            )
    axes.set_title(curve.name, fontsize=11, color=INK)
    axes.set_ylabel("% of faces", fontsize=9, color=FAINT)
    axes.tick_params(labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    if curve.theirs is not None:
        axes.legend(fontsize=9, frameon=False)


def _maps(figure: Figure, grid: GridSpec, pair: Sequence[Poses]) -> None:
    """A's poses, B's, and those of A that B lacks, all on one scale."""
    a, b = pair
    far = distances(a, b) > NEAR
    limits = _limits(pair)
    _map(figure.add_subplot(grid[3, :2]), a, limits, "poses of A, which the video asks for")
    _map(figure.add_subplot(grid[3, 2:4]), b, limits, "poses of B, who is learned")
    axes = figure.add_subplot(grid[3, 4:])
    axes.scatter(b[:, 0], b[:, 1], s=14, color=B_COLOUR, alpha=0.35, lw=0, label="B")
    axes.scatter(a[~far, 0], a[~far, 1], s=14, color=A_COLOUR, alpha=0.35, lw=0, label="A, with a B near")
    label = f"A, no B within {NEAR:.0f} degrees ({far.mean():.1%})"
    axes.scatter(a[far, 0], a[far, 1], s=22, color=LACK_COLOUR, lw=0, label=label)
    _frame(axes, limits, "what B lacks")
    axes.legend(
        fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, frameon=False, handletextpad=0.1
    )


def _map(axes: Axes, found: Poses, limits: Sequence[tuple[float, float]], title: str) -> None:
    edges = [np.arange(low, high + CELL, CELL) for low, high in limits]
    counts = np.histogram2d(found[:, 0], found[:, 1], bins=edges)[0] / len(found) * 100
    shown = np.ma.masked_equal(counts.T, 0)
    mesh = axes.pcolormesh(*edges, shown, cmap="viridis", norm=LogNorm(FAINTEST, 100))
    _frame(axes, limits, title)
    bar = axes.figure.colorbar(mesh, ax=axes, shrink=0.85, pad=0.02, panchor=False)
    bar.ax.tick_params(labelsize=8)
    bar.ax.yaxis.set_major_formatter("{x:g}%")


def _frame(axes: Axes, limits: Sequence[tuple[float, float]], title: str) -> None:
    axes.set_xlim(*limits[0])
    axes.set_ylim(*limits[1])
    axes.set_aspect("equal")
    axes.axhline(0, color=FAINT, lw=0.6, zorder=0)
    axes.axvline(0, color=FAINT, lw=0.6, zorder=0)
    axes.set_title(title, fontsize=11, color=INK)
    axes.set_xlabel("yaw: left   \N{LEFT RIGHT ARROW}   right of the picture", fontsize=9, color=FAINT)
    axes.set_ylabel("pitch: down   \N{LEFT RIGHT ARROW}   up", fontsize=9, color=FAINT)
    axes.tick_params(labelsize=9)


def _limits(pair: Sequence[Poses]) -> list[tuple[float, float]]:
    """Yaw and pitch from and to: whole cells, the same both ways, 30 degrees at least."""
    reach = np.max([np.abs(found).max(0) for found in pair], axis=0)
    ends = np.maximum(np.ceil(reach / CELL) * CELL, 30)
    return [(-end, end) for end in ends.tolist()]
