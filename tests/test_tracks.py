from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswap.faces.alignment import align
from faceswap.faces.changes import Changes
from faceswap.faces.gaps import GAP, GapFiller
from faceswap.faces.index import StoredFace, pack
from faceswap.faces.smoothing import steady
from faceswap.faces.template import MEAN_FACE
from faceswap.faces.tracks import linked, steadied
from faceswap.faces.traits import Traits
from faceswap.types import Alignment, Box, Face, Frame, Pixels

NOWHERE = Alignment(np.eye(2, 3), 64, 1.6)


def face(x=100.0, y=100.0, track=0, size=100.0):
    points = (MEAN_FACE * size + [x, y]).astype(np.float32)
    half = size / 2
    return Face(Box(x - half, y - half, x + half, y + half), points, 1.0, track)


def stored(frame, **more):
    return StoredFace(
        f"{frame}.png",
        1,
        frame,
        face(**more),
        NOWHERE,
        Traits(0, 0, 0, 0, 0),
        pack(np.ones((64, 64), np.uint8)),
        "",
    )


def frame(index):
    return Frame(index, index, 1, Pixels(np.zeros((8, 8, 3), np.uint8)))


@given(st.floats(-20, 20), st.floats(-20, 20), st.integers(3, 40))
def test_even_motion_is_not_delayed(dx, dy, count):
    """A face that moves at any even speed comes out where it went in: no lag."""
    track = [face(100 + dx * i, 100 + dy * i).landmarks for i in range(count)]
    for before, after in zip(track, steady(track, range(count)), strict=True):
        assert np.abs(before - after).max() < 0.05


def test_jitter_of_a_still_face_falls_by_half_and_more():
    draw = np.random.default_rng(0)
    still = [face().landmarks + draw.normal(0, 0.6, (68, 2)).astype(np.float32) for _ in range(100)]
    shake = [np.diff(np.stack(track), axis=0).std() for track in (still, steady(still, range(100)))]
    assert shake[1] < 0.4 * shake[0]


def test_a_turn_is_followed():
    """A face that swings by its own width each second is off by less than a hundredth of it at the turns."""
    track = [face(100 + 50 * np.sin(2 * np.pi * i / 25)).landmarks for i in range(75)]
    errors = [np.abs(a - b).max() for a, b in zip(track, steady(track, range(75)), strict=True)]
    assert max(errors) < 1.0


def test_gaps_in_a_track_are_bridged_and_short_tracks_left_alone():
    frames = [0, 1, 2, 6, 7, 8]
    track = [face(100 + 3.0 * i).landmarks for i in frames]
    for before, after in zip(track, steady(track, frames), strict=True):
        assert np.abs(before - after).max() < 0.05
    assert steady(track[:2], frames[:2]) == track[:2]


def test_a_scene_begins():
    draw = np.random.default_rng(1)
    dark, bright = (draw.integers(0, 60, (90, 160, 3)) + base for base in (20, 150))
    cuts = Changes()
    scenes = [dark, dark + 4, np.roll(dark, 3, 1), bright, bright - 5, dark]
    seen = [cuts.is_cut(Pixels(scene.astype(np.uint8))) for scene in scenes]
    assert seen == [False, False, False, True, False, True]


def test_what_moves_beside_a_known_face_is_noticed():
    still = np.random.default_rng(2).integers(60, 120, (180, 320, 3)).astype(np.uint8)
    grain = np.random.default_rng(3)

    def look(image):
        return Pixels(np.clip(image + grain.normal(0, 4, image.shape), 0, 255).astype(np.uint8))

    def moved(image, boxes):
        changes = Changes()
        changes.is_cut(look(still))
        changes.mark()
        picture = look(image)
        changes.is_cut(picture)
        return changes.moved(picture, boxes)

    comes = still.copy()
    comes[60:90, 200:230] = 230
    assert not moved(still, []) and moved(comes, [])
    assert not moved(comes, [Box(195, 55, 235, 95)]) and moved(comes, [Box(20, 20, 60, 60)])
    assert Changes().moved(look(still), [])


@settings(deadline=None)
@given(st.integers(1, 12), st.floats(-50, 50))
def test_short_gaps_are_filled_evenly_and_long_ones_not(missed, moved):
    gaps, recent = GapFiller(), [frame(index) for index in range(missed + 1)]
    assert gaps.is_new(face()) and gaps.fill(frame(0), face(), []) == [] and not gaps.is_new(face())
    filled = gaps.fill(frame(missed + 1), face(100 + moved), recent)
    if missed > GAP:
        assert filled == []
        return
    assert [place.index for place, _ in filled] == list(range(1, missed + 1))
    for place, between in filled:
        share = place.index / (missed + 1)
        assert between.interpolated
        np.testing.assert_allclose(between.landmarks, face(100 + moved * share).landmarks, atol=1e-3)
        assert between.box.left == pytest.approx(50 + moved * share)


def test_another_track_fills_nothing():
    gaps = GapFiller()
    gaps.fill(frame(0), face(track=0), [])
    assert gaps.fill(frame(2), face(track=1), [frame(0), frame(1)]) == []


def test_tracks_go_on_in_the_next_segment_of_the_same_scene():
    faces = [stored(4, x=100, track=0), stored(4, x=400, track=1)]
    faces += [stored(5, x=402, track=0), stored(5, x=101, track=1), stored(6, x=700, track=2)]
    same = linked(faces, {range(0, 5): True, range(5, 10): False})
    assert [f.face.track_id for f in same] == [0, 1, 1, 0, 2]
    other = linked(faces, {range(0, 5): False, range(5, 10): False})
    assert [f.face.track_id for f in other] == [0, 1, 2, 3, 4]


def test_tracks_are_steadied_one_by_one():
    faces = [stored(i // 2, x=100 + 300 * (i % 2) + i, track=i % 2) for i in range(20)]
    after = steadied(faces)
    assert [f.file for f in after] == [f.file for f in faces]
    for a, b in zip(faces, after, strict=True):
        assert np.abs(a.face.landmarks - b.face.landmarks).max() < 0.1


def masked(index, draw, x=100.0, shake=(0.0, 0.0)):
    """A face cut out of its frame a little beside where its points are; `draw` paints its mask there."""
    points = face(x)
    cut = align(points.landmarks + np.array(shake, np.float32), 128, 1.6)
    mask = np.zeros((200, 400), np.uint8)
    draw(mask, (x, 100.0))
    crop = cv2.warpAffine(mask, cut.matrix, (128, 128))
    packed = pack((crop > 127).astype(np.uint8))
    return StoredFace(f"{index}.png", 1, index, points, cut, Traits(0, 0, 0, 0, 0), packed, "")


def disk(radius):
    def draw(mask, middle):
        place = [round(16 * value) for value in (*middle, radius)]
        cv2.circle(mask, place[:2], place[2], 255, -1, cv2.LINE_8, 4)

    return draw


def in_frame(stored):
    """Where a face's mask lies in its frame."""
    back = cv2.invertAffineTransform(stored.alignment.matrix)
    return cv2.warpAffine(stored.mask, back, (400, 200)) > 127


def test_an_outline_that_jitters_is_calmed_where_the_face_is():
    """The head moves on, the crop shakes, and the outline is drawn now too wide and now too narrow."""
    draw = np.random.default_rng(0)
    radii, shakes = 30 + draw.normal(0, 0.7, 40), draw.normal(0, 1.5, (40, 2))
    faces = [masked(i, disk(radii[i]), x=100 + 3 * i, shake=shakes[i]) for i in range(40)]
    found, calm = (
        [np.sqrt(in_frame(one).sum() / np.pi) for one in track] for track in (faces, steadied(faces))
    )
    jumps = [np.abs(np.diff(widths, 2)).mean() for widths in (found, calm)]
    assert jumps[1] < 0.3 * jumps[0]
    for index, one in enumerate(steadied(faces)):
        assert np.argwhere(in_frame(one)).mean(0)[::-1] == pytest.approx([100 + 3 * index, 100], abs=0.7)


def test_a_hand_is_left_out_from_its_first_frame_on_and_a_slip_is_not():
    def face_under(hand):
        def draw(mask, middle):
            disk(30)(mask, middle)
            mask[:, 110:] = 0 if hand else mask[:, 110:]

        return draw

    hands = [index == 4 or index >= 10 for index in range(20)]
    calm = steadied([masked(index, face_under(hand)) for index, hand in enumerate(hands)])
    assert [bool(not in_frame(one)[100, 118]) for one in calm] == [index >= 10 for index in range(20)]


def test_a_mask_alone_in_time_is_kept_as_it_is():
    lone = [masked(0, disk(30)), masked(7, disk(25))]
    for before, after in zip(lone, steadied(lone), strict=True):
        assert (before.mask == after.mask).all()
    moved = steadied([replace(lone[0], frame_index=index) for index in range(3)])
    assert all(np.mean(one.mask != lone[0].mask) < 0.002 for one in moved)
