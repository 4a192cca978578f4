"""The kinds of bottleneck, the critics and the precision: each makes another training of it."""

from contextlib import closing
from functools import cache

import keras
import numpy as np
import pytest
import tensorflow as tf

from faceswap import TrainConfig, registry, train
from faceswap.errors import UsageError
from faceswap.networks import bottleneck as kinds
from faceswap.networks import checkpoint, model_folder, precision
from faceswap.networks.bottleneck import Bottleneck
from faceswap.networks.building import build
from faceswap.networks.checkpoint import TrainingState
from faceswap.networks.critics import Critics
from faceswap.networks.feed import Album, Feed
from faceswap.networks.model_folder import ModelConfig
from faceswap.networks.objective import Objective
from faceswap.networks.optimizers import make
from faceswap.networks.stacking import pretrain, stages
from faceswap.networks.step import TrainingStep
from faceswap.options import BottleneckOptions, DimensionOptions, LossOptions


@pytest.fixture(autouse=True, scope="module")
def eager():
    """Compiling a step takes longer than the few steps taken here."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def album(seed):
    draw = np.random.default_rng(seed)
    images = draw.integers(0, 255, (6, 40, 40, 3)).astype(np.uint8)
    masks = np.zeros((6, 40, 40), np.uint8)
    masks[:, 8:-8, 8:-8] = 255
    return Album(images, masks)


FEED = Feed((album(0), album(1)), 32, 2, 0)


def begun(losses=None, policy="float32", **options):
    keras.utils.set_random_seed(0)
    with precision.counting(policy):
        network = registry.load(registry.NETWORKS, "tiny")()
    losses = LossOptions(**{"eyes": 1.0, "mouth": 1.0, **(losses or {})})
    critics = Critics(32, losses.adversarial_game) if losses.adversarial else None
    return network, TrainingStep(
        network,
        precision.scaled(make("adam", 3e-3), policy),
        objective=Objective(losses, 32, critics=critics),
        bottleneck=Bottleneck(BottleneckOptions(**options)),
    )


def weights(network):
    return np.concatenate([w.numpy().ravel() for part in network.parts.values() for w in part.weights])


def learn(step, numbers):
    for batch in map(FEED.make, numbers):
        step(batch.inputs, batch.targets, batch.masks)


@cache
def plain(first=0):
    network, step = begun()
    learn(step, range(first, 2))
    return weights(network)


@pytest.mark.parametrize(
    "options",
    [
        {"bottleneck": "sparse"},
        {"bottleneck": "sparse", "sparsity": "kl"},
        {"bottleneck": "denoising", "noise_code": 0.0},
        {"bottleneck": "denoising", "noise_input": 0.0},
        {"bottleneck": "denoising", "noise_kind": "gaussian"},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_a_training_with_it_is_another_and_the_same_again(options):
    twice = []
    for _ in range(2):
        network, step = begun(**options)
        learn(step, range(1, 2))
        twice.append(weights(network))
    assert np.abs(twice[0] - plain(1)).max() > 1e-4
    assert (twice[0] == twice[1]).all()


@pytest.mark.parametrize("cost", [kinds.sparsity, lambda code: kinds.divergence(code, 0.1)])
def test_a_sparse_code_is_one_with_few_large_numbers(cost):
    code = tf.Variable(np.random.default_rng(0).normal(0, 1, (16, 32)).astype(np.float32))
    for _ in range(60):
        with tf.GradientTape() as tape:
            value = cost(code)
        gradient = tape.gradient(value, code)
        code.assign_sub(0.1 * gradient / tf.sqrt(tf.reduce_mean(gradient**2)))
    small = np.abs(code.numpy()) < 0.2 * np.sqrt((code.numpy() ** 2).mean(1, keepdims=True))
    assert small.mean() > 0.5 and np.isfinite(code.numpy()).all()
    assert float(cost(code)) == pytest.approx(float(cost(100 * code)), rel=0.01)  # a scale gains nothing


def test_noise_is_as_strong_as_was_asked_for():
    ones = np.ones((4, 50, 50, 3), np.float32)
    gone = kinds.masked(ones, 0.3, 1.0, [0, 1]).numpy()
    assert 0.25 < (gone == 0).mean() < 0.35 and (gone.min(-1) == gone.max(-1)).all()
    assert kinds.blurred(ones, 0.2, 1.0, [0, 1]).numpy().std() == pytest.approx(0.2, rel=0.05)
    assert (gone != kinds.masked(ones, 0.3, 1.0, [0, 2]).numpy()).any()


def test_options_of_another_kind_are_refused():
    with pytest.raises(UsageError, match="sparse_weight is for --bottleneck sparse"):
        BottleneckOptions(bottleneck="denoising", sparse_weight=0.5)


@pytest.mark.parametrize("name", ["tiny", "df", "liae"])
def test_layer_by_layer_each_learns_to_keep_what_it_gets(name):
    small = {"size": 64, "encoder_width": 2, "inner_width": 6, "decoder_width": 2}
    network = build(name, DimensionOptions(**{} if name == "tiny" else small))
    before = [w.numpy() for w in network.encoder.weights]
    feed = Feed((album(0), album(1)), 32, 2, 0) if name == "tiny" else Feed(FEED._albums, 64, 2, 0)
    steps = 12 if name == "tiny" else 1
    with closing(feed.batches(0)) as batches:
        losses = list(pretrain(network.encoder, batches, steps))
    assert len(losses) == steps * len(stages(network.encoder))
    assert all(
        (x != y).any() for x, y in zip(before, [w.numpy() for w in network.encoder.weights], strict=True)
    )
    if name == "tiny":
        for layer in np.reshape(losses, (-1, steps)):
            assert layer[-1] < layer[0]


def test_stacked_trains_the_layers_first(facesets, tmp_path):
    a, b = facesets
    options = {"network": "tiny", "minutes": 0, "batch_size": 1, "bottleneck": "stacked", "stack_steps": 2}
    seen = []

    def progress(iterable, *, total=None, desc="", unit="it", note=None):
        for item in iterable:
            seen.append(desc)
            yield item

    folders = {"faceset_a": a, "faceset_b": b, "model": tmp_path / "m"}
    for iterations in (1, 2):  # going on, it is not done again
        train(TrainConfig(**folders, iterations=iterations, **options), progress)
    assert seen.count("layer by layer") == 6


def test_the_adversary_makes_another_training_and_learns_itself():
    network, step = begun({"adversarial": 0.5})
    before = [v.numpy() for v in step.kept["discriminator_b"]]
    learn(step, range(2))
    assert np.abs(weights(network) - plain()).max() > 1e-4
    assert any((x != v.numpy()).any() for x, v in zip(before, step.kept["discriminator_b"], strict=True))
    other, squares = begun({"adversarial": 0.5, "adversarial_game": "least-squares"})
    learn(squares, range(2))
    assert np.abs(weights(network) - weights(other)).max() > 1e-4


def test_the_adversary_goes_on_bit_for_bit(tmp_path):
    model = ModelConfig("tiny", 32, 1.25)
    network, step = begun({"adversarial": 0.5}, bottleneck="denoising")
    learn(step, range(2))
    model_folder.create(tmp_path, model)
    checkpoint.save(tmp_path, network, step.optimizer, TrainingState(2, 1.0), None, step.kept)
    learn(step, range(2, 4))
    again, later = begun({"adversarial": 0.5}, bottleneck="denoising")
    checkpoint.load(tmp_path, again, later.optimizer, kept=later.kept)
    learn(later, range(2, 4))
    assert (weights(network) == weights(again)).all()
    for x, y in zip(step.variables, later.variables, strict=True):
        assert (x.numpy() == y.numpy()).all()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_the_bits_for_layers_and_all_for_weights(policy):
    network, step = begun(policy=policy)
    learn(step, range(2))
    found = weights(network)
    assert found.dtype == np.float32 and np.isfinite(found).all()
    assert 0 < np.abs(found - plain()).max() < 0.05
    assert network.encoder.compute_dtype == policy.removeprefix("mixed_")
    image = FEED.make(0).inputs
    assert np.abs(network.predictor("a")(image).astype(int) - begun()[0].predictor("a")(image)).mean() < 30
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="the graphics card decides")
@pytest.mark.parametrize(
    ("flags", "policy"),
    [("fpu avx512f avx512_bf16 vnni", "mixed_bfloat16"), ("fpu avx512f", "float32"), (None, "float32")],
)
def test_half_the_bits_only_where_the_processor_multiplies_them(flags, policy, tmp_path, monkeypatch):
    told = tmp_path / "cpuinfo"
    if flags:
        told.write_text(f"model name\t: any\nflags\t\t: {flags}\nbugs\t\t: amx_bf16\n")
    monkeypatch.setattr(precision, "PROCESSOR", told)
    assert precision.chosen("auto") == policy
    assert precision.drawing() == policy.removeprefix("mixed_"), "weights need not be made shorter each time"
    assert precision.chosen("mixed_float16") == "mixed_float16"
