"""Every measure on material whose answer is known: what was put in is what it reads."""

import json
import re

import cv2
import jsonschema
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from faceswap import EvaluateConfig
from faceswap.errors import UsageError
from faceswap.faces.masks import hull
from faceswap.faces.template import MEAN_FACE
from faceswap.quality import expression, fidelity, texture
from faceswap.quality.flicker import excess, flicker
from faceswap.quality.identity import cosines, distances, ranks, spread
from faceswap.quality.measures import MEASURES
from faceswap.quality.pose import DISTANCE, MODEL, RELIEF, RIGID, euler, head_rotation, turn_between
from faceswap.quality.report import Report, in_frame, schema, shown, side_by_side, spans, to_html, to_json
from faceswap.quality.seam import seam
from faceswap.quality.summary import (
    WORST,
    FrameRow,
    check,
    correlations,
    distance,
    enter_changes,
    summaries,
    typical,
)

SIZE = 256
EVERYWHERE = np.ones((SIZE, SIZE), bool)
POINTS = ((MEAN_FACE / 1.8 + 0.5) * SIZE - 0.5).astype(np.float32)
MASK = hull(POINTS, SIZE)
ANGLES = st.floats(-35, 35)


def rotation(axis, degrees):
    return cv2.Rodrigues(np.eye(3)[axis] * np.radians(degrees))[0]


def turned(first, second):
    """The angle between two rotations, degrees."""
    return np.linalg.norm(turn_between(first, second))


def features_apart(first, second):
    return distance(expression.features(first) - expression.features(second))


def texture_of(seed, size=SIZE):
    """Blotches of all sizes, as skin and film have them."""
    draw = np.random.default_rng(seed)
    image = np.full((size, size, 3), 128, np.float32)
    for sigma in (1, 2, 4, 16):
        blotches = cv2.GaussianBlur(draw.normal(0, 1, (size, size, 3)).astype(np.float32), (0, 0), sigma)
        image += 7 * blotches / blotches.std()
    return image


def picture(image):
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def projected(turn, camera=DISTANCE, head=MODEL, scale=90.0):
    """A mesh (468, 3) whose rigid points are those of a turned head before a camera, in pixels."""
    moved = head @ turn.T
    flat = moved[:, :2] * (camera / (camera + moved[:, 2:]))
    mesh = np.zeros((468, 3), np.float32)
    mesh[RIGID] = scale * np.column_stack([flat, moved[:, 2]]) + [300, 200, 0]
    return mesh


def face_mesh():
    """A mesh with a mouth, eyes and brows where the mean head has them, lips closed."""
    mesh = np.zeros((468, 3), np.float32)
    mesh[expression.BROWS] = np.column_stack(
        [np.linspace(-0.5, 0.5, 10), np.full(10, -0.25), np.full(10, -0.2)]
    )
    mesh[expression.EYES] = np.column_stack([np.linspace(-0.5, 0.5, 12), np.zeros(12), np.zeros(12)])
    mesh[expression.LIPS] = np.column_stack(
        [np.linspace(-0.3, 0.3, 20), np.full(20, 0.75), np.full(20, -0.3)]
    )
    mesh[[87, 14, 317]] = mesh[[82, 13, 312]]
    mesh[RIGID] = MODEL
    return mesh


def eyes_at(iris=(0.0, 0.0), opened=0.3, turn=0.0):
    """Two level eyes 40 pixels wide, turned together."""
    eye = np.array([[-0.5, 0], [0.5, 0], [0, -opened / 2], [0, opened / 2], iris]) * 40
    both = np.stack([np.add(eye, (100, 100)), np.add(eye, (180, 100))])
    c, s = np.cos(turn), np.sin(turn)
    return (both @ np.array([[c, s], [-s, c]])).astype(np.float32)


# Pose


@settings(deadline=None)
@given(st.sampled_from([0, 1, 2]), ANGLES)
@example(0, 3e-4)
def test_the_angle_between_rotations_is_the_turn(axis, degrees):
    first = rotation(1, 20) @ rotation(0, -8)
    assert turned(first, rotation(axis, degrees) @ first) == pytest.approx(abs(degrees), abs=1e-4)


@settings(deadline=None)
@given(st.floats(-30, 30), st.floats(-20, 20), st.floats(-30, 30), st.floats(8, 60))
def test_a_turned_head_reads_its_turn(yaw, pitch, roll, camera):
    """The mesh flattens heads by `RELIEF`; the camera may be much nearer or further than assumed."""
    turn = rotation(2, roll) @ rotation(1, yaw) @ rotation(0, pitch)
    found = head_rotation(projected(turn, camera, MODEL * [1, 1, RELIEF]))
    assert turned(turn, found) < 2.5
    assert euler(turn) == pytest.approx((yaw, pitch, roll), abs=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("scale", [30, 90, 400])
def test_ten_degrees_read_ten_on_heads_of_other_shapes(axis, scale):
    for seed in range(8):
        draw = np.random.default_rng(seed)
        head = MODEL * [1, 1, RELIEF] * draw.uniform(0.93, 1.07, 3) + draw.normal(0, 0.012, MODEL.shape)
        before = rotation(1, draw.uniform(-15, 15)) @ rotation(0, draw.uniform(-8, 8))
        turns = [head_rotation(projected(t, 20, head, scale)) for t in (before, rotation(axis, 10) @ before)]
        assert turned(*turns) == pytest.approx(10, abs=1.5)


def test_signs_of_yaw_pitch_and_roll():
    nose = np.array([0, 0, -1.0])
    assert euler(rotation(1, 10))[0] == pytest.approx(10) and (rotation(1, 10) @ nose)[0] < 0
    assert euler(rotation(0, 10))[1] == pytest.approx(10) and (rotation(0, 10) @ nose)[1] > 0
    assert euler(rotation(2, 10))[2] == pytest.approx(10)


# Expression


@settings(deadline=None)
@given(ANGLES, ANGLES, ANGLES, st.floats(20, 500))
def test_turning_moving_and_scaling_a_head_changes_no_expression(yaw, pitch, roll, scale):
    mesh = face_mesh()
    turn = rotation(2, roll) @ rotation(1, yaw) @ rotation(0, pitch)
    moved = (scale * mesh @ turn.T + [200, 100, 0]).astype(np.float32)
    front = expression.frontal(moved)
    assert front == pytest.approx(mesh, abs=1e-3)
    assert features_apart(front, mesh) < 1e-3


@settings(deadline=None)
@given(st.floats(0.01, 0.4))
def test_a_mouth_reads_how_far_it_is_opened_and_nothing_else_moves(opened):
    shut, wide = face_mesh(), face_mesh()
    wide[[87, 14, 317], 1] += opened
    eyes = eyes_at()
    before, after = (expression.openings(expression.frontal(mesh), eyes) for mesh in (shut, wide))
    assert after["mouth open"] - before["mouth open"] == pytest.approx(opened, abs=1e-3)
    assert all(after[name] == pytest.approx(before[name], abs=1e-3) for name in after if name != "mouth open")
    apart = features_apart(expression.frontal(shut), expression.frontal(wide))
    assert apart == pytest.approx(3 * opened / len(expression.INNER), abs=1e-3)
    assert turned(head_rotation(shut), head_rotation(wide)) < 1e-3


def test_raised_brows_and_closed_eyes():
    calm, raised = face_mesh(), face_mesh()
    raised[[63, 105, 66], 1] -= 0.05
    before, after = expression.openings(calm, eyes_at()), expression.openings(raised, eyes_at(opened=0.1))
    assert after["right brow raised"] - before["right brow raised"] == pytest.approx(0.05, abs=0.01)
    assert after["left brow raised"] == before["left brow raised"]
    width = np.linalg.norm(calm[33, :2] - calm[133, :2])
    assert before["right eye open"] - after["right eye open"] == pytest.approx(0.2 * width, abs=1e-4)


@settings(deadline=None)
@given(st.floats(-0.3, 0.3), st.floats(-0.2, 0.2), st.floats(-1, 1))
def test_gaze_is_where_the_iris_is_however_the_head_leans(x, y, turn):
    assert expression.gaze(eyes_at((x, y), turn=turn)) == pytest.approx(
        [x / expression.ANSWER, y / expression.ANSWER], abs=1e-4
    )


def test_closed_eyes_have_no_gaze():
    assert expression.gaze(eyes_at(opened=0.1)) is None
    assert expression.lids(eyes_at(opened=0.25)) == pytest.approx([0.25, 0.25])


# The rest of the picture


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(1, 50))
def test_psnr_is_that_of_the_error(value, error):
    first = np.full((16, 16, 3), value, np.uint8)
    where = np.ones((16, 16), bool)
    assert fidelity.psnr(first, first, where) == fidelity.BEST
    assert fidelity.psnr(first, first + np.uint8(error), where) == pytest.approx(20 * np.log10(255 / error))


@settings(deadline=None)
@given(st.integers(0, 255), st.integers(0, 255))
def test_ssim_of_plain_pictures_is_its_formula(a, b):
    c = (0.01 * 255) ** 2
    first, second = (np.full((32, 32), value, np.uint8) for value in (a, b))
    expected = (2 * a * b + c) / (a * a + b * b + c)
    assert fidelity.ssim(first, second, np.ones((32, 32), bool)) == pytest.approx(expected, abs=1e-3)


def test_only_what_counts_counts():
    first = picture(texture_of(0))
    second, where = first.copy(), EVERYWHERE.copy()
    second[100:150, 100:150] = 0
    where[95:155, 95:155] = False
    assert fidelity.ssim(first[..., 0], second[..., 0], where) == pytest.approx(1, abs=1e-4)
    assert fidelity.psnr(first, second, where) == fidelity.BEST
    assert fidelity.ssim(first[..., 0], second[..., 0], EVERYWHERE) < 0.97
    nowhere = np.zeros_like(where)
    assert (
        fidelity.ssim(first[..., 0], second[..., 0], nowhere) is fidelity.psnr(first, second, nowhere) is None
    )


def test_ssim_falls_with_blur():
    first = picture(texture_of(1))[..., 0]
    scores = [fidelity.ssim(first, cv2.GaussianBlur(first, (0, 0), s), EVERYWHERE) for s in (0.5, 1, 2)]
    assert 1 > scores[0] > scores[1] > scores[2] > 0


# Sharpness and grain


@pytest.mark.parametrize("sigma", [2, 4, 8])
def test_grain_is_the_noise_that_was_put_in_and_detail_does_not_mind_it(sigma):
    calm = cv2.GaussianBlur(texture_of(2), (0, 0), 1.5)
    noisy = picture(calm + np.random.default_rng(9).normal(0, sigma, calm.shape))[..., 0]
    calm = picture(calm)[..., 0]
    assert texture.grain(noisy, EVERYWHERE) == pytest.approx(sigma, rel=0.08)
    assert texture.detail(noisy, EVERYWHERE) == pytest.approx(texture.detail(calm, EVERYWHERE), rel=0.15)


def test_detail_falls_with_blur_and_not_with_brightness():
    image = texture_of(3)
    grey = picture(image)[..., 0]
    blurred = [texture.detail(cv2.GaussianBlur(grey, (0, 0), s), EVERYWHERE) for s in (0.1, 1, 2, 4)]
    assert blurred == sorted(blurred, reverse=True) and blurred[2] < 0.5 * blurred[0]
    assert texture.detail(picture(image + 20)[..., 0], EVERYWHERE) == pytest.approx(blurred[0], rel=0.02)


def test_what_befell_the_whole_frame_is_allowed_for():
    assert texture.against((5.0, 3.0), (10.0, 6.0)) == pytest.approx(1, rel=0.03)
    assert texture.against((5.0, 6.0), (10.0, 6.0)) == pytest.approx(0.5, rel=0.02)
    assert texture.against((5.0, None), (10.0, None)) == pytest.approx(0.5, rel=0.02)
    assert texture.against((0.0, 0.0), (0.0, 0.0)) == 1
    assert texture.against((None, 3.0), (None, 6.0)) is None


# Seam


@pytest.mark.parametrize("step", [4, 10, 30])
def test_a_seam_reads_its_step(step):
    image = texture_of(4)
    recoloured = image + step * (MASK > 0)[..., None]
    assert seam(picture(image), picture(recoloured), MASK) == pytest.approx(step, rel=0.08)


def test_a_line_that_was_drawn_is_less_of_a_seam_than_an_edge():
    """As a brow is, where the original has none; the same change from there on inwards is a seam."""
    image = texture_of(6)
    rim = (MASK > 0) & (cv2.erode(MASK, np.ones((9, 9), np.uint8)) == 0)
    line, edge = (
        seam(picture(image), picture(image - 30 * where[..., None]), MASK) for where in (rim, MASK > 0)
    )
    assert edge == pytest.approx(30, rel=0.08) and line < 0.3 * edge


def test_what_is_no_seam():
    image = texture_of(5)
    old = picture(image)
    soft = cv2.GaussianBlur((MASK > 0).astype(np.float32), (0, 0), 12)[..., None]
    noisy = picture(image + np.random.default_rng(1).normal(0, 3, image.shape))
    assert seam(old, old, MASK) == 0
    assert seam(old, picture(image + 10), MASK) < 0.1
    assert seam(old, picture(image + 10 * soft), MASK) < 0.25 * 10
    assert seam(old, noisy, MASK) < 1.2
    assert seam(old, old, np.zeros_like(MASK)) is seam(old, old, np.full_like(MASK, 255)) is None


# Flicker


@pytest.mark.parametrize("amount", [1, 3, 10])
def test_flicker_reads_what_jumps(amount):
    image = texture_of(6)
    crops = [picture(image + sign * amount) for sign in (1, -1, 1)]
    assert flicker(crops, MASK > 0) == pytest.approx(amount, rel=0.05)


def test_what_changes_evenly_or_finely_is_no_flicker():
    image = texture_of(7)
    fading = [picture(image + 6 * t) for t in range(3)]
    grainy = [picture(image + np.random.default_rng(t).normal(0, 3, image.shape)) for t in range(3)]
    assert flicker([fading[0]] * 3, MASK > 0) == 0
    assert flicker(fading, MASK > 0) < 0.1
    assert flicker(grainy, MASK > 0) < 0.5


@settings(deadline=None)
@given(st.floats(0, 50), st.floats(0, 50))
def test_excess_adds_up_in_squares(original, added):
    swapped = np.hypot(original, added)
    assert excess(swapped, original) == pytest.approx(added, abs=1e-3)
    assert excess(original, swapped) == pytest.approx(-added, abs=1e-3)


# Identity


def test_distances_cosines_and_ranks():
    person, other = np.eye(128, dtype=np.float32)[:2]
    faces = np.stack([person, other, 0.6 * person + 0.4 * other])
    assert distances(faces, person) == pytest.approx([0, 2**0.5, 0.4 * 2**0.5], abs=1e-6)
    assert cosines(3 * faces, 2 * person) == pytest.approx([1, 0, 0.6 / 0.52**0.5], abs=1e-6)
    gallery = np.stack([other, -person])
    assert ranks(faces, person, gallery).tolist() == [1, 2, 1]
    assert ranks(faces, person, gallery[:0]).tolist() == [1, 1, 1]


@settings(deadline=None)
@given(st.integers(0, 500), st.integers(1, 40))
def test_a_spread_is_even_and_in_order(count, wanted):
    places = spread(count, wanted)
    assert places == sorted(set(places)) and len(places) == min(count, wanted)
    assert all(0 <= place < count for place in places)
    if count > 2 * wanted:
        assert max(np.diff([-1, *places, count])) <= 2 * count / wanted


# Summaries and limits


def rows_of(name, values):
    return [FrameRow(i, i / 25, {name: v}) for i, v in enumerate(values)]


@pytest.mark.parametrize(
    ("name", "values", "worst"),
    [
        ("pose", [1, 5, 2, 9], [3, 1, 2, 0]),
        ("ssim", [1, 0.5, 0.9, None], [1, 2]),
        ("grain", [1, 0.4, 3, 1.1], [2, 1, 3]),
        ("missed", [0, 1, 0, 1], [1, 3]),
        ("missed", [1, 1], [0, 1]),
        ("rank", [1, 3, 1, 2], [1, 3]),
        ("psnr", [100, 100, 41], [2]),
        ("identity", [0.2, -0.1], [1, 0]),
    ],
)
def test_the_worst_frames_are_the_worst(name, values, worst):
    found = summaries(rows_of(name, values), apart=1)
    assert list(found) == [name] and list(found[name].worst) == worst
    assert found[name].frames == sum(value is not None for value in values)


@settings(deadline=None)
@given(st.lists(st.floats(0, 10), min_size=1, max_size=60), st.integers(1, 9))
def test_worst_frames_keep_apart_and_none_that_is_worse_is_left_out(values, apart):
    worst = summaries(rows_of("pose", values), apart)["pose"].worst
    assert len(worst) <= WORST and all(abs(a - b) >= apart for a in worst for b in worst if a != b)
    if len(worst) < WORST:
        return
    for frame, value in enumerate(values):
        if value > values[worst[-1]]:
            assert any(abs(frame - other) < apart for other in worst)


def test_what_is_the_same_in_all_frames_makes_no_frame_the_worst():
    """Lips that always seem 0.06 further apart, but for two frames; another was not swapped at all."""
    rows = [FrameRow(i, i / 25) for i in range(20)]
    for row in rows:
        row.enter("mouth", np.float32([[{3: 0.0, 12: 0.11}.get(row.frame, 0.06)]]))
        row.enter("gaze", np.float32([[0.03, 0.04]]))
    rows[7].missed = "unchanged"
    rows[7].enter("mouth", np.float32([[0.0]]))
    enter_changes(rows)
    found = summaries(rows, 1)
    assert rows[12].values["mouth"] == pytest.approx(0.11)
    assert rows[12].changes["mouth"] == pytest.approx(0.05, abs=1e-6) and "mouth" not in rows[7].changes
    assert found["mouth"].worst == (3, 12) and found["gaze"].worst == ()
    assert found["mouth"].mean == pytest.approx((17 * 0.06 + 0.11) / 20)
    assert found["mouth"].changing == pytest.approx((0.06 + 0.05) / 19)
    assert found["gaze"].mean == pytest.approx(0.05) and found["gaze"].changing == pytest.approx(0, abs=1e-6)


def test_a_short_clip_has_nothing_that_is_the_same_in_all_frames():
    rows = [FrameRow(i, i / 25) for i in range(3)]
    for row in rows:
        row.enter("pose", np.float32([[0, 0, 1 + row.frame]]))
    enter_changes(rows)
    assert summaries(rows, 1)["pose"].worst == (2, 1, 0) and summaries(rows, 1)["pose"].changing is None


def test_the_typical_frame_is_in_the_middle():
    assert typical([*rows_of("distance", [0.5, 0.3, 0.4]), FrameRow(3, 0.12)]) == 2


def test_identity_counts_frames_and_the_rest_is_averaged():
    found = summaries(rows_of("identity", [0.2, -0.1, 0.3, 0.1]) + rows_of("pose", [1, 2, 3, 6]), 1)
    assert found["identity"].value == 0.75 and found["identity"].mean == pytest.approx(0.125)
    assert found["pose"].value == 3 and found["pose"].median == 2.5


def test_correlations_tell_who_follows():
    wave = np.sin(np.arange(40) / 3)
    rows = [FrameRow(i, i / 25) for i in range(len(wave))]
    for row, w in zip(rows, wave, strict=True):
        row.traces = {"same": (w, 2 * w + 1), "still": (w, 0.5)}
    assert correlations(rows) == {"same": pytest.approx(1)}
    assert correlations(rows[:5]) == {}


@pytest.mark.parametrize(
    ("name", "value", "limit", "kept"),
    [
        ("identity", 0.95, 0.9, True),
        ("identity", 0.85, 0.9, False),
        ("pose", 4, 5, True),
        ("pose", 6, 5, False),
        ("sharpness", 0.9, 0.8, True),
        ("sharpness", 1.6, 0.8, False),
        ("sharpness", 0.5, 0.8, False),
        ("rank", None, 1, False),
    ],
)
def test_limits(name, value, limit, kept):
    found = summaries(rows_of(name, [value]), 1) if name != "identity" else {}
    if name == "identity":
        found = summaries(rows_of(name, [1] * round(value * 100) + [-1] * round(100 - value * 100)), 1)
    assert [c.passed for c in check(found, {name: limit})] == [kept]


@pytest.mark.parametrize("text", ["beauty=1", "identity", "identity=much", "pose=nan", "=3", "rank=1"])
def test_limits_that_make_no_sense_are_refused_before_anything_is_loaded(text):
    with pytest.raises(UsageError):
        EvaluateConfig(original="a", swapped="b", identity="c", output="d", fail_under=(text,))


# The report


def drawn_report(**more):
    rows = []
    for index in range(30):
        values = {name: 0.5 + 0.4 * np.sin(index / 4 + place) for place, name in enumerate(MEASURES)}
        rows.append(FrameRow(index, index / 25, {k: float(v) for k, v in values.items()}))
        rows[-1].enter("pose", np.float32([[index, 0, 3]]))
        rows[-1].traces["yaw, degrees"] = (float(index), float(index + 1))
        rows[-1].missed = "unchanged" if 4 <= index <= 6 else ""
    enter_changes(rows)
    found = summaries(rows, 3)
    about = {
        "clips": {"original": "a.mp4", "swapped": "<i> & c.mp4"},
        "settings of the measuring": {},
        "versions": {"x": "1"},
    }
    counts = {"frames": 30, "measured": 30, "every": 1, "faces": 30, "width": 64, "height": 64}
    clip = {**counts, "rate": 25.0, "seconds": 1.5}
    checks = check(found, {"pose": 0.1, "identity": 0.2})
    return Report(about, clip, rows, found, correlations(rows), checks, ["<damaged>"], **more)


def test_the_json_is_what_its_schema_says():
    jsonschema.Draft202012Validator.check_schema(schema())
    content = json.loads(to_json(drawn_report()))
    jsonschema.validate(content, schema())
    assert set(schema()["$defs"]["name"]["enum"]) == set(MEASURES)
    assert content["measures"]["pose"]["worst"] == list(drawn_report().summaries["pose"].worst)
    content["frames"][0]["values"]["beauty"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema())


def test_the_page_is_one_file_with_all_that_was_measured():
    report = drawn_report()
    shot = side_by_side(np.zeros((40, 60, 3), np.uint8), np.full((40, 60, 3), 255, np.uint8), 20)
    worst = {name: [(frame, shot) for frame in s.worst] for name, s in report.summaries.items()}
    page = to_html(report, worst, [("B & co", shot)])
    assert (
        not re.findall(r'(?:src|href)="(?!data:image/|#)', page)
        and "<script" not in page
        and "@import" not in page
    )
    assert "&lt;i&gt; &amp; c.mp4" in page and "&lt;damaged&gt;" in page and "<i>" not in page
    assert "NOT KEPT: pose" in page and "Frames missed: 4 to 6." in page
    for name, measure in MEASURES.items():
        assert f'id="{name}"' in page and measure.title in page
        assert page.count(measure.meaning.replace("'", "&#39;")) == 2
    assert page.count("data:image/svg+xml") == len(MEASURES) + 1
    assert page.count("data:image/jpeg") == sum(map(len, worst.values())) + 1 and "B &amp; co" in page
    assert "7.19 of it changes" in page
    assert page == to_html(report, worst, [("B & co", shot)])


def test_missed_frames_are_listed_in_spans():
    assert spans([], 1) == "" and spans([3, *range(20, 30), 31], 1) == "3, 20 to 29, 31"
    assert spans([0, 4, 8, 16], 4) == "0 to 8, 16"


def test_values_are_shown_as_people_read_them():
    assert shown(MEASURES["identity"], 0.914) == "91.4%"
    assert in_frame(MEASURES["identity"], 0.349) == "0.349"  # a difference of distances, no share
    assert shown(MEASURES["pose"], 3.14159) == in_frame(MEASURES["pose"], 3.14159) == "3.14 °"
    assert shown(MEASURES["rank"], None) == "not measured"
