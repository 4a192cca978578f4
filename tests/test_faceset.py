import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from faceswap.errors import InputError, OutputError
from faceswap.faces.alignment import align, transform
from faceswap.faces.faceset import FACES, INDEX, REJECTED, Faceset
from faceswap.faces.index import Segment
from faceswap.faces.template import MEAN_FACE
from faceswap.types import AlignedFace, Box, Face

SETTINGS = {"detector": "fake", "face_size": 64}


def aligned(frame, seed=0, size=64):
    draw = np.random.default_rng([seed, frame])
    points = transform(MEAN_FACE, np.array([[90.0, 4, 120], [-4, 90, 100]])) + np.float32(frame)
    face = Face(Box(1.25, 2, 90, 95), points, 1.5, seed)
    image = draw.integers(0, 255, (size, size, 3)).astype(np.uint8)
    mask = draw.integers(0, 2, (size, size)).astype(np.uint8) * np.uint8(255)
    return AlignedFace(image, mask, align(points, size, 1.6), face, frame)


def fill(faceset, source):
    originals = [aligned(0), aligned(1), aligned(2), aligned(3), aligned(3, seed=1)]
    written = [faceset.write(source, face, face.face.track_id) for face in originals]
    faceset.add_segment(source, Segment(range(5), written, 1, 2, False))


@pytest.fixture
def folder(tmp_path):
    """A faceset of one source: frames 0-2 with a face each, frame 3 with two, frame 4 with none."""
    with Faceset.create(tmp_path / "set", SETTINGS) as faceset:
        source = faceset.add_source(tmp_path / "clip.mp4", "abc", 5)
        fill(faceset, source)
    return tmp_path / "set"


def test_everything_comes_back(folder):
    with Faceset.open(folder) as faceset:
        stored = faceset.faces()
        originals = [aligned(0), aligned(1), aligned(2), aligned(3), aligned(3, 1)]
        assert [face.frame_index for face in stored] == [0, 1, 2, 3, 3]
        for face, original in zip(stored, originals, strict=True):
            loaded = faceset.load(face)
            assert (loaded.image == original.image).all()
            assert (loaded.face.landmarks == original.face.landmarks).all()
            assert (loaded.alignment.matrix == original.alignment.matrix).all()
            assert loaded.face.box == original.face.box and loaded.face.track_id == original.face.track_id
            assert (loaded.mask == original.mask).all() and loaded.mask.flags.writeable
        assert faceset.settings == SETTINGS
        totals = faceset.totals()
    assert (totals.frames, totals.missed, totals.damaged, totals.faces) == (5, 1, 2, 5)


def test_a_deleted_picture_is_gone(folder):
    with Faceset.open(folder) as faceset:
        before = faceset.digest()
        (folder / FACES / faceset.faces()[1].file).unlink()
        assert [face.frame_index for face in faceset.faces()] == [0, 2, 3, 3]
        assert faceset.totals().faces == 4
        assert faceset.digest() != before


def test_a_moved_folder_still_works(folder, tmp_path):
    folder.rename(tmp_path / "elsewhere")
    with Faceset.open(tmp_path / "elsewhere") as faceset:
        assert faceset.load(faceset.faces()[0]).image.shape == (64, 64, 3)


def test_the_same_source_is_entered_once(folder, tmp_path):
    with Faceset.open(folder) as faceset:
        assert faceset.add_source(tmp_path / "renamed.mp4", "abc", 5) == 1
        assert faceset.add_source(tmp_path / "clip.mp4", "other", 5) == 2
        assert faceset.finished(1) == {0} and faceset.finished(2) == set()
        assert faceset.source_number("abc") == 1 and faceset.source_number("nothing") is None


def test_the_same_faces_give_the_same_digest(folder, tmp_path):
    with Faceset.open(folder) as faceset, Faceset.create(tmp_path / "twin", SETTINGS) as twin:
        twin.add_source(tmp_path / "clip.mp4", "abc", 5)
        fill(twin, 1)
        assert twin.digest() == faceset.digest()


def test_other_settings_are_refused_and_nothing_is_lost(folder):
    with pytest.raises(OutputError, match="--overwrite"):
        Faceset.create(folder, {**SETTINGS, "face_size": 128})
    with Faceset.create(folder, SETTINGS) as faceset:
        assert len(faceset.faces()) == 5


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="not a faceset"):
        Faceset.create(tmp_path, SETTINGS)
    Faceset.remove(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_remove_takes_only_what_a_faceset_consists_of(folder):
    (folder / "notes.txt").write_text("mine")
    Faceset.remove(folder)
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == ["notes.txt"]


def test_broken_facesets(tmp_path, folder):
    with pytest.raises(InputError, match="faceswap extract"):
        Faceset.open(tmp_path / "nothing")
    with Faceset.open(folder) as faceset:
        face = faceset.faces()[0]
        (folder / FACES / face.file).write_bytes(b"not a picture")
        with pytest.raises(InputError, match="damaged"):
            faceset.load(face)
    (folder / INDEX).write_bytes(b"SQLite format 3\0 and then nothing")
    with pytest.raises(InputError, match="damaged"):
        Faceset.open(folder)
    (folder / INDEX).unlink()
    sqlite3.connect(folder / INDEX).close()
    with pytest.raises(InputError, match="damaged"):
        Faceset.open(folder)


def test_an_unwritable_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        Faceset.create(tmp_path / "file" / "set", SETTINGS)


def test_tracks_numbered_through_stay_so(folder):
    with Faceset.open(folder) as faceset:
        assert not faceset.is_numbered(1)
        faces = faceset.faces()
        numbered = [replace(f, face=replace(f.face, track_id=7 + f.face.track_id)) for f in faces]
        faceset.number_tracks(1, numbered)
    with Faceset.open(folder) as faceset:
        assert faceset.is_numbered(1)
        assert [face.face.track_id for face in faceset.faces()] == [7, 7, 7, 7, 8]


def test_people_are_kept_by_track(folder):
    who = np.arange(128, dtype=np.float32)
    with Faceset.open(folder) as faceset:
        assert {face.person for face in faceset.faces()} == {0} and not faceset.identities()
        faceset.add_people({(1, 0): (who, 0), (1, 1): (-who, 5)})
        faceset.add_people({(1, 1): (-who, 1)})
        assert [face.person for face in faceset.faces()] == [0, 0, 0, 0, 1]
        assert (faceset.identities()[1, 1] == -who).all()


def test_what_is_rejected_is_gone_until_it_is_moved_back(folder):
    with Faceset.open(folder) as faceset:
        before, digest = faceset.faces(), faceset.digest()
        faceset.reject(before[1:3])
        assert [face.file for face in faceset.faces()] == [before[0].file, before[3].file, before[4].file]
        assert faceset.digest() != digest
        for path in (folder / REJECTED).iterdir():
            path.rename(folder / FACES / path.name)
        assert faceset.digest() == digest
