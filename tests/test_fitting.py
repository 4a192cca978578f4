"""Where on a head the drawn face is laid."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceswap.faces.alignment import align, resized, transform
from faceswap.faces.faceset import Faceset
from faceswap.faces.template import MEAN_FACE
from faceswap.fitting import FEATURES, MOST_MOVE, MOST_SCALE, SIDE, Fit, fits, fitted

FACE = (MEAN_FACE / 1.25 + 0.5) * SIDE - 0.5


def placed(scale, right, down):
    """The mean face as a network might draw it, larger and off its place; pixels of the crop."""
    middle = (SIDE - 1) / 2
    return ((FACE - middle) * scale + middle + np.array([right, down]) * SIDE).astype(np.float32)


@given(st.floats(0.92, 1.08), st.floats(-0.04, 0.04), st.floats(-0.04, 0.04))
def test_a_fit_lays_features_on_those_of_the_frame(scale, right, down):
    drawn = placed(scale, right, down)
    fit = fitted(np.stack([drawn, drawn]), np.stack([FACE, FACE]).astype(np.float32))
    alignment = align(MEAN_FACE * 90 + 200, 128, 1.25)
    in_frame = transform(drawn, cv2.invertAffineTransform(resized(fit.on(alignment), SIDE).matrix))
    assert np.abs(in_frame - (MEAN_FACE * 90 + 200))[FEATURES].max() < 0.05


@given(st.integers(8, 600), st.integers(8, 600))
def test_a_crop_of_another_size_shows_the_same(first, second):
    alignment = align(MEAN_FACE * 90 + 200, first, 1.25)
    again = align(MEAN_FACE * 90 + 200, second, 1.25)
    assert np.allclose(resized(alignment, second).matrix, again.matrix, atol=1e-3)


def test_expressions_do_not_move_the_face():
    """A mouth that opens and closes about its place is no reason to."""
    wanted = np.stack([FACE] * 2).astype(np.float32)
    drawn = wanted.copy()
    drawn[0, 48:68, 1] += 6
    drawn[1, 48:68, 1] -= 6
    fit = fitted(drawn, wanted)
    assert fit.scale == pytest.approx(1, abs=0.03) and abs(fit.down) < 0.002 and abs(fit.right) < 0.002


def test_a_fit_has_its_bounds():
    far = placed(1.6, 0.3, -0.3)[None]
    fit = fitted(far, FACE[None].astype(np.float32))
    assert fit.scale == pytest.approx(1 - MOST_SCALE)
    assert max(abs(fit.right), abs(fit.down)) <= MOST_MOVE
    assert fit.partly(0) == Fit() and fit.partly(1) == fit
    assert fit.partly(0.5).scale == pytest.approx(1 - MOST_SCALE / 2)


class Seeing:
    """Finds the mean face in the first picture of a pair, and in the second a 32nd of its side lower."""

    def __init__(self):
        self.seen = []

    def locate(self, picture, box):
        assert (box.left + box.right) / 2 == pytest.approx((SIDE - 1) / 2)
        self.seen.append(picture.image.astype(int))
        lower = 0 if len(self.seen) % 2 else SIDE / 32
        return (FACE + np.array([0, lower])).astype(np.float32)


def test_each_person_is_fitted_by_pictures_of_the_faceset(facesets):
    with Faceset.open(facesets[0]) as faceset:
        faces = faceset.faces()

    def white(images):
        return np.full((*images.shape[:3], 4), 255, np.uint8)

    eyes = Seeing()
    found = fits(faces, facesets[0], white, 64, 1.25, eyes)
    assert set(found) == {face.person for face in faces}
    for fit in found.values():
        assert (fit.scale, fit.right, fit.down) == pytest.approx((1, 0, -1 / 32), abs=1e-6)
    for crop, mixed in zip(eyes.seen[::2], eyes.seen[1::2], strict=True):
        assert mixed[128, 128].min() == 255 > crop[128, 128].min(), "what was drawn is looked at"
        assert (mixed == crop)[:4, :4].all(), "in the picture that it will be in"
    assert fits(faces[:2], facesets[0], white, 64, 1.25, Seeing()) == {}, "two faces say nothing"
    assert fits(faces, facesets[0].parent, white, 64, 1.25, Seeing()) == {}, "nor do pictures that are gone"
