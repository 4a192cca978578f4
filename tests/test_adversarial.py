"""The adversarial game: its losses, its discriminators and its three steps."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from faceswap import registry
from faceswap.errors import UsageError
from faceswap.networks.adversarial import Adversary
from faceswap.networks.discriminators import patch, whole

SIDE = 16


@pytest.mark.parametrize(
    ("name", "real", "fake", "persuade"),
    [
        ("hinge", 0.25, 2.0, -0.75),  # of scores 0.5 and 1
        ("least-squares", 0.0625, 0.3125, 0.0625),
        ("non-saturating", np.log1p(np.exp([-0.5, -1])).mean(), np.log1p(np.exp([0.5, 1])).mean(), None),
    ],
)
def test_games_by_hand(name, real, fake, persuade):
    game, scores = registry.load(registry.GAMES, name), tf.constant([0.5, 1.0])
    assert float(game.real(scores)) == pytest.approx(real)
    assert float(game.fake(scores)) == pytest.approx(1.75 if name == "hinge" else fake)
    assert float(game.persuade(scores)) == pytest.approx(real if persuade is None else persuade)


@pytest.mark.parametrize("name", list(registry.GAMES))
def test_every_game_rewards_the_right_answer(name):
    game, low, high = registry.load(registry.GAMES, name), tf.constant([0.0]), tf.constant([0.9])
    assert game.real(high) < game.real(low)
    assert game.fake(low) < game.fake(high)
    assert game.persuade(high) < game.persuade(low)


def test_unknown_games_are_named():
    with pytest.raises(UsageError, match="'chess'; choose one of hinge"):
        Adversary(patch(SIDE), "chess")


@pytest.mark.parametrize(("name", "shape"), [("whole", (3, 1)), ("patch", (3, 4, 4, 1))])
def test_discriminators_score_and_can_be_built_again(name, shape):
    build = registry.load(registry.DISCRIMINATORS, name)
    model = build(32)
    pictures = np.random.default_rng(0).random((3, 32, 32, 3), np.float32)
    assert model(pictures).shape == shape
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert np.allclose(again(pictures), model(pictures))


def test_no_pixel_counts_more_than_its_neighbour():
    """Where kernels meet some pixels more often than others, a woven pattern is learned."""
    model = patch(64)
    model.set_weights([np.full_like(one, 0.1) for one in model.get_weights()])
    picture = tf.ones((1, 64, 64, 3))
    with tf.GradientTape() as tape:
        tape.watch(picture)
        score = tf.reduce_sum(model(picture))
    middle = tape.gradient(score, picture).numpy()[0, 24:40, 24:40]
    assert middle.min() == pytest.approx(middle.max()) and middle.min() > 0


def test_the_whole_discriminator_sees_that_a_batch_is_all_alike():
    keras.utils.set_random_seed(0)
    model = whole(SIDE)
    pictures = np.random.default_rng(0).random((4, SIDE, SIDE, 3), np.float32)
    alone = model(np.repeat(pictures[:1], 4, axis=0)).numpy()[0]
    assert abs(alone - model(pictures).numpy()[0]) > 1e-4


def painter():
    """A generator with one colour for all: (3,) to pictures of it."""
    noise = keras.Input((1,))
    colour = keras.layers.Dense(3, activation="sigmoid")(noise)
    return keras.Model(noise, keras.layers.UpSampling2D(SIDE)(keras.layers.Reshape((1, 1, 3))(colour)))


def rounds(adversary, generator, reals, optimizer, count):
    """Play; the last round's turns."""

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            fakes = generator(tf.ones((8, 1)), training=True)
            turns = adversary.play(tape, fakes, reals)
        weights = generator.trainable_variables
        optimizer.apply(tape.gradient(turns.persuasion, weights), weights)
        return turns

    optimizer.build(generator.trainable_variables)
    for _ in range(count):
        turns = step()
    return turns


def test_a_painter_learns_the_colour_of_what_is_real_and_the_discriminator_stays_smooth():
    keras.utils.set_random_seed(1)
    generator, wanted = painter(), np.float32([0.2, 0.5, 0.9])
    reals = np.broadcast_to(wanted, (8, SIDE, SIDE, 3)).astype(np.float32)
    before = np.abs(generator(tf.ones((1, 1))).numpy()[0, 0, 0] - wanted).mean()
    adversary = Adversary(patch(SIDE), optimizer=keras.optimizers.Adam(3e-3, 0.5))
    rounds(adversary, generator, reals, keras.optimizers.Adam(2e-2, 0.5), 120)
    after = np.abs(generator(tf.ones((1, 1))).numpy()[0, 0, 0] - wanted).mean()
    assert after < before / 2
    adversary.discriminator(reals, training=True)
    for layer in adversary.discriminator.layers:
        if isinstance(layer, keras.layers.SpectralNormalization):
            kernel = layer.layer.kernel.numpy()
            largest = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
            assert largest == pytest.approx(1, abs=0.1), layer.layer.name


def test_the_third_step_goes_through_a_frozen_discriminator():
    """With no learning of its own it stays as it is, and still tells the generator the way."""
    adversary = Adversary(patch(SIDE), optimizer=keras.optimizers.SGD(0.0))
    reals = np.random.default_rng(0).random((4, SIDE, SIDE, 3), np.float32)
    fakes = tf.Variable(reals[::-1].copy())
    for _ in range(40):  # the power iteration settles
        adversary.discriminator(reals, training=True)
    before = [w.numpy() for w in adversary.discriminator.trainable_variables]
    with tf.GradientTape(persistent=True) as tape:
        turns = adversary.play(tape, fakes * 1.0, reals)
    assert np.abs(tape.gradient(turns.persuasion, fakes)).max() > 0
    assert tape.gradient(turns.fake, fakes) is None, "the first two steps are none of the generator's"
    for was, weight in zip(before, adversary.discriminator.trainable_variables, strict=True):
        assert weight.numpy() == pytest.approx(was, abs=1e-3)
