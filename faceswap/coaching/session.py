"""One run of training: the loop, and what is done between its steps."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from typing import TypeVar

import numpy as np

from faceswap.coaching.diary import PREVIEW, Diary
from faceswap.coaching.exam import Exam, Scores
from faceswap.coaching.meter import Every, Meter
from faceswap.coaching.people import Person
from faceswap.coaching.pilot import STAGES, Pilot
from faceswap.coaching.result import TrainResult
from faceswap.coaching.stopping import Stop, stopping
from faceswap.errors import FaceswapError, ModelError
from faceswap.groundwork import Start, jitter_of, sharpen, steadied
from faceswap.networks import checkpoint
from faceswap.networks.checkpoint import TrainingState
from faceswap.networks.feed import Album, Batch, Feed
from faceswap.networks.optimizers import Plateau
from faceswap.options import TrainConfig
from faceswap.progress import Progress

T = TypeVar("T")
log = logging.getLogger(__name__)

WARPED = 0.8  # without the autopilot: share of the training in which faces are warped
LOSS_SECONDS = 5.0
EXAM_STEPS = 300  # between two exams at least, where steps are counted and not seconds


def share_done(config: TrainConfig, state: TrainingState) -> float:
    """How much of the training asked for is done, 0 to 1; 0 where there is no limit."""
    timed = config.minutes and not config.deterministic
    by_time = state.seconds / (config.minutes * 60) if timed else 0.0
    by_steps = state.iterations / config.iterations if config.iterations else 0.0
    return max(by_time, by_steps)


class Session:
    """One run of training."""

    def __init__(
        self,
        config: TrainConfig,
        start: Start,
        people: tuple[Person, Person],
        albums: tuple[Album, Album],
    ) -> None:
        """Prepare to train `albums`, the faces of `people`, from `start` on."""
        self._config, self._start, self._network, self._step = config, start, start.network, start.step
        self._people, self._albums = people, albums
        self._jitter = jitter_of(config)
        self._feed = Feed(albums, start.model.size, start.state.batch_size, config.seed, self._jitter)
        shown = self._step.shown
        self._draws = shown.predictor("a"), shown.predictor("b")
        self._diary = Diary(config.model, self._draws, albums, start.model.size, config.tensorboard)
        self.state = start.state
        self._plateau, self._pilot = Plateau(**self.state.plateau), Pilot(**self.state.pilot)
        self._begun = self._saved = start.state
        self._sharp = False  # whether detail counts more
        self._returned: int | None = None  # to which iteration it was rolled back last
        self._best = checkpoint.best_score(config.model)
        self._exam: Exam | None = None
        self._scores: Scores | None = None
        self._meter = Meter()
        self._due = {
            name: Every(seconds)
            for name, seconds in {
                "losses": LOSS_SECONDS,
                "preview": config.preview_seconds,
                "save": config.save_seconds,
            }.items()
        }
        self._origin = [variable.numpy() for variable in self._step.variables]

    def run(self, progress: Progress) -> TrainResult:
        """Train until the time or the steps are up, or until stopped; saved in any case.

        Raises:
            ModelError: It does not get anywhere: the losses are no numbers, however slowly it learns.
            OutputError: The model cannot be written.
        """
        config, before = self._config, self.state.iterations
        self._diary.resume(before)
        total = config.iterations - before if config.iterations else None
        with stopping() as stop:
            try:
                for _ in progress(self._loop(stop), total=total, desc="training", note=self._note):
                    pass
            except KeyboardInterrupt:
                stop.asked = True
            except FaceswapError:
                raise
            except Exception:
                self._save()
                raise
            return self._finish(stop.asked)

    def _finish(self, interrupted: bool) -> TrainResult:
        """Save, write what people look at, and sum up."""
        ended = self._ended and not interrupted
        if not interrupted and self._exam and self.state.score is None:
            self._examine()
        self._save()
        self._write_row()
        self._diary.draw(self.state, self._losses())
        self._diary.close()
        loss_a, loss_b = self._meter.mean
        return TrainResult(
            self._config.model,
            self.state.iterations,
            self.state.seconds,
            self._config.model / PREVIEW,
            loss_a,
            loss_b,
            self._speed(),
            self._meter.waiting,
            interrupted,
            ended,
            self._scores,
        )

    def _loop(self, stop: Stop) -> Iterator[int]:
        """The training loop; yields the iteration after each step."""
        again = True
        while again:
            with closing(self._feed.batches(self.state.iterations)) as batches:
                again = yield from self._steps(batches, stop)

    def _steps(self, batches: Iterable[Batch], stop: Stop) -> Generator[int, None, bool]:
        """Steps until all is done, or until it was rolled back, which is returned."""
        self._prepare()
        clock = time.monotonic()
        for batch in self._meter.supplied(batches):
            losses = self._step(batch.inputs, batch.targets, batch.masks, batch.expressions)
            now = time.monotonic()
            seconds, clock = self.state.seconds + now - clock, now
            self.state = replace(self.state, iterations=self.state.iterations + 1, seconds=seconds)
            if self._came_to_grief(sum(losses)):
                self._roll_back()
                return True
            self._meter.losses.append(losses)
            self._between()
            self._prepare()
            yield self.state.iterations
            if stop.asked or self._ended or share_done(self._config, self.state) >= 1:
                return False
        return False

    def _prepare(self) -> None:
        """Set what the next step depends on; it follows from the state, so resuming changes nothing."""
        share = share_done(self._config, self.state)
        stage = self._stage(share)
        self._feed.jitter = steadied(self._jitter) if stage else self._jitter
        sharp = STAGES[stage] == "sharpening"
        if sharp != self._sharp:
            sharpen(self._config, self._start, sharp)
            self._sharp = sharp
        scale = self._plateau.scale * (self._pilot.rate(share) if self._config.auto else 1.0)
        self._step.rate = self._start.schedule.at(share, self.state.iterations, scale)

    def _stage(self, share: float) -> int:
        """The stage, as a place in `STAGES`."""
        return self._pilot.stage(share) if self._config.auto else int(share >= WARPED)

    @property
    def _ended(self) -> bool:
        """Whether the autopilot sees nothing to gain any more."""
        return self._config.auto and self._pilot.flat

    def _between(self) -> None:
        """What is done between two steps, where it is due."""
        if self._now() >= self._pilot.due:
            self._examine()
        if self._due["losses"].over():
            self._write_row()
        if self._due["preview"].over():
            self._diary.draw(self.state, self._losses())
        if self._due["save"].over():
            self._save()

    def _came_to_grief(self, loss: float) -> bool:
        """Take note of a loss, and say whether the training has to be rolled back."""
        share = share_done(self._config, self.state)
        if self._config.schedule == "plateau" and np.isfinite(loss):
            before, self._plateau = self._plateau, self._plateau.after(loss)
            if self._plateau.scale < before.scale:
                text = "the loss has stopped falling: %.2g of the learning rate is left"
                log.info(text, self._plateau.scale)
        if not self._config.auto:
            if not np.isfinite(loss):
                raise ModelError(
                    f"the loss is no number after {self.state.iterations} iterations: lower"
                    f" --learning-rate, or let --auto do it; what was saved before is in {self._config.model}"
                )
            grief = False
        else:
            self._pilot, grief = self._pilot.after_step(loss, share)
        self._note_steering()
        return grief

    def _note_steering(self) -> None:
        """Put what steers into the state, so that a checkpoint holds it."""
        self.state = replace(self.state, plateau=asdict(self._plateau), pilot=asdict(self._pilot))

    def _examine(self) -> None:
        """Score the held-out faces, and let the autopilot draw its conclusions."""
        if self._exam is None and not self._begun_enough():
            return
        if self._exam is None:
            self._exam = Exam(self._start.model, self._people, self._albums)
        self._scores = self._exam.mark(*self._draws)
        row = self._scores.row()
        share = share_done(self._config, self.state)
        least = EXAM_STEPS if self._config.deterministic else self._config.exam_seconds
        before, now = self._pilot, self._pilot.wait(self._now(), least)
        self._pilot = now.after_exam(row["error"], share) if self._config.auto else now
        self._say(before, share)
        self.state = replace(self.state, scores={**row, "iterations": self.state.iterations})
        self._note_steering()
        self._meter.scores = self._scores
        self._diary.film(self.state)
        if self._best is None or row["error"] < self._best:
            self._save()
            self._best = row["error"]

    def _begun_enough(self) -> bool:
        """Whether so much was trained that an exam is worth it; if not, the first one is put off."""
        least = EXAM_STEPS if self._config.deterministic else self._config.exam_seconds
        if self._now() >= least:
            return True
        self._pilot = self._pilot.wait(0.0, least)
        return False

    def _say(self, before: Pilot, share: float) -> None:
        """Say what the autopilot changed."""
        now = self._pilot
        if now.entered > before.entered:
            log.info("the held-out faces get no better: %s begins", STAGES[now.entered])
        if now.flat:
            log.info("the held-out faces get no better at any learning rate: the training ends")
        elif now.plateaus > before.plateaus:
            text = "the held-out faces get no better: %.2g of the learning rate is left"
            log.info(text, now.rate(share))

    def _roll_back(self) -> None:
        """Go back to the last checkpoint and learn more slowly from there."""
        where, pilot, folder = self.state, self._pilot, self._config.model
        network, step = self._network, self._step
        if checkpoint.has_checkpoint(folder):
            if pilot.rolled and self._saved.iterations == self._returned:
                checkpoint.drop_newest(folder)
            average = step.average.network if step.average else None
            state = checkpoint.load(folder, network, step.optimizer, average, kept=step.kept)
        else:
            state = self._begun
            for variable, value in zip(step.variables, self._origin, strict=True):
                variable.assign(value)
        self._returned = state.iterations
        self._take(replace(state, about=where.about, batch_size=where.batch_size, seconds=where.seconds))
        self._pilot = pilot.rolled_back(self._pilot)
        self._note_steering()
        self._saved = self.state
        if self._pilot.lost:
            raise ModelError(
                f"the training comes to grief again and again at {state.iterations} iterations, even at"
                f" {self._pilot.scale:.2g} of the learning rate: look at the faces of both facesets"
            )
        self._meter.losses.clear()
        self._diary.resume(state.iterations)
        log.warning(
            "the loss burst after %d iterations: back to %d, with %.2g of the learning rate",
            where.iterations,
            state.iterations,
            self._pilot.scale,
        )

    def _take(self, state: TrainingState) -> None:
        """Go on from a state."""
        self.state = state
        self._plateau, self._pilot = Plateau(**state.plateau), Pilot(**state.pilot)

    def _save(self) -> None:
        """Write a checkpoint, unless there is nothing new or what there is came to grief."""
        if self.state.iterations <= self._saved.iterations and self._saved.iterations:
            return
        if not self._step.finite:
            return
        step, folder = self._step, self._config.model
        mean = step.average.network if step.average else None
        checkpoint.save(folder, self._network, step.optimizer, self.state, mean, step.kept)
        self._saved = self.state
        self._origin = []
        self._due["save"].restart()

    def _write_row(self) -> None:
        share = share_done(self._config, self.state)
        if self._meter.losses:
            entry = self._meter.entry(self._speed(), STAGES[self._stage(share)])
            self._diary.write(self.state, entry)

    def _now(self) -> float:
        """How long it has trained: in seconds or, where it is to be the same again, in steps."""
        return float(self.state.iterations) if self._config.deterministic else self.state.seconds

    def _speed(self) -> float:
        """Faces of both sides trained a second in this run."""
        seconds = self.state.seconds - self._begun.seconds
        steps = self.state.iterations - self._begun.iterations
        return max(steps, 0) * 2 * self.state.batch_size / seconds if seconds > 0 else 0.0

    def _losses(self) -> str:
        loss_a, loss_b = self._meter.mean
        return f"A {loss_a:.4f} B {loss_b:.4f}"

    def _note(self) -> str:
        """What stands beside the bar."""
        done, wanted = self.state.seconds / 60, self._config.minutes
        timed = wanted and not self._config.deterministic
        clock = f"{done:.1f} of {wanted:g} min" if timed else f"{done:.1f} min"
        stage = STAGES[self._stage(share_done(self._config, self.state))]
        speed = f"{self._speed():.0f} faces/s, waits {self._meter.waiting:.0%}"
        scores = f", {self._scores}" if self._scores else ""
        return f"{clock}, {stage}, {self._losses()}, {speed}{scores}"
