"""From frames to a verdict: what each measure comes to over the clip, and where it is worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from faceswap.quality.measures import MEASURES, Measure
from faceswap.types import Floats

WORST = 10  # frames shown for each measure
LEAST_TRACED = 10  # frames from which a correlation says something


@dataclass
class FrameRow:
    """What was measured in one frame.

    Attributes:
        frame: Its index.
        time: When it is shown, seconds from the first frame.
        values: Measure to value; None where it could not be measured.
        apart: Of the measures whose value is a `distance`, what it is the distance of.
        changes: Of these measures, what is left of the value without what is the same in all frames.
        traces: What is drawn for both clips: name to (original, swapped).
        missed: Why the frame counts as missed, empty where it does not.
    """

    frame: int
    time: float
    values: dict[str, float | None] = field(default_factory=dict)
    apart: dict[str, Floats] = field(default_factory=dict)
    changes: dict[str, float] = field(default_factory=dict)
    traces: dict[str, tuple[float, float]] = field(default_factory=dict)
    missed: str = ""

    def enter(self, name: str, apart: Floats) -> None:
        """Enter by what a measure's swap and original lie apart, (parts, axes), and how far that is."""
        self.apart[name] = apart
        self.values[name] = distance(apart)


@dataclass(frozen=True)
class Summary:
    """What a measure comes to over the clip.

    Attributes:
        value: The headline: the mean of the frames, or a share of them; None where nothing was measured.
        mean: The mean of the frames.
        changing: The mean of what is not the same in all frames, None where all of it counts.
        median: Their median.
        worst_tenth: The value that a tenth of the frames are worse than.
        frames: How many frames it was measured in.
        worst: The worst frames, the worst first.
    """

    value: float | None
    mean: float | None
    changing: float | None
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
    measured = {row.frame: v for row in rows if (v := row.values.get(measure.name)) is not None}
    if not measured:
        return Summary(None, None, None, None, None, 0, ())
    values = np.array(list(measured.values()))
    mean = float(values.mean())
    value = float((values > 0).mean()) if measure.headline == "share" else mean
    tenth = float(sorted(values, key=measure.badness)[int(0.9 * (len(values) - 1))])
    changes = {row.frame: row.changes[measure.name] for row in rows if measure.name in row.changes}
    judged = changes or measured
    flawed = [frame for frame in judged if measure.badness(judged[frame]) > measure.badness(measure.best)]
    worst = _apart(sorted(flawed, key=lambda frame: -measure.badness(judged[frame])), apart)
    changing = float(np.mean(list(changes.values()))) if changes else None
    return Summary(value, mean, changing, float(np.median(values)), tenth, len(values), tuple(worst))


def summaries(rows: Sequence[FrameRow], apart: int) -> dict[str, Summary]:
    """Every measure that was taken at least once, by name."""
    found = {name: summarize(measure, rows, apart) for name, measure in MEASURES.items()}
    return {name: summary for name, summary in found.items() if summary.frames}


def distance(apart: Floats) -> float:
    """How far two things lie apart, by their differences (parts, axes): the mean length over the parts."""
    return float(np.linalg.norm(apart, axis=1).mean())


def enter_changes(rows: Sequence[FrameRow]) -> None:
    """Enter in the rows what changes of the measures that are distances.

    Two people's faces differ in shape: the lips of one seem apart when they are closed, the nose of another
    hangs as if the head were bowed. That is the same in all frames, and says nothing of a frame. It is taken
    to be the median of what lies apart, over the frames that are not missed; clips of fewer than
    `LEAST_TRACED` have none.
    """
    swapped = [row for row in rows if not row.missed]
    for name in dict.fromkeys(name for row in swapped for name in row.apart):
        those = [row for row in swapped if name in row.apart]
        if len(those) >= LEAST_TRACED:
            same = np.median([row.apart[name] for row in those], axis=0)
            for row in those:
                row.changes[name] = distance(row.apart[name] - same)


def typical(rows: Sequence[FrameRow]) -> int:
    """The frame that is as far from B as half of the frames with a face."""
    known = sorted((d, row.frame) for row in rows if (d := row.values.get("distance")) is not None)
    return known[len(known) // 2][1]


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
