"""The report: `report.json` for programs, and one page for people that opens without a network."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

import cv2
import numpy as np

from faceswap.errors import DependencyError
from faceswap.quality.measures import MEASURES, Measure
from faceswap.quality.plots import data_uri, measure_plot, trace_plot
from faceswap.quality.summary import Check, FrameRow, Summary
from faceswap.types import Image

VERSION = 2  # of the shape of report.json, described in report.schema.json
QUALITY = 85  # of the JPEG pictures in the page
HEADLINES = (  # the measures on the cards
    *("identity", "distance", "missed", "pose", "mouth"),
    *("eyes", "seam", "sharpness", "flicker", "psnr"),
)
SAID = ("title", "unit", "better", "meaning", "rule")  # of a measure, in report.json
WRITTEN = ("frame", "time", "values", "changes", "traces", "missed")  # of a frame
BETTER = {"more": "More is better.", "less": "Less is better.", "one": "1 is best."}
Worst = Mapping[str, Sequence[tuple[int, str]]]  # measure to (frame, picture as a data URI), the worst first


@dataclass(frozen=True)
class Report:
    """Everything that is known of a swap.

    Attributes:
        about: Texts by name: what was compared, with which settings, packages and weights.
        clip: Figures of the clip: frames, measured, every, faces, width, height, rate, seconds.
        rows: The measured frames, in order.
        summaries: What each measure comes to.
        correlations: How closely the swap follows the original, for each trace.
        checks: The limits that were asked for.
        problems: What went wrong on the way, a line each.
    """

    about: Mapping[str, Mapping[str, str]]
    clip: Mapping[str, float | int]
    rows: Sequence[FrameRow]
    summaries: Mapping[str, Summary]
    correlations: Mapping[str, float]
    checks: Sequence[Check]
    problems: Sequence[str]


def to_json(report: Report) -> str:
    """The report as JSON; its shape is that of `schema`."""
    measures = {
        name: {key: getattr(MEASURES[name], key) for key in SAID} | asdict(summary)
        for name, summary in report.summaries.items()
    }
    content = {
        "version": VERSION,
        "about": report.about,
        "clip": report.clip,
        "measures": measures,
        "correlations": report.correlations,
        "checks": [asdict(check) for check in report.checks],
        "problems": list(report.problems),
        "frames": [{key: getattr(row, key) for key in WRITTEN} for row in report.rows],
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON schema of `report.json`."""
    text = files("faceswap.quality").joinpath("report.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def to_html(report: Report, worst: Worst, people: Sequence[tuple[str, str]]) -> str:
    """The page: figures, plots and pictures in one HTML text.

    Args:
        report: What it shows.
        worst: The worst frames of each measure, side by side with the original's (`side_by_side`).
        people: Whom one sees: captions and pictures as data URIs (`picture`).

    Raises:
        DependencyError: jinja2 or matplotlib is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError as error:
        raise DependencyError("jinja2 is missing: run 'pip install jinja2'") from error
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = files("faceswap.quality").joinpath("report.html.j2").read_text(encoding="utf-8")
    limits = {check.measure: check for check in report.checks}
    cards = [
        {
            "measure": MEASURES[name],
            "value": shown(MEASURES[name], summary.value),
            "median": in_frame(MEASURES[name], summary.median),
            "changing": "" if summary.changing is None else in_frame(MEASURES[name], summary.changing, ""),
            "tenth": "" if is_share(MEASURES[name]) else in_frame(MEASURES[name], summary.worst_tenth, ""),
            "frames": summary.frames,
            "check": limits.get(name),
            "plot": data_uri(measure_plot(MEASURES[name], report.rows, summary)),
            "worst": worst.get(name, ()),
        }
        for name, summary in report.summaries.items()
    ]
    traces = dict.fromkeys(name for row in report.rows for name in row.traces)
    follows = [
        (name, data_uri(trace_plot(name, report.rows, report.correlations.get(name)))) for name in traces
    ]
    missed = spans([row.frame for row in report.rows if row.missed], int(report.clip["every"]))
    by_frame = {row.frame: row for row in report.rows}
    return environment.from_string(text).render(
        **{"report": report, "cards": cards, "follows": follows, "by_frame": by_frame, "people": people},
        **{"headlines": HEADLINES, "better": BETTER, "in_frame": in_frame, "missed": missed},
    )


def shown(measure: Measure, value: float | None) -> str:
    """What a measure comes to over the clip as people read it, with its unit."""
    if value is not None and is_share(measure):
        return f"{value:.1%}"
    return in_frame(measure, value)


def is_share(measure: Measure) -> bool:
    """Whether it comes to a share of the frames over the clip."""
    return measure.headline == "share" or measure.name == "missed"


def in_frame(measure: Measure, value: float | None, unit: str | None = None) -> str:
    """The value of one frame as people read it: of a share what is counted, not a percentage.

    Its unit is that of the measure unless another, or '', is given.
    """
    unit = measure.unit if unit is None else unit
    return "not measured" if value is None else f"{value:.{measure.decimals}f} {unit}".strip()


def spans(frames: Sequence[int], step: int) -> str:
    """Numbers in order as people write them, `step` apart from one to the next: '3, 20 to 29'."""
    found: list[list[int]] = []
    for frame in frames:
        if found and frame == found[-1][-1] + step:
            found[-1].append(frame)
        else:
            found.append([frame])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in found)


def side_by_side(original: Image, swapped: Image, height: int) -> str:
    """Two BGR pictures of one size beside each other, `height` pixels high, as a JPEG in a data URI."""
    scale = height / original.shape[0]
    size = (max(round(original.shape[1] * scale), 1), height)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = [cv2.resize(image, size, interpolation=how) for image in (original, swapped)]
    gap = np.full((height, 4, 3), 255, np.uint8)
    return picture(np.hstack([small[0], gap, small[1]]))


def picture(image: Image) -> str:
    """A BGR picture as a JPEG in a data URI."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")
