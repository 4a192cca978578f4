"""Working with facesets: drawn heads in the default tests, real people in those marked real."""

import csv
import json
import os
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_traits import seen

from faceswap import ConvertConfig, ExtractConfig, TrainConfig, convert, extract, train
from faceswap.cli import run
from faceswap.curation import sorting
from faceswap.curation.cleaning import faces_clean
from faceswap.curation.coverage import in_words, lacks
from faceswap.curation.drawing import axes, drawn, faces_draw
from faceswap.curation.exporting import faces_export
from faceswap.curation.judging import outside, shape_error
from faceswap.curation.merging import faces_merge
from faceswap.curation.overview import faces_info
from faceswap.curation.sheets import spread
from faceswap.curation.sorting import faces_sort, hue, mean_distances
from faceswap.curation.splitting import faces_split
from faceswap.errors import InputError, OutputError, UsageError
from faceswap.faces import renaming
from faceswap.faces.alignment import align, transform
from faceswap.faces.faceset import FACES, REJECTED, Faceset
from faceswap.faces.index import Segment
from faceswap.faces.renaming import original_name
from faceswap.faces.similar import BITS, differences, groups, hashes, perceptual_hash
from faceswap.faces.traits import Traits
from faceswap.options import (
    ORDERS,
    FacesCleanConfig,
    FacesDrawConfig,
    FacesExportConfig,
    FacesInfoConfig,
    FacesMergeConfig,
    FacesSortConfig,
    FacesSplitConfig,
)
from faceswap.types import AlignedFace, Box, Face

SIZE = 64
SETTINGS = {"detector": "fake", "landmarker": "fake", "face_size": SIZE}
FRAME = (400, 400)
WHO = np.eye(128, dtype=np.float32)


def picture(seed, blur=0.0):
    """Blots, so that a little blur or noise leaves the hash as it is."""
    blots = cv2.resize(
        np.random.default_rng(seed).integers(40, 216, (9, 9, 3)).astype(np.uint8), (SIZE, SIZE)
    )
    grain = np.random.default_rng(1).integers(-12, 13, (SIZE, SIZE, 1))
    image = np.clip(blots + grain, 0, 255).astype(np.uint8)
    return cv2.GaussianBlur(image, (0, 0), blur) if blur else image


def head(frame, *, yaw=0.0, pitch=0.0, track=0, seed=None, blur=0.0, score=2.0, shift=0.0, landmarks=None):
    points = seen(yaw, pitch, 0) + np.float32(shift) if landmarks is None else landmarks
    left, top = points.min(0).tolist()
    face = Face(Box(left, top, left + 100, top + 100), points, score, track)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[16:48, 16:48] = 255
    image = picture(frame + 1000 * track if seed is None else seed, blur)
    return AlignedFace(image, mask, align(points, SIZE, 1.6), face, frame)


def build(folder, faces, *, source="clip.mp4", people=None):
    """A finished faceset of one source; faces of one frame are numbered."""
    with Faceset.create(folder, SETTINGS) as faceset:
        number = faceset.add_source(folder.parent / source, source, 100)
        count = {}
        written = []
        for face in faces:
            place = count[face.frame_index] = count.get(face.frame_index, -1) + 1
            written.append(faceset.write(number, face, place, FRAME))
        faceset.add_segment(number, Segment(range(100), written, 0, 0, False))
        faceset.number_tracks(number, faceset.faces())
        if people:
            faceset.add_people({(number, track): (WHO[who], who) for track, who in people.items()})
    return folder


def stored(folder):
    with Faceset.open(folder) as faceset:
        for face in faceset.faces():
            faceset.load(face)
        return faceset.faces()


def names(folder):
    return sorted(path.name for path in (folder / FACES).iterdir())


@pytest.fixture
def ten(tmp_path):
    """Ten heads turning from left to right, each sharper than the one before."""
    faces = [head(n, yaw=-27 + 6 * n, pitch=n, blur=1.5 - 0.15 * n) for n in range(10)]
    return build(tmp_path / "ten", faces)


@pytest.fixture
def two(tmp_path):
    """Two people in six frames each, side by side."""
    faces = [head(n, track=t, shift=120 * t, yaw=3 * n) for n in range(6) for t in range(2)]
    return build(tmp_path / "two", faces, people={0: 0, 1: 1})


# --- hashes and groups


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_hash_forgets_light_and_compression_but_not_the_picture(seed):
    image = picture(seed)
    small = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1], cv2.IMREAD_COLOR)
    dark = (image * 0.7).astype(np.uint8)
    found = np.array([perceptual_hash(i) for i in (image, small, dark, picture(seed + 1))])
    gaps = differences(found[:1], found)[0]
    assert gaps[0] == 0 and gaps[1] < 0.1 * BITS and gaps[2] < 0.1 * BITS and gaps[3] > 0.2 * BITS


def test_a_slow_movement_is_not_one_group():
    """Each differs from the next in two bits, so that the first and the last have nothing in common."""
    bits = np.tril(np.ones((60, 128), np.uint8), -1)[:, np.repeat(np.arange(64), 2)]
    found = np.packbits(np.hstack([bits, np.zeros_like(bits)]), axis=1)
    leader, away = groups(found, np.arange(60), 4)
    assert away.max() <= 4
    assert 15 <= len(set(leader.tolist())) <= 30
    alone, _ = groups(found, np.arange(60), 0)
    assert (alone == np.arange(60)).all()


def test_hashes_of_nothing():
    assert hashes([]).shape == (0, BITS // 8)


# --- sort


@pytest.mark.parametrize("by", [order for order in ORDERS if "similarity" not in order])
def test_an_order_is_listed_and_nothing_is_renamed(ten, by):
    before = names(ten)
    listed = faces_sort(FacesSortConfig(faceset=ten, by=by))
    backwards = faces_sort(FacesSortConfig(faceset=ten, by=by, reverse=True))
    assert sorted(name for name, _ in listed.files) == before == names(ten)
    assert backwards.files == listed.files[::-1] and listed.renamed == 0
    if by in ("yaw", "pitch", "time"):
        assert [name for name, _ in listed.files] == before
    if by == "sharpness":
        assert [name for name, _ in listed.files] == before[::-1]
        assert [value for _, value in listed.files] == sorted((v for _, v in listed.files), reverse=True)


def test_a_rank_replaces_the_rank_before_and_time_gives_the_names_back(ten):
    before = names(ten)
    with Faceset.open(ten) as faceset:
        digest = faceset.digest()
    result = faces_sort(FacesSortConfig(faceset=ten, by="sharpness", rename=True))
    assert result.renamed == 10
    assert names(ten) == [f"{rank:06d}_{name}" for rank, name in enumerate(before[::-1])]
    assert [name for name, _ in result.files] == names(ten)
    faces_sort(FacesSortConfig(faceset=ten, by="yaw", rename=True))
    assert names(ten) == [f"{rank:06d}_{name}" for rank, name in enumerate(before)]
    assert [face.frame_index for face in stored(ten)] == list(range(10))
    with Faceset.open(ten) as faceset:
        assert faceset.digest() == digest
    assert faces_sort(FacesSortConfig(faceset=ten, by="yaw", rename=True)).renamed == 0
    faces_sort(FacesSortConfig(faceset=ten, by="time", rename=True))
    assert names(ten) == before


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize(("stage", "done"), [("twin", 0), ("twin", 4), ("index", 0), ("old", 0), ("old", 4)])
def test_a_kill_while_renaming_does_no_harm(ten, stage, done, links, monkeypatch):
    """After so many of the new names were made, before the index knows, and while the old names go."""
    faces_sort(FacesSortConfig(faceset=ten, by="sharpness", rename=True))
    twin, unlink = renaming._twin, type(ten).unlink
    left = iter(range(done))

    def reached(what):
        if what == stage and next(left, None) is None:
            raise KeyboardInterrupt

    def no_link(old, new):
        raise OSError(95, "not supported")

    with monkeypatch.context() as patch:
        if not links:
            patch.setattr(os, "link", no_link)
        patch.setattr(renaming, "_twin", lambda old, new: (reached("twin"), twin(old, new)))
        patch.setattr(renaming, "sync", lambda folder: reached("index"))
        patch.setattr(type(ten), "unlink", lambda path, **more: (reached("old"), unlink(path, **more)))
        with pytest.raises(KeyboardInterrupt):
            faces_sort(FacesSortConfig(faceset=ten, by="yaw", rename=True))
    assert len(names(ten)) == {"twin": 10 + done, "index": 20, "old": 20 - done}[stage]
    assert [face.frame_index for face in stored(ten)] == list(range(10))
    faces_sort(FacesSortConfig(faceset=ten, by="pitch", rename=True))
    assert len(names(ten)) == 10
    assert [face.file for face in stored(ten)] == names(ten)


def test_renaming_leaves_strange_files_and_deleted_faces_alone(ten):
    (ten / FACES / "notes.txt").write_text("mine")
    (ten / FACES / "001_0000999_0.png").write_bytes(b"of a segment that was killed")
    (ten / FACES / names(ten)[3]).unlink()
    faces_sort(FacesSortConfig(faceset=ten, by="sharpness", rename=True))
    assert len(stored(ten)) == 9
    assert {"notes.txt", "001_0000999_0.png"} < set(names(ten)) and len(names(ten)) == 11


def test_a_rejected_face_comes_back_into_a_sorted_faceset(ten):
    with Faceset.open(ten) as faceset:
        faceset.reject(faceset.faces()[:2])
    faces_sort(FacesSortConfig(faceset=ten, by="sharpness", rename=True))
    for path in (ten / REJECTED).iterdir():
        path.rename(ten / FACES / path.name)
    assert len(stored(ten)) == 10


@settings(deadline=None)
@given(st.integers(0, 10**7), st.integers(1, 2000), st.integers(0, 10**8), st.integers(0, 99))
def test_a_name_is_found_again_under_its_rank(place, source, frame, number):
    name = f"{source:03d}_{frame:07d}_{number}.png"
    assert original_name(name) == name == original_name(f"{place:06d}_{name}")


def test_similarity_is_to_the_references_or_to_the_mean(two, monkeypatch):
    def describe(faceset, faces, progress):
        return np.array([WHO[face.person] for face in faces])

    monkeypatch.setattr(sorting, "describe_faces", describe)
    monkeypatch.setattr(sorting, "describe_references", lambda paths, faceset: WHO[1:2])
    config = FacesSortConfig(faceset=two, by="similarity", reference="a.jpg")
    found = faces_sort(config)
    people = {face.file: face.person for face in stored(two)}
    assert [people[name] for name, _ in found.files] == [1] * 6 + [0] * 6
    assert found.files[0][1] == 0 and found.files[-1][1] == pytest.approx(2**0.5)
    with Faceset.open(two) as faceset:
        faceset.reject([face for face in faceset.faces() if face.person == 1][:4])
    assert people[faces_sort(replace(config, reference=())).files[-1][0]] == 1
    odd = faces_sort(FacesSortConfig(faceset=two, by="dissimilarity"))
    assert [people[name] for name, _ in odd.files] == [1] * 2 + [0] * 6
    with pytest.raises(UsageError, match="similarity"):
        faces_sort(replace(config, by="yaw"))


def test_mean_distances_are_those_to_all_others():
    who = np.random.default_rng(0).normal(size=(40, 128)).astype(np.float32)
    gaps = np.linalg.norm(who[:, None] - who[None], axis=2)
    assert mean_distances(who) == pytest.approx(gaps.sum(1) / 39, rel=1e-5)
    assert mean_distances(who[:1]) == pytest.approx([0], abs=1e-6)


@pytest.mark.parametrize(("bgr", "degrees"), [((0, 0, 255), 0), ((0, 255, 255), 60), ((255, 0, 0), -120)])
def test_hue_is_that_of_the_face_only(bgr, degrees):
    image = np.full((8, 8, 3), (0, 255, 0), np.uint8)
    mask = np.zeros((8, 8), np.uint8)
    image[2:6, 2:6], mask[2:6, 2:6] = bgr, 255
    assert hue(image, mask) == pytest.approx(degrees, abs=1.5)


def test_look_alikes_stand_side_by_side(tmp_path):
    seeds = [5, 7, 5, 9, 5, 7]
    folder = build(tmp_path / "set", [head(n, seed=seed) for n, seed in enumerate(seeds)])
    found = faces_sort(FacesSortConfig(faceset=folder, by="duplicates"))
    frames = [int(name.split("_")[1]) for name, _ in found.files]
    assert [seeds[frame] for frame in frames] == [5, 5, 5, 7, 7, 9]
    assert [value for _, value in found.files] == [0, 0, 0, 1, 1, 2]


# --- clean


def spoiled(folder):
    """Twelve good faces, and one with each fault."""
    good = [head(n, yaw=2 * n, blur=0.01 * n) for n in range(12)]
    scattered = seen(0, 0, 0) + np.random.default_rng(0).normal(0, 8, (68, 2)).astype(np.float32)
    bad = {
        "blurred": head(12, blur=3),
        "cut_off": head(13, shift=160),
        "misfit": head(14, landmarks=scattered),
        "doubtful": head(15, score=0.02),
        "duplicate": head(16, seed=5, blur=0.35),
        "stranger": head(17, track=1),
    }
    return build(folder, [*good, *bad.values()], people={0: 0, 1: 1}), bad


def test_each_fault_is_found_shown_and_moved_but_not_deleted(tmp_path):
    folder, bad = spoiled(tmp_path / "set")
    before = {path.name: path.read_bytes() for path in (folder / FACES).iterdir()}
    result = faces_clean(FacesCleanConfig(faceset=folder))
    frames = {reason: [int(f.split("_")[1]) for f in files] for reason, files in result.proposed.items()}
    assert frames == {reason: [face.frame_index] for reason, face in bad.items()}
    assert set(names(folder)) == set(before) and result.moved == 0 and "--apply" in str(result)
    assert sorted(path.name for path in folder.glob("*.png")) == sorted(f"clean_{r}.png" for r in bad)
    for sheet in result.sheets:
        assert np.ptp(cv2.imread(str(sheet))) > 100
    applied = faces_clean(FacesCleanConfig(faceset=folder, apply=True, output=tmp_path / "sheets"))
    assert applied.moved == 6 and len(stored(folder)) == 12
    assert {p.name for p in (folder / REJECTED).iterdir()} == result.files
    for path in (folder / REJECTED).iterdir():
        assert path.read_bytes() == before[path.name]
    again = faces_clean(FacesCleanConfig(faceset=folder))
    assert not again.files and not list(folder.glob("*.png")) and "nothing to drop" in str(again)


@pytest.mark.parametrize("off", ["blurred", "cut_off", "misfit", "doubtful", "duplicate", "stranger"])
def test_a_limit_of_zero_is_not_looked_at(tmp_path, off):
    folder, _ = spoiled(tmp_path / "set")
    result = faces_clean(FacesCleanConfig(faceset=folder, **{off: 0}))
    assert off not in result.proposed and len(result.files) == 5


def test_of_look_alikes_the_sharpest_stays_that_is_not_dropped_otherwise(tmp_path):
    faces = [head(n) for n in range(9)]
    faces += [head(9, seed=77), head(10, seed=77, blur=0.5), head(11, seed=77, blur=0.8, score=0.01)]
    folder = build(tmp_path / "set", faces)
    result = faces_clean(FacesCleanConfig(faceset=folder))
    assert [int(file.split("_")[1]) for file in result.proposed["duplicate"]] == [10, 11]
    faces[9] = replace(faces[9], face=replace(faces[9].face, score=0.01))
    folder = build(tmp_path / "other", faces)
    result = faces_clean(FacesCleanConfig(faceset=folder))
    assert [int(file.split("_")[1]) for file in result.proposed["duplicate"]] == [9, 11]


def test_overwriting_a_cleaned_faceset_leaves_nothing_behind(tmp_path):
    folder, _ = spoiled(tmp_path / "set")
    faces_clean(FacesCleanConfig(faceset=folder, apply=True))
    Faceset.remove(folder)
    with Faceset.create(folder, {}) as faceset:
        assert not faceset.faces()


def test_what_lies_past_the_frame():
    square = np.float32([[0, 0], [100, 0], [100, 100], [0, 100]])
    assert outside(square - 0.5, (400, 400)) == outside(square + 299.5, (400, 400)) == 0
    assert outside(square - [50, 0], (400, 400)) == pytest.approx(0.5, abs=0.01)
    assert outside(square + 500, (400, 400)) == 1
    assert outside(square - 50, (0, 0)) == 0


@settings(deadline=None)
@given(st.floats(-45, 45), st.floats(-30, 30), st.floats(-90, 90))
def test_a_turned_head_is_no_misfit(yaw, pitch, roll):
    assert shape_error(seen(yaw, pitch, roll)) < 1e-3


# --- split and merge


def test_split_and_merge_are_each_others_inverse(two, tmp_path):
    parts = faces_split(FacesSplitConfig(faceset=two, output=tmp_path / "people"))
    assert list(parts.folders.values()) == [6, 6] and parts.left_out == 0
    for number, folder in enumerate(parts.folders):
        faces = stored(folder)
        assert {face.person for face in faces} == {0} and {f.face.track_id for f in faces} == {number}
        with Faceset.open(folder) as faceset, Faceset.open(two) as origin:
            assert faceset.settings == origin.settings and faceset.fingerprints() == {"clip.mp4"}
            assert faceset.segments(1) == origin.segments(1) and faceset.is_numbered(1)
    config = FacesMergeConfig(facesets=tuple(parts.folders), output=tmp_path / "whole")
    result = faces_merge(config)
    assert (result.sources, result.faces, result.twice, result.people) == (1, 12, 0, 2)
    with Faceset.open(two) as origin, Faceset.open(tmp_path / "whole") as merged:
        mine, theirs = origin.faces(), merged.faces()
        assert {(f.frame_index, f.face.track_id, f.hash, f.packed_mask) for f in mine} == {
            (f.frame_index, f.face.track_id, f.hash, f.packed_mask) for f in theirs
        }
        assert merged.identities().keys() == origin.identities().keys()


def test_split_refuses_one_person_and_what_exists(two, ten, tmp_path):
    with pytest.raises(InputError, match="one person"):
        faces_split(FacesSplitConfig(faceset=ten, output=tmp_path / "people"))
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "mine").touch()
    with pytest.raises(OutputError, match="exists"):
        faces_split(FacesSplitConfig(faceset=two, output=tmp_path / "people"))
    with pytest.raises(InputError, match="--fewest"):
        faces_split(FacesSplitConfig(faceset=two, output=tmp_path / "new", fewest=7))
    assert not (tmp_path / "new").exists()


def test_a_failed_split_leaves_nothing(two, tmp_path, monkeypatch):
    copies = iter(range(8))

    def full(old, new):
        if next(copies, None) is None:
            raise OSError(28, "No space left on device")
        new.write_bytes(old.read_bytes())

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OutputError, match="space"):
        faces_split(FacesSplitConfig(faceset=two, output=tmp_path / "people"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["two"]


def test_few_faces_are_left_out(tmp_path):
    faces = [head(n) for n in range(5)] + [head(n, track=1, shift=120) for n in range(2)]
    folder = build(tmp_path / "set", faces, people={0: 0, 1: 1})
    result = faces_split(FacesSplitConfig(faceset=folder, output=tmp_path / "people", fewest=3))
    assert result.folders == {tmp_path / "people" / "person_0": 5} and result.left_out == 2


def test_merged_sources_names_tracks_and_people_do_not_clash(ten, two, tmp_path):
    other = build(tmp_path / "other", [head(n, seed=n + 50) for n in range(4)], source="b.mp4", people={0: 0})
    result = faces_merge(FacesMergeConfig(facesets=(two, other, two), output=tmp_path / "all"))
    assert (result.sources, result.faces, result.twice, result.people) == (2, 16, 12, 2)
    faces = stored(tmp_path / "all")
    assert len({face.file for face in faces}) == 16
    assert {face.file[:4] for face in faces if face.source == 2} == {"002_"}
    assert [sum(face.person == person for face in faces) for person in (0, 1)] == [10, 6]


def test_merged_tracks_of_one_source_are_told_apart_by_where_they_are(tmp_path):
    """The second faceset has another person under the number that the first one uses."""
    one = build(tmp_path / "one", [head(n, track=0) for n in range(4)], people={0: 0})
    second = [head(n, track=0, shift=120, seed=n + 90) for n in range(4)] + [
        head(n, track=1) for n in range(6)
    ]
    two = build(tmp_path / "two", second, people={0: 1, 1: 0})
    result = faces_merge(FacesMergeConfig(facesets=(one, two), output=tmp_path / "all"))
    assert (result.faces, result.twice, result.people) == (10, 4, 2)
    left = {f.face.track_id for f in stored(tmp_path / "all") if f.face.box.left < 200}
    right = {f.face.track_id for f in stored(tmp_path / "all") if f.face.box.left > 200}
    assert left == {0} and len(right) == 1 and not left & right


def test_merge_refuses_other_crops_and_unfinished_ones(ten, tmp_path):
    face = head(0)
    wider = replace(face, alignment=align(face.face.landmarks, SIZE, 2.0))
    wide = build(tmp_path / "wide", [wider], source="w.mp4")
    with pytest.raises(InputError, match="cut differently"):
        faces_merge(FacesMergeConfig(facesets=(ten, wide), output=tmp_path / "all"))
    with Faceset.create(tmp_path / "begun", SETTINGS) as faceset:
        faceset.add_source(tmp_path / "c.mp4", "c", 100)
    with pytest.raises(InputError, match="not finished"):
        faces_merge(FacesMergeConfig(facesets=(ten, tmp_path / "begun"), output=tmp_path / "all"))
    assert not (tmp_path / "all").exists() and not (tmp_path / ".all.part").exists()
    with pytest.raises(UsageError, match="two"):
        FacesMergeConfig(facesets=(ten, ten), output=tmp_path / "all")


def test_a_merged_faceset_trains_converts_and_is_gone_on_with(facesets, clips, tmp_path):
    a, b = facesets
    faces_merge(FacesMergeConfig(facesets=(a, b), output=tmp_path / "all"))
    fakes = {"detector": "fake", "landmarker": "fake", "min_face": 16, "face_size": 64}
    gone_on = extract(ExtractConfig(sources=clips, output=tmp_path / "all", **fakes))
    assert gone_on.faces == len(stored(a)) + len(stored(b))
    quick = {"network": "tiny", "iterations": 3, "batch_size": 2, "auto": False}
    train(TrainConfig(faceset_a=tmp_path / "all", faceset_b=b, model=tmp_path / "m", **quick))
    out = {"output": tmp_path / "o.mp4", "model": tmp_path / "m", "faceset": tmp_path / "all"}
    assert convert(ConvertConfig(source=clips[1], **out)).swapped == 30


# --- info


def test_info_counts_and_draws(two, tmp_path):
    with Faceset.open(two) as faceset:
        faceset.reject(faceset.faces()[:1])
    result = faces_info(FacesInfoConfig(faceset=two, output=tmp_path / "i.png"))
    assert (result.faces, result.rejected, result.people, result.tracks) == (11, 1, {0: 5, 1: 6}, 2)
    yaw = next(values for name, values in result.spreads.items() if name.startswith("yaw"))
    assert yaw[0] == pytest.approx(0, abs=3) and yaw[-1] == pytest.approx(15, abs=3)
    size = next(values for name, values in result.spreads.items() if name.startswith("size"))
    assert size[2] == pytest.approx(100, rel=0.06)
    assert "person 0: 5, person 1: 6; 2 tracks" in str(result) and result.comparison is None
    assert cv2.imread(str(tmp_path / "i.png")).shape[1] == 1600
    with pytest.raises(OutputError, match="--overwrite"):
        faces_info(FacesInfoConfig(faceset=two, output=tmp_path / "i.png"))
    faces_info(FacesInfoConfig(faceset=two, output=tmp_path / "i.png", overwrite=True, against=two))


def test_what_another_lacks_is_named(tmp_path):
    turned = [head(n, yaw=-30, pitch=18) for n in range(3)]
    a = build(tmp_path / "a", [*turned, *(head(n + 3) for n in range(9))])
    b = build(tmp_path / "b", [head(n, yaw=4) for n in range(8)])
    found = faces_info(FacesInfoConfig(faceset=a, against=b)).comparison
    assert found.covered == 0.75 and len(found.lacks) == 1
    assert "looking 10-30 degrees to the left and 10-30 degrees up: 25.0% of A's faces" in str(found)
    same = faces_info(FacesInfoConfig(faceset=a, against=a)).comparison
    assert same.covered == 1 and not same.lacks


def test_mirror_images_are_told_of():
    a, b = np.array([[-30.0, 0]]), np.array([[28.0, 3]])
    assert lacks(a, b)[0].mirrored and not lacks(a, -b * [0, 1])[0].mirrored


@pytest.mark.parametrize(
    ("bands", "words"),
    [((0, 0), "straight ahead"), ((2, 0), "30-50 degrees to the right"), ((0, -1), "10-30 degrees down")],
)
def test_poses_in_words(bands, words):
    assert in_words(*bands) == words


# --- draw and export


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(20, 10, 0), (-30, 0, 25), (5, -20, -40)])
def test_the_drawn_axes_lie_as_the_head_does(yaw, pitch, roll):
    points = seen(yaw, pitch, roll)
    matrix = align(points, 256, 1.6).matrix
    left, down, ahead = axes(Traits(0, 0, yaw, pitch, roll), matrix)
    crop = transform(points, matrix)
    eyes = crop[45] - crop[36]
    assert np.dot(left, eyes) > 0.95 * np.linalg.norm(left) * np.linalg.norm(eyes)
    assert down[1] > 0.8
    other = np.array([-1, 1]) * axes(Traits(0, 0, -yaw, pitch, -roll), matrix * [[1, -1, 1], [-1, 1, 1]])[2]
    assert ahead == pytest.approx(other, abs=1e-6)
    straight = axes(Traits(0, 0, 0, 0, roll), matrix)[2]
    assert np.linalg.norm(straight) < 1e-6 and np.linalg.norm(ahead) > 0.2


def test_a_drawn_face_shows_its_mask():
    face = head(0)
    image = drawn(face, Traits(0, 0, 0, 0, 0))
    flat = cv2.resize(face.image, image.shape[:2])
    corner = np.s_[:40, :40]
    assert image[corner].mean() == pytest.approx(0.65 * flat[corner].mean(), rel=0.05)


def test_sheets_hold_what_is_asked_for(two, tmp_path):
    one = faces_draw(FacesDrawConfig(faceset=two, output=tmp_path / "s.png", count=5))
    assert (one.drawn, one.faces, one.sheets) == (5, 12, (tmp_path / "s.png",))
    many = faces_draw(FacesDrawConfig(faceset=two, output=tmp_path / "sheets", count=0))
    assert many.drawn == 12 and [p.name for p in (tmp_path / "sheets").iterdir()] == ["sheet_000.png"]
    for output in (tmp_path / "s.png", tmp_path / "sheets"):
        with pytest.raises(OutputError, match="--overwrite"):
            faces_draw(FacesDrawConfig(faceset=two, output=output))
        faces_draw(FacesDrawConfig(faceset=two, output=output, overwrite=True))
    with pytest.raises(OutputError, match="png"):
        faces_draw(FacesDrawConfig(faceset=two, output=tmp_path / "s.gif"))


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(1, 100))
def test_samples_are_spread_evenly(count, most):
    places = spread(count, most)
    assert len(places) == min(count, most) == len(set(places))
    assert places[0] == 0 and (places[-1] == count - 1 or most == 1)
    assert spread(count, 0) == list(range(count))


@pytest.mark.parametrize("form", ["jpg", "png"])
def test_an_export_is_complete(two, tmp_path, form):
    config = FacesExportConfig(faceset=two, output=tmp_path / "out", format=form, size=48, masks=True)
    assert faces_export(config).faces == 12
    records = json.loads((tmp_path / "out" / "faces.json").read_text())
    with (tmp_path / "out" / "faces.csv").open() as file:
        table = list(csv.DictReader(file))
    assert len(records) == len(table) == 12
    with Faceset.open(two) as faceset:
        for record, row, face in zip(records, table, faceset.faces(), strict=True):
            image = cv2.imread(str(tmp_path / "out" / record["file"]), cv2.IMREAD_UNCHANGED)
            assert image.shape == (48, 48, 4 if form == "png" else 3)
            if form == "jpg":
                mask = cv2.imread(str(tmp_path / "out" / "masks" / (face.file)), cv2.IMREAD_UNCHANGED)
            else:
                mask = image[..., 3]
            assert mask[24, 24] == 255 and mask[0, 0] == 0
            assert int(row["frame"]) == face.frame_index and int(row["person"]) == face.person
            assert float(row["yaw"]) == pytest.approx(face.traits.yaw, abs=0.01)
            template = align(face.face.landmarks, 48, 1.6).matrix
            assert np.array(record["landmarks"]) == pytest.approx(
                transform(face.face.landmarks, template), abs=0.02
            )
    with pytest.raises(OutputError, match="exists"):
        faces_export(config)


@pytest.mark.parametrize(
    ("function", "config"),
    [
        (faces_info, FacesInfoConfig),
        (faces_sort, FacesSortConfig),
        (faces_draw, FacesDrawConfig),
        (faces_export, FacesExportConfig),
    ],
)
def test_an_empty_faceset_is_refused_in_a_line(tmp_path, function, config):
    with Faceset.create(tmp_path / "set", SETTINGS):
        pass
    more = {FacesSortConfig: {"by": "yaw"}, FacesInfoConfig: {}}.get(config, {"output": tmp_path / "o.png"})
    with pytest.raises(InputError, match="no faces"):
        function(config(faceset=tmp_path / "set", **more))
    assert not (tmp_path / "o.png").exists()


# --- the command line


def test_the_commands_from_the_door(two, ten, tmp_path, capsys):
    out = str(tmp_path / "o")
    assert run(["faces", "info", str(ten), "--against", str(two)]) == 0
    assert "B lacks" in capsys.readouterr().out
    assert run(["faces", "sort", str(ten), "--by", "yaw", "--rename"]) == 0
    assert capsys.readouterr().out.startswith("000000_001_0000000_0.png")
    assert run(["faces", "clean", str(ten), "--stranger", "0"]) == 0
    assert run(["faces", "split", str(two), "-o", out]) == 0
    assert run(["faces", "merge", f"{out}/person_0", f"{out}/person_1", "-o", f"{out}/all"]) == 0
    assert "12 faces of 2 people" in capsys.readouterr().out
    assert run(["faces", "draw", str(two), "-o", f"{out}/d.png"]) == 0
    assert run(["faces", "export", str(two), "-o", f"{out}/e", "--masks"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["faces", "srt"], 2, "sort"),
        (["faces", "sort", "x"], 2, "faces sort needs --by"),
        (["faces", "sort", "x", "--by", "beauty"], 2, "one of sharpness"),
        (["faces", "sort", "x", "--by", "yaw", "--reference", "a.jpg", "b.jpg"], 2, "similarity"),
        (["faces", "merge", "x", "-o", "y"], 2, "two facesets"),
        (["faces", "info", "nothing-here"], 3, "not a faceset"),
        (["faces", "info", "x", "y"], 2, "does not take 'y'"),
    ],
)
def test_misuse_is_one_line(arguments, code, word, capsys):
    assert run(arguments) == code
    error = capsys.readouterr().err.strip()
    assert word in error and "\n" not in error


# --- real people


@pytest.mark.real
def test_two_real_people_are_split_and_a_false_face_is_proposed(real, tmp_path):
    extract(ExtractConfig(sources=real / "hard/video/two_faces_hstack.mp4", output=tmp_path / "two"))
    parts = faces_split(FacesSplitConfig(faceset=tmp_path / "two", output=tmp_path / "people"))
    assert [round(count, -1) for count in parts.folders.values()] == [200, 200]
    cleaned = faces_clean(FacesCleanConfig(faceset=tmp_path / "two"))
    assert len(cleaned.proposed["stranger"]) == 200
    assert not cleaned.proposed["blurred"] and not cleaned.proposed["misfit"]
    pictures = [folder / FACES / stored(folder)[40].file for folder in parts.folders]
    order = faces_sort(FacesSortConfig(faceset=tmp_path / "two", by="similarity", reference=pictures[1]))
    frames = [name for name, _ in order.files]
    people = {f.file: f.person for f in stored(tmp_path / "two")}
    assert sum(people[name] == 1 for name in frames[:200]) == 200
    assert max(value for name, value in order.files if people[name] == 1) < 0.6


@pytest.mark.real
def test_a_dark_shot_of_somebody_else_is_proposed(real, tmp_path):
    """From frame 211 to 250 the film shows a man in the dark audience; otherwise mostly the singer."""
    clip = real / "hard/video/hamilton_whitehouse_multishot.mp4"
    extract(ExtractConfig(sources=clip, output=tmp_path / "set"))
    faces = {face.file: face.frame_index for face in stored(tmp_path / "set")}
    audience = {file for file, frame in faces.items() if 212 < frame < 249}
    assert len(audience) > 20
    result = faces_clean(FacesCleanConfig(faceset=tmp_path / "set"))
    for reason in ("blurred", "stranger"):
        assert audience <= set(result.proposed[reason])
        assert len(set(result.proposed[reason]) - audience) < 0.2 * len(faces)


@pytest.mark.real
def test_what_one_clip_lacks_of_another(real, tmp_path):
    for name in ("ed_markey", "rd_radio2"):
        extract(ExtractConfig(sources=real / f"clips/{name}_512.mp4", output=tmp_path / name))
    config = FacesInfoConfig(faceset=tmp_path / "rd_radio2", against=tmp_path / "ed_markey")
    result = faces_info(config).comparison
    assert 0.1 < result.covered < 0.7
    assert "to the right" in result.lacks[0].looking
