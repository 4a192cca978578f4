"""All three stages in a work folder: two clips in, a swapped clip out."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from faceswap.config import pick
from faceswap.conversion import ConvertResult, convert
from faceswap.errors import FaceswapError, Interrupted, OutputError
from faceswap.evaluation import EvaluateResult, evaluate
from faceswap.extraction import ExtractResult, extract
from faceswap.faces.faceset import INDEX, Faceset
from faceswap.guarding import refuse_adult
from faceswap.options import (
    ConvertConfig,
    ConvertOptions,
    EvaluateConfig,
    ExtractConfig,
    ExtractOptions,
    SwapConfig,
    TrainConfig,
    TrainOptions,
)
from faceswap.progress import Progress, quiet
from faceswap.quality.measures import MEASURES
from faceswap.quality.report import shown
from faceswap.training import TrainResult, train
from faceswap.video.atomic import check_output
from faceswap.video.source import open_source

log = logging.getLogger(__name__)

REPORT = "report"  # folder within the work folder


@dataclass(frozen=True)
class SwapResult:
    """What each stage did.

    Attributes:
        work: The work folder with the facesets and the model.
        source: Extraction of B, the person put in.
        target: Extraction of A, the person in the video.
        training: The training.
        conversion: The conversion.
        training_seconds: Wall-clock time of the training stage of this run.
        report: How good the swap is; None with `no_report`, or where it could not be measured.
    """

    work: Path
    source: ExtractResult
    target: ExtractResult
    training: TrainResult
    conversion: ConvertResult
    training_seconds: float
    report: EvaluateResult | None

    def __str__(self) -> str:
        """The summary for people."""
        model = self.training
        rows = [
            ("source (B)", _found(self.source), self.source.seconds),
            ("target (A)", _found(self.target), self.target.seconds),
            ("training", _trained(model), self.training_seconds),
            ("conversion", _converted(self.conversion), self.conversion.seconds),
        ]
        if self.report:
            rows.append(("report", _measured(self.report), self.report.seconds))
        total = sum(seconds for _, _, seconds in rows)
        lines = [f"{name:<12}{text:<64}{seconds:>8.1f} s" for name, text, seconds in rows]
        places = {
            "swapped": self.conversion.output,
            "preview": model.preview,
            "model": model.model,
            **({"report": self.report.page} if self.report else {}),
            "facesets": f"{self.target.faceset} (A), {self.source.faceset} (B)",
        }
        lines.append(f"{'all':<76}{total:>8.1f} s")
        return "\n".join([*lines, "", *(f"{name:<12}{place}" for name, place in places.items())])


def swap(config: SwapConfig, progress: Progress = quiet) -> SwapResult:
    """Put the face of `source` (B) into the clip `target` (A).

    Run again after a kill, it goes on where it was: finished segments are not searched or converted again,
    and training goes on from its last checkpoint.

    Raises:
        FaceswapError: See `extract`, `train` and `convert`.
        Interrupted: Ctrl-C or SIGTERM came while it trained.
    """
    check_output(config.output, config.target, config.overwrite)
    work = config.work or config.output.with_suffix(".faceswap")
    facesets = {"b": (config.source, work / "source"), "a": (config.target, work / "target")}
    found = {}
    for clip, folder in facesets.values():
        _refuse_other_clips(clip, folder)
    for side, (clip, folder) in facesets.items():
        options = pick(config, ExtractOptions)
        found[side] = extract(ExtractConfig(sources=(clip,), output=folder, **options), progress)
    clip, folder = facesets["b" if config.swap_direction else "a"]
    with open_source(clip) as footage:
        refuse_adult(footage, folder, progress)  # now, and not after hours of training
    started = time.monotonic()
    a, b, model = facesets["a"][1], facesets["b"][1], work / "model"
    options = pick(config, TrainOptions)
    training = train(TrainConfig(faceset_a=a, faceset_b=b, model=model, **options), progress)
    if training.interrupted:
        raise Interrupted("stopped while training, all is saved: run the same command again to go on")
    seconds = time.monotonic() - started
    options = pick(config, ConvertOptions)
    conversion = convert(
        ConvertConfig(
            source=clip,
            model=model,
            output=config.output,
            faceset=folder,
            overwrite=config.overwrite,
            **options,
        ),
        progress,
    )
    report = None if config.no_report else _report(config, work, clip, progress)
    return SwapResult(work, found["b"], found["a"], training, conversion, seconds, report)


def _report(config: SwapConfig, work: Path, clip: Path, progress: Progress) -> EvaluateResult | None:
    """Measure the swap; where that cannot be done the swap stands all the same."""
    sides = (work / "source", work / "target")
    identity, target = reversed(sides) if config.swap_direction else sides
    measuring = EvaluateConfig(
        original=clip,
        swapped=config.output,
        identity=identity,
        target=target,
        output=work / REPORT,
        overwrite=True,
    )
    try:
        return evaluate(measuring, progress, config)
    except FaceswapError as error:
        log.warning("no report on the swap: %s", error)
        return None


def _refuse_other_clips(clip: Path, folder: Path) -> None:
    """Refuse a work folder that was begun with other clips: its model has learned other people."""
    if not (folder / INDEX).is_file():
        return
    with Faceset.open(folder) as faceset, open_source(clip) as source:
        if faceset.fingerprints() - {source.fingerprint()}:
            raise OutputError(
                f"{folder.parent} was begun with other clips than {clip}: choose another --work or delete it"
            )


def _found(result: ExtractResult) -> str:
    return f"{result.frames} frames, {result.faces} faces, {result.missed} frames without a face"


def _trained(result: TrainResult) -> str:
    text = f"{result.iterations} iterations in {result.seconds / 60:.1f} min"
    if result.loss_a is None:
        return f"{text}, already done"
    return f"{text}, loss A {result.loss_a:.4f} B {result.loss_b:.4f}, {result.faces_per_second:.0f} faces/s"


def _measured(result: EvaluateResult) -> str:
    """The figures that say most, with their units."""
    names = {"identity": "like B", "pose": "pose", "expression": "expression"}
    parts = [
        f"{word} {shown(MEASURES[name], result.summaries[name].value)}"
        for name, word in names.items()
        if name in result.summaries
    ]
    return ", ".join(parts)


def _converted(result: ConvertResult) -> str:
    return f"{result.frames} frames, {result.swapped} swapped, {result.frames - result.swapped} unchanged"
