"""Stage three: a source and a model in, the swapped source out.

Finished segments wait in a hidden folder beside the output, so that a killed run goes on at the last one; at
the end they are joined to the output, which appears whole or not at all.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from faceswap.casting import Cast, cast
from faceswap.errors import NoFacesError, RefusedError, UsageError, writing
from faceswap.examples import examples_digest
from faceswap.faces.faceset import Faceset
from faceswap.finishing import trust
from faceswap.marking import Marking, shaping
from faceswap.models import fingerprint
from faceswap.options import ConvertConfig, ConvertOptions
from faceswap.progress import Progress, quiet
from faceswap.styling import clip_look, digest_of
from faceswap.swapper import Ensemble, Faces
from faceswap.threads import ahead, opencv_alone, side_by_side
from faceswap.trying import Trial, sheet
from faceswap.video.atomic import check_output
from faceswap.video.encoders import Encoding
from faceswap.video.images import FORMATS, write_image
from faceswap.video.kinds import open_output
from faceswap.video.output import Output, Patched
from faceswap.video.source import Source, open_source, segments

log = logging.getLogger(__name__)

BATCH = 16  # frames whose faces go through the network together
AHEAD = 8  # frames decoded meanwhile
SHOWN = 8  # runs of missed frames that are named in the summary


@dataclass(frozen=True)
class ConvertResult:
    """What a conversion made.

    Attributes:
        output: The video or the folder.
        frames: Frames written.
        swapped: Frames in which a face was put.
        faces: Faces put.
        problems: Damaged frames and files, a line each.
        seconds: Wall-clock time of this run.
        missed: The frames in which no face was put, as runs: none was found there, its picture was deleted
            from the faceset, it is turned too far away, or it is that of nobody who was named.
        others: Faces that were left as they are, being those of nobody who was named.
    """

    output: Path
    frames: int
    swapped: int
    faces: int
    problems: tuple[str, ...]
    seconds: float
    missed: tuple[range, ...] = ()
    others: int = 0

    def __str__(self) -> str:
        """A few lines for people."""
        text = f"{self.frames} frames, {self.swapped} swapped: {self.output} ({self.seconds:.1f} s)"
        if self.missed:
            runs = [str(r.start) if len(r) == 1 else f"{r.start}-{r.stop - 1}" for r in self.missed[:SHOWN]]
            rest = len(self.missed) - len(runs)
            text += f"\nnot swapped: {', '.join(runs)}" + (f" and {rest} more runs" if rest else "")
        text += f"\n{self.others} faces of others left as they are" if self.others else ""
        return text + (f"\n{len(self.problems)} problems" if self.problems else "")


def convert(config: ConvertConfig, progress: Progress = quiet) -> ConvertResult:
    """Put the learned face into a video, an image or a folder of images.

    Raises:
        InputError: The source is unreadable, or the faceset is not of this source.
        NoFacesError: Nobody is in the source, or nobody of those who are named by pictures.
        ModelError: A model is missing or damaged.
        OutputError: The output exists, or cannot be written.
        DependencyError: The weights of the landmarker that the faceset was made with are not installed.
        RefusedError: It is adult footage.
        SigningError: The output cannot be signed; nothing new stands under its name.
    """
    started = time.monotonic()
    path = config.destination
    parts = path.with_name(f".{path.name}.parts")
    with open_source(config.source) as source:
        if config.try_ is not None:
            return _try(config, source, parts, progress, started)
        output = open_output(source, path, parts, encoding(config), config.output_kind)
        check_output(path, config.source, config.overwrite)
        marking = Marking(config, _open_parts(parts, _settings(config, source)))
        swappers = Ensemble(config, marking.mark)
        actors = _cast(config, source, parts, progress)
        swappers.follow(actors.faces, actors.folder, actors.roles)
        swappers.wear(clip_look(config, source, actors.faces, swappers, parts, progress))
        todo = [segment for segment in segments(source) if not output.finished(segment)]
        jobs = [
            partial(_convert_segment, source, output, segment, actors.faces, swappers) for segment in todo
        ]
        with opencv_alone(), closing(side_by_side(jobs, workers=os.cpu_count() or 1)) as work:
            total = sum(map(len, todo))
            for _ in progress(work, total=total, desc=f"swapping {config.source.name}", unit="frame"):
                pass
        output.finish(marking.notes, marking.seal, progress)
        with writing(parts):
            shutil.rmtree(parts)
        for line in source.problems:
            log.warning("%s", line)
        problems = tuple(source.problems)
    put = {n: sum(trust(face, config) > 0 for face in found) for n, found in actors.faces.items()}
    shown = {n for n, count in put.items() if count and config.opacity}
    missed = _runs(source.count, shown)
    seconds = time.monotonic() - started
    faces = sum(put.values())
    return ConvertResult(path, source.count, len(shown), faces, problems, seconds, missed, actors.others)


def _cast(config: ConvertConfig, source: Source, parts: Path, progress: Progress) -> Cast:
    """Who is swapped; where that is nobody, nothing is left to go on with."""
    try:
        return cast(config, source, parts, progress)
    except (NoFacesError, RefusedError):
        shutil.rmtree(parts, ignore_errors=True)
        raise


def encoding(config: ConvertOptions) -> Encoding:
    """How the options want pictures to be encoded."""
    depth = None if config.bit_depth == "source" else int(config.bit_depth)
    return Encoding(config.codec, config.crf, config.preset, depth)


def _try(
    config: ConvertConfig, source: Source, parts: Path, progress: Progress, started: float
) -> ConvertResult:
    """Write the contact sheet of some frames, spread evenly over those with a face that shows."""
    path = config.destination
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"--try writes a picture, not {path}: name it with one of {', '.join(FORMATS)}")
    check_output(path, config.source, config.overwrite)
    swappers = Ensemble(config)
    _open_parts(parts, _settings(config, source))
    actors = _cast(config, source, parts, progress)
    swappers.follow(actors.faces, actors.folder, actors.roles)
    shown = [n for n, found in sorted(actors.faces.items()) if any(trust(face, config) > 0 for face in found)]
    count = min(config.try_frames, len(shown))
    chosen = [shown[(2 * place + 1) * len(shown) // (2 * count)] for place in range(count)]
    trials: list[Trial] = []
    for number in progress(chosen, total=count, desc="trying", unit="frame"):
        face = max(actors.faces[number], key=lambda face: (trust(face, config) > 0, face.face.box.area))
        swapper = swappers.of(face)
        for frame in source.frames(number, number + 1):
            trials.append(Trial(frame, face, *swapper.study(frame, face), swapper.coverage))
    write_image(path, sheet(trials, config, config.source.name))
    with writing(parts):
        shutil.rmtree(parts)
    seconds = time.monotonic() - started
    return ConvertResult(path, len(trials), len(trials), len(trials), tuple(source.problems), seconds)


def _runs(count: int, shown: Collection[int]) -> tuple[range, ...]:
    """The frames of `count` that are not among those shown, as runs."""
    left = [n for n in range(count) if n not in shown]
    starts = [n for n in left if n == 0 or n - 1 in shown]
    stops = [n + 1 for n in left if n + 1 == count or n + 1 in shown]
    return tuple(range(*run) for run in zip(starts, stops, strict=True))


def _convert_segment(
    source: Source, output: Output, segment: range, faces: Faces, swappers: Ensemble
) -> Iterator[int]:
    """Do a segment; yields the index of each frame when it is written.

    Decoding, the network with what follows it, and encoding each have a thread, so that a clip of a single
    segment keeps several cores busy too.
    """
    with closing(ahead(_patched(source, segment, faces, swappers.afresh()), BATCH)) as patched:
        yield from output.write(segment, patched)


def _patched(source: Source, segment: range, faces: Faces, swappers: Ensemble) -> Iterator[Patched]:
    """The frames of a segment with their patches; faces go through the network in batches."""
    with closing(ahead(source.frames(segment.start, segment.stop), AHEAD)) as frames:
        while batch := list(islice(frames, BATCH)):
            found = [faces.get(frame.index, []) for frame in batch]
            yield from zip(batch, swappers.patches(batch, found), strict=True)


def _settings(config: ConvertConfig, source: Source) -> dict[str, Any]:
    """Everything that a finished segment depends on, ready for JSON."""
    settings: dict[str, Any] = shaping(config)
    settings["source"] = source.fingerprint()
    models = {model: fingerprint(model, config.use) for model in config.models}
    settings["models"] = list(models.values())
    side = "a" if config.swap_direction else "b"
    kept = config.restore or config.blinks
    settings["examples"] = [examples_digest(model, side) for model in models] if kept else None
    settings["roles"] = [[digest_of(picture), models[model]] for picture, model in config.roles]
    settings["faceset"] = _digest(config.faceset) if config.faceset else None
    settings["style"] = digest_of(config.style) if config.style else None
    return settings


def _digest(folder: Path) -> str:
    """What the faces in a faceset are, so that a deleted one is not found in an earlier run's segments."""
    with Faceset.open(folder) as faceset:
        return faceset.digest()


def _open_parts(parts: Path, settings: dict[str, Any]) -> int:
    """Begin the folder of finished segments, or keep it if it was begun with the same settings.

    Returns:
        The number of the run that began it, which the pixels are marked with.
    """
    about = parts / "settings.json"
    with writing(parts):
        with suppress(FileNotFoundError, ValueError, AttributeError):
            begun = json.loads(about.read_text(encoding="utf-8"))
            run = begun.pop("run", None)
            if isinstance(run, int) and begun == settings:
                return run
        if parts.exists():
            shutil.rmtree(parts)
        parts.mkdir(parents=True)
        run = secrets.randbits(32)
        about.write_text(json.dumps({**settings, "run": run}), encoding="utf-8")
        return run
