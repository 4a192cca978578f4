import dataclasses
from contextlib import closing

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswap import TrainConfig, train
from faceswap.config import described
from faceswap.errors import OutputError, UsageError
from faceswap.groundwork import jitter_of, steadied
from faceswap.networks.augmentation import Jitter, vary
from faceswap.networks.augmentation.light import MIDDLE, SPREAD, recolour, transfer, turn_hue
from faceswap.networks.augmentation.sheet import GAP, LABEL, PAIRS, STRONG, TILE, augmentation_sheet
from faceswap.networks.feed import Album, Feed
from faceswap.options import AugmentOptions

SIZE, SIDE = 32, 42
NAMES = list(Jitter.__dataclass_fields__)
GEOMETRY = ("rotation", "zoom", "shift", "flip", "random_crop")
COLOURS = ("light", "contrast", "gamma", "hue", "color_transfer", "standardize")
INPUT_ONLY = ("warp", "noise", "blur", "jpeg")
STILL = Jitter(**dict.fromkeys(NAMES, 0.0))


def album(seed=0, count=6, low=60, high=200):
    """Smooth random pictures that never clip, with a mask in the middle that is not symmetric."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(low, high, (count, 5, 5, 3)).astype(np.uint8)
    images = np.stack([cv2.resize(c, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for c in coarse])
    masks = np.zeros((count, SIDE, SIDE), np.uint8)
    masks[:, 8:30, 9:28] = 255
    return Album(images, masks)


A, B = album(1), album(2, low=20, high=120)
OTHER = (B.images[0], B.masks[0])


def sample(jitter, seed=3, image=None):
    image = A.images[0] if image is None else image
    return vary(image, A.masks[0], SIZE, jitter, np.random.default_rng(seed), OTHER)


def alone(name, strength=None, seed=3, image=None):
    return sample(dataclasses.replace(STILL, **{name: strength or getattr(STRONG, name)}), seed, image)


def test_each_is_in_one_group():
    assert sorted((*GEOMETRY, *COLOURS, *INPUT_ONLY)) == sorted(NAMES)


def test_the_options_are_those_of_the_jitter_with_its_defaults():
    assert list(described(AugmentOptions)) == NAMES
    assert dataclasses.asdict(AugmentOptions()) == dataclasses.asdict(Jitter())


def test_nothing_switched_on_changes_nothing():
    changed, target, mask = sample(STILL)
    assert (target == A.images[0][5:37, 5:37]).all() and (changed == target).all()
    assert (mask == A.masks[0][5:37, 5:37]).all()


@pytest.mark.parametrize("name", NAMES)
def test_each_changes_what_it_is_to_change_and_nothing_else(name):
    still, changed = sample(STILL), alone(name)
    moved = [bool((x != y).any()) for x, y in zip(still, changed, strict=True)]
    assert moved == [True, name not in INPUT_ONLY, name in GEOMETRY]
    if name not in INPUT_ONLY:
        assert (changed[0] == changed[1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_each_has_an_effect_among_the_others(name):
    some = dataclasses.replace(STRONG, warp=0.03)
    without = dataclasses.replace(some, **{name: 0.0})
    assert (sample(some)[0] != sample(without)[0]).any()


@pytest.mark.parametrize("name", NAMES)
def test_each_does_more_where_it_is_stronger(name):
    def change(strength):
        pairs = ((sample(STILL), alone(name, strength, seed)) for seed in range(40))
        return np.mean([np.abs(x[0].astype(float) - y[0]).mean() for x, y in pairs])

    strong = getattr(STRONG, name)
    assert change(strong) > 1.2 * change(strong / 2) > 0


def test_the_same_chance_gives_the_same_sample():
    for x, y, z in zip(sample(STRONG, 5), sample(STRONG, 5), sample(STRONG, 6), strict=True):
        assert (x == y).all() and (x != z).any()


@settings(max_examples=60, deadline=None)
@given(
    values=st.fixed_dictionaries({name: st.floats(0, 1) for name in GEOMETRY}),
    seed=st.integers(0, 2**31),
)
def test_target_and_mask_move_together(values, seed):
    """A picture that is its own mask stays so wherever geometry puts it."""
    strength = {name: share * getattr(STRONG, name) for name, share in values.items()}
    mask = A.masks[0]
    draw = np.random.default_rng(seed)
    _, target, moved = vary(np.dstack([mask] * 3), mask, SIZE, dataclasses.replace(STILL, **strength), draw)
    assert (target == moved[..., None]).all()


def marked(x, y):
    """A black picture with one bright blob, and where in a sample its middle is."""
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    cv2.circle(image, (x, y), 2, (255, 255, 255), -1)
    return image


def place_of(image):
    weight = image[..., 0].astype(float)
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


def test_geometry_moves_points_as_it_says():
    middle = np.array([(SIZE - 1) / 2] * 2)
    start = place_of(alone("flip", 1e-9, image=marked(28, 20))[1])
    for seed in range(20):
        turned = place_of(alone("rotation", 20, seed, marked(28, 20))[1])
        assert np.linalg.norm(turned - middle) == pytest.approx(np.linalg.norm(start - middle), abs=0.3)
        zoomed = place_of(alone("zoom", 0.15, seed, marked(28, 20))[1]) - middle
        assert 0.83 < np.linalg.norm(zoomed) / np.linalg.norm(start - middle) < 1.17
        shifted = place_of(alone("shift", 0.1, seed, marked(28, 20))[1])
        assert np.abs(shifted - start).max() < 0.1 * SIZE + 0.1
    flipped = place_of(alone("flip", 1.0, image=marked(28, 20))[1])
    assert flipped == pytest.approx([SIZE - 1 - start[0], start[1]], abs=1e-3)


def test_a_random_crop_stays_inside_the_picture():
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[5:37, 5:37] = 255
    assert min(alone("random_crop", 0.8, seed, image)[1].min() for seed in range(30)) > 127  # its own edge


def test_the_warp_pushes_parts_by_about_its_strength():
    image = np.dstack(
        [np.tile(np.linspace(0, 246, SIDE).astype(np.uint8), (SIDE, 1))] * 3
    )  # 6 levels a pixel
    pushed = [
        (warped[8:24, 8:24].astype(float) - target[8:24, 8:24]) / 6
        for warped, target, _ in (alone("warp", 0.03, seed, image) for seed in range(40))
    ]
    assert 0.4 < np.std(pushed) / (0.03 * SIZE) < 1.1


def test_light_and_contrast_are_straight_lines():
    lit = [alone("light", 0.1, seed)[1].astype(int) - sample(STILL)[1] for seed in range(20)]
    assert max(np.ptp(x) for x in lit) <= 1 and 5 < max(np.abs(x).max() for x in lit) <= 26
    levels = sample(STILL)[1].astype(float) - 128
    for seed in range(10):
        changed = alone("contrast", 0.3, seed)[1] - 128.0
        gain = (changed * levels).sum() / (levels**2).sum()
        assert 0.7 <= gain <= 1.3 and np.abs(changed - gain * levels).max() < 1


def test_gamma_keeps_black_and_white():
    image = np.dstack([np.tile(np.linspace(0, 255, SIDE).astype(np.uint8), (SIDE, 1))] * 3)
    image[:20], image[20:25] = 0, 255
    changed, plain = alone("gamma", image=image)[1], sample(STILL, image=image)[1]
    assert (changed[:15] == 0).all() and (changed[15:20] == 255).all()
    assert np.abs(changed[20:].astype(int) - plain[20:]).max() > 5


def test_hue_keeps_greys_and_the_sum_of_the_channels():
    image = A.images[0]
    assert np.abs(turn_hue(image, 50).sum(-1, dtype=int) - image.sum(-1, dtype=int)).max() <= 3
    assert np.abs(turn_hue(image, 120).astype(int) - image[..., [2, 0, 1]]).max() <= 1
    grey = np.full((4, 4, 3), 77, np.uint8)
    assert np.abs(turn_hue(grey, 33).astype(int) - 77).max() <= 1


def lab(image, mask):
    values = cv2.cvtColor(np.float32(image) / 255, cv2.COLOR_BGR2LAB)[mask > 0]
    return np.concatenate([values.mean(0), values.std(0)])


def test_colour_transfer_goes_as_far_as_it_is_told():
    image, mask = A.images[0], A.masks[0]
    begin, goal = lab(image, mask), lab(*OTHER)
    for share in (0.0, 0.5, 1.0):
        moved = lab(transfer(image, mask, *OTHER, share), mask)
        assert moved == pytest.approx(begin + share * (goal - begin), abs=1.5)
    assert np.abs(goal - begin).max() > 10


def test_the_feed_takes_colours_from_the_other_person():
    """All of A's faces are reddish, all of B's blue: with the transfer, A's come out bluer."""
    red = Album((A.images * np.array([0.4, 0.6, 1.0])).astype(np.uint8), A.masks)
    blue = Album((A.images * np.array([1.0, 0.6, 0.4])).astype(np.uint8), A.masks)
    moved = Feed((red, blue), SIZE, 4, 0, dataclasses.replace(STILL, color_transfer=1.0)).make(1)
    plain = Feed((red, blue), SIZE, 4, 0, STILL).make(1)
    change = moved.targets.mean((1, 2)) - plain.targets.mean((1, 2))
    assert (change[:4, 0] > 2).all() and (change[:4, 2] < -2).all()
    assert (change[4:, 0] < -2).all() and (change[4:, 2] > 2).all()


def test_a_faceless_mask_does_not_stop_the_transfer():
    empty = np.zeros_like(A.masks[0])
    assert transfer(A.images[0], empty, B.images[0], empty, 0.5).shape == A.images[0].shape


class Most:
    """Chance that always takes the most of what goes one way, and the middle of what goes both ways."""

    def uniform(self, low, high):
        return np.asarray(high, float) if np.ndim(high) else 0.0


def test_standardised_pictures_have_mean_and_spread_in_common():
    dark = (A.images[0] * 0.5).astype(np.uint8)
    jitter = dataclasses.replace(STILL, standardize=1.0)
    for image in (dark, A.images[0]):
        made = recolour(image, A.masks[0], jitter, Most(), None)
        assert made.mean() == pytest.approx(MIDDLE, abs=3)
        gain = made.std() / image.std()
        assert made.std() == pytest.approx(SPREAD, rel=0.1) or gain == pytest.approx(2, rel=0.1)


def test_noise_is_grain_about_the_picture():
    differences = [alone("noise", 0.1, seed)[0].astype(int) - sample(STILL)[0] for seed in range(40)]
    spreads = np.array([d.std() for d in differences]) / 255
    assert 0.08 < spreads.max() < 0.105 and spreads.min() < 0.03
    assert abs(np.mean(differences)) < 0.5


def test_blur_and_jpeg_lose_detail_and_keep_the_light():
    image = A.images[0].copy()
    image[::2] //= 2
    plain = sample(STILL, image=image)[0].astype(float)
    for name in ("blur", "jpeg"):
        for seed in range(10):
            poor = alone(name, seed=seed, image=image)[0].astype(float)
            assert poor.mean() == pytest.approx(plain.mean(), abs=4)
    blurred = alone("blur", 0.05, image=image)[0].astype(float)
    assert np.abs(np.diff(blurred, axis=0)).mean() < 0.7 * np.abs(np.diff(plain, axis=0)).mean()


def test_a_new_jitter_counts_from_the_next_batch_on():
    feed = Feed((A, B), SIZE, 2, 7)
    with closing(feed.batches(3)) as batches:
        first = next(batches)
        feed.jitter = STILL
        second, third = next(batches), next(batches)
    before, after = Feed((A, B), SIZE, 2, 7), Feed((A, B), SIZE, 2, 7, STILL)
    assert (first.inputs == before.make(3).inputs).all()
    assert (second.inputs == after.make(4).inputs).all() and (third.inputs == after.make(5).inputs).all()


def test_the_last_part_is_gentle_and_keeps_the_colours():
    gentle = steadied(STRONG)
    assert gentle.warp == 0
    assert all(0 < getattr(gentle, name) < getattr(STRONG, name) for name in GEOMETRY if name != "flip")
    assert all(getattr(gentle, name) == getattr(STRONG, name) for name in (*COLOURS, "noise", "blur", "jpeg"))
    assert steadied(STILL) == STILL
    assert steadied(Jitter()) == Jitter(warp=0.0, rotation=4.0, zoom=0.03, shift=0.02)


def test_the_sheet_has_a_row_for_each():
    picture = augmentation_sheet((A, B), SIZE, Jitter(), 0)
    assert picture.shape == (
        34 + (len(NAMES) + 2) * (TILE + GAP),
        LABEL + 2 * (GAP + PAIRS * (2 * TILE + 1 + GAP)),
        3,
    )
    rows = np.split(picture[34:], len(NAMES) + 2)
    tiles = [row[:TILE, LABEL:] for row in rows]
    assert all((tile != tiles[0]).any() for tile in tiles[1:])
    assert len({row[:, :LABEL].tobytes() for row in rows}) == len(rows)


def options(facesets, tmp_path, **more):
    a, b = facesets
    return TrainConfig(faceset_a=a, faceset_b=b, model=tmp_path / "m", network="tiny", **more)


def test_train_writes_the_sheet_and_trains_nothing(facesets, tmp_path):
    path = tmp_path / "sheet.png"
    result = train(options(facesets, tmp_path, show_augmentation=path, hue=30))
    assert result.iterations == 0 and str(path) in str(result)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sheet.png"]
    first = cv2.imread(str(path))
    with pytest.raises(OutputError, match=r"sheet\.png exists"):
        train(options(facesets, tmp_path, show_augmentation=path))
    train(options(facesets, tmp_path, show_augmentation=path, overwrite=True, hue=150))
    assert (cv2.imread(str(path)) != first).any()
    with pytest.raises(OutputError, match=r"\.png"):
        train(options(facesets, tmp_path, show_augmentation=tmp_path / "sheet.txt"))


def test_the_options_reach_the_jitter(facesets, tmp_path):
    values = {name: getattr(STRONG, name) for name in NAMES} | {"random_crop": 0.3}
    assert dataclasses.asdict(jitter_of(options(facesets, tmp_path, **values))) == values


def test_one_picture_at_a_time(tmp_path):
    with pytest.raises(UsageError, match="one at a time"):
        options((tmp_path, tmp_path), tmp_path, show_augmentation="a.png", find_rate="b.png")
