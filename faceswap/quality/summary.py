"""From frames to a verdict: what each measure comes to over the clip, and where it is worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from faceswap.quality.measures import MEASURES, Measure

WORST = 10  # frames shown for each measure
LEAST_TRACED = 10  # frames from which a correlation says something


@dataclass
class FrameRow:
    """What was measured in one frame.

    Attributes:
        frame: Its index.
        time: When it is shown, seconds from the first frame.
        values: Measure to value; None where it could not be measured.
        traces: What is drawn for both clips: name to (original, swapped).
        missed: Why the frame counts as missed, empty where it does not.
    """

    frame: int
    time: float
    values: dict[str, float | None] = field(default_factory=dict)
    traces: dict[str, tuple[float, float]] = field(default_factory=dict)
    missed: str = ""


@dataclass(frozen=True)
class Summary:
    """What a measure comes to over the clip.

    Attributes:
        value: The headline: the mean of the frames, or a share of them; None where nothing was measured.
        mean: The mean of the frames.
        median: Their median.
        worst_tenth: The value that a tenth of the frames are worse than.
        frames: How many frames it was measured in.
        worst: The worst frames, the worst first.
    """

    value: float | None
    mean: float | None
    median: float | None
    worst_tenth: float | None
    frames: int
    worst: tuple[int, ...]


@dataclass(frozen=True)
class Check:
    """A limit that was asked for, and whether it is kept."""

    measure: str
    limit: float
    value: float | None
    passed: bool


def summarize(measure: Measure, rows: Sequence[FrameRow], apart: int) -> Summary:
    """What a measure comes to.

    Args:
        measure: Which.
        rows: The frames in order.
        apart: The worst frames lie at least so many frames apart, so that they are not ten of one moment.
    """
    measured = [(row.frame, v) for row in rows if (v := row.values.get(measure.name)) is not None]
    if not measured:
        return Summary(None, None, None, None, 0, ())
    values = np.array([value for _, value in measured])
    badness = np.array([measure.badness(value) for value in values])
    mean = float(values.mean())
    value = float((values > 0).mean()) if measure.headline == "share" else mean
    tenth = float(values[np.argsort(badness, kind="stable")[int(0.9 * (len(values) - 1))]])
    worst = _apart([measured[place][0] for place in np.argsort(-badness, kind="stable")], apart)
    if measure.name == "missed":
        worst = [frame for frame in worst if dict(measured)[frame] > 0]
    return Summary(value, mean, float(np.median(values)), tenth, len(values), tuple(worst))


def summaries(rows: Sequence[FrameRow], apart: int) -> dict[str, Summary]:
    """Every measure that was taken at least once, by name."""
    found = {name: summarize(measure, rows, apart) for name, measure in MEASURES.items()}
    return {name: summary for name, summary in found.items() if summary.frames}


def check(found: Mapping[str, Summary], limits: Mapping[str, float]) -> list[Check]:
    """Hold what was measured against the limits; what could not be measured fails."""
    checks = []
    for name, limit in limits.items():
        value = found[name].value if name in found else None
        checks.append(Check(name, limit, value, not MEASURES[name].is_worse(value, limit)))
    return checks


def correlations(rows: Sequence[FrameRow]) -> dict[str, float]:
    """How closely the swap follows the original, for each trace: Pearson's correlation, -1 to 1.

    Left out are traces that are too short or do not move.
    """
    found = {}
    for name in dict.fromkeys(name for row in rows for name in row.traces):
        pairs = np.array([row.traces[name] for row in rows if name in row.traces])
        if len(pairs) >= LEAST_TRACED and pairs.std(0).min() > 1e-9:
            found[name] = float(np.corrcoef(pairs.T)[0, 1])
    return found


def _apart(frames: Sequence[int], least: int) -> list[int]:
    """The first `WORST` of these frames that lie `least` or more from those taken before."""
    taken: list[int] = []
    for frame in frames:
        if len(taken) < WORST and all(abs(frame - other) >= least for other in taken):
            taken.append(frame)
    return taken
