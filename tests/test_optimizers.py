import dataclasses
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from faceswap import TrainConfig, registry, train
from faceswap.errors import OutputError, UsageError
from faceswap.networks import checkpoint, model_folder, rates
from faceswap.networks.autoencoder import Autoencoder
from faceswap.networks.checkpoint import TrainingState
from faceswap.networks.feed import Album, Feed
from faceswap.networks.model_folder import ModelConfig
from faceswap.networks.optimizers import PATIENCE, WINDOW, Average, Plateau, Schedule, make, weights_of
from faceswap.networks.step import TrainingStep
from faceswap.options import OptimizerOptions

TINY = ModelConfig("tiny", 32, 1.25)
NAMES = list(registry.OPTIMIZERS)


def feed(seed=0):
    """Batches of smooth random pictures."""
    draw = np.random.default_rng(seed)
    albums = []
    for _ in range(2):
        coarse = draw.integers(0, 255, (6, 5, 5, 3)).astype(np.uint8)
        images = np.stack([cv2.resize(c, (42, 42), interpolation=cv2.INTER_CUBIC) for c in coarse])
        masks = np.zeros((6, 42, 42), np.uint8)
        masks[:, 8:34, 8:34] = 255
        albums.append(Album(images, masks))
    return Feed((albums[0], albums[1]), 32, 2, seed)


def new(name="adam", rate=0.0, decay=0.0, clip=0.0, ema=0.0):
    """The same tiny network each time, and its step."""
    keras.utils.set_random_seed(0)
    network = model_folder.build(TINY)
    average = Average(model_folder.build(TINY), ema) if ema else None
    return TrainingStep(network, make(name, rate, decay), clip, average), network


def go(step, numbers):
    batches = map(feed().make, numbers)
    return [sum(step(batch.inputs, batch.targets, batch.masks)) for batch in batches]


def values(variables):
    return np.concatenate([np.ravel(variable.numpy()) for variable in variables]).astype(np.float64)


def test_each_optimizer_learns_and_no_two_alike():
    """A line through points, by gradient descent."""
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(64, 8)).astype(np.float32)
    wanted = inputs @ draw.normal(0, 0.1, (8, 1)).astype(np.float32)
    moved = {}
    for name in NAMES:
        weights, optimizer = keras.Variable(np.full((8, 1), 0.1, np.float32)), make(name)
        optimizer.build([weights])
        errors = []
        for number in range(60):
            error = inputs @ weights.numpy() - wanted
            errors.append(float(np.square(error).mean()))
            optimizer.apply([2 * inputs.T @ error / len(inputs)], [weights])
            if number == 2:
                moved[name] = weights.numpy()
        assert errors[-1] < 0.9 * errors[0], (name, errors[-1] / errors[0])
    for index, name in enumerate(NAMES):
        for other in NAMES[index + 1 :]:
            assert np.abs(moved[name] - moved[other]).max() > 1e-7, (name, other)


def push(step, network, numbers):
    """Move the weights by gradients that depend on the number only."""
    for number in numbers:
        draw = np.random.default_rng(number)
        gradients = [draw.normal(0, 0.01, weight.shape).astype(np.float32) for weight in weights_of(network)]
        step.optimizer.apply(gradients, step._weights)


@pytest.mark.parametrize("name", NAMES)
def test_each_goes_on_with_its_moments(name, tmp_path):
    """Saved, read into a new step and trained on, it ends where the old one does."""
    step, network = new(name)
    push(step, network, range(3))
    model_folder.create(tmp_path, TINY)
    checkpoint.save(tmp_path, network, step.optimizer, TrainingState(3))
    resumed, again = new(name)
    fresh = values(resumed.optimizer.variables)
    checkpoint.load(tmp_path, again, resumed.optimizer)
    moments = values(resumed.optimizer.variables)
    assert (moments == values(step.optimizer.variables)).all() and (moments != fresh).any()
    push(step, network, range(3, 5))
    push(resumed, again, range(3, 5))
    assert (values(weights_of(again)) == values(weights_of(network))).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_rate_counts_at_once_and_is_compiled_once(name):
    weights = keras.Variable(np.linspace(-1, 1, 40, dtype=np.float32))
    optimizer = make(name)
    optimizer.build([weights])
    step = tf.function(lambda gradient: optimizer.apply([gradient], [weights]))
    before, gradient = weights.numpy(), tf.constant(np.linspace(0.1, 1, 40, dtype=np.float32))
    for rate, least, most in ((0.0, 0, 2e-6), (0.01, 1e-5, 1.0)):
        optimizer.learning_rate = rate
        step(gradient)
        step(gradient)
        assert least <= np.abs(weights.numpy() - before).max() <= most
    assert step.experimental_get_tracing_count() == 1


def test_the_rate_of_a_step_can_be_set_and_it_is_compiled_once():
    step, network = new()
    before, step.rate = values(weights_of(network)), 0.0
    go(step, range(2))
    still = values(weights_of(network))
    np.testing.assert_allclose(still, before, atol=2e-6)
    step.rate = 0.01
    assert step.rate == pytest.approx(0.01)
    go(step, range(2))
    assert np.abs(values(weights_of(network)) - still).max() > 1e-5
    assert step._compiled.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("name", NAMES)
def test_weight_decay_makes_weights_smaller(name):
    norms = []
    for decay in (1e-6, 1.0):
        weights = keras.Variable(np.linspace(-1, 1, 40, dtype=np.float32))
        optimizer = make(name, 0.01, decay)
        optimizer.build([weights])
        for _ in range(5):
            optimizer.apply([np.full(40, 1e-4, np.float32)], [weights])
        norms.append(np.linalg.norm(weights.numpy()))
    assert norms[1] < norms[0] * 0.999


@pytest.mark.parametrize("name, kind", [("adam", keras.optimizers.Adam), ("adamw", keras.optimizers.AdamW)])
def test_adam_is_keras_adam(name, kind):
    draw, moved = np.random.default_rng(0), []
    gradients = draw.normal(size=(6, 40)).astype(np.float32)
    for optimizer in (make(name, 0.01), kind(0.01, beta_1=0.5, beta_2=0.999)):
        weights = keras.Variable(np.linspace(-1, 1, 40, dtype=np.float32))
        optimizer.build([weights])
        for gradient in gradients:
            optimizer.apply([gradient], [weights])
        moved.append([weights.numpy(), *(variable.numpy() for variable in optimizer.variables)])
    for ours, theirs in zip(*moved, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_adamw_decays_by_itself():
    moved = [new(name)[0].optimizer.weight_decay for name in ("adam", "adamw")]
    assert moved == [None, 0.004]


def test_ftrl_begins_with_the_weights_as_they_are():
    step, network = new("ftrl", rate=1e-6)
    before = values(weights_of(network))
    go(step, range(3))
    np.testing.assert_allclose(values(weights_of(network)), before, atol=1e-4)


def test_an_unknown_optimizer_is_named():
    with pytest.raises(UsageError, match="'sofia'; choose one of adam"):
        make("sofia")
    with pytest.raises(UsageError, match="one of adam"):
        OptimizerOptions(optimizer="sofia")


def test_the_gradient_is_cut_to_length():
    moved = {}
    for clip in (0.0, 1e-3, 1e6):
        step, network = new("sgd", rate=1.0, clip=clip)
        before = values(weights_of(network))
        go(step, [1])
        moved[clip] = values(weights_of(network)) - before
    length = np.linalg.norm(moved[0.0])
    assert length > 1e-2 and np.linalg.norm(moved[1e-3]) == pytest.approx(1e-3, rel=1e-2)
    np.testing.assert_allclose(moved[1e-3] / 1e-3, moved[0.0] / length, atol=1e-3)
    np.testing.assert_allclose(moved[1e6], moved[0.0], atol=1e-7)


def test_the_average_follows_by_the_formula():
    step, network = new(rate=0.01, ema=0.2)
    wanted = values(weights_of(network))
    for number in range(5):
        go(step, [number])
        kept = min(0.2, (2 + number) / (11 + number))
        wanted += (1 - kept) * (values(weights_of(network)) - wanted)
    mean = values(weights_of(step.average.network))
    np.testing.assert_allclose(mean, wanted, atol=1e-5)
    assert np.abs(mean - values(weights_of(network))).max() > 1e-4
    assert step.shown is step.average.network and new()[0].shown is not None


def test_the_average_is_saved_and_is_what_is_used(tmp_path):
    step, network = new(rate=0.01, ema=0.9)
    go(step, range(4))
    mean, weights = values(weights_of(step.average.network)), values(weights_of(network))
    model_folder.create(tmp_path, TINY)
    checkpoint.save(tmp_path, network, step.optimizer, TrainingState(4), step.average.network)
    used = model_folder.build(TINY)
    checkpoint.load(tmp_path, used)
    assert (values(weights_of(used)) == mean).all()
    resumed, again = new(ema=0.9)
    checkpoint.load(tmp_path, again, resumed.optimizer, resumed.average.network)
    assert (values(weights_of(again)) == weights).all()
    assert (values(resumed.average.weights) == mean).all()


def test_an_average_that_is_new_begins_with_the_weights(tmp_path):
    step, network = new()
    go(step, range(3))
    model_folder.create(tmp_path, TINY)
    checkpoint.save(tmp_path, network, step.optimizer, TrainingState(3))
    resumed, again = new(ema=0.9)
    checkpoint.load(tmp_path, again, resumed.optimizer, resumed.average.network)
    assert (values(resumed.average.weights) == values(weights_of(network))).all()


def test_another_optimizer_begins_without_moments(tmp_path, caplog):
    step, network = new("adam")
    go(step, range(3))
    model_folder.create(tmp_path, TINY)
    checkpoint.save(tmp_path, network, step.optimizer, TrainingState(3))
    other, again = new("adamw")
    with caplog.at_level(logging.WARNING):
        checkpoint.load(tmp_path, again, other.optimizer)
    assert "trained with adam so far: adamw begins" in caplog.text
    assert int(other.optimizer.iterations) == 0
    assert (values(weights_of(again)) == values(weights_of(network))).all()


def test_checkpoints_of_before_there_was_a_choice_are_adam_s(tmp_path, caplog):
    step, network = new()
    go(step, range(3))
    model_folder.create(tmp_path, TINY)
    checkpoint.save(tmp_path, network, step.optimizer, TrainingState(3))
    path = next(tmp_path.glob("checkpoints/*/state.json"))
    state = json.loads(path.read_text())
    del state["optimizer"], state["plateau"]
    path.write_text(json.dumps(state))
    resumed, again = new()
    assert checkpoint.load(tmp_path, again, resumed.optimizer) == TrainingState(3)
    assert int(resumed.optimizer.iterations) == 3 and not caplog.text


def test_schedules_by_hand():
    assert [Schedule("constant", 0.5).at(share, 9) for share in (0, 0.5, 1)] == [0.5] * 3
    cosine = Schedule("cosine", 2.0)
    assert [cosine.at(share, 9) for share in (0, 0.5, 1, 1.3)] == pytest.approx([2, 1.01, 0.02, 0.02])
    assert cosine.at(1 / 3, 9) == pytest.approx(2 * (0.01 + 0.99 * 0.75))
    warm = Schedule("cosine", 1.0, warmup=4)
    assert [warm.at(0, i) for i in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert Schedule("plateau", 1.0).at(0.7, 9, 0.25) == 0.25


def plateau(losses):
    """What it comes to when each loss stands for a window."""
    state = Plateau()
    for loss in losses:
        for _ in range(WINDOW):
            state = state.after(loss)
        state = Plateau(**json.loads(json.dumps(dataclasses.asdict(state))))  # as a checkpoint keeps it
    return state


def test_the_plateau_waits_and_then_halves():
    falling = [0.9**i for i in range(20)]
    assert plateau(falling).scale == 1
    assert plateau([1.0] * PATIENCE).scale == 1 and plateau([1.0] * (PATIENCE + 1)).scale == 0.5
    assert plateau([1.0] * (1 + 2 * PATIENCE)).scale == 0.25
    assert plateau([1.0, 0.999, 0.998, 0.997]).scale == 0.5  # hardly falling
    assert plateau([1.0, 1.0, 1.0, 0.9, 0.9, 0.9]).scale == 1  # patience begins anew
    assert plateau([1.0] * 100).scale == 1 / 64
    assert plateau([1.0, *([float("nan")] * PATIENCE)]).scale == 0.5


def test_the_suggested_rate_is_the_largest_safe_one():
    scale = np.geomspace(1e-6, 10, 141)
    power = np.log10(scale)
    falling = 1 - 0.5 * np.clip(power + 4, 0, 2) / 2 + np.clip(power, 0, 1)  # from 1e-4 to 1e-2; bursts at 1
    assert rates.suggest(scale, falling) == pytest.approx(1e-2 / 3, rel=0.3)
    trained = 0.3 + 0.3 * np.clip(power + 1, 0, 1)  # flat up to 0.1
    assert rates.suggest(scale, trained) == pytest.approx(1e-2, rel=0.2)
    assert rates.suggest(scale[:1], trained[:1]) == pytest.approx(1e-7)


def test_a_sweep_leaves_everything_as_it_was():
    step, _ = new(ema=0.9)
    go(step, range(3))
    before, rate = values(step.variables), step.rate
    found = rates.sweep(step, map(feed().make, range(rates.STEPS)))
    assert (values(step.variables) == before).all() and step.rate == rate
    assert 1e-5 < found.suggested < 0.1
    assert len(found.rates) == len(found.losses) == len(found.smoothed) > 20
    assert np.isfinite(found.losses).all()
    assert rates.picture(found).shape == (500, 800, 3)


def test_a_sweep_ends_where_the_loss_bursts():
    class Bursting:
        """A step whose loss is 1 up to a rate of a hundredth, and from there on ten times what it was."""

        variables, rate, loss = (), 0.0, 1.0

        def __call__(self, *_):
            self.loss *= 10 if self.rate > 0.01 else 1
            return self.loss / 2, self.loss / 2

    found = rates.sweep(Bursting(), map(feed().make, range(rates.STEPS)))
    assert 0.01 < found.rates[-1] < 0.02 and found.suggested < 0.01
    calm = [1.0] * 20
    assert rates._burst([*calm, float("nan")]) and rates._burst([*calm, 2, 2, 2, 2])
    assert not rates._burst(calm) and not rates._burst([*calm, 2])


def config(facesets, model, **more):
    a, b = facesets
    given = {"network": "tiny", "iterations": 12, "batch_size": 2, "minutes": 0, "auto": False, **more}
    return TrainConfig(faceset_a=a, faceset_b=b, model=model, **given)


def test_train_finds_a_rate_and_trains_nothing(facesets, tmp_path):
    path = tmp_path / "rate.png"
    result = train(config(facesets, tmp_path / "m", find_rate=path))
    assert result.iterations == 0 and "--learning-rate" in str(result)
    assert cv2.imread(str(path)).shape == (500, 800, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["rate.png"]
    with pytest.raises(OutputError, match="exists"):
        train(config(facesets, tmp_path / "m", find_rate=path))


def rates_seen(monkeypatch):
    seen = []

    class Noting(TrainingStep):
        def __call__(self, *batch):
            seen.append(self.rate)
            return super().__call__(*batch)

    monkeypatch.setattr("faceswap.groundwork.TrainingStep", Noting)
    return seen


def test_training_follows_the_schedule(facesets, tmp_path, monkeypatch):
    seen = rates_seen(monkeypatch)
    train(config(facesets, tmp_path / "m", schedule="cosine", warmup=3, learning_rate=0.01, auto=False))
    wanted = Schedule("cosine", 0.01, 3)
    assert seen == pytest.approx([wanted.at(i / 12, i) for i in range(12)], rel=1e-4)


def test_training_lowers_the_rate_on_a_plateau_and_keeps_it(facesets, tmp_path, monkeypatch):
    monkeypatch.setattr("faceswap.networks.optimizers.WINDOW", 2)
    monkeypatch.setattr("faceswap.networks.optimizers.BETTER", 1.0)  # nothing is ever better
    seen = rates_seen(monkeypatch)
    options = {"schedule": "plateau", "learning_rate": 1e-3, "auto": False}
    train(config(facesets, tmp_path / "m", **options))
    assert seen == pytest.approx([1e-3] * 8 + [5e-4] * 4, rel=1e-4)
    train(config(facesets, tmp_path / "m", **options, iterations=16))
    assert seen[12:] == pytest.approx([5e-4] * 2 + [2.5e-4] * 2, rel=1e-4)


def test_training_with_an_average_converts_with_it(facesets, tmp_path, monkeypatch):
    shown = []

    def predictor(network, side):
        shown.append(network)
        return predict(network, side)

    predict = Autoencoder.predictor
    monkeypatch.setattr(Autoencoder, "predictor", predictor)
    train(config(facesets, tmp_path / "m", ema=0.9, learning_rate=0.01))
    used, trained = model_folder.build(TINY), model_folder.build(TINY)
    checkpoint.load(tmp_path / "m", used)
    checkpoint.load(tmp_path / "m", trained, new()[0].optimizer)
    assert (values(weights_of(used)) == values(weights_of(shown[-1]))).all()
    assert np.abs(values(weights_of(used)) - values(weights_of(trained))).max() > 1e-4


RESUMED = """
import sys
from pathlib import Path
import numpy as np
from faceswap import TrainConfig, train
from faceswap.networks.step import TrainingStep

a, b, home, name = sys.argv[1:]

def run(folder, **more):
    return train(TrainConfig(
        faceset_a=a, faceset_b=b, model=Path(home) / folder, network="tiny", iterations=20, minutes=0,
        batch_size=2, optimizer=name, schedule="cosine", warmup=5, clip=0.5, ema=0.9, color_transfer=0.5,
        noise=0.05, deterministic=True, **more))

class Dying(TrainingStep):
    def __call__(self, *batch):
        if int(self.optimizer.iterations) == stop:
            raise KeyboardInterrupt
        return super().__call__(*batch)

run("whole")
import faceswap.groundwork as groundwork
for stop in (7, 17):  # before and after the warp is switched off
    groundwork.TrainingStep = Dying
    assert run("halves").interrupted
    groundwork.TrainingStep = TrainingStep
run("halves")
last = [Path(home) / name / "checkpoints" / "000000020" for name in ("whole", "halves")]
whole, halves = (sorted(folder.glob("*.npz")) for folder in last)
assert len(whole) == len(halves) == 9
for x, y in zip(whole, halves):
    x, y = np.load(x), np.load(y)
    assert all(np.array_equal(x[key], y[key]) for key in x.files)
print("the same")
"""


SLOW = pytest.mark.slow


@pytest.mark.real
@pytest.mark.parametrize(
    "name", ["adam", pytest.param("nadam", marks=SLOW), pytest.param("ftrl", marks=SLOW)]
)
def test_stopped_and_resumed_equals_uninterrupted(facesets, tmp_path, name):
    """Weights, moments and average, bit for bit."""
    arguments = [*map(str, facesets), str(tmp_path), name]
    threads = {"TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "2"}  # with one all would be alike
    done = subprocess.run(
        [sys.executable, "-c", RESUMED, *arguments], capture_output=True, text=True, env=os.environ | threads
    )
    assert done.stdout.strip() == "the same", done.stderr[-2000:]
    assert Path(tmp_path / "halves").is_dir()
