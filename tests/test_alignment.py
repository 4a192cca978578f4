import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswap.faces.alignment import align, cut, transform, umeyama
from faceswap.faces.masks import hull
from faceswap.faces.template import MEAN_FACE
from faceswap.types import Pixels
from faceswap.warping import shrink

angles = st.floats(-3.1, 3.1)
scales = st.floats(5, 900)
shifts = st.floats(-2000, 2000)


def similarity(angle, scale, x, y):
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, x], [s, c, y]])


@given(angles, scales, shifts, shifts)
def test_umeyama_finds_the_transform(angle, scale, x, y):
    matrix = similarity(angle, scale, x, y)
    found = umeyama(MEAN_FACE, transform(MEAN_FACE, matrix))
    np.testing.assert_allclose(found, matrix, atol=2e-3 + 1e-5 * scale)


@given(angles, scales, shifts, shifts)
def test_umeyama_never_mirrors(angle, scale, x, y):
    mirrored = transform(MEAN_FACE * np.float32([-1, 1]), similarity(angle, scale, x, y))
    assert np.linalg.det(umeyama(MEAN_FACE, mirrored)[:, :2]) >= 0


@given(angles, scales, shifts, shifts, st.integers(32, 512), st.floats(1, 3))
def test_alignment_and_its_inverse_round_trip(angle, scale, x, y, size, coverage):
    points = transform(MEAN_FACE, similarity(angle, scale, x, y))
    alignment = align(points, size, coverage)
    back = transform(transform(points, alignment.matrix), cv2.invertAffineTransform(alignment.matrix))
    assert np.abs(back - points).max() < 0.05


@given(angles, scales, shifts, shifts)
def test_an_aligned_face_lies_as_the_mean_face(angle, scale, x, y):
    points = transform(MEAN_FACE, similarity(angle, scale, x, y))
    there = transform(points, align(points, 256, 1.6).matrix)
    np.testing.assert_allclose(there, (MEAN_FACE / 1.6 + 0.5) * 256 - 0.5, atol=0.05)


@settings(deadline=None)
@given(st.floats(-0.6, 0.6), st.floats(60, 900))
def test_cutting_is_sub_pixel_at_any_scale(angle, scale):
    """On a linear ramp every interpolation is exact, so the crop shows where it samples."""
    points = transform(MEAN_FACE, similarity(angle, scale, 600, 560))
    y, x = np.mgrid[:1100, :1200]
    ramp = np.dstack([x / 5, y / 5, x * 0]).astype(np.float32)
    alignment = align(points, 64, 1.0)
    inside = cut(Pixels(ramp), alignment)[8:-8, 8:-8, :2]
    v, u = np.mgrid[8:56, 8:56]
    wanted = transform(np.stack([u, v], -1).reshape(-1, 2), cv2.invertAffineTransform(alignment.matrix))
    assert np.abs(inside.reshape(-1, 2) * 5 - wanted).max() < 1.0


def test_shrinking_averages_instead_of_skipping():
    stripes = np.zeros((1000, 1000, 3), np.uint8)
    stripes[:, ::2] = 255
    points = transform(MEAN_FACE, similarity(0, 800, 500, 500))
    crop = cut(Pixels(stripes), align(points, 64, 1.0))
    assert np.abs(crop[8:-8, 8:-8].astype(int) - 127).max() < 12


def test_a_face_past_the_border_is_cut_all_the_same():
    image = np.full((120, 120, 3), 90, np.uint8)
    for x, y in ((-40, 60), (150, 60), (60, -50), (400, 400)):
        points = transform(MEAN_FACE, similarity(0, 80, x, y))
        assert (cut(Pixels(image), align(points, 64, 1.5)) == 90).all()


def test_the_hull_holds_the_face_and_not_the_crop():
    points = (MEAN_FACE / 1.6 + 0.5) * 256
    mask = hull(points, 256)
    assert set(np.unique(mask)) == {0, 255}
    x, y = points[17:].round().astype(int).T
    assert (mask[y, x] == 255).all()
    assert 0.2 < (mask > 0).mean() < 0.5
    assert not mask[[0, -1]].any() and not mask[:, [0, -1]].any()


@given(st.integers(10, 150), st.integers(10, 150), st.floats(0.1, 1))
def test_a_shrunken_picture_stays_in_place(width, height, scale):
    ramp = np.add.outer(np.arange(height) / 2, np.arange(width) / 2).astype(np.uint8)
    small = shrink(ramp, scale)
    assert small.shape == tuple(max(round(side * scale), 1) for side in ramp.shape)
    rows, columns = (
        np.arange(n) * side / n + side / n / 2 - 0.5 for n, side in zip(small.shape, ramp.shape, strict=True)
    )
    assert np.abs(small - np.add.outer(rows, columns) / 2).max() < 2 + 1 / scale  # a pixel of the small one
