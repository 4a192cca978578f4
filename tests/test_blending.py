import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswap import registry
from faceswap.blending.bands import detail_of, grain_of, roughness, strength
from faceswap.blending.crispen import crisp
from faceswap.blending.detail import Detail
from faceswap.blending.fading import WIDTH, confidence
from faceswap.blending.grain import Grain
from faceswap.blending.mask import Shape, combined, soften
from faceswap.blending.paste import enlarge, paste
from faceswap.blending.skin import FEATURES, bare_skin
from faceswap.faces.alignment import align, cut, transform
from faceswap.faces.template import MEAN_FACE
from faceswap.laying import LARGE, Place, cover_of, lay
from faceswap.types import Patch, Pixels
from faceswap.video.patching import image_apply


def scene(seed=0, height=200, width=240):
    """A smooth random picture."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(30, 220, (6, 7, 3)).astype(np.uint8)
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
    back = cv2.invertAffineTransform(alignment.matrix)
    opacity = soften(oval(), Shape(feather=6))
    done = image_apply(frame, [Patch(cut(Pixels(frame), alignment), opacity, back)])
    # Near the frame's border the cut face repeats the border, which it then lays over it.
    assert np.abs(done.astype(int) - frame).max() <= 6
    outside = cv2.warpAffine((opacity > 0).astype(np.uint8), back, frame.shape[1::-1])
    far = cv2.dilate(outside, np.ones((9, 9), np.uint8)) == 0
    assert (done == frame)[far].all()


@pytest.mark.parametrize("name", ["alpha", "pyramid", "clone"])
def test_a_patch_shows_the_face_where_it_is_opaque(name):
    frame, blend = scene(), registry.load(registry.BLENDS, name)
    matrix = np.array([[1.0, 0, 20], [0, 1, 30]])
    face = np.full((128, 128, 3), 7, np.uint8)
    patch = paste(Pixels(frame), Patch(face, soften(oval(), Shape()), matrix), blend)
    changed = (image_apply(frame, [patch]) != frame).any(axis=2)
    middle = np.argwhere(changed).mean(0)
    assert middle == pytest.approx([30 + 63.5, 20 + 63.5], abs=1.5)
    assert changed.sum() == pytest.approx((oval() > 0).sum(), rel=0.05)
    if name == "alpha":
        assert (image_apply(frame, [patch])[80:100, 70:90] == 7).all()


def test_nothing_to_paste_outside_the_frame():
    far, near = np.array([[1.0, 0, 900], [0, 1, 900]]), np.eye(2, 3)
    face = np.zeros((128, 128, 3), np.uint8)
    assert paste(Pixels(scene()), Patch(face, soften(oval(), Shape(feather=6)), far)) is None
    assert paste(Pixels(scene()), Patch(face, np.zeros((128, 128), np.float32), near)) is None


@given(st.floats(-20, 20), st.floats(0, 30))
def test_softening_stays_in_its_bounds(erode, feather):
    opacity = soften(oval(), Shape(erode, feather=feather))
    assert opacity.min() >= 0 and opacity.max() <= 1
    border = np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]])
    assert border.max() < 0.5
    if erode > 0:
        assert not opacity[oval() == 0].any()


def test_erosion_and_feather_are_in_pixels():
    line = soften(oval(), Shape(5, feather=10))[64]
    edge = np.flatnonzero(oval()[64])[0]
    assert np.flatnonzero(line > 0)[0] == pytest.approx(edge + 5, abs=1)
    assert np.flatnonzero(line >= 0.5)[0] == pytest.approx(edge + 10, abs=1)
    assert np.flatnonzero(line == 1)[0] == pytest.approx(edge + 15, abs=1)
    assert soften(oval(), Shape(-5, feather=0.1)).sum() > soften(oval(), Shape(feather=0.1)).sum() * 1.15


def test_a_full_mask_fades_at_the_border_of_the_crop():
    opacity = soften(np.full((64, 64), 255, np.uint8), Shape(feather=8))
    assert opacity[0].max() < 0.1 and opacity[32, 32] == 1


def test_enlarge_keeps_the_picture():
    face = scene(3)[:96, :96]
    assert np.abs(enlarge(enlarge(face, 256), 96).astype(int) - face).max() < 8


def extent(opacity):
    """First and last row, first and last column with anything in them."""
    rows, columns = np.nonzero(opacity > 0)
    return np.array([rows.min(), rows.max(), columns.min(), columns.max()])


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
@pytest.mark.parametrize("amount", [9, -9])
def test_each_side_moves_by_itself(side, amount):
    before = extent(soften(oval(), Shape()))
    after = extent(soften(oval(), Shape(**{side: amount})))
    place = ["top", "bottom", "left", "right"].index(side)
    sign = 1 if place % 2 == 0 else -1
    assert after[place] == before[place] + sign * amount
    kept = np.arange(4) // 2 == place // 2
    kept[place] = False
    assert (after[kept] == before[kept]).all(), "the opposite side stays where it was"


@given(st.lists(st.floats(-40, 40), min_size=5, max_size=5), st.floats(0, 30))
@settings(deadline=None)
def test_no_shape_reaches_the_border_of_the_crop(moves, feather):
    for mask in (oval(), np.full((128, 128), 255, np.uint8)):
        opacity = soften(mask, Shape(*moves, feather=feather))
        assert opacity.min() >= 0 and opacity.max() <= 1
        assert not np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]]).any()


def test_shapes_scale_with_the_face():
    assert Shape(0.1, 0.2, feather=0.3).scaled(100) == Shape(10, 20, 0, 0, 0, 30)


def test_which_mask():
    one, two = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    one[:3], two[1:] = 255, 255
    assert (combined(one, two, "faceset") == one).all() and (combined(one, two, "predicted") == two).all()
    assert (combined(one, two, "both") == (one & two)).all()


def soft(size=128):
    return soften(oval(size), Shape(feather=size / 12))


@pytest.mark.parametrize("name", registry.BLENDS)
def test_blends_leave_equals_alone_and_nothing_outside_changes(name):
    blend = registry.load(registry.BLENDS, name)
    region, face, opacity = scene(1)[:128, :128].copy(), scene(2)[:128, :128].copy(), soft()
    assert np.abs(blend(region, region.copy(), opacity).astype(int) - region).max() <= 3
    joined = blend(region, face, opacity)
    assert joined.shape == region.shape and joined.dtype == np.uint8
    assert (joined[opacity == 0] == region[opacity == 0]).all()
    assert (joined != region)[opacity > 0.5].mean() > 0.5


@pytest.mark.parametrize("name", registry.BLENDS)
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (5, 5), (40, 33)])
def test_blends_take_any_region(name, size):
    """Faces that are cut off by the frame fill their region up to its border."""
    blend = registry.load(registry.BLENDS, name)
    region, face = np.full((*size, 3), 90, np.uint8), np.full((*size, 3), 160, np.uint8)
    joined = blend(region, face, np.ones(size, np.float32))
    assert joined.shape == region.shape
    assert (blend(region, face, np.zeros(size, np.float32)) == region).all()


@pytest.mark.parametrize("name", registry.BLENDS)
def test_half_the_opacity_is_half_the_change(name):
    blend = registry.load(registry.BLENDS, name)
    face = cv2.add(scene(2)[:128, :128], (30, 0, 0, 0))
    region = scene(1)[:128, :128].copy()
    full = blend(region, face, soft()).astype(float) - region
    half = blend(region, face, soft() * np.float32(0.5)).astype(float) - region
    assert np.abs(half - full / 2)[soft() == 1].max() <= 3


def test_cloning_takes_the_colour_of_the_edge():
    """A face that is 60 levels darker than the frame is not, once it is cloned in."""
    texture = (10 * np.sin(np.arange(128) / 3))[None, :, None]
    region = np.full((128, 128, 3), 150, np.uint8)
    face = np.clip(90 + texture + np.zeros((128, 128, 3)), 0, 255).astype(np.uint8)
    joined = registry.load(registry.BLENDS, "clone")(region, face, soft())
    middle = joined[44:84, 44:84].astype(float)
    assert middle.mean() == pytest.approx(150, abs=5) and middle.std() == pytest.approx(7, abs=2)


def test_a_pyramid_mixes_broad_shades_widely_and_lines_sharply():
    stripes = np.where(np.arange(128) % 4 < 2, 25, -25)[:, None, None]
    region, face = np.full((128, 128, 3), 60, np.uint8), np.full((128, 128, 3), 180, np.uint8)
    region, face = region, np.clip(face + stripes, 0, 255).astype(np.uint8)
    wide = soften(oval(), Shape(feather=24))
    joined = registry.load(registry.BLENDS, "pyramid")(region, face, wide)[64, :, 0].astype(float)
    step = np.abs(np.diff(joined)).max()
    hard = np.abs(np.diff(np.where(wide[64] > 0.5, float(face[64, 0, 0]), 60.0))).max()
    assert step < hard / 2


@settings(deadline=None)
@given(st.floats(0.3, 9), st.floats(-3, 3), st.floats(-20, 20), st.floats(-20, 20))
def test_a_picture_lies_where_its_matrix_says(scale, angle, right, down):
    """A wave is where the way back leads to it, to a few grey levels and a tenth of a pixel.

    Where it is enlarged so much that it is turned at a quarter of its size, to a 25th of its own pixels.
    """

    def wave(x, y):
        return 128 + 60 * np.sin(x / 9) * np.cos(y / 11)

    x, y = np.meshgrid(np.arange(64), np.arange(64))
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    matrix = np.array([[c, -s, 70 + right - 32 * (c - s)], [s, c, 60 + down - 32 * (s + c)]])
    put = Place(0, 0, 151, 130, matrix).put(np.rint(wave(x, y)).astype(np.uint8))
    there = np.stack([*np.meshgrid(np.arange(151), np.arange(130)), np.ones((130, 151))])
    u, v = np.einsum("ij,jyx->iyx", cv2.invertAffineTransform(matrix), there)
    inside = (np.minimum(u, v) > 5) & (np.maximum(u, v) < 58)
    off = (put - wave(u, v))[inside]
    assert np.abs(off).max() < 4
    slope = 60 / 9 * (np.cos(u / 9) * np.cos(v / 11))[inside]
    aside = abs(scale * (off @ slope) / (slope @ slope))
    assert aside < max(0.1, scale / 25), "how far aside it lies, pixels of the plane"


def rough(deviation, seed=0, shape=(128, 128)):
    noise = np.random.default_rng(seed).normal(0, deviation, shape)
    return np.clip(np.rint(128 + noise), 0, 255).astype(np.uint8)[..., None].repeat(3, 2)


GREY = np.float32([1, 1, 1]) / 3
ONES, HERE = np.ones((128, 128), np.float32), np.ones((128, 128), np.uint8)
WHOLE = Place(0, 0, 128, 128, np.eye(2, 3))


def grained(face, region, skin=ONES, seed=3):
    under, over = (np.ascontiguousarray(image[..., 0].astype(np.float32)) for image in (region, face))
    return over + Grain(1.0, skin, 1.0, seed)(under, over, ONES, WHOLE)


def test_the_grain_of_the_frame_is_reached():
    """A clean face takes on the frame's grain, a grainy one loses what it has too much."""
    for have, want in ((0.5, 6), (6, 2), (4, 4)):
        region = rough(want, 1)
        for skin in (ONES, 0 * ONES):
            done = grained(rough(have, 2), region, skin)
            got, goal = (roughness(grain_of(grey), HERE) for grey in (done, region @ GREY))
            assert got == pytest.approx(goal, rel=0.12)


def test_a_face_that_is_much_enlarged_has_no_grain_of_its_own():
    region, face = rough(4, 1)[..., 0].astype(np.float32), rough(4, 2)[..., 0].astype(np.float32)
    large = Place(0, 0, 128, 128, np.array([[3.0, 0, -100], [0, 3, -100]]))
    added = Grain(1.0, ONES, 1.0, 0)(region, face, ONES, large)
    assert roughness(grain_of(added), HERE) == pytest.approx(roughness(grain_of(region), HERE), rel=0.25)
    clean = Grain(1.0, ONES, 1.0, 0)(np.full_like(region, 128), face, ONES, large)
    assert not clean.any(), "and a clean frame gives it none"


SIDEWAYS = cv2.getRotationMatrix2D((64, 64), 7, 1.1 * LARGE) + np.float64([[0, 0, 136], [0, 0, 136]])
FAR = Place(0, 0, 401, 399, SIDEWAYS)


def laid(plane, picture, opacity, finish=None, levels=256):
    """The plane with a picture on it that is enlarged by more than `LARGE`, and where that is opaque."""
    done = plane.copy()
    lay([done], [picture], opacity, FAR, finish, levels)
    return done, cover_of(opacity, FAR)


@pytest.mark.parametrize(("levels", "kind"), [(256, np.uint8), (1024, np.uint16)])
def test_a_much_enlarged_picture_is_mixed_by_its_opacity(levels, kind):
    plane, picture = (
        (cv2.resize(scene(seed)[..., 0], size, interpolation=cv2.INTER_CUBIC) * (levels / 256)).astype(kind)
        for seed, size in ((1, (401, 399)), (2, (128, 128)))
    )
    done, cover = laid(plane, picture, soft())
    over = FAR.put(picture).astype(float)
    assert np.abs(done - (plane + (over - plane) * cover)).max() <= 2.5 * levels / 256
    far = cv2.dilate((cover > 0).astype(np.uint8), np.ones((5, 5))) == 0
    assert (done == plane)[far].all() and 0.1 < far.mean() < 0.9


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.4, 2.2, 3.1])
def test_under_a_mask_a_picture_lies_as_without(scale):
    """Only what is past its edge may be black."""
    turn = cv2.getRotationMatrix2D((64, 64), 20, scale) + np.float64([[0, 0, 70], [0, 0, 70]])
    place, picture = Place(0, 0, 280, 270, turn), scene(7)[:128, :128]
    shown = place.smooth(np.ones((128, 128), np.float32)) > 0
    change = np.abs(place.put_masked(picture).astype(int) - place.put(picture))
    assert change[shown].max() <= 3 and shown.mean() > 0.05


def test_a_much_enlarged_face_keeps_its_detail():
    """What is doubled linearly in the end has as much of it as a turn with Lanczos' kernel at full size."""
    draw = np.random.default_rng(5)
    picture = 128 + 4 * cv2.GaussianBlur(draw.normal(0, 25, (128, 128)), (0, 0), 1.0)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    plane = np.clip(np.rint(draw.normal(128, 0.6, (399, 401))), 0, 255).astype(np.uint8)
    done, cover = laid(plane, picture, soft(), Grain(1.0, ONES, 1.0, 3))
    wanted = cv2.warpAffine(picture, SIDEWAYS, (401, 399), flags=cv2.INTER_LANCZOS4)
    inside = (cover > 0.999).astype(np.uint8)
    got, goal = (strength(detail_of(x.astype(np.float32), 4, 2), inside) for x in (done, wanted))
    assert got == pytest.approx(goal, rel=0.03)


@pytest.mark.parametrize("match", [1.0, 0.5])
@pytest.mark.parametrize("levels", [256, 1024])
def test_a_much_enlarged_face_gets_the_grain_of_the_frame(levels, match):
    unit = 256 / levels
    kind, face = (np.uint8 if levels == 256 else np.uint16), np.full((128, 128), 150)
    for want in (0, 1.5, 4):
        noise = cv2.GaussianBlur(np.random.default_rng(1).normal(0, want, (399, 401)), (0, 0), 0.6)
        plane = np.rint((110 + noise) / unit).astype(kind)
        for skin in (ONES, 0 * ONES):
            picture = np.rint(face / unit).astype(kind)
            done, cover = laid(plane, picture, soft(), Grain(match, skin, 1.0, 3), levels)
            inside = (cover > 0.999).astype(np.uint8)
            got, goal = (strength(grain_of(x.astype(np.float32)), inside) for x in (done, plane))
            assert got == pytest.approx(match * goal, rel=0.15, abs=0.1)
            assert done[inside > 0].mean() * unit == pytest.approx(150, abs=0.5)


def test_lines_below_a_much_enlarged_face_do_not_come_back():
    plane = rough(2, 1, (399, 401))[..., 0].astype(int)
    plane[196:200] -= 70
    plane, face = np.clip(plane, 0, 255).astype(np.uint8), np.full((128, 128), 128, np.uint8)
    done, cover = laid(plane, face, soft(), Grain(1.0, ONES, 1.0, 3))
    middle = np.s_[:, 150:250]
    change = (done.astype(float) - 128)[middle]
    rows = (cover[middle] > 0.999).all(1)
    assert rows[170:230].all() and np.abs(change.mean(1))[rows].max() < 1.5, "no row stands out"
    clear = rows & (np.abs(np.arange(399) - 198) > 12)
    same = np.corrcoef(change[clear].ravel(), grain_of(plane.astype(np.float32))[middle][clear].ravel())[0, 1]
    assert same > 0.9, "but the grain is the frame's own"


def test_lines_of_the_original_do_not_come_back():
    """Grain of bare skin is taken over, an edge that crosses it is not."""
    region = rough(2, 1).astype(int)
    region[60:64] -= 70
    region = np.clip(region, 0, 255).astype(np.uint8)
    change = grained(np.full_like(region, 128), region) - 128
    rows = np.abs(change.mean(1))
    assert rows.max() < 1.5, "no row stands out"
    away = np.corrcoef(change[5:50].ravel(), grain_of(region @ GREY)[5:50].ravel())[0, 1]
    assert away > 0.9, "but the grain is the frame's own"


def test_detail_is_brought_to_the_originals():
    frame = scene(4).astype(np.float32)[:128, :128] + 12 * np.sin(np.arange(128) / 1.6)[None, :, None]
    region = np.clip(frame, 0, 255).astype(np.uint8)
    face = cv2.GaussianBlur(region, (0, 0), 1.2)
    size = {}
    for name, match in (("before", 0.0), ("after", 1.0)):
        done = Detail(match=match).apply(face, region @ GREY, HERE, 5.0, 1.0)
        size[name] = strength(detail_of(done @ GREY, 3, 1.2), HERE)
    goal = strength(detail_of(region @ GREY, 3, 1.2), HERE)
    assert size["before"] < 0.85 * goal
    assert size["after"] == pytest.approx(goal, rel=0.1)
    softer = Detail(match=1.0).apply(region, face @ GREY, HERE, 5.0, 1.0)
    assert np.abs(softer.astype(int) - face).mean() < np.abs(region.astype(int) - face).mean() / 2


def test_sharpening_and_nothing_to_do():
    face = scene(5)[:128, :128]
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY).astype(np.float32)
    assert Detail().apply(face, grey, HERE, 4.0, 1.0) is face
    sharp = Detail(sharpen=2).apply(face, grey, HERE, 4.0, 1.0)
    assert cv2.Laplacian(sharp, cv2.CV_32F).var() > 2 * cv2.Laplacian(face, cv2.CV_32F).var()
    same = Detail(match=1).apply(face, grey, HERE, 4.0, 1.0)
    assert np.abs(same.astype(int) - face).max() <= 1, "a face like its frame is left alone"
    assert Detail(sharpen=2).apply(face, grey, 0 * HERE, 4.0, 1.0) is face, "nothing of it shows"


def test_drawn_grain_is_the_same_again_and_another_in_the_next_frame():
    flat, region = np.full((128, 128, 3), 128, np.uint8), rough(5)
    first, again, other = (grained(flat, region, 0 * ONES, seed) for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).mean() > 0.5


def test_skin_is_bare_off_the_features():
    points = transform(MEAN_FACE, align(MEAN_FACE * 100, 256, 1.25).matrix @ np.diag([100, 100, 1]))
    skin = bare_skin(points, 256)
    for feature in FEATURES:
        x, y = points[list(feature)].mean(0).round().astype(int)
        assert skin[y, x] < 0.05
    cheek = (points[31] + points[3]) / 2
    x, y = cheek.round().astype(int)
    assert skin[y, x] > 0.95 and 0.3 < skin.mean() < 0.95


def test_confidence_fades_with_turning():
    assert confidence(0, 0, 50) == confidence(35, 35, 50) == 1
    assert confidence(50 + WIDTH, 0, 50) == confidence(0, -80, 50) == 0
    falls = -np.diff([confidence(angle, 5, 50) for angle in np.linspace(40, 80, 41)])
    assert falls.min() >= 0 and falls.max() < 0.1, "no step"


def test_crisp_edges_are_narrower_and_stay_where_they_are():
    """An edge across three pixels, enlarged; it has no halo, and plain shades are left alone."""
    ramp = np.rint(np.interp(np.arange(64), [30.5, 33.5], [76, 178])).astype(np.uint8)
    face = np.broadcast_to(ramp[None, :, None], (64, 64, 3)).copy()
    lines = [crisp(face, 256, amount)[128, :, 1] * 255.0 for amount in (1e-9, 1)]
    width = [np.ptp(np.flatnonzero((line > 88) & (line < 168))) for line in lines]
    assert width[1] < 0.8 * width[0]
    middle = [np.interp(127.5, line[100:156], np.arange(100, 156)) for line in lines]
    assert middle[1] == pytest.approx(middle[0], abs=0.5)
    assert lines[1].min() >= lines[0].min() - 1 and lines[1].max() <= lines[0].max() + 1
    shade = np.rint(76 + 76 * np.mgrid[:64, :64][1] / 64)[..., None].repeat(3, 2).astype(np.uint8)
    assert np.abs(crisp(shade, 256, 1) - crisp(shade, 256, 1e-9)).max() <= 1.5 / 255


def test_crisp_of_nothing_is_enlarging():
    face = scene(6)[:96, :96]
    assert np.abs(np.clip(crisp(face, 256, 0), 0, 1) * 255 - enlarge(face, 256)).max() <= 1
