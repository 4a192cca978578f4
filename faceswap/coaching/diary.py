"""What is written of a training while it goes.

MODEL/losses.csv            a row every few seconds; those after an exam hold its scores
MODEL/losses.png            the same drawn
MODEL/preview.png           faces of both sides: original, rebuilt, swapped
MODEL/timelapse/*.jpg       the same faces of A, swapped, after ever more of the training
MODEL/timelapse.mp4         those as a film
MODEL/tensorboard/          the figures and the preview for TensorBoard, where that is asked for
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceswap.coaching.exam import Scores, chosen
from faceswap.coaching.plot import draw_losses
from faceswap.errors import writing
from faceswap.networks.board import Board
from faceswap.networks.checkpoint import TrainingState
from faceswap.networks.feed import Album
from faceswap.networks.preview import Draw, Sitters, film_frame, sheet
from faceswap.quality.identity import spread
from faceswap.video.images import images_in, read_image, write_image
from faceswap.video.slides import write_slides

PREVIEW, LOSSES, PLOT = "preview.png", "losses.csv", "losses.png"
TIMELAPSE, FILM, BOARD = "timelapse", "timelapse.mp4", "tensorboard"
SHOWN = 3  # faces of each side in the preview that are trained on, and as many that are held out
FILMED = 4  # faces in the time-lapse
RATE = 6  # frames a second of the film
COLUMNS = ("iterations", "seconds", "loss_a", "loss_b", "faces_per_second", "waiting", "stage")
SCORES = ("distance", "nearer", "landmarks", "mouth", "sharpness", "rebuilt_a", "rebuilt_b", "error")


@dataclass(frozen=True)
class Entry:
    """What a row of the CSV says beside how far the training is.

    Attributes:
        losses: Mean losses of A and of B since the row before.
        speed: Faces of both sides trained a second.
        waiting: Share of the time that the step waited for faces, 0 to 1.
        stage: What the training is at.
        scores: Those of an exam since the row before; None where there was none.
    """

    losses: tuple[float, float]
    speed: float
    waiting: float
    stage: str
    scores: Scores | None


def remove(folder: Path) -> None:
    """Remove all that a diary writes."""
    with writing(folder):
        for name in (PREVIEW, LOSSES, PLOT, FILM):
            (folder / name).unlink(missing_ok=True)
        for name in (TIMELAPSE, BOARD):
            shutil.rmtree(folder / name, ignore_errors=True)


class Diary:
    """Writes what people look at, in a model's folder."""

    def __init__(
        self, folder: Path, draws: tuple[Draw, Draw], albums: tuple[Album, Album], size: int, board: bool
    ) -> None:
        """Choose the faces that are shown.

        Args:
            folder: The model.
            draws: The network's paths to A and to B.
            albums: The faces.
            size: Side of the network's pictures.
            board: Whether TensorBoard is written for, too.
        """
        self._folder, self._draws = folder, draws
        self._sitters = [_sitters(album, size) for album in albums]
        filmed = albums[0].middles(size)[chosen(albums[0], FILMED)]
        self._filmed = np.ascontiguousarray(filmed)
        self._board = Board(folder / BOARD) if board else None

    def resume(self, iterations: int) -> None:
        """Begin, or drop what comes after the checkpoint that is gone on from."""
        rows = [row for row in self._rows() if int(row["iterations"]) <= iterations]
        path = self._folder / LOSSES
        draft = path.with_name(f".{path.name}.part")
        with writing(path):
            with draft.open("w", newline="", encoding="utf-8") as file:
                table = csv.DictWriter(file, [*COLUMNS, *SCORES], restval="", extrasaction="ignore")
                table.writeheader()
                table.writerows(rows)
            os.replace(draft, path)
            for picture in (self._folder / TIMELAPSE).glob("*.jpg"):
                if picture.stem.isdigit() and int(picture.stem) > iterations:
                    picture.unlink()

    def write(self, state: TrainingState, entry: Entry) -> None:
        """Add a row."""
        loss_a, loss_b = entry.losses
        row: dict[str, object] = {
            "iterations": state.iterations,
            "seconds": f"{state.seconds:.1f}",
            "loss_a": f"{loss_a:.5f}",
            "loss_b": f"{loss_b:.5f}",
            "faces_per_second": f"{entry.speed:.1f}",
            "waiting": f"{entry.waiting:.4f}",
            "stage": entry.stage,
        }
        scores = entry.scores.row() if entry.scores else {}
        path = self._folder / LOSSES
        with writing(path), path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, [*COLUMNS, *SCORES], restval="").writerow(row | scores)
        if self._board:
            numbers = {"loss/a": loss_a, "loss/b": loss_b, "speed/faces_per_second": entry.speed}
            numbers |= {"speed/waiting": entry.waiting}
            self._board.numbers(state.iterations, numbers | _grouped(scores))

    def draw(self, state: TrainingState, title: str) -> None:
        """Write the preview sheet and the plot."""
        a, b = self._sitters
        made = sheet(*self._draws, a, b, f"{clock(state)}, {title}")
        write_image(self._folder / PREVIEW, made)
        rows = self._rows()
        if len(rows) > 1:  # a line has two ends
            write_image(self._folder / PLOT, draw_losses(rows))
        if self._board:
            self._board.picture(state.iterations, "preview", made)

    def film(self, state: TrainingState) -> None:
        """Take a picture for the time-lapse."""
        folder = self._folder / TIMELAPSE
        with writing(folder):
            folder.mkdir(exist_ok=True)
        frame = film_frame(self._draws[1], self._filmed, clock(state))
        write_image(folder / f"{state.iterations:09d}.jpg", frame)

    def close(self) -> None:
        """Make the film."""
        if self._board:
            self._board.close()
        folder = self._folder / TIMELAPSE
        pictures = images_in(folder) if folder.is_dir() else []
        if len(pictures) > 1:
            height, width = read_image(pictures[0]).shape[:2]
            write_slides(self._folder / FILM, map(read_image, pictures), (width, height), RATE)

    def _rows(self) -> list[dict[str, str]]:
        """The rows of the CSV; one that was cut off by a kill is dropped."""
        path = self._folder / LOSSES
        if not path.exists():
            return []
        with writing(path), path.open(newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if _whole(row)]


def clock(state: TrainingState) -> str:
    """How far a training is, in words."""
    return f"{state.iterations} iterations, {state.seconds / 60:.1f} min"


def _whole(row: Mapping[str, str | None]) -> bool:
    """Whether a row has what every row has."""
    return (row.get("iterations") or "").isdigit() and bool(row.get("faces_per_second"))


def _grouped(scores: Mapping[str, float]) -> dict[str, float]:
    return {f"held_out/{name}": value for name, value in scores.items()}


def _sitters(album: Album, size: int) -> Sitters:
    """Faces that are trained on, then faces that are held out, each spread over what there is."""
    count = SHOWN if album.held else 2 * SHOWN
    taught = [album.place(number) for number in spread(album.taught, count)]
    held = [album.held[number] for number in spread(len(album.held), SHOWN)]
    places = [*taught, *held]
    faces = np.ascontiguousarray(album.middles(size)[places])
    return Sitters(faces, [place in album.held for place in places])
