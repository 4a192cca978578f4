import math
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceswap import ExtractConfig, extract
from faceswap.errors import UsageError
from faceswap.faces import turning
from faceswap.faces.faceset import Faceset
from faceswap.faces.lying import Lying
from faceswap.faces.sight import Sight, Sighting
from faceswap.faces.template import MEAN_FACE
from faceswap.types import Box, Frame, Pixels

DARK = 40


class Upright:
    """Sees a bright square with a dark upper left quarter: only while it is upright."""

    colour = False

    def detect(self, image, min_face):
        _, bright = cv2.threshold(image, 128, 255, cv2.THRESH_BINARY)
        outlines, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for outline in outlines:
            x, y, w, h = cv2.boundingRect(outline)
            corner = image[y : y + h // 2, x : x + w // 2].mean()
            level = abs(w - h) <= 4 and image[y : y + h, x : x + w].mean() > 150
            if corner < 90 and level and min(w, h) >= min_face:
                return [(Box(float(x), float(y), float(x + w), float(y + h)), 1.0)]
        return []


class Points:
    """The mean face in the box."""

    def locate(self, picture, box):
        centre = np.array([box.left + box.right - 1, box.top + box.bottom - 1]) / 2
        return (MEAN_FACE * box.width + centre).astype(np.float32)


def leaning(degrees, centre=(150, 120)):
    """A square of 80 pixels that leans clockwise."""
    image = np.full((300, 300, 3), 20, np.uint8)
    image[110:190, 110:190] = 230
    image[110:150, 110:150] = DARK
    image[110:113, 110:150] = image[110:150, 110:113] = 230  # the outline is closed
    turn = cv2.getRotationMatrix2D((149.5, 149.5), -degrees, 1)
    turn[:, 2] += np.subtract(centre, 149.5)
    return Pixels(cv2.warpAffine(image, turn, (300, 300), borderValue=(20, 20, 20)))


@pytest.mark.parametrize("degrees", [60, 120, 180, -60])
def test_a_leaning_face_is_found_by_turning_the_picture(degrees):
    picture = leaning(degrees)
    assert not Sight(Upright(), Points(), 40).everywhere(picture)
    sight = Sight(Upright(), Points(), 40, rotate=60)
    [seen] = sight.everywhere(picture)
    assert math.degrees(seen.angle) == pytest.approx(degrees, abs=1) or degrees == 180
    face, following = sight.face(picture, seen, 3)
    eyes = face.landmarks[42:48].mean(0) - face.landmarks[36:42].mean(0)
    off = math.degrees(math.atan2(eyes[1], eyes[0])) - degrees
    assert abs(math.remainder(off, 360)) < 2 and face.track_id == 3
    assert face.landmarks.mean(0) == pytest.approx([150, 120], abs=6)
    assert face.box.iou(Box(110, 80, 190, 160)) > 0.85
    again = sight.near(leaning(degrees, (156, 115)), following)
    assert again is not None and again.box.iou(Box(116, 75, 196, 155)) > 0.85


def test_who_is_upright_is_not_turned():
    [seen] = Sight(Upright(), Points(), 40, rotate=60).everywhere(leaning(0))
    assert seen.angle == 0 and seen.box.iou(Box(110, 80, 190, 160)) > 0.9


@pytest.mark.parametrize(
    ("angles", "lie"),
    [
        ([90] * 8, True),
        ([90] * 4 + [None] * 4, True),
        ([90] * 3 + [None] * 5, False),
        ([90, 180, 270, None] * 2, False),
        ([None] * 8, False),
    ],
)
def test_who_lies_on_one_side_in_half_of_a_segment_is_noticed(angles, lie):
    lying = Lying(Sight(Upright(), Points(), 40, rotate=90), range(100, 180))
    empty = Pixels(np.full((300, 300, 3), 20, np.uint8))
    for index in range(100, 180):
        angle = angles[(index - 100) // 10]
        lying.look(Frame(index, index, Fraction(1, 25), empty if angle is None else leaning(angle)))
    assert lying.seen() is lie


def test_a_segment_of_one_frame_is_looked_at_once():
    lying = Lying(Sight(Upright(), Points(), 40, rotate=90), range(7, 8))
    lying.look(Frame(7, 7, Fraction(1, 25), leaning(270)))
    assert lying.seen()


class Blind:
    colour = False

    def detect(self, image, min_face):
        return []


def test_the_helper_sees_what_the_first_does_not():
    helper = Sight(Upright(), Points(), 40)
    sight = Sight(Blind(), Points(), 40, helper=helper)
    [seen] = sight.everywhere(leaning(0))
    assert seen.helped and sight.near(leaning(0), seen).helped
    both = Sight(Upright(), Points(), 40, helper=helper)
    assert [s.helped for s in both.everywhere(leaning(0))] == [False]


@given(st.floats(-3.1, 3.1), st.floats(20, 250), st.floats(20, 250), st.floats(12, 400), st.integers(16, 200))
def test_a_turned_square_lies_around_its_box(angle, x, y, side, most):
    box = Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    turned, inner = turning.around(Pixels(np.zeros((300, 300, 3), np.uint8)), box, angle, 1.8, most)
    assert max(turned.width, turned.height) <= most + 1
    there = turned.there(inner)
    assert there.iou(box) > 0.9
    middle = np.float32([[turned.width / 2 - 0.5, turned.height / 2 - 0.5]])
    assert np.abs(turned.back(middle)[0] - np.float32([x - 0.5, y - 0.5])).max() < 0.01


@given(st.floats(-3.1, 3.1), st.integers(5, 60), st.integers(5, 60))
def test_a_turned_picture_holds_the_whole(angle, width, height):
    turned = turning.whole(Pixels(np.full((height, width, 3), 200, np.uint8)), angle)
    corners = np.float32([[0, 0], [turned.width - 1, 0], [0, turned.height - 1]])
    assert turned.grey().shape == (turned.height, turned.width)
    assert turned.grey().astype(float).sum() == pytest.approx(200 * width * height, rel=0.25)
    sides = np.linalg.norm(np.diff(turned.back(corners)[[1, 0, 2]], axis=0), axis=1)
    assert sides == pytest.approx([turned.width - 1, turned.height - 1], abs=0.01)


def test_a_region_of_a_turned_picture_is_that_of_its_pixels():
    turned = turning.whole(leaning(35), math.radians(35))
    region = turned.region(120, 100, 200, 170)
    grey = turned.grey()[100:170, 120:200]
    assert region.shape == (70, 80, 3)
    assert np.abs(region[..., 1].astype(int) - grey).mean() < 4


def test_a_sighting_starts_upright():
    assert Sighting(Box(0, 0, 1, 1), 1.0).angle == 0


def test_the_face_type_says_how_much_is_shown(clips, tmp_path):
    fakes = {"detector": "fake", "landmarker": "fake", "min_face": 16, "face_size": 64}
    shown = {}
    for name, more in {"face": {}, "head": {"face_type": "head"}, "own": {"coverage": 4}}.items():
        extract(ExtractConfig(sources=clips[0], output=tmp_path / name, **fakes, **more))
        with Faceset.open(tmp_path / name) as faceset:
            shown[name] = faceset.faces()[0].alignment
    assert [a.coverage for a in shown.values()] == [1.6, 3.0, 4.0]
    scales = [np.hypot(*a.matrix[0, :2]) * a.coverage for a in shown.values()]
    assert scales == pytest.approx([scales[0]] * 3)
    with pytest.raises(UsageError, match="coverage"):
        ExtractConfig(sources=clips[0], output=tmp_path / "x", coverage=0.5)


@pytest.mark.real
def test_turned_photographs_come_upright(real, tmp_path):
    folder = real / "hard" / "images" / "rotated"
    extract(ExtractConfig(sources=folder, output=tmp_path / "set", rotate=30))
    with Faceset.open(tmp_path / "set") as faceset:
        rolls = [abs(face.traits.roll) for face in faceset.faces()]
    assert len(rolls) == 4
    assert rolls == pytest.approx([180, 90, 30, 90], abs=4)


@pytest.mark.real
def test_a_head_that_turns_over_is_followed(real):
    from faceswap.faces.alignment import transform
    from faceswap.finding import Finder
    from faceswap.video.source import open_source

    with open_source(real / "clips" / "rd_radio2_512.mp4") as source:
        image = next(iter(source.frames(0, 1))).image
    tracker, rolls = Finder(ExtractConfig(sources="x", output="y")).tracker(25), []
    for step in range(72):
        turn = cv2.getRotationMatrix2D((255.5, 255.5), -5 * step, 0.7)
        [face] = tracker.find(Pixels(cv2.warpAffine(image, turn, (512, 512))))
        back = cv2.invertAffineTransform(turn)
        rolls.append(transform(face.landmarks, back))
        assert face.track_id == 0
    spread = np.stack(rolls).std(0).mean() / np.ptp(rolls[0][:, 0])
    assert spread < 0.03
