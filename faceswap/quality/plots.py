"""Drawings of a measure over time, as pictures that can stand within a page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from faceswap.errors import DependencyError
from faceswap.quality.measures import Measure
from faceswap.quality.summary import FrameRow, Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (8.6, 2.0)  # inches
PLACE = (0.07, 0.2, 0.92, 0.68)  # of the axes in the drawing: left, bottom, width, height, shares of it
LEGEND: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1, 1), "fontsize": 7}
LEGEND |= {"frameon": False, "ncols": 2}  # above the drawing, at its right
ORIGINAL, SWAPPED, BAD = "#6b7280", "#2563eb", "#dc2626"


def measure_plot(measure: Measure, rows: Sequence[FrameRow], found: Summary) -> Figure:
    """A measure over time, with its mean and its worst frames; grey what is not told by frames."""
    figure, axes = _sheet(rows)
    marker = "." if len(rows) < 40 else ""
    told, mean = [row.values.get(measure.name) for row in rows], found.mean
    if found.changing is not None:
        times, values = _series(rows, told)
        axes.plot(times, values, color=ORIGINAL, linewidth=1, marker=marker, label="all of it")
        told, mean = [row.changes.get(measure.name) for row in rows], found.changing
    times, values = _series(rows, told)
    axes.plot(times, values, color=SWAPPED, linewidth=1, marker=marker, label="what changes")
    if found.changing is not None:
        axes.legend(**LEGEND)
    if mean is not None:
        axes.axhline(mean, color=SWAPPED, linewidth=0.8, linestyle="--")
    points = [(row.time, value) for row, value in zip(rows, told, strict=True) if row.frame in found.worst]
    axes.plot(*zip(*points, strict=True), "o", color=BAD, markersize=4) if points else None
    axes.set_ylabel(measure.unit or measure.name)
    return figure


def trace_plot(name: str, rows: Sequence[FrameRow], correlation: float | None) -> Figure:
    """What the original does and what the swap does, over time, and how far apart they are on average."""
    figure, axes = _sheet(rows)
    apart = np.mean([row.traces[name][1] - row.traces[name][0] for row in rows if name in row.traces])
    for side, (colour, label) in enumerate(((ORIGINAL, "original"), (SWAPPED, "swapped"))):
        times, values = _series(
            rows, [row.traces[name][side] if name in row.traces else None for row in rows]
        )
        axes.plot(times, values, color=colour, linewidth=1, label=label)
    axes.legend(**LEGEND)
    follows = "" if correlation is None else f", correlation {correlation:.2f}"
    axes.set_title(f"{name}: on average {apart:+.2g} in the swap{follows}", fontsize=8, loc="left")
    return figure


def data_uri(figure: Figure) -> str:
    """The figure as an SVG in a data URI, the same for the same figure."""
    from matplotlib import rc_context

    buffer = BytesIO()
    with rc_context({"svg.hashsalt": "faceswap"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _sheet(rows: Sequence[FrameRow]) -> tuple[Figure, Axes]:
    """An empty drawing as long as the clip; made without pyplot, which keeps every figure it ever made."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError("matplotlib is missing: run 'pip install matplotlib'") from error
    figure = Figure(figsize=SIZE)
    axes: Any = figure.add_axes(PLACE)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7)
    axes.set_xlabel("seconds", fontsize=7)
    axes.yaxis.label.set_fontsize(7)
    axes.set_xlim(rows[0].time, max(rows[-1].time, rows[0].time + 1e-3))
    return figure, axes


def _series(rows: Sequence[FrameRow], values: Sequence[float | None]) -> tuple[Any, Any]:
    """Times and values, with a hole where nothing was measured."""
    times = np.array([row.time for row in rows])
    return times, np.array([np.nan if value is None else value for value in values], float)
