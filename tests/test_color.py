import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswap import registry
from faceswap.blending.color import STRETCH, toned
from faceswap.blending.distribution import RANKS
from faceswap.blending.palette import GRID, Palette, averaged, likeness, palette, steadied

MOMENTS = ["reinhard", "lct", "mkl", "idt", "hist"]


def cloud(mean, spread, seed=0, count=GRID * GRID):
    """A palette whose colours are drawn with a mean and a deviation matrix."""
    draw = np.random.default_rng(seed)
    colors = np.asarray(mean) + draw.normal(size=(count, 3)) @ np.asarray(spread).T
    return Palette(np.clip(colors, 0, 1).astype(np.float32), np.ones(count, np.float32))


SKIN = cloud([0.35, 0.42, 0.6], 0.05 * np.array([[1, 0, 0], [0.6, 0.7, 0], [0.5, 0.3, 0.6]]))
PALE = cloud([0.5, 0.55, 0.65], 0.06 * np.array([[1, 0.2, 0], [0.2, 0.9, 0], [0.7, 0, 0.5]]), 1)


def recolored(name, have, want):
    return registry.load(registry.COLORS, name)(have, want)(have.colors)


@pytest.mark.parametrize("name", registry.COLORS)
def test_equals_stay_equal(name):
    assert np.abs(recolored(name, SKIN, SKIN) - SKIN.colors).max() < 2 / 255


@pytest.mark.parametrize("name", registry.COLORS)
def test_any_shape_goes_through(name):
    recolor = registry.load(registry.COLORS, name)(SKIN, PALE)
    rows = recolor(SKIN.colors)
    square = recolor(SKIN.colors.reshape(GRID, GRID, 3))
    assert square.shape == (GRID, GRID, 3) and square.dtype == np.float32
    assert np.allclose(square.reshape(-1, 3), rows)


@pytest.mark.parametrize("name", MOMENTS)
def test_the_mean_is_reached(name):
    assert np.abs(recolored(name, SKIN, PALE).mean(0) - PALE.mean).max() < 3 / 255


@pytest.mark.parametrize("name", ["lct", "mkl", "idt"])
def test_the_covariance_is_reached(name):
    got, wanted = (np.cov(colors.T) for colors in (recolored(name, SKIN, PALE), PALE.colors))
    assert np.abs(got - wanted).max() < 0.12 * np.abs(wanted).max()


@pytest.mark.parametrize("tint", [[1.0, 1.0, 1.0], [0.6, 0.85, 1.1]])
@pytest.mark.parametrize("name", registry.COLORS)
def test_a_face_in_a_film_without_colours_has_none(name, tint):
    shades = np.random.default_rng(0).uniform(0.3, 0.7, (GRID * GRID, 1))
    film = Palette((shades * tint).astype(np.float32), SKIN.weights)
    transfer = registry.load(registry.COLORS, name)
    plain, tinted = (
        recolor(SKIN.colors) for recolor in (transfer(SKIN, film), toned(film, transfer(SKIN, film)))
    )
    assert np.abs(np.cross(tinted, tint)).max() < 1 / 255
    assert np.abs((tinted - plain) @ [0.114, 0.587, 0.299]).max() < 1 / 255, "as bright as without"
    assert toned(PALE, transfer(SKIN, PALE))(SKIN.colors) == pytest.approx(transfer(SKIN, PALE)(SKIN.colors))


def test_none_keeps_everything():
    assert (recolored("none", SKIN, PALE) == SKIN.colors).all()


def test_mkl_moves_colours_less_than_lct():
    """Of the maps with the same moments it is the cheapest."""
    cost = {name: np.square(recolored(name, SKIN, PALE) - SKIN.colors).sum() for name in ("lct", "mkl")}
    assert cost["mkl"] < cost["lct"]


def test_mkl_of_scaled_axes_is_the_scaling():
    have = cloud([0.5, 0.5, 0.5], np.diag([0.03, 0.04, 0.05]), count=20000)
    want = Palette((have.colors - 0.5) * np.float32([1.5, 1, 0.7]) + np.float32(0.4), have.weights)
    assert np.abs(recolored("mkl", have, want) - want.colors).max() < 0.01


@pytest.mark.parametrize("name", ["hist", "idt"])
def test_histograms_are_reached(name):
    """Also where they are lopsided, which no linear map can make of those that are not."""
    lopsided = 0.3 + np.random.default_rng(3).gamma(2, 0.03, (GRID * GRID, 3))
    want = Palette(lopsided.astype(np.float32), np.ones(GRID * GRID, np.float32))
    got = recolored(name, SKIN, want)
    for channel in range(3):
        ranks = [np.quantile(x[:, channel], RANKS) for x in (got, want.colors)]
        assert np.abs(ranks[0] - ranks[1]).max() < 0.012


def test_idt_matches_what_single_channels_do_not_show():
    """Both have the same histograms in each channel; only the colours that go together differ."""
    axis = np.random.default_rng(4).normal(0, 0.06, (GRID * GRID, 1))
    together = Palette((0.5 + axis * [1, 1, 1]).astype(np.float32), np.ones(GRID * GRID, np.float32))
    against = Palette((0.5 + axis * [1, -1, 1]).astype(np.float32), together.weights)
    mixed = averaged_pair(together, 0.02)
    link = {n: np.corrcoef(recolored(n, mixed, against).T)[0, 1] for n in ("hist", "idt")}
    assert link["hist"] > 0.5 and link["idt"] < -0.5


def averaged_pair(base, noise):
    draw = np.random.default_rng(5).normal(0, noise, base.colors.shape)
    return Palette((base.colors + draw).astype(np.float32), base.weights)


@pytest.mark.parametrize("name", MOMENTS)
def test_a_plain_face_is_not_torn_apart(name):
    flat = Palette(np.full((GRID * GRID, 3), 0.5, np.float32), np.ones(GRID * GRID, np.float32))
    got = recolored(name, flat, PALE)
    assert np.isfinite(got).all() and np.abs(got.mean(0) - PALE.mean).max() < 0.05
    noisy = registry.load(registry.COLORS, name)(flat, PALE)(flat.colors + np.float32(0.01))
    assert np.abs(noisy - got).max() < 0.01 * 4 * STRETCH


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from(["none", *MOMENTS]),
    st.lists(st.floats(0.2, 0.8), min_size=3, max_size=3),
    st.floats(0.01, 0.2),
)
def test_recoloured_faces_stay_finite(name, mean, spread):
    got = recolored(name, SKIN, cloud(mean, spread * np.eye(3), 7))
    assert np.isfinite(got).all() and got.min() > -1 and got.max() < 2


def test_a_palette_sees_the_mask_only():
    image = np.full((96, 96, 3), 200, np.uint8)
    image[24:72, 24:72] = (10, 60, 110)
    mask = np.zeros((96, 96), np.uint8)
    mask[24:72, 24:72] = 255
    found = palette(image, mask)
    assert found.mean * 255 == pytest.approx([10, 60, 110], abs=0.01)
    assert found.weights.sum() == 16 * 16
    assert palette(image, np.zeros((96, 96), np.uint8)).empty


def test_palettes_average_cell_by_cell():
    one, two = (Palette(np.full((4, 3), v, np.float32), np.ones(4, np.float32)) for v in (0.2, 0.6))
    two.weights[0] = 0
    both = averaged([one, two], [1, 3])
    assert both.colors[:, 0] == pytest.approx([0.2, 0.5, 0.5, 0.5])
    assert both.weights == pytest.approx([0.25, 1, 1, 1])


def test_far_and_unlike_frames_count_less():
    brighter = Palette(SKIN.colors + np.float32(0.2), SKIN.weights)
    assert likeness(SKIN, SKIN, 0, 8) == 1
    assert likeness(SKIN, SKIN, 8, 8) == pytest.approx(np.exp(-0.5))
    assert likeness(SKIN, SKIN, -8, 8) == likeness(SKIN, SKIN, 8, 8)
    assert likeness(SKIN, brighter, 1, 8) < 1e-6, "a flash is not averaged away"


def test_a_steadied_palette_keeps_its_mean_and_shares_its_spread():
    """The mean follows the light of the frame; the spread, which is measured with an error, is averaged."""
    draw = np.random.default_rng(6)
    frames = [
        Palette(((SKIN.colors - SKIN.mean) * gain + SKIN.mean + light).astype(np.float32), SKIN.weights)
        for gain, light in zip(draw.normal(1, 0.1, 40), draw.normal(0, 0.01, 40), strict=True)
    ]
    wide = {"alone": [], "steadied": []}
    for place in range(10, 30):
        near = range(place - 8, place + 9)
        others = [frames[n] for n in near if n != place]
        shares = [np.exp(-0.5 * ((n - place) / 6) ** 2) for n in near if n != place]
        found = steadied(frames[place], others, shares)
        assert found.mean == pytest.approx(frames[place].mean, abs=1e-4)
        wide["alone"].append(frames[place].colors.std(0))
        wide["steadied"].append(found.colors.std(0))
    flicker = {name: np.abs(np.diff(spreads, axis=0)).mean() for name, spreads in wide.items()}
    assert flicker["steadied"] < flicker["alone"] / 4
    assert steadied(SKIN, [], []).colors == pytest.approx(SKIN.colors, abs=1e-6)
