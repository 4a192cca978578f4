"""Each loss: what it measures, and that a training with it is another than one without."""

from dataclasses import fields
from functools import cache

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from faceswap import registry
from faceswap.faces.template import MEAN_FACE
from faceswap.networks.feed import Album, Feed
from faceswap.networks.likeness import Likeness
from faceswap.networks.losses import laplacian, ms_ssim, ssim_map
from faceswap.networks.objective import EYES, MOUTH, Objective, importance
from faceswap.networks.optimizers import make
from faceswap.networks.reading import Reading
from faceswap.networks.step import TrainingStep
from faceswap.options import LossOptions

SIZE = 32
LANDMARKS = (MEAN_FACE / 1.25 + 0.5) * SIZE - 0.5


@pytest.fixture(autouse=True, scope="module")
def features():
    """Stands for VGG16's: edges at two scales, by filters drawn at random."""
    keras.utils.set_random_seed(1)
    picture = keras.Input((None, None, 3))
    fine = keras.layers.Conv2D(8, 3, padding="same")(picture)
    coarse = keras.layers.Conv2D(8, 3, padding="same")(keras.layers.AveragePooling2D(2)(fine))
    network = keras.Model(picture, [fine, coarse], trainable=False)
    with pytest.MonkeyPatch.context() as patch:
        counts = np.ones(8, np.float32)
        patch.setattr("faceswap.networks.perceptual.features", lambda: (network, [counts, counts]))
        yield


def smooth(count=4, side=SIZE, seed=0):
    """Pictures with something to see at each scale, float32 0.2 to 0.8."""
    draw = np.random.default_rng(seed)
    total = np.zeros((count, side, side, 3))
    for size in (4, 8, 16, 32):
        coarse = draw.uniform(-1, 1, (count, size, size, 3))
        total += tf.image.resize(coarse, (side, side), "bicubic").numpy() / 8
    return np.clip(0.5 + total, 0.2, 0.8).astype(np.float32)


def noisy(level, x, seed=1):
    return x + np.float32(level) * np.random.default_rng(seed).normal(0, 1, x.shape).astype(np.float32)


def everywhere(x):
    return np.ones((*x.shape[:3], 1), np.float32)


def loss(name):
    return registry.load(registry.LOSSES, name)


def test_each_loss_is_an_option():
    assert set(registry.LOSSES) <= {field.name for field in fields(LossOptions)}


@pytest.mark.parametrize("name", registry.LOSSES)
def test_nothing_between_equals_and_more_with_noise(name):
    x = smooth()
    values = [float(loss(name)(noisy(level, x), x, everywhere(x))) for level in (0, 0.02, 0.05, 0.1)]
    assert values[0] == pytest.approx(0, abs=1e-5) and values == sorted(values) and values[1] > 1e-4


@pytest.mark.parametrize("name", registry.LOSSES)
def test_only_pixels_that_count_count(name):
    """Errors on the right do not show where the left counts, but for what windows see of them."""
    x, left = smooth(side=64), np.zeros((4, 64, 64, 1), np.float32)
    left[:, :, :24] = 1
    wrong = x.copy()
    wrong[:, :, 40:] = noisy(0.2, x)[:, :, 40:]
    there, here = (float(loss(name)(wrong, x, weight)) for weight in (1 - left, left))
    assert here < 0.1 * there


@pytest.mark.parametrize("name", registry.LOSSES)
def test_going_down_its_gradient_makes_it_less(name):
    x = smooth()
    made = tf.Variable(noisy(0.05, x))
    before = float(loss(name)(made, x, everywhere(x)))
    for _ in range(8):
        with tf.GradientTape() as tape:
            value = loss(name)(made, x, everywhere(x))
        gradient = tape.gradient(value, made)
        made.assign_sub(0.004 * gradient / (tf.sqrt(tf.reduce_mean(gradient**2)) + 1e-12))
    assert np.isfinite(made.numpy()).all() and float(value) < 0.8 * before


def test_losses_in_numbers():
    x = smooth()
    assert float(loss("l1")(x + 0.1, x, everywhere(x))) == pytest.approx(0.1, rel=1e-3)
    assert float(loss("mse")(x + 0.1, x, everywhere(x))) == pytest.approx(0.01, rel=1e-3)
    noise = noisy(0.1, x)
    assert float(loss("dssim")(x, noise, everywhere(x))) == pytest.approx(by_windows(x, noise), rel=1e-3)


def by_windows(x, y):
    """(1 - SSIM) / 2 in windows of six pixels, two apart, of pictures whose pixels all count the same."""
    parts = [np.lib.stride_tricks.sliding_window_view(each, (6, 6), (1, 2))[:, ::2, ::2] for each in (x, y)]
    (x, mean_x), (y, mean_y) = ((part, part.mean((-1, -2))) for part in parts)
    shared = (x * y).mean((-1, -2)) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + 1e-4) / (mean_x**2 + mean_y**2 + 1e-4)
    return np.mean(1 - likeness * (2 * shared + 9e-4) / (x.var((-1, -2)) + y.var((-1, -2)) + 9e-4)) / 2


def test_large_errors_weigh_more_on_coarse_scales():
    """A fine checkerboard and a broad wave of the same L1: the pyramid sees the wave at more levels."""
    x = np.full((1, 64, 64, 3), 0.5, np.float32)
    rows, columns = np.mgrid[:64, :64]
    fine = np.where((rows + columns) % 2, 0.05, -0.05)[None, ..., None].astype(np.float32)
    broad = np.where(rows // 16 % 2, 0.05, -0.05)[None, ..., None].astype(np.float32)
    weight = everywhere(x)
    assert float(laplacian(x + broad, x, weight)) > 1.1 * float(laplacian(x + fine, x, weight))
    y = smooth(1, 64)
    blurred = tf.image.resize(tf.nn.avg_pool2d(y, 2, 2, "SAME"), (64, 64)).numpy()
    # What only the finest scale lacks costs less over several.
    assert float(ms_ssim(blurred, y, weight)) < 0.7 * (1 - float(np.mean(ssim_map(blurred, y))))


def test_eyes_and_mouth_are_where_the_mean_face_has_them():
    counts = importance((MEAN_FACE / 1.25 + 0.5) * 96 - 0.5, 96, 5, 3)
    points = np.rint((MEAN_FACE / 1.25 + 0.5) * 96 - 0.5).astype(int)
    for feature in EYES:
        x, y = points[feature].mean(0).astype(int)
        assert counts[y, x] > 4
    x, y = points[MOUTH[0]].mean(0).astype(int)
    assert 2.5 < counts[y, x] <= 3.01
    assert counts[2, 2] == pytest.approx(1, abs=1e-3) and counts[points[8, 1] - 3, points[8, 0]] < 1.2
    assert (importance(LANDMARKS, SIZE, 1, 1) == 1).all()


class Colours(keras.Model):
    """Tells people by the mean colour of the picture; stands for the identity network."""

    def call(self, pictures, training=False):
        return tf.pad(tf.reduce_mean(pictures, (1, 2)), [[0, 0], [0, 125]])


def album(seed, colour=None):
    images = (smooth(6, 40, seed) * 255).astype(np.uint8)
    if colour is not None:
        images = (images * 0.2 + np.array(colour) * 0.8).astype(np.uint8)
    masks = np.zeros((6, 40, 40), np.uint8)
    masks[:, 8:-8, 8:-8] = 255
    bright = images.mean((1, 2))[:, :2]  # stands for what the faces do
    return Album(images, masks, expressions=((bright - bright.mean(0)) / bright.std(0)).astype(np.float32))


ALBUMS = album(0, (40, 40, 220)), album(1, (220, 60, 40))


LOOK = album(2, (60, 220, 60))  # neither A nor B


@pytest.fixture(autouse=True, scope="module")
def eager():
    """Compiling a step takes longer than the few steps taken here."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@cache
def trained(steps=1, **options):
    """The weights of a tiny network after some steps, and the step."""
    keras.utils.set_random_seed(0)
    network = registry.load(registry.NETWORKS, "tiny")()
    likeness = Likeness(Colours(), LANDMARKS, SIZE)
    likeness.aim(LOOK.middles(SIZE))
    reading = Reading(network.encoder.output_shape[-1], 2)
    objective = Objective(LossOptions(**options), SIZE, LANDMARKS, likeness, reading=reading)
    step = TrainingStep(network, make("adam", 3e-3), 0.0, None, objective)
    for batch in map(Feed(ALBUMS, SIZE, 4, 0).make, range(steps)):
        step(batch.inputs, batch.targets, batch.masks, batch.expressions)
    return np.concatenate([w.numpy().ravel() for part in network.parts.values() for w in part.weights]), step


@pytest.mark.parametrize(
    "options",
    [
        {"l1": 0.0},
        {"dssim": 0.0},
        {"mse": 5.0},
        {"ms_ssim": 1.0},
        {"laplacian": 1.0},
        {"perceptual": 1.0},
        {"identity_loss": 1.0},
        {"mask_loss": 0.0},
        {"code_match": 0.0},
        {"expression": 5.0},
        {"background": 1.0},
        {"eyes": 5.0},
        {"mouth": 5.0},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_training_with_it_is_another(options):
    assert np.abs(trained(**options)[0] - trained()[0]).max() > 1e-4


def test_a_swap_nears_the_person_it_is_to_be_like():
    (_, plain), (_, steered) = trained(8), trained(8, identity_loss=20.0, identity_faces=4)
    batch = Feed(ALBUMS, SIZE, 4, 0).make(0)
    distances = [
        float(steered.objective.likeness.distance(step.shown.path("b")(batch.inputs[:4] / 255.0)[..., :3]))
        for step in (plain, steered)
    ]
    assert distances[1] < 0.8 * distances[0]
    assert plain.crossed == 0 and 0 < steered.crossed < 20 * distances[0]


def test_fewer_faces_than_are_asked_for():
    assert np.isfinite(trained(identity_loss=1.0, identity_faces=100)[0]).all()


def test_what_the_identity_network_sees_is_the_face():
    """The chip of the mean face, as `cut` would cut it."""
    from faceswap.faces.alignment import cut
    from faceswap.networks.identity import SIZE as CHIP
    from faceswap.networks.identity import chip_matrix
    from faceswap.types import Alignment, Pixels

    landmarks = (MEAN_FACE / 1.25 + 0.5) * 96 - 0.5
    picture = cv2.GaussianBlur((smooth(1, 96)[0] * 255).astype(np.uint8), (0, 0), 2)
    wanted = cut(Pixels(picture), Alignment(chip_matrix(landmarks), CHIP, 1.0))
    seen = Likeness(Colours(), landmarks, 96)._chips(picture[None] / np.float32(255)).numpy()[0] * 255
    assert np.abs(seen - wanted).mean() < 1.0
