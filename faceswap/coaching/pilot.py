"""What steers a training: how faces are varied, how fast it learns, and when it ends.

A training has three stages. `warped`: parts of the faces are pushed about, so that the network learns to make
one person's features out of anybody's. `steady`: they are not, so that it learns detail. `sharpening`: detail
counts more, and the learning rate falls. A stage ends when its part of the time is over, or earlier when the
held-out faces get no better. A training ends when they got no better at several learning rates.

All of it is a frozen value of JSON types that a checkpoint keeps: a resumed training goes on the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

STAGES = ("warped", "steady", "sharpening")
# === Config ===
UNTIL = (0.75, 0.9)  # shares of the time asked for at which the next stage begins
PATIENCE = (10, 8, 5)  # exams without anything gained after which a stage has given what it can
GAIN = 0.01  # share by which the error must fall to count
MEAN = 3  # exams whose mean is judged: one alone goes up and down by some percent
SHARPENING = 0.5  # of the learning rate, in the last stage
FALL = 0.5  # what is left of the learning rate after a plateau, and after a roll-back
FLAT = 4  # plateaus in a row, after which nothing is to be expected any more
GROWTH = 0.03  # an exam after so much more of the training, at least
WINDOW = 40  # steps whose mean loss is watched
COLLAPSE = 2.0  # times the least mean loss; no training gets so much worse and recovers by itself
TRIES = 8  # roll-backs, after which it is given up


@dataclass(frozen=True)
class Pilot:
    """Where a training is, as it is steered.

    Attributes:
        entered: The stage that was entered because the one before was exhausted: its place in `STAGES`.
        scale: What is left of the learning rate, stages apart.
        recent: The errors of the last exams in this stage.
        least: The least mean of them so far; None before the first.
        waited: Exams since then.
        plateaus: How often in a row the learning rate fell, and nothing was gained by it.
        due: When the next exam is, in seconds trained or, where a training counts steps, in steps.
        rolled: How often it was rolled back since anything was gained.
        total: Sum of the losses in the present window of steps.
        count: How many they are.
        lowest: The least mean loss of a window since the last change of stage; None before the first.
        judged: The stage in which the exams and the losses were seen.
    """

    entered: int = 0
    scale: float = 1.0
    recent: list[float] = field(default_factory=list)
    least: float | None = None
    waited: int = 0
    plateaus: int = 0
    due: float = 0.0
    rolled: int = 0
    total: float = 0.0
    count: int = 0
    lowest: float | None = None
    judged: int = 0

    def stage(self, share: float) -> int:
        """The stage, as a place in `STAGES`, where `share` (0 to 1) of the time asked for is over."""
        return max(self.entered, sum(share >= until for until in UNTIL))

    def rate(self, share: float) -> float:
        """What is left of the learning rate, 0 to 1."""
        return self.scale * (SHARPENING if self.stage(share) == len(STAGES) - 1 else 1.0)

    @property
    def flat(self) -> bool:
        """Whether nothing is to be expected any more."""
        return self.plateaus >= FLAT

    @property
    def lost(self) -> bool:
        """Whether it was rolled back so often that it will not get any further."""
        return self.rolled > TRIES

    def wait(self, now: float, least: float) -> Pilot:
        """The next exam is when a little more of the training is over.

        Args:
            now: Seconds or steps trained.
            least: Of the same, until then.
        """
        return replace(self, due=now + max(least, GROWTH * now))

    def after_exam(self, error: float, share: float) -> Pilot:
        """What it is after the held-out faces showed `error`."""
        stage = self.stage(share)
        now = self._begun(stage)
        recent = [*now.recent, error][-MEAN:]
        mean = sum(recent) / len(recent)
        now = replace(now, recent=recent)
        if len(recent) < MEAN:
            return now
        if now.least is None or mean < now.least * (1 - GAIN):
            return replace(now, least=mean, waited=0, plateaus=0, rolled=0)
        if now.waited + 1 < PATIENCE[stage]:
            return replace(now, waited=now.waited + 1)
        if stage < len(STAGES) - 1:
            return replace(now._begun(stage + 1), entered=stage + 1)
        return replace(now, waited=0, plateaus=now.plateaus + 1, scale=now.scale * FALL)

    def after_step(self, loss: float, share: float) -> tuple[Pilot, bool]:
        """What it is after a step, and whether the training came to grief: no number, or all but undone."""
        if not math.isfinite(loss):
            return self, True
        now = self._begun(self.stage(share))
        now = replace(now, total=now.total + loss, count=now.count + 1)
        if now.count < WINDOW:
            return now, False
        mean = now.total / now.count
        grief = now.lowest is not None and mean > COLLAPSE * now.lowest
        lowest = mean if now.lowest is None else min(mean, now.lowest)
        return replace(now, total=0.0, count=0, lowest=lowest), grief

    def rolled_back(self, before: Pilot) -> Pilot:
        """What it is after going back to a checkpoint, whose pilot was `before`."""
        return replace(before, scale=self.scale * FALL, rolled=self.rolled + 1)

    def _begun(self, stage: int) -> Pilot:
        """Itself; in a new stage without what was seen in the last one."""
        if stage == self.judged:
            return self
        fresh = Pilot(self.entered, self.scale, due=self.due, rolled=self.rolled, judged=stage)
        return fresh
