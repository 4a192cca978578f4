"""Detail that the network leaves out, from the pictures of the person that a model keeps."""

import shutil
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from faceswap import ConvertConfig, TrainConfig, convert, train
from faceswap.blending.crispen import crisp
from faceswap.blending.paste import enlarge
from faceswap.blending.restoring import Restorer
from faceswap.conversion import _settings
from faceswap.errors import ModelError
from faceswap.examples import FOLDER, SIDE, examples, hand_on, keep_examples, varied
from faceswap.faces.faceset import Faceset
from faceswap.video.source import open_source

SMALL = 64  # pixels of the network that leaves detail out


def person(seed, shift=0.0, open_=0.0):
    """A face of 256 pixels: broad features that move, and fine detail that moves along."""
    random = np.random.default_rng(seed)
    image = np.full((SIDE, SIDE), 120, np.float32)
    for x, y, wide, high in ((90, 110, 22, 10), (166, 110, 22, 10), (128, 190, 30, 8 + open_)):
        cv2.ellipse(image, (x, y), (int(wide), int(high)), 0, 0, 360, 60, -1)
    image = cv2.GaussianBlur(image, (0, 0), 4)
    image += cv2.GaussianBlur(random.normal(0, 30, (SIDE, SIDE)).astype(np.float32), (0, 0), 1.2)
    image = cv2.warpAffine(
        image, np.float32([[1, 0, shift], [0, 1, shift / 2]]), (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT
    )
    return np.clip(image, 0, 255).astype(np.uint8)[..., None].repeat(3, 2)


def leaves_out(pictures):
    """A network that draws everybody as they are, in few pixels."""
    blurred = [cv2.resize(cv2.GaussianBlur(one, (0, 0), 1.5), (SMALL, SMALL)) for one in pictures]
    return np.stack([np.dstack([one, np.full((SMALL, SMALL), 255, np.uint8)]) for one in blurred])


def network(pictures):
    return leaves_out([cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for one in pictures])


def restorer(*pictures, draw=network, size=SMALL, narrow=0.0):
    return Restorer(np.stack(pictures), draw([enlarge(one, size) for one in pictures]), narrow)


def off(picture, real):
    """How far fine detail is from what it is, grey levels."""
    differ = (picture * 255 - real)[32:-32, 32:-32, 1]
    return np.abs(differ - cv2.GaussianBlur(differ, (0, 0), 8)).mean()


@pytest.mark.parametrize("shift", [0.0, 3.3, -5.0])
def test_detail_comes_back_and_moves_along(shift):
    pictures = [*(person(7, 0, wide) for wide in (25, 35, 45)), *(person(7, moved) for moved in (0, 8, -9))]
    real = person(7, shift)
    made = network([real])[0]
    plain = crisp(made[..., :3], SIDE, 0.0)
    assert off(restorer(*pictures).restore(made), real) < 0.6 * off(plain, real)


@pytest.mark.parametrize("size", [32, 256, 512])
def test_networks_of_any_size_get_it(size):
    def network(pictures):
        whole = [cv2.resize(one, (SIDE, SIDE)) for one in pictures]
        seen = [cv2.resize(cv2.GaussianBlur(one, (0, 0), 1.5), (size, size)) for one in whole]
        return np.stack([np.dstack([one, np.full((size, size), 255, np.uint8)]) for one in seen])

    taught = restorer(*(person(7, moved) for moved in (0, 8, -9)), draw=network, size=size, narrow=0.8)
    real = person(7, 3.3)
    made = network([real])[0]
    assert off(taught.restore(made), real) < 0.95 * off(crisp(made[..., :3], SIDE, 0.8), real)


def test_nothing_is_added_where_no_picture_is_like_the_face():
    made = network([person(3, 0)])[0]
    made[:32, :, :3] = np.random.default_rng(0).integers(0, 255, (32, 1, 1))  # nobody looks like that
    plain = crisp(made[..., :3], SIDE, 0.0)
    change = np.abs(restorer(*(person(7, moved) for moved in (0, 8, -9))).restore(made) - plain) * 255
    assert change[:90].mean() < 0.3 < 1 < change[150:].mean()


def test_shares_change_without_a_jump():
    """From one expression to another, past the moments when the third becomes the second."""
    kept = [person(7 + wide, moved, wide) for moved, wide in ((0, 2), (9, 9), (0, 16), (9, 23))]
    taught, first, last = restorer(*kept), person(7, 5, 4), person(7, 5, 24)
    way = [cv2.addWeighted(first, 1 - share, last, share, 0) for share in np.linspace(0, 1, 61)]
    seen = [taught.restore(network([real])[0]) for real in way]
    steps = [np.abs(after - before).mean() * 255 for before, after in pairwise(seen)]
    assert np.abs(seen[-1] - seen[0]).mean() * 255 > 5 and max(steps) < 1.6


def test_the_same_face_gets_the_same_detail():
    made = network([person(7, 2)])[0]
    first, second = (restorer(*(person(7, moved) for moved in (0, 8, -9))).restore(made) for _ in range(2))
    assert np.array_equal(first, second)


def test_a_part_is_that_of_the_whole():
    made, part = network([person(7, 2)])[0], np.s_[48:200, 36:228]
    taught = restorer(*(person(7, moved) for moved in (0, 8, -9)), narrow=0.8)
    assert np.abs(taught.restore(made, part) - taught.restore(made)[part]).max() < 1e-5


@pytest.fixture
def faces(facesets):
    with Faceset.open(facesets[1]) as faceset:
        return faceset.faces()


def test_blurred_and_guessed_faces_are_no_examples(faces):
    dull = replace(faces[0], traits=replace(faces[0].traits, sharpness=0.0))
    guessed = replace(faces[1], face=replace(faces[1].face, interpolated=True))
    assert varied([dull, guessed, *faces[2:]]) == varied(faces[2:])
    assert len(varied(faces[2:])) > 5


def test_faces_with_shut_eyes_are_no_examples(faces):
    """The network draws them open: what it leaves out of them would lie over open eyes."""
    points = faces[5].face.landmarks.copy()
    upper, lower = [37, 38, 43, 44], [41, 40, 47, 46]
    points[upper] = points[lower] + 0.6 * (points[upper] - points[lower])
    blinking = replace(faces[5], face=replace(faces[5].face, landmarks=points))
    assert varied([*faces[:5], blinking, *faces[6:]]) == varied([*faces[:5], *faces[6:]])


def test_few_examples_are_as_unlike_as_can_be(faces):
    """Of faces that stand still but for one, that one is among them."""
    moved = replace(faces[5], face=replace(faces[5].face, landmarks=np.add(faces[5].face.landmarks, 3)))
    still = [replace(faces[0], file=str(number)) for number in range(20)]
    chosen = varied([*still[:10], moved, *still[10:]], 3)
    assert moved in chosen and len(chosen) == 3


def test_examples_are_kept_once_and_one_that_is_deleted_stays_away(facesets, faces, tmp_path):
    def keep(some):
        keep_examples(tmp_path, "b", facesets[1], some, 1.25)
        return sorted((tmp_path / FOLDER / "b").glob("*.jpg"))

    paths = keep(faces)
    kept = examples(tmp_path, "b")
    assert kept.shape == (len(paths), SIDE, SIDE, 3) and examples(tmp_path, "a") is None
    paths[0].unlink()
    assert keep(faces) == paths[1:] and len(examples(tmp_path, "b")) == len(paths) - 1
    assert len(keep(faces[:6])) < len(paths)
    (draft := tmp_path / FOLDER / ".b.part").mkdir()  # as a killed run leaves it
    (draft / "000.jpg").write_bytes(b"half")
    assert len(keep(faces)) == len(paths) and not draft.exists()
    paths[3].write_bytes(b"no picture")
    with pytest.raises(ModelError, match=r"003\.jpg is damaged"):
        examples(tmp_path, "b")
    for path in paths[2:]:
        path.unlink()
    assert examples(tmp_path, "b") is None, "two are too few"


def test_training_keeps_them_and_begins_anew_without(facesets, tmp_path):
    config = TrainConfig(
        faceset_a=facesets[0], faceset_b=facesets[1], model=tmp_path / "m", network="tiny", iterations=1
    )
    train(config)
    assert all((examples(tmp_path / "m", side)).ndim == 4 for side in "ab")
    stray = tmp_path / "m" / FOLDER / "b" / "zzz.jpg"
    stray.write_bytes(b"")
    train(replace(config, overwrite=True))
    assert not stray.exists()


def test_a_swap_shows_them_unless_told_otherwise(clips, facesets, model, tmp_path):
    def swapped(name, **more):
        convert(
            ConvertConfig(source=clips[0], faceset=facesets[0], model=model, output=tmp_path / name, **more)
        )
        return cv2.VideoCapture(str(tmp_path / name)).read()[1].astype(int)

    assert np.abs(swapped("a.mp4") - swapped("b.mp4", restore=False)).max() > 8


def test_an_exported_model_has_them_beside_it(model, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"")
    hand_on(model, "b", path)
    assert np.array_equal(examples(path, "b"), examples(model, "b"))
    hand_on(tmp_path, "b", path)
    assert examples(path, "b") is None and [*tmp_path.iterdir()] == [path], "not those of another model"


def test_segments_made_with_other_pictures_are_made_anew(clips, facesets, model, tmp_path):
    shutil.copytree(model, tmp_path / "m")
    config = ConvertConfig(
        source=clips[0], faceset=facesets[0], model=tmp_path / "m", output=tmp_path / "a.mp4"
    )
    with open_source(clips[0]) as source:
        before = _settings(config, source)
        (tmp_path / "m" / FOLDER / "a" / "000.jpg").unlink()
        assert _settings(config, source) == before, "A's do not show in A's clip"
        (tmp_path / "m" / FOLDER / "b" / "000.jpg").unlink()
        assert _settings(config, source) != before
