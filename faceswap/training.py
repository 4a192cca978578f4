"""Stage two: two facesets in, a model out."""

from __future__ import annotations

import logging
import platform
import shutil
from contextlib import closing
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import faceswap
from faceswap import examples
from faceswap.coaching import diary
from faceswap.coaching.concerns import concerns
from faceswap.coaching.people import CACHE, Person, album_of, mapped_album, read_person
from faceswap.coaching.pilot import Pilot
from faceswap.coaching.result import TrainResult
from faceswap.coaching.session import Session, share_done
from faceswap.errors import OutputError, writing
from faceswap.examples import keep_examples
from faceswap.groundwork import Start, aim, begin, jitter_of, stacked
from faceswap.networks import model_folder
from faceswap.networks.augmentation.sheet import augmentation_sheet
from faceswap.networks.feed import Feed
from faceswap.networks.rates import STEPS, picture, sweep
from faceswap.options import TrainConfig
from faceswap.progress import Progress, quiet
from faceswap.video.images import FORMATS, write_image

__all__ = ["TrainResult", "train"]
log = logging.getLogger(__name__)


def train(config: TrainConfig, progress: Progress = quiet) -> TrainResult:
    """Train a model on two facesets, or go on with one; or only show what a training would do.

    Raises:
        InputError: A faceset is missing, damaged or has too few faces.
        ModelError: The model is damaged or of another network, or the training does not get anywhere.
        OutputError: The model or the picture asked for cannot be written.
    """
    if config.show_augmentation or config.find_rate:
        return _show(config, progress)
    if config.overwrite:
        _remove(config.model)
    start = begin(config)
    if share_done(config, start.state) >= 1:
        return _untrained(config, start, config.model / diary.PREVIEW)
    people = read_person(config.faceset_a, start.model), read_person(config.faceset_b, start.model)
    start = _renewed(config, start, people)
    if config.auto and Pilot(**start.state.pilot).flat:
        note = f"{config.model} gets no better: --no-auto trains on, other faces make the autopilot try again"
        return _untrained(config, start, config.model / diary.PREVIEW, note)
    for line in concerns(*people):
        log.warning("%s", line)
    model_folder.create(config.model, start.model)
    home = config.model / CACHE
    a, b = (mapped_album(one, side, home, progress) for one, side in zip(people, "ab", strict=True))
    for person, side in zip(people, "ab", strict=True):
        keep_examples(config.model, side, person.folder, person.stored, start.model.coverage)
    aim(start, b)
    start = stacked(config, start, (a, b), progress)
    return Session(config, start, people, (a, b)).run(progress)


def _show(config: TrainConfig, progress: Progress) -> TrainResult:
    """Write the picture that was asked for; the model is not written to."""
    path = config.show_augmentation or config.find_rate
    assert path is not None
    if path.suffix.lower() not in FORMATS:
        raise OutputError(f"cannot write {path}: name it with one of {', '.join(FORMATS)}")
    if path.exists() and not config.overwrite:
        raise OutputError(f"{path} exists: choose another name, or --overwrite to replace it")
    start = begin(config)
    album_a, album_b = (
        album_of(read_person(folder, start.model), progress)
        for folder in (config.faceset_a, config.faceset_b)
    )
    both, size, jitter = (album_a, album_b), start.model.size, jitter_of(config)
    if config.show_augmentation:
        write_image(path, augmentation_sheet(both, size, jitter, config.seed))
        return _untrained(config, start, path, f"what is done to the faces: {path}")
    aim(start, album_b)
    feed = Feed(both, size, start.state.batch_size, config.seed, jitter)
    with closing(feed.batches(start.state.iterations)) as batches:
        found = sweep(start.step, progress(batches, total=STEPS, desc="trying learning rates"))
    write_image(path, picture(found))
    text = f"suggested: --optimizer {config.optimizer} --learning-rate {found.suggested:.2g}"
    return _untrained(config, start, path, f"{text}\nlosses by learning rate: {path}")


def _untrained(config: TrainConfig, start: Start, path: Path, note: str = "") -> TrainResult:
    """The result where nothing was trained."""
    return TrainResult(config.model, start.state.iterations, start.state.seconds, preview=path, note=note)


def _remove(folder: Path) -> None:
    """Remove a model and what training wrote beside it; other files stay."""
    model_folder.remove(folder)
    diary.remove(folder)
    examples.remove(folder)
    with writing(folder):
        shutil.rmtree(folder / CACHE, ignore_errors=True)


def _renewed(config: TrainConfig, start: Start, people: tuple[Person, Person]) -> Start:
    """The start with what should be known of this run; with other faces the autopilot begins anew."""
    faces = dict(zip("ab", (person.digest for person in people), strict=True))
    about = {
        "options": {key: value for key, value in asdict(config).items() if not isinstance(value, Path)},
        "faces": faces,
        "counted_in": start.network.encoder.compute_dtype,
        "base": start.state.about.get("base", ""),  # SHA-256 of the weights it started from
        "held_out": {side: [p.held.start, p.held.stop] for side, p in zip("ab", people, strict=True)},
        "versions": {
            "faceswap": faceswap.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("keras", "tensorflow", "numpy")},
        },
    }
    state = start.state
    pilot = state.pilot if state.about.get("faces", faces) == faces else {}
    return replace(start, state=replace(state, about=about, pilot=pilot))
