"""What steers a training, what is held out of it, and what is left of it after anything that may happen."""

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceswap import TrainConfig, train
from faceswap.coaching import exam, people, pilot
from faceswap.coaching.concerns import concerns
from faceswap.coaching.meter import Meter
from faceswap.coaching.pilot import FLAT, PATIENCE, STAGES, WINDOW, Pilot
from faceswap.coaching.stopping import stopping
from faceswap.errors import ModelError, OutputError, UsageError
from faceswap.faces import traits
from faceswap.networks import checkpoint, model_folder
from faceswap.networks.feed import Album, Feed
from faceswap.networks.model_folder import ModelConfig
from faceswap.networks.step import TrainingStep
from faceswap.progress import quiet

TINY = ModelConfig("tiny", 32, 1.25)
DETERMINISM = "faceswap.networks.autoencoder.tf.config.experimental.enable_op_determinism"


def config(facesets, model, **more):
    a, b = facesets
    values = {"network": "tiny", "iterations": 12, "batch_size": 2, "minutes": 0, "exam_seconds": 1e4, **more}
    return TrainConfig(faceset_a=a, faceset_b=b, model=model, **values)


def exams(state, errors, share=0.0):
    for error in errors:
        state = state.after_exam(error, share)
    return state


def test_the_stages_follow_the_time():
    assert [STAGES[Pilot().stage(share)] for share in (0, 0.74, 0.75, 0.9, 1)] == [
        "warped",
        "warped",
        "steady",
        "sharpening",
        "sharpening",
    ]
    assert Pilot().rate(0.5) == 1 and Pilot().rate(0.95) == pilot.SHARPENING


def test_a_stage_that_gives_nothing_more_ends_early_and_stays_ended():
    state = exams(Pilot(), [1.0] * (pilot.MEAN + PATIENCE[0] - 1))
    assert state.entered == 0
    state = exams(state, [1.0])
    assert STAGES[state.stage(0.0)] == "steady" and state.least is None


def test_a_stage_that_gains_goes_on():
    falling = [0.97**n for n in range(60)]
    assert exams(Pilot(), falling).entered == 0


def test_the_last_stage_lowers_the_rate_and_then_ends_it():
    state = Pilot(entered=2)
    state = exams(state, [1.0] * (pilot.MEAN + PATIENCE[2]))
    assert state.scale == pilot.FALL and not state.flat
    gained = exams(state, [0.5] * pilot.MEAN)
    assert gained.plateaus == 0 and gained.scale == pilot.FALL
    state = exams(state, [1.0] * PATIENCE[2] * (FLAT - 1))
    assert state.flat and state.scale == pytest.approx(pilot.FALL**FLAT)


def test_grief_is_no_number_or_a_loss_that_doubles():
    assert Pilot().after_step(float("nan"), 0)[1] and Pilot().after_step(float("inf"), 0)[1]
    state, found = Pilot(), []
    for loss in [1.0] * 2 * WINDOW + [2.5] * WINDOW:
        state, grief = state.after_step(loss, 0)
        found.append(grief)
    assert not any(found[:-1]) and found[-1]
    state, found = Pilot(), []
    for n in range(4 * WINDOW):  # another stage has other losses
        state, grief = state.after_step(3.0 if n >= 2 * WINDOW else 1.0, 0.8 if n >= 2 * WINDOW else 0.7)
        found.append(grief)
    assert not any(found)


@given(st.lists(st.floats(0, 3), max_size=60), st.floats(0, 1))
def test_a_pilot_is_the_same_after_a_checkpoint(errors, share):
    state = exams(Pilot(), errors, share)
    again = Pilot(**json.loads(json.dumps(dataclasses.asdict(state))))
    assert again == state and again.after_exam(1.0, share) == state.after_exam(1.0, share)


@given(st.integers(8, 20_000))
def test_a_block_in_the_middle_is_held_out(count):
    held = people.held_out(count)
    assert len(held) == (0 if count < people.SPARE else max(2, round(0.05 * count)))
    album = Album(np.empty((count, 0)), np.empty((count, 0)), held)
    places = [album.place(number) for number in (0, album.taught // 2, album.taught - 1)]
    assert not set(places) & set(held) and places[0] == 0 and places[-1] == count - 1


def test_the_feed_never_shows_what_is_held_out():
    images = np.zeros((20, 42, 42, 3), np.uint8)
    images[5:8] = 255
    album = Album(images, np.full((20, 42, 42), 255, np.uint8), range(5, 8))
    feed = Feed((album, album), 32, 16, 0)
    assert all(feed.make(number).targets.max() < 128 for number in range(6))


def test_faces_are_decoded_once_and_anew_where_they_changed(facesets, tmp_path, monkeypatch):
    person = people.read_person(facesets[0], TINY)
    first = people.mapped_album(person, "a", tmp_path, quiet)
    plain = people.album_of(person, quiet)
    assert isinstance(first.images, np.memmap) and not first.images.flags.writeable
    assert (first.images == plain.images).all() and (first.masks == plain.masks).all()

    def fail(*_):
        raise AssertionError("decoded again")

    with monkeypatch.context() as patch:
        patch.setattr(people, "_decoded", fail)
        people.mapped_album(person, "a", tmp_path, quiet)
    fewer = dataclasses.replace(person, stored=person.stored[1:], digest="f" * 64)
    assert len(people.mapped_album(fewer, "a", tmp_path, quiet).images) == 29
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        f"a-{'f' * 16}-{person.side}.{kind}.npy" for kind in ("images", "masks")
    ]


def test_a_full_disk_leaves_no_half_decoded_faces(facesets, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")
        yield

    monkeypatch.setattr(people, "_decoded", full)
    with pytest.raises(OutputError, match="no space left"):
        people.mapped_album(people.read_person(facesets[0], TINY), "a", tmp_path, quiet)
    assert not list(tmp_path.iterdir())


def test_the_landmarks_lie_in_the_albums_pictures(facesets):
    person = people.read_person(facesets[0], TINY)
    points = person.points(3)
    assert abs(points.mean(0) - (person.side - 1) / 2).max() < 0.2 * person.side
    assert 0.5 < np.ptp(points[:, 0]) / person.side * 1.6 < 1.3
    told = people.album_of(person, quiet).expressions
    assert told.shape == (len(person.stored), 3) and abs(np.median(told, 0)).max() < 1e-5


def test_measures_of_an_expression():
    points = np.zeros((68, 2), np.float32)
    points[traits.OUTER_EYES[1]] = [100, 0]
    for above, below in traits.LIPS:
        points[above], points[below] = [50, 80], [50, 100]
    assert traits.mouth_opening(points) == pytest.approx(0.2)
    points[traits.MOUTH[1]] = [30, 40]
    assert traits.expression(points)[:2] * traits.VARIED[:2] == pytest.approx([0.2, 0.5])
    assert exam.apart(points, points) == 0
    assert exam.apart(points, points + np.float32([3, 4])) == pytest.approx(0.05)


def test_losses_are_shown_from_the_first_step_on():
    meter = Meter()
    assert np.isnan(meter.mean).all()
    meter.losses += [(1.0, 2.0), (3.0, 2.0)]
    assert meter.mean == (2.0, 2.0), "no row was written yet"
    meter.entry(0.0, "warped")
    meter.losses.append((9.0, 9.0))
    assert meter.mean == (2.0, 2.0), "that of the row"


def test_concerns_are_named(facesets):
    a, b = (people.read_person(folder, TINY) for folder in facesets)
    text = "\n".join(concerns(a, b))
    assert "A has 30 faces" in text and "B has 30 faces" in text and "poses" not in text

    def changed(person, times=1, **traits):
        faces = [
            dataclasses.replace(f, traits=dataclasses.replace(f.traits, **traits), person=int(n % 10 == 0))
            for n, f in enumerate(person.stored * times)
        ]
        return dataclasses.replace(person, stored=faces)

    many = changed(a, 5, sharpness=400.0, yaw=0.0, pitch=0.0)
    assert ["10% of A's" in line for line in concerns(many, many)[:1]] == [True]
    turned = changed(b, 5, sharpness=400.0, yaw=45.0, pitch=0.0)
    assert any("never seen in 100% of A's poses" in line for line in concerns(many, turned))
    size = dataclasses.replace(a.stored[0].alignment, size=256)
    soft = [dataclasses.replace(f, alignment=size) for f in changed(a, 5, sharpness=5.0).stored]
    assert any("blurred" in line for line in concerns(dataclasses.replace(a, stored=soft), many))


def test_one_signal_is_noted_and_two_interrupt():
    before = signal.getsignal(signal.SIGTERM)
    with stopping() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) == before
    found = []
    thread = threading.Thread(target=lambda: found.append(stopping().__enter__().asked))
    thread.start()
    thread.join()
    assert found == [False]


class Bursting(TrainingStep):
    """Loses its weights at some steps."""

    at: tuple[int, ...] = ()
    rates: list[float] = []  # noqa: RUF012

    def __call__(self, *batch):
        self.rates.append(self.rate)
        losses = super().__call__(*batch)
        if len(self.rates) in self.at:
            for weight in self._weights:
                weight.assign(weight * float("nan"))
            return float("nan"), losses[1]
        return losses


def test_no_number_rolls_back_and_lowers_the_rate(facesets, tmp_path, monkeypatch, caplog):
    """Once before anything was saved, once after."""
    monkeypatch.setattr("faceswap.groundwork.TrainingStep", Bursting)
    monkeypatch.setattr(Bursting, "at", (4,))
    monkeypatch.setattr(Bursting, "rates", [])
    result = train(config(facesets, tmp_path / "m", iterations=6))
    assert result.iterations == 6 and np.isfinite(result.loss_a)
    assert Bursting.rates == pytest.approx([1e-3] * 4 + [5e-4] * 6, rel=1e-4)
    assert "back to 0, with 0.5 of the learning rate" in caplog.text
    monkeypatch.setattr(Bursting, "at", (12,))
    result = train(config(facesets, tmp_path / "m", iterations=9))
    assert result.iterations == 9 and "back to 6" in caplog.text
    network = model_folder.build(TINY)
    state = checkpoint.load(tmp_path / "m", network)
    assert state.pilot["rolled"] == 2 and state.pilot["scale"] == 0.25
    assert all(np.isfinite(w.numpy()).all() for part in network.parts.values() for w in part.weights)
    rows = [int(row["iterations"]) for row in csv.DictReader((tmp_path / "m" / "losses.csv").open())]
    assert rows == sorted(set(rows))


def test_without_the_autopilot_it_is_an_error_and_what_was_saved_stays(facesets, tmp_path, monkeypatch):
    train(config(facesets, tmp_path / "m", iterations=3))
    monkeypatch.setattr("faceswap.groundwork.TrainingStep", Bursting)
    monkeypatch.setattr(Bursting, "at", (2,))
    monkeypatch.setattr(Bursting, "rates", [])
    with pytest.raises(ModelError, match="no number after 5 iterations"):
        train(config(facesets, tmp_path / "m", auto=False))
    assert checkpoint.load(tmp_path / "m", model_folder.build(TINY)).iterations == 3


class Marks:
    """An exam with given results, so that no network has to look."""

    errors: list[float] = []  # noqa: RUF012

    def __init__(self, *_):
        pass

    def mark(self, *_):
        error = self.errors.pop(0) if self.errors else 1.0
        return exam.Scores(error, 1.0, 0.0, 0.0, 1.0, 0.9, 0.9)


@pytest.mark.real
def test_the_best_is_kept_and_can_be_used(facesets, tmp_path, monkeypatch):
    monkeypatch.setattr("faceswap.coaching.session.Exam", Marks)
    monkeypatch.setattr(DETERMINISM, lambda: None)  # it would count for all tests of this process
    monkeypatch.setattr("faceswap.coaching.session.EXAM_STEPS", 1)
    monkeypatch.setattr(Marks, "errors", [0.9, 0.5, 0.8, 0.7, 0.6])
    first = config(facesets, tmp_path / "m", iterations=5, deterministic=True, tensorboard=True)
    result = train(first)
    assert result.scores is not None and result.scores.distance == 0.6
    for iterations in (7, 9, 11):
        train(dataclasses.replace(first, iterations=iterations))
    there = sorted(int(p.name) for p in (tmp_path / "m" / "checkpoints").iterdir())
    assert there == [2, 7, 9, 11]
    network = model_folder.build(TINY)
    assert checkpoint.load(tmp_path / "m", network, use="best").iterations == 2
    assert checkpoint.load(tmp_path / "m", network).iterations == 11
    prints = {checkpoint.fingerprint(tmp_path / "m", use) for use in ("best", "newest")}
    assert len(prints) == 2
    state = json.loads((tmp_path / "m" / "checkpoints" / "000000002" / "state.json").read_text())
    assert state["scores"]["error"] == 0.5 and state["scores"]["iterations"] == 2
    rows = list(csv.DictReader((tmp_path / "m" / "losses.csv").open()))
    row = next(row for row in rows if row["iterations"] == "5")
    assert float(row["distance"]) == 0.6 and float(row["waiting"]) < 1
    assert len(list((tmp_path / "m" / "timelapse").glob("*.jpg"))) > 4
    film = cv2.VideoCapture(str(tmp_path / "m" / "timelapse.mp4"))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) > 4
    assert cv2.imread(str(tmp_path / "m" / "losses.png")).shape == (800, 1000, 3)
    events = next((tmp_path / "m" / "tensorboard").iterdir()).read_bytes()
    assert b"loss/a" in events and b"held_out/distance" in events and b"\x89PNG" in events


@pytest.mark.real
def test_it_ends_when_nothing_gets_better_and_says_so(facesets, tmp_path, monkeypatch):
    monkeypatch.setattr("faceswap.coaching.session.Exam", Marks)
    monkeypatch.setattr(DETERMINISM, lambda: None)  # it would count for all tests of this process
    monkeypatch.setattr("faceswap.coaching.session.EXAM_STEPS", 1)
    monkeypatch.setattr(pilot, "PATIENCE", (1, 1, 1))
    monkeypatch.setattr(Marks, "errors", [])
    long = config(facesets, tmp_path / "m", iterations=500, deterministic=True)
    result = train(long)
    assert result.finished and result.iterations < 60 and "get no better" in str(result)
    assert "--no-auto" in str(train(long))
    assert train(dataclasses.replace(long, auto=False, iterations=result.iterations + 2)).loss_a is not None


def test_detail_counts_more_in_the_last_stage(facesets, tmp_path, monkeypatch):
    seen, learning, told = [], set(), []

    class Noting(TrainingStep):
        def __call__(self, *batch):
            seen.append(len(self.objective._apart))
            learning.update([self.objective.critics, self.objective.reading])
            told.append(batch[-1])
            return super().__call__(*batch)

    monkeypatch.setattr("faceswap.groundwork.TrainingStep", Noting)
    train(config(facesets, tmp_path / "m", iterations=10, adversarial=0.1))
    assert seen == [0] * 9 + [1]  # the Laplacian pyramid beside L1 and DSSIM
    assert len(learning) == 2 and None not in learning, "what had learned goes on"
    assert all(batch.shape == (len(batch), 3) and np.ptp(batch) > 0 for batch in told)


def test_deterministic_needs_steps(facesets, tmp_path):
    with pytest.raises(UsageError, match="needs iterations"):
        config(facesets, tmp_path, deterministic=True, iterations=0, minutes=1)


KILLED = """
import hashlib, json, os, random, signal, sys, time
from pathlib import Path
from faceswap import TrainConfig, train
from faceswap.networks import checkpoint, model_folder
a, b, home, kills = *map(Path, sys.argv[1:4]), int(sys.argv[4])
model, chance = home / "m", random.Random(0)

def run(iterations):
    return train(TrainConfig(faceset_a=a, faceset_b=b, model=model, network="tiny", iterations=iterations,
                             minutes=0, batch_size=2, save_seconds=1, preview_seconds=1, auto=False))

def newest():
    return max((int(p.name) for p in (model / "checkpoints").glob("*") if p.name.isdigit()), default=0)

seen = 0
for number in range(kills):
    child = os.fork()
    if not child:
        run(10**6)
        os._exit(1)
    until = time.monotonic() + 120
    while newest() <= seen and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(chance.uniform(0, 1.5))  # anywhere: in a step, a save, a preview
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert newest() > seen, "nothing was saved"
    seen = newest()
    saved = model / "checkpoints" / f"{seen:09d}"
    sums = json.loads((saved / "state.json").read_text())["files"]  # TensorFlow cannot be forked once used
    assert len(sums) == 6
    assert all(hashlib.sha256((saved / name).read_bytes()).hexdigest() == sums[name] for name in sums)
result = run(seen + 3)
assert result.iterations == seen + 3
from faceswap.networks.optimizers import make
network = model_folder.build(model_folder.read_config(model))
optimizer = make("adam")
optimizer.build([w for part in network.parts.values() for w in part.trainable_variables])
checkpoint.load(model, network, optimizer)
assert int(optimizer.iterations) == seen + 3  # its moments were kept all along
print("survived", kills)
"""


@pytest.mark.real
@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_goes_on(facesets, tmp_path, kills):
    if not hasattr(os, "fork"):
        pytest.skip("no fork")
    arguments = [*map(str, facesets), str(tmp_path), str(kills)]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True, text=True)
    assert done.stdout.strip().endswith(f"survived {kills}"), done.stderr[-2000:]
