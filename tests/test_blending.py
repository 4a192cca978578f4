import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswap import registry
from faceswap.blending.mask import soften
from faceswap.blending.paste import enlarge, paste
from faceswap.faces.alignment import align, cut, transform
from faceswap.faces.template import MEAN_FACE
from faceswap.types import Alignment, Pixels


def scene(seed=0, height=200, width=240):
    """A smooth random picture."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(30, 220, (6, 7, 3)).astype(np.uint8)
    import cv2

    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def oval(size=128):
    y, x = np.mgrid[:size, :size] / size - 0.5
    return np.where(x**2 + y**2 < 0.16, 255, 0).astype(np.uint8)


@settings(deadline=None)
@given(st.floats(-3, 3), st.floats(40, 160), st.floats(-50, 300), st.floats(-50, 250))
def test_pasting_a_cut_face_back_changes_nothing(angle, scale, x, y):
    """The identity network: only the error of interpolating twice is left, and nothing outside."""
    frame = scene()
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    points = transform(MEAN_FACE, np.array([[c, -s, x], [s, c, y]]))
    alignment = align(points, 128, 1.25)
    patch = paste(Pixels(frame), cut(Pixels(frame), alignment), soften(oval(), 0, 6), alignment)
    if patch is None:
        return
    height, width = patch.mask.shape
    assert patch.left >= 0 and patch.left + width <= frame.shape[1]
    assert patch.top >= 0 and patch.top + height <= frame.shape[0]
    there = frame[patch.top : patch.top + height, patch.left : patch.left + width].astype(int)
    # Near the frame's border the cut face repeats the border, which it then lays over it.
    assert np.abs(patch.image - there)[patch.mask].max(initial=0) <= 6


def test_a_patch_shows_the_face_where_it_is_opaque():
    frame = scene()
    alignment = Alignment(np.array([[1.0, 0, -20], [0, 1, -30]]), 128, 1.25)
    patch = paste(Pixels(frame), np.full((128, 128, 3), 7, np.uint8), soften(oval(), 0, 0), alignment)
    assert (patch.image[patch.mask] == 7).all()
    assert patch.left + patch.mask.shape[1] / 2 == pytest.approx(20 + 63.5, abs=1.5)
    assert patch.mask.sum() == pytest.approx((oval() > 0).sum(), rel=0.03)


def test_nothing_to_paste_outside_the_frame():
    far = Alignment(np.array([[1.0, 0, 900], [0, 1, 900]]), 128, 1.25)
    near = Alignment(np.array([[1.0, 0, 0], [0, 1, 0]]), 128, 1.25)
    face = np.zeros((128, 128, 3), np.uint8)
    assert paste(Pixels(scene()), face, soften(oval(), 0, 6), far) is None
    assert paste(Pixels(scene()), face, np.zeros((128, 128), np.float32), near) is None


@given(st.floats(-20, 20), st.floats(0, 30))
def test_softening_stays_in_its_bounds(erode, feather):
    opacity = soften(oval(), erode, feather)
    assert opacity.min() >= 0 and opacity.max() <= 1
    border = np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]])
    assert border.max() < 0.5
    if erode > 0:
        assert not opacity[oval() == 0].any()


def test_erosion_and_feather_are_in_pixels():
    line = soften(oval(), 5, 10)[64]
    edge = np.flatnonzero(oval()[64])[0]
    assert np.flatnonzero(line > 0)[0] == pytest.approx(edge + 5, abs=1)
    assert np.flatnonzero(line >= 0.5)[0] == pytest.approx(edge + 10, abs=1)
    assert np.flatnonzero(line == 1)[0] == pytest.approx(edge + 15, abs=1)
    assert soften(oval(), -5, 0.1).sum() > soften(oval(), 0, 0.1).sum() * 1.15


def test_a_full_mask_fades_at_the_border_of_the_crop():
    opacity = soften(np.full((64, 64), 255, np.uint8), 0, 8)
    assert opacity[0].max() < 0.1 and opacity[32, 32] == 1


@pytest.mark.parametrize("name", registry.COLORS)
def test_colour_transfers_keep_shape_and_leave_equals_alone(name):
    recolor = registry.load(registry.COLORS, name)
    face = scene(1)[:128, :128]
    same = recolor(face, face, oval() > 0)
    assert same.dtype == np.uint8 and same.shape == face.shape
    assert np.abs(same.astype(int) - face).max() <= 2
    assert (recolor(face, scene(2)[:128, :128], oval() < -1) == face).all()


def test_reinhard_takes_on_the_colours():
    recolor = registry.load(registry.COLORS, "reinhard")
    where = oval() > 0
    face, wanted = scene(1)[:128, :128], (scene(2)[:128, :128] * 0.5 + 40).astype(np.uint8)
    before = np.abs(face[where].mean(0) - wanted[where].mean(0)).max()
    after = np.abs(recolor(face, wanted, where)[where].mean(0) - wanted[where].mean(0)).max()
    assert after < 6 < before


def test_enlarge_keeps_the_picture():
    face = scene(3)[:96, :96]
    assert np.abs(enlarge(enlarge(face, 256), 96).astype(int) - face).max() < 8
