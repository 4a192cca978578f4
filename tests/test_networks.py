import dataclasses
from contextlib import closing

import numpy as np
import pytest

from faceswap import registry
from faceswap.errors import ModelError, UsageError
from faceswap.networks import checkpoint, model_folder
from faceswap.networks.augmentation import Jitter
from faceswap.networks.checkpoint import TrainingState
from faceswap.networks.feed import Album, Feed
from faceswap.networks.losses import ssim_map
from faceswap.networks.model_folder import ModelConfig
from faceswap.networks.objective import fused
from faceswap.networks.optimizers import make
from faceswap.networks.preview import HELD, Sitters, sheet
from faceswap.networks.step import TrainingStep
from faceswap.types import to_float, to_image

TINY = ModelConfig("tiny", 32, 1.25)


def faces(count=6, side=42, seed=0):
    """Smooth random pictures with a mask in the middle."""
    import cv2

    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 255, (count, 5, 5, 3)).astype(np.uint8)
    images = np.stack([cv2.resize(c, (side, side), interpolation=cv2.INTER_CUBIC) for c in coarse])
    masks = np.zeros((count, side, side), np.uint8)
    masks[:, side // 5 : -side // 5, side // 5 : -side // 5] = 255
    return Album(images, masks)


@pytest.mark.parametrize("name", ["tiny", "swift"])
def test_networks_keep_the_size(name):
    network = registry.load(registry.NETWORKS, name)()
    picture = np.zeros((2, network.size, network.size, 3), np.float32)
    for side in "ab":
        made = network.path(side)(picture).numpy()
        assert made.shape == (*picture.shape[:3], 4) and made.min() >= 0 and made.max() <= 1
    assert network.parameters == sum(p.count_params() for p in network.parts.values())


def test_unknown_plug_ins_are_named():
    with pytest.raises(UsageError, match="'huge'; choose one of swift"):
        registry.load(registry.NETWORKS, "huge")


def test_the_predictor_gives_what_the_path_gives():
    network = registry.load(registry.NETWORKS, "tiny")()
    pictures = faces(3, side=32).images
    assert (network.predictor("b")(pictures) == to_image(network.path("b")(to_float(pictures)).numpy())).all()


def test_the_two_paths_share_the_encoder_and_nothing_else():
    network = registry.load(registry.NETWORKS, "tiny")()
    a, b = ({id(w) for w in network.path(side).trainable_variables} for side in "ab")
    assert a & b == {id(w) for w in network.encoder.trainable_variables}


def test_float_and_back():
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    assert (to_image(to_float(values)) == values).all()
    assert to_image(np.array([-1.0, 2.0])).tolist() == [0, 255]


def test_ssim_of_equals_is_one_and_falls_with_noise():
    x = to_float(faces().images)
    noise = np.random.default_rng(0).normal(0, 1, x.shape).astype(np.float32)
    scores = [float(np.mean(ssim_map(x, x + level * noise))) for level in (0, 0.02, 0.1)]
    assert scores[0] == pytest.approx(1, abs=1e-4)
    assert scores[0] > scores[1] > scores[2]


def test_ssim_by_hand():
    """One window over a whole constant picture: only the luminance term is left."""
    x, y = np.full((1, 15, 15, 3), 0.5, np.float32), np.full((1, 15, 15, 3), 0.25, np.float32)
    luminance = (2 * 0.5 * 0.25 + 1e-4) / (0.5**2 + 0.25**2 + 1e-4)
    assert ssim_map(x, y).numpy() == pytest.approx(luminance, abs=1e-4)


def test_training_lowers_both_losses_and_moves_all_weights():
    album_a, album_b = faces(seed=1), faces(seed=2)
    import keras

    keras.utils.set_random_seed(0)
    network = registry.load(registry.NETWORKS, "tiny")()
    before = [w.numpy() for part in network.parts.values() for w in part.trainable_variables]
    step = TrainingStep(network, make("adam", 3e-3))
    feed = Feed((album_a, album_b), 32, 4, 0)
    losses = [step(b.inputs, b.targets, b.masks) for b in map(feed.make, range(60))]
    assert np.mean(losses[-5:], 0) == pytest.approx(np.mean(losses[:3], 0) * 0.4, rel=0.6)
    assert (np.mean(losses[-5:], 0) < np.mean(losses[:3], 0)).all()
    after = [w.numpy() for part in network.parts.values() for w in part.trainable_variables]
    assert all((x != y).any() for x, y in zip(before, after, strict=True))


def test_the_feed_is_the_same_again_and_differs_from_step_to_step():
    albums = (faces(seed=1), faces(seed=2))
    with closing(Feed(albums, 32, 3, 7).batches(5)) as batches:
        first, second = next(batches), next(batches)
    again = Feed(albums, 32, 3, 7)
    assert (first.inputs == again.make(5).inputs).all() and (second.inputs == again.make(6).inputs).all()
    assert (first.inputs != second.inputs).any()
    assert (first.inputs != Feed(albums, 32, 3, 8).make(5).inputs).any()


def test_opencv_keeps_to_one_thread_while_a_feed_is_open():
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    with closing(Feed((faces(seed=1), faces(seed=2)), 32, 3, 7).batches(0)) as batches:
        next(batches)
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == 2
    cv2.setNumThreads(before)


def test_losses_compiled_as_one_piece_are_the_sum_of_their_parts():
    import tensorflow as tf

    draw = np.random.default_rng(0)
    made, wanted, mask = (tf.constant(draw.random((2, 32, 32, n), np.float32)) for n in (4, 3, 1))
    shares = {"l1": 2.0, "mse": 3.0, "dssim": 0.5, "ms_ssim": 1.5}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(made)
        total = 0.7 * tf.reduce_mean(tf.abs(made[..., 3:] - mask))
        for name, share in shares.items():
            total += share * registry.load(registry.LOSSES, name)(made[..., :3], wanted, mask + 0.1)
        compiled = 4 * fused(tuple(shares.items()), 0.7)(made, wanted, mask, mask + 0.1)
    assert float(compiled) == pytest.approx(4 * float(total), rel=1e-4)
    gradient, expected = tape.gradient(compiled, made).numpy(), 4 * tape.gradient(total, made).numpy()
    assert np.abs(gradient - expected).max() < 1e-3 * np.abs(expected).max()


def test_losses_that_are_compiled_take_pictures_of_several_sizes():
    same = fused((("l1", 1.0), ("dssim", 1.0)), 0.2)
    for side in (32, 48, 64, 32):
        made, wanted, mask = (np.full((2, side, side, n), 0.5, np.float32) for n in (4, 3, 1))
        assert float(same(made, wanted, mask, mask)) == pytest.approx(0, abs=1e-4)


def test_a_batch_tells_what_its_own_faces_do():
    """Each face is as grey as its expression says; nothing is varied."""
    still = Jitter(**{part.name: 0.0 for part in dataclasses.fields(Jitter)})

    def album(first):
        told = first + np.arange(9, dtype=np.float32)[:, None] * [[1, 2]]
        images = np.ones((9, 40, 40, 3)) * told[:, None, None, :1]
        return Album(images.astype(np.uint8), np.full((9, 40, 40), 255, np.uint8), range(3, 5), told)

    batch = Feed((album(10), album(100)), 32, 16, 0, still).make(0)
    assert batch.expressions.shape == (32, 2)
    assert (batch.targets[:, 16, 16, 0] == batch.expressions[:, 0]).all()
    silent = dataclasses.replace(album(10), expressions=None)
    assert Feed((silent, album(100)), 32, 4, 0, still).make(0).expressions is None


@pytest.fixture
def trained(tmp_path):
    """A tiny model with three checkpoints, and its network and step."""
    network = model_folder.build(TINY)
    step = TrainingStep(network, make("adam"))
    feed = Feed((faces(), faces(seed=1)), 32, 2, 0)
    model_folder.create(tmp_path / "m", TINY)
    for iteration in (1, 2, 3):
        batch = feed.make(iteration)
        step(batch.inputs, batch.targets, batch.masks)
        state = TrainingState(iteration, iteration * 2.5, {"seed": 1})
        checkpoint.save(tmp_path / "m", network, step.optimizer, state)
    return tmp_path / "m", network, step


def test_a_checkpoint_brings_everything_back(trained):
    folder, network, step = trained
    again = model_folder.build(model_folder.read_config(folder))
    other = TrainingStep(again, make("adam"))
    assert checkpoint.load(folder, again, other.optimizer) == TrainingState(3, 7.5, {"seed": 1})
    for name in network.parts:
        for x, y in zip(network.parts[name].variables, again.parts[name].variables, strict=True):
            assert (x.numpy() == y.numpy()).all()
    for x, y in zip(step.optimizer.variables, other.optimizer.variables, strict=True):
        assert (x.numpy() == y.numpy()).all()


def test_only_the_last_checkpoints_are_kept(trained):
    folder, network, step = trained
    checkpoint.save(folder, network, step.optimizer, TrainingState(4, 10.0))
    assert sorted(p.name[-1] for p in (folder / "checkpoints").iterdir()) == ["2", "3", "4"]


def test_weights_of_a_network_that_was_another_are_not_called_damaged(trained, monkeypatch, caplog):
    folder, _, _ = trained
    monkeypatch.setattr("faceswap.networks.tiny.FILTERS", 8)
    with pytest.raises(ModelError, match=f"{folder.name} is of another version"):
        checkpoint.load(folder, model_folder.build(TINY))
    assert not caplog.text


def test_a_damaged_checkpoint_gives_way_to_the_one_before(trained):
    folder, network, step = trained
    newest = folder / "checkpoints" / "000000003"
    with (newest / "encoder.npz").open("r+b") as file:
        file.truncate(1000)
    assert checkpoint.load(folder, model_folder.build(TINY)).iterations == 2
    for path in (folder / "checkpoints").iterdir():
        (path / "state.json").write_text("{")
    with pytest.raises(ModelError, match="no checkpoint"):
        checkpoint.load(folder, network, step.optimizer)


def test_a_half_written_checkpoint_does_not_count(trained):
    folder, network, _ = trained
    (folder / "checkpoints" / ".000000009.part").mkdir()
    assert checkpoint.load(folder, network).iterations == 3


def test_a_failing_save_leaves_the_old_ones(trained, monkeypatch):
    import errno

    from faceswap.errors import OutputError

    folder, network, step = trained

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OutputError, match="no space left"):
        checkpoint.save(folder, network, step.optimizer, TrainingState(9, 9.0))
    assert sorted(p.name for p in (folder / "checkpoints").iterdir()) == [f"00000000{i}" for i in "123"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "damaged"),
        ('{"network": "tiny"}', "not a model that 'faceswap train' makes"),
        ('{"network": "tiny", "size": 64, "coverage": 1.25}', "32 pixels, not 64"),
        ('{"network": "gone", "size": 64, "coverage": 1.25}', "there is no 'gone'"),
        ('{"network": "tiny", "size": 32, "coverage": 1.25, "format": 9}', "format 9"),
    ],
)
def test_broken_model_configs(tmp_path, text, word):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match=word):
        model_folder.build(model_folder.read_config(tmp_path))


def test_models_that_are_not_there(tmp_path):
    with pytest.raises(ModelError, match="faceswap train"):
        model_folder.read_config(tmp_path)
    model_folder.create(tmp_path, TINY)
    with pytest.raises(ModelError, match="no checkpoint yet"):
        checkpoint.load(tmp_path, model_folder.build(TINY))
    with pytest.raises(ModelError, match="no checkpoint yet"):
        checkpoint.fingerprint(tmp_path)


def test_the_preview_shows_both_sides_the_mask_and_who_is_held_out():
    draw = model_folder.build(TINY).predictor("a")
    sitters = Sitters(faces(5, side=32).images, [False] * 4 + [True])
    picture = sheet(draw, draw, sitters, sitters, "title")
    assert picture.shape == (44 + 5 * 128, 8 * 128 + 6, 3)
    mask = picture[44:172, 3 * 128 : 4 * 128]
    assert (mask == mask[..., :1]).all()
    corners = picture[44 + 1 :: 128, 1]
    assert (corners[4] == HELD).all() and not (corners[:4] == HELD).all(1).any()


def test_the_mask_is_learned():
    import keras

    keras.utils.set_random_seed(0)
    network = registry.load(registry.NETWORKS, "tiny")()
    step, album = TrainingStep(network, make("adam", 3e-3)), faces()
    feed = Feed((album, album), 32, 4, 0)
    for batch in map(feed.make, range(250)):
        step(batch.inputs, batch.targets, batch.masks)
    seen = network.path("a")(to_float(album.images[:, 5:37, 5:37])).numpy()[..., 3]
    wanted = album.masks[:, 5:37, 5:37] > 127
    assert ((seen > 0.5) == wanted).mean() > 0.9
