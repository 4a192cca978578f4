"""Lids that come down on a drawn face where the frame's are."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marks import frames_of, landmarks_of

from faceswap import ConvertConfig, convert
from faceswap.blending.lids import EYES, shut
from faceswap.blinking import Blinks
from faceswap.faces.alignment import align, cut, transform
from faceswap.faces.faceset import Faceset
from faceswap.faces.template import MEAN_FACE
from faceswap.faces.traits import eye_opening
from faceswap.types import Pixels

SIDE, SMALL = 256, 128  # pixels: of a picture, of what the network draws
POINTS = ((MEAN_FACE / 1.25 + 0.5) * SIDE - 0.5).astype(np.float32)
SKIN, SHADOW, WHITE, DARK = (150, 170, 205), (120, 140, 180), (225, 225, 225), (25, 25, 25)
SAMPLE = Path(__file__).parents[1] / "data" / "samples" / "person_b.mp4"


def person(points, shade=0):
    """A face with eyes where its landmarks are, BGR uint8; blotchy, so that no place is like another."""
    image = np.full((SIDE * 4, SIDE * 4, 3), SKIN, np.float32)
    for upper, lower, brow in EYES:
        around = np.concatenate([points[upper], points[lower][-2:0:-1]])
        width = np.ptp(around[:, 0])
        centre = tuple(round(float(v) * 4) for v in around.mean(0))
        cv2.polylines(image, [np.int32(points[brow] * 4)], False, (60, 70, 90), 20)
        inside = np.zeros(image.shape[:2], np.uint8)
        cv2.fillPoly(inside, [np.int32(around * 4)], 1)
        eye = np.full_like(image, WHITE)
        cv2.circle(eye, centre, int(width * 0.8), DARK, -1)
        image[inside > 0] = eye[inside > 0]
        cv2.polylines(image, [np.int32(points[upper] * 4)], False, DARK, 6)
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    blotches = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 60, (SIDE, SIDE)), (0, 0), 6)
    return np.clip(small + blotches[..., None] + shade, 0, 255).astype(np.uint8)


def opened(share, points=POINTS):
    """The points of the same face with its eyes open by a share of what they were."""
    points = points.copy()
    for upper, lower, _ in EYES:
        points[upper[1:3]] = points[lower[2:0:-1]][::-1] + share * (points[upper[1:3]] - points[lower[1:3]])
    return points


def within(points):
    """Where the eyes are: bool (SIDE, SIDE)."""
    where = np.zeros((SIDE, SIDE), np.uint8)
    for upper, lower, _ in EYES:
        cv2.fillPoly(where, [np.int32(np.concatenate([points[upper], points[lower][-2:0:-1]]))], 1)
    return where > 0


def eye_colours(picture, points=POINTS):
    """How much of the eyes is not skin, 0 to 1."""
    return float((np.abs(picture * 255 - SKIN).max(-1)[within(points)] > 45).mean())


def floats(image):
    return image.astype(np.float32) / 255


# Lids


def test_a_lid_that_does_not_come_down_changes_hardly_anything():
    face = floats(person(POINTS))
    assert np.abs(shut(face, POINTS, 0.0) - face)[within(POINTS)].mean() < 0.02


@pytest.mark.parametrize("off", [(0, 0), (0, 3), (0, -3), (2, 1)])
def test_shut_eyes_show_skin_and_lashes_though_the_points_are_a_little_off(off):
    face = floats(person(POINTS))
    seen = [eye_colours(shut(face, POINTS + np.float32(off), closed)) for closed in (0, 0.5, 1)]
    assert seen[0] > 0.9 and 0.35 < seen[1] < 0.8 and seen[2] < 0.3


def test_nothing_else_is_touched():
    face = floats(person(POINTS))
    change = np.abs(shut(face, POINTS, 1.0) - face).max(-1)
    rows, columns = np.nonzero(change)
    eyes, brows = POINTS[36:48], POINTS[17:27]
    wide = np.ptp(POINTS[36:40, 0])
    assert rows.min() >= np.floor(brows[:, 1].min()) and rows.max() <= eyes[:, 1].max() + 0.2 * wide + 1
    assert columns.min() >= eyes[:, 0].min() - 0.25 * wide and columns.max() <= eyes[:, 0].max() + 0.25 * wide


@pytest.mark.parametrize("points", [POINTS * 0, POINTS * 0.05, POINTS - SIDE * 2, POINTS + SIDE * 2])
def test_what_is_no_eye_or_out_of_the_picture_is_left_alone(points):
    face = floats(person(POINTS))
    assert np.array_equal(shut(face, points.astype(np.float32), 1.0), face)


@given(st.floats(-180, 180), st.floats(0.5, 20), st.floats(0.2, 1))
def test_how_far_eyes_are_open_is_told_whatever_the_size_and_the_lean(degrees, scale, share):
    turn = cv2.getRotationMatrix2D((10, 20), degrees, scale)
    assert eye_opening(transform(opened(share), turn)) == pytest.approx(eye_opening(opened(share)), rel=1e-3)
    assert eye_opening(opened(share)) == pytest.approx(share * eye_opening(POINTS), rel=0.05)


# Blinks


class Knowing:
    """A landmarker that knows how far eyes are open in each picture, and takes a drawn face for another."""

    def __init__(self, known, otherwise=POINTS):
        self._known = {picture.tobytes(): points for picture, points in known}
        self._otherwise = otherwise

    def locate(self, picture, box):
        return self._known.get(picture.image.tobytes(), self._otherwise)


def network(pictures):
    small = [cv2.resize(one, (SMALL, SMALL), interpolation=cv2.INTER_AREA) for one in pictures]
    return np.stack([np.dstack([one, np.full((SMALL, SMALL), 255, np.uint8)]) for one in small])


@pytest.fixture
def faces(facesets):
    """A person whose eyes are open in all frames but the last."""
    with Faceset.open(facesets[0]) as faceset:
        stored = faceset.faces()
    shares = [1.0] * (len(stored) - 1) + [0.3]
    return [
        replace(one, face=replace(one.face, landmarks=opened(share)))
        for one, share in zip(stored, shares, strict=True)
    ]


def blinks(faces, otherwise=POINTS):
    moves = [(0, 0), (5, 2), (-4, -3), (1, 6)]
    known = [(person(POINTS + np.float32(move)), POINTS + np.float32(move)) for move in moves]
    known.append((person(opened(0.3)), opened(0.3)))  # a blink: not what is looked for
    pictures = np.stack([picture for picture, _ in known])
    return Blinks(faces, pictures, network(pictures), Knowing(known, otherwise), 1.25)


def test_open_eyes_stay_as_they_are(faces):
    taught = blinks(faces)
    assert taught.closed(faces[0]) == 0 and taught.closed(faces[-1]) == 1


@pytest.mark.parametrize("move", [(0, 0), (3, -2), (-2.5, 1.5)])
def test_shut_ones_are_shut_where_they_were_drawn(faces, move):
    """The landmarks of the drawn face would have them elsewhere."""
    points = POINTS + np.float32(move)
    drawn = person(points, shade=-10)
    taught = blinks(faces, otherwise=POINTS + np.float32([9, 9]))
    seen = taught.follow(1.0, network([drawn])[0], floats(drawn))
    assert eye_colours(floats(drawn), points) > 0.9 and eye_colours(seen, points) < 0.35


def test_what_the_network_has_shut_already_is_not_shut_again(faces):
    drawn = person(opened(0.3))
    taught = blinks(faces, otherwise=opened(0.3))
    assert np.array_equal(taught.follow(1.0, network([drawn])[0], floats(drawn)), floats(drawn))


def test_each_person_has_an_own_usual(faces):
    """Somebody with narrow eyes does not blink all the time."""
    narrow = [replace(one, person=1, face=replace(one.face, landmarks=opened(0.5))) for one in faces[:-1]]
    taught = blinks([*faces, *narrow])
    assert taught.closed(narrow[0]) == 0 and taught.closed(faces[-1]) == 1


def test_a_swap_blinks_unless_told_otherwise(clips, facesets, model, tmp_path, monkeypatch):
    monkeypatch.setattr(Blinks, "closed", lambda self, face: 1.0)
    monkeypatch.setattr(Blinks, "follow", lambda self, closed, made, picture: picture * 0)

    def swapped(name, **more):
        paths = {"source": clips[0], "faceset": facesets[0], "model": model, "output": tmp_path / name}
        convert(ConvertConfig(**paths, color="none", match_detail=0, **more))
        return cv2.VideoCapture(str(tmp_path / name)).read()[1].astype(int)

    assert (swapped("without.mp4", blinks=False) - swapped("with.mp4")).max() > 60


@pytest.mark.real
def test_shut_eyes_of_a_real_face_read_as_shut():
    from faceswap.faces.landmarkers.dlib68 import Dlib68
    from faceswap.faces.template import detected

    landmarker, ratios = Dlib68(), []
    frames = frames_of(SAMPLE, 60)[::6]
    for frame, points in zip(frames, landmarks_of(frames), strict=True):
        alignment = align(points, SIDE, 1.25)
        crop, there = cut(Pixels(frame), alignment), transform(points, alignment.matrix)
        after = np.rint(np.clip(shut(floats(crop), there, 1.0), 0, 1) * 255).astype(np.uint8)
        before, now = (
            eye_opening(landmarker.locate(Pixels(picture), detected(SIDE, 1.25))) for picture in (crop, after)
        )
        if before > 0.25:
            ratios.append(now / before)
    assert len(ratios) > 5 and np.median(ratios) < 0.7
