"""How well codes are told apart, and that a training that matches them gives another swap."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from faceswap.networks.matching import energy_distance
from faceswap.networks.reading import Reading


def codes(seed, count, shift=0.0, scale=1.0, shape=(16,)):
    return np.random.default_rng(seed).normal(shift, scale, (count, *shape)).astype(np.float32)


def test_it_is_0_in_the_mean_where_both_are_from_one_distribution():
    found = [float(energy_distance(codes(2 * n, 8), codes(2 * n + 1, 8))) for n in range(200)]
    assert abs(np.mean(found)) < 0.01 and min(found) < 0 < max(found)


def test_it_grows_with_the_distance():
    found = [float(energy_distance(codes(0, 64), codes(1, 64, shift))) for shift in (0, 0.5, 2)]
    assert found[0] < 0.05 < found[1] < found[2]


def test_another_spread_is_another_distribution():
    assert float(energy_distance(codes(0, 256), codes(1, 256, scale=3.0))) > 0.1


@given(st.integers(2, 6), st.integers(2, 6), st.floats(0.01, 100))
def test_neither_order_nor_size_of_the_numbers_counts(first, second, scale):
    a, b = codes(first, first, shape=(2, 2, 3)), codes(second + 9, second, 1.0, shape=(2, 2, 3))
    value = float(energy_distance(a, b))
    assert float(energy_distance(b, a)) == pytest.approx(value, abs=1e-3)
    assert float(energy_distance(a * np.float32(scale), b * np.float32(scale))) == pytest.approx(
        value, abs=0.02
    )


def test_by_hand():
    """Two points each on a line: 0 and 2, 5 and 9; between 6, within 2 and 4."""
    a, b = np.float32([[0], [2]]), np.float32([[5], [9]])
    between = (5 + 9 + 3 + 7) / 4
    assert float(energy_distance(a, b)) == pytest.approx((2 * between - 2 - 4) / 3, abs=1e-3)


def test_its_gradient_brings_codes_together_and_keeps_them_apart_from_each_other():
    a, b = tf.Variable(codes(0, 16)), tf.Variable(codes(1, 16, 3.0))
    for _ in range(200):
        with tf.GradientTape() as tape:
            value = energy_distance(a, b)
        for each, gradient in zip((a, b), tape.gradient(value, [a, b]), strict=True):
            each.assign_sub(5.0 * gradient)
    assert abs(float(value)) < 0.15
    assert np.std(a.numpy(), 0).mean() > 0.5, "they did not all become one"


def test_codes_come_to_say_what_faces_do():
    """The map learns to read what is there; where it is not, the codes are moved."""
    draw = np.random.default_rng(0)
    there, wanted = draw.normal(size=(64, 16)), draw.normal(size=(64, 2)).astype(np.float32)
    told = (there @ draw.normal(size=(16, 2)) / 4 + 0.5).astype(np.float32)
    reading, code = Reading(16, 2), tf.Variable(there.astype(np.float32))

    @tf.function
    def step(what, rate):
        with tf.GradientTape() as tape:
            error = reading.error(tape, code, what)
        code.assign_sub(rate * tape.gradient(error, code))
        return error

    read = [float(step(told, 0.0)) for _ in range(600)]
    assert read[-1] < 0.05 * read[0], "by the map alone"
    moved = [float(step(wanted, 20.0)) for _ in range(300)]
    assert moved[-1] < 0.05 * moved[0], "no map reads what has nothing to do with the codes"
