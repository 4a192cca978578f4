"""Networks whose size is an option: what they share, that they learn, and that a model keeps what it is."""

import json
from dataclasses import asdict

import keras
import numpy as np
import pytest
import tensorflow as tf

from faceswap import TrainConfig, train
from faceswap.errors import ModelError, UsageError
from faceswap.networks import checkpoint, model_folder
from faceswap.networks.building import build
from faceswap.networks.checkpoint import TrainingState
from faceswap.networks.model_folder import ModelConfig
from faceswap.networks.optimizers import make
from faceswap.networks.step import TrainingStep
from faceswap.options import DimensionOptions
from faceswap.registry import NETWORKS

SMALL = {"size": 64, "encoder_width": 2, "inner_width": 6, "decoder_width": 2}
SHARED = {"df": {"encoder", "inner"}, "liae": {"encoder", "inner_both", "decoder"}}


@pytest.fixture(autouse=True, scope="module")
def eager():
    """Compiling a step takes longer than the few steps taken here."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module", params=SHARED)
def named(request):
    keras.utils.set_random_seed(0)
    return request.param, build(request.param, DimensionOptions(**SMALL))


def ids(model):
    return {id(weight) for weight in model.weights}


def test_faces_and_masks_of_the_size_asked_for(named):
    _, network = named
    picture = np.random.default_rng(0).random((2, 64, 64, 3), np.float32)
    made = [network.path(side)(picture).numpy() for side in "ab"]
    assert made[0].shape == (2, 64, 64, 4) and made[0].min() > 0 and made[0].max() < 1
    assert np.abs(made[0] - made[1]).max() > 1e-4


def test_the_paths_share_what_the_paper_has_them_share(named):
    name, network = named
    a, b = ids(network.path("a")), ids(network.path("b"))
    parts = {part: ids(model) for part, model in network.parts.items()}
    assert {part for part, weights in parts.items() if weights <= a & b} == SHARED[name]
    assert a | b == set().union(*parts.values()) and sum(map(len, parts.values())) == len(a | b)
    assert network.parameters == sum(w.numpy().size for part in network.parts.values() for w in part.weights)


def test_b_of_liae_is_only_what_both_have():
    network = build("liae", DimensionOptions(**SMALL))
    assert ids(network.parts["inner_a"]) <= ids(network.path("a"))
    drawing_a = ids(network.parts["inner_a"]) - ids(network.encoder)
    assert drawing_a and not drawing_a & ids(network.path("b"))


def test_a_step_moves_all_weights_and_a_checkpoint_brings_them_back(named, tmp_path):
    name, network = named
    before = [w.numpy() for part in network.parts.values() for w in part.weights]
    step = TrainingStep(network, make("adam", 1e-2))
    draw = np.random.default_rng(0)
    pictures = draw.integers(0, 255, (4, 64, 64, 3)).astype(np.uint8)
    step(pictures, pictures, pictures[..., 0])
    after = [w.numpy() for part in network.parts.values() for w in part.weights]
    assert all((x != y).any() for x, y in zip(before, after, strict=True))
    model_folder.create(tmp_path, ModelConfig(name, coverage=1.25, **SMALL))
    checkpoint.save(tmp_path, network, step.optimizer, TrainingState(1, 1.0))
    again = model_folder.build(model_folder.read_config(tmp_path))
    checkpoint.load(tmp_path, again)
    assert (network.predictor("b")(pictures) == again.predictor("b")(pictures)).all()


@pytest.mark.parametrize("name", SMALL)
def test_each_dimension_is_obeyed_or_refused(name):
    for network in SHARED:
        plain, other = (
            build(network, DimensionOptions(**SMALL | change)) for change in ({}, {name: 2 * SMALL[name]})
        )
        assert other.parameters > plain.parameters
    for network in set(NETWORKS) - set(SHARED) - {"original", "swift"}:
        with pytest.raises(UsageError, match=f"'{network}'"):
            build(network, DimensionOptions(**{name: SMALL[name]}))


def test_sizes_that_cannot_be_halved_four_times():
    with pytest.raises(UsageError, match="multiple of 16"):
        build("df", DimensionOptions(size=100))


def test_a_model_keeps_its_dimensions(facesets, tmp_path):
    def run(**more):
        a, b = facesets
        values = {"network": "df", "minutes": 0, "batch_size": 1, **more}
        return train(TrainConfig(faceset_a=a, faceset_b=b, model=tmp_path / "m", **values))

    run(iterations=1, **SMALL)
    kept = json.loads((tmp_path / "m" / "config.json").read_text())
    assert kept.items() >= SMALL.items()
    assert run(iterations=2).iterations == 2
    with pytest.raises(ModelError, match="another inner_width"):
        run(iterations=3, inner_width=7)


def test_models_from_before_there_were_dimensions(tmp_path):
    old = {"network": "tiny", "size": 32, "coverage": 1.25, "format": 1}
    (tmp_path / "config.json").write_text(json.dumps(old))
    config = model_folder.read_config(tmp_path)
    assert asdict(config).items() >= old.items() and model_folder.build(config).size == 32
