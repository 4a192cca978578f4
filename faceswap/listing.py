"""Every network with its size and its speed on this machine."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from faceswap.config import pick
from faceswap.options import DimensionOptions, ListConfig
from faceswap.progress import Progress, quiet
from faceswap.registry import NETWORKS

START = 40.0  # seconds that a process may take to load TensorFlow and build a network
TITLES = ("network", "pixels", "parameters", "GFLOP a face", "memory", "faces/s")


@dataclass(frozen=True)
class Listing:
    """The networks and what they cost.

    Attributes:
        figures: Network to its figures: `size` (pixels), `parameters`, `operations` (floating point, a face
            forward), `memory` (bytes that training it takes, with TensorFlow), `speed` (faces of both people
            trained a second). What took too long is not there; `problem` says why there is none.
        batch: Faces of each side in a step.
    """

    figures: Mapping[str, Mapping[str, Any]]
    batch: int

    def __str__(self) -> str:
        """A table for people."""
        rows = [TITLES, *(_row(name, found) for name, found in self.figures.items())]
        widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES))]
        lines = [
            "  ".join(
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        problems = [
            f"{name}: {found['problem']}" for name, found in self.figures.items() if "problem" in found
        ]
        return "\n".join([*lines, f"trained with {self.batch} faces of each side, measured now", *problems])


def list_networks(config: ListConfig, progress: Progress = quiet) -> Listing:
    """Build each network in a process of its own and train it for a moment.

    A process, because memory that one took would count for the next, and so that one that takes too long can
    be ended.
    """
    figures = {}
    for name in progress(list(NETWORKS), total=len(NETWORKS), desc="networks", unit="network"):
        figures[name] = _figures(name, config)
    return Listing(figures, config.batch_size)


def _figures(name: str, config: ListConfig) -> dict[str, Any]:
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(there, name, config), daemon=True)
    process.start()
    there.close()
    found: dict[str, Any] = {}
    ends = time.monotonic() + START + config.list_seconds
    try:
        while here.poll(max(ends - time.monotonic(), 0)):
            found |= here.recv()
    except EOFError:  # it has said all
        pass
    finally:
        process.kill()
        process.join()
        here.close()
    if "speed" not in found and "problem" not in found:
        found["problem"] = (
            f"a step takes too long here; allow more with --list-seconds (now {config.list_seconds:g})"
        )
    return found


def _measure(report: Connection, name: str, config: ListConfig) -> None:
    """Runs in the process: says what it knows as soon as it does."""
    from faceswap.errors import UsageError
    from faceswap.networks import building, measuring, precision

    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # that counting will be done otherwise one day
    dimensions = DimensionOptions(**pick(config, DimensionOptions))
    try:
        asked = dimensions if building.takes_dimensions(name) else DimensionOptions()
        with precision.counting(precision.chosen(precision.AUTO)):
            network = building.build(name, asked)
    except UsageError as error:
        report.send({"problem": str(error)})
        return
    report.send({"size": network.size, "parameters": network.parameters})
    report.send({"operations": measuring.operations(network)})
    speed = measuring.speed(network, config.batch_size, config.list_seconds / 10)
    report.send({"speed": speed, "memory": measuring.memory()})
    report.close()


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    shown: dict[str, Callable[[Any], str]] = {
        "size": lambda value: f"{value}",
        "parameters": lambda value: f"{value / 1e6:.1f} M",
        "operations": lambda value: f"{value / 1e9:.2f}",
        "memory": lambda value: f"{value / 1e6:,.0f} MB",
        "speed": lambda value: f"{value:.1f}" if value < 10 else f"{value:.0f}",
    }
    return (name, *(show(found[key]) if key in found else "-" for key, show in shown.items()))
