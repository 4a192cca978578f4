"""The losses and the held-out scores of a training over time, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from faceswap.figures import rendered
from faceswap.types import Image

LOSSES = {"loss_a": ("A", "#1f5fa8"), "loss_b": ("B", "#c04020")}
SWAP = {
    "distance": ("distance to B", "#1f5fa8"),
    "nearer": ("share nearer to B than to A", "#2a8a4a"),
    "landmarks": ("landmarks", "#c04020"),
    "mouth": ("mouth", "#d08a20"),
    "sharpness": ("sharpness", "#7a5aa8"),
}
REBUILT = {"rebuilt_a": ("SSIM of A rebuilt", "#9fb8d8"), "rebuilt_b": ("SSIM of B rebuilt", "#e0a898")}


def draw_losses(rows: Sequence[Mapping[str, str]]) -> Image:
    """The rows of the CSV as a picture: losses above, held-out scores below; BGR uint8 (800, 1000, 3)."""
    figure = Figure(figsize=(10, 8), dpi=100, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    _lines(upper, rows, LOSSES, ".-" if len(rows) < 40 else "-")
    upper.set(ylabel="loss", title="What is trained for")
    losses = np.concatenate([_column(rows, name)[1] for name in LOSSES])
    if len(losses) and (losses > 0).all():
        upper.set_yscale("log")
    _lines(lower, rows, SWAP, ".-")
    _lines(lower, rows, REBUILT, ":")
    lower.set(xlabel="minutes trained", ylabel="score", ylim=(0, 1.05))
    lower.set_title("Held-out faces: distance, landmarks and mouth should fall, the others rise")
    for minutes, stage in _stages(rows):
        for axes in (upper, lower):
            axes.axvline(minutes, color="#808080", linewidth=0.8, linestyle="--")
        upper.text(
            minutes, 1.0, f" {stage}", transform=upper.get_xaxis_transform(), va="top", color="#606060"
        )
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="best", fontsize=8, ncols=2)
    return rendered(figure)


def _lines(
    axes: Any, rows: Sequence[Mapping[str, str]], names: Mapping[str, tuple[str, str]], how: str
) -> None:
    for name, (label, colour) in names.items():
        minutes, values = _column(rows, name)
        if len(values):
            axes.plot(minutes, values, how, color=colour, linewidth=1.2, markersize=4, label=label)


def _column(rows: Sequence[Mapping[str, str]], name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Minutes and values of the rows that have a value."""
    found = [(float(row["seconds"]) / 60, float(row[name])) for row in rows if row.get(name)]
    pairs = np.array(found, np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _stages(rows: Sequence[Mapping[str, str]]) -> list[tuple[float, str]]:
    """When each stage but the first began."""
    stages = [(float(row["seconds"]) / 60, row.get("stage") or "") for row in rows]
    return [(minutes, stage) for (_, before), (minutes, stage) in pairwise(stages) if stage != before]
