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
    """Finds the points of a face by its darkest place, which a drawn face has elsewhere."""

    def locate(self, picture, box):
        grey = cv2.GaussianBlur(picture.grey(), (0, 0), 4)
        y, x = np.unravel_index(grey.argmin(), grey.shape)
        return (FACE - FACE.mean(0) + [x, y]).astype(np.float32)


def test_each_person_is_fitted_by_pictures_of_the_faceset(facesets):
    with Faceset.open(facesets[0]) as faceset:
        faces = faceset.faces()

    def lower(images):
        """Draws every face two of 64 pixels lower."""
        return np.concatenate([np.roll(images, 2, 1), np.full_like(images[..., :1], 255)], -1)

    found = fits(faces, facesets[0], lower, 64, 1.25, Seeing())
    assert set(found) == {face.person for face in faces}
    for fit in found.values():
        assert fit.down == pytest.approx(-2 / 64, abs=0.016) and abs(fit.right) < 0.01
    assert fits(faces[:2], facesets[0], lower, 64, 1.25, Seeing()) == {}, "two faces say nothing"
