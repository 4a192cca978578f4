"""What a training comes to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceswap.coaching.exam import Scores


@dataclass(frozen=True)
class TrainResult:
    """How far a model is.

    Attributes:
        model: The folder.
        iterations: Steps taken in all.
        seconds: Time trained in all.
        preview: The preview sheet.
        loss_a: Mean loss of A over the last seconds of this run; None if nothing was left to do.
        loss_b: The same of B.
        faces_per_second: Faces of both sides trained a second in this run.
        waiting: Share of the time that the step waited for faces, 0 to 1.
        interrupted: Whether Ctrl-C or SIGTERM ended it.
        finished: Whether the autopilot ended it, for nothing got better.
        scores: What the held-out faces showed last; None where they were not looked at.
        note: What was done instead of training, where something else was asked for.
    """

    model: Path
    iterations: int
    seconds: float
    preview: Path
    loss_a: float | None = None
    loss_b: float | None = None
    faces_per_second: float = 0.0
    waiting: float = 0.0
    interrupted: bool = False
    finished: bool = False
    scores: Scores | None = None
    note: str = ""

    def __str__(self) -> str:
        """A few lines for people."""
        if self.note:
            return self.note
        text = f"{self.iterations} iterations, {self.seconds / 60:.1f} minutes in all: {self.model}"
        if self.loss_a is None:
            return f"{text}\nalready trained so far: raise --minutes or --iterations to go on"
        losses = f"loss A {self.loss_a:.4f}, B {self.loss_b:.4f}, {self.faces_per_second:.0f} faces/s"
        lines = [text, f"{losses}, {self.waiting:.1%} of the time waiting for faces"]
        lines += [f"{self.scores}"] if self.scores else []
        lines += [f"preview: {self.preview}"]
        lines += ["stopped and saved: run it again to go on"] if self.interrupted else []
        lines += ["ended by the autopilot: the held-out faces get no better"] if self.finished else []
        return "\n".join(lines)
