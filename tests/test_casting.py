"""Whose face is swapped, and by which model."""

import json
from contextlib import nullcontext
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import make
from conftest import BLUE, FAKES, RED, person
from marks import encode, frames_of

from faceswap import ConvertConfig, ExtractConfig, InspectConfig, convert, extract, inspect
from faceswap.cli import run
from faceswap.config import Pair
from faceswap.errors import InputError, ModelError, NoFacesError
from faceswap.faces.faceset import Faceset
from faceswap.faces.identity import LENGTH
from faceswap.models import Model
from faceswap.provenance.reading import read_manifest
from faceswap.swapper import Ensemble, Swapper
from faceswap.video.source import open_source

GREEN = person((30, 210, 40))
COUNT, HALF = 12, 128


def pair(image, index):
    """A on the left, B on the right."""
    RED(image[:, :HALF], index)
    BLUE(image[:, HALF:], index)


class ByColour:
    """Takes all red faces for one person, all blue ones for another, all green ones for a third."""

    described = 0

    def describe(self, images, landmarks):
        rows = [
            np.eye(LENGTH, dtype=np.float32)[self._who(*face)] for face in zip(images, landmarks, strict=True)
        ]
        ByColour.described += len(rows)
        return np.array(rows, np.float32).reshape(-1, LENGTH)

    def _who(self, image, points):
        left, top = np.maximum(points.min(0), 0).astype(int)
        right, bottom = points.max(0).astype(int)
        return int(np.median(image[top:bottom, left:right].reshape(-1, 3), axis=0).argmax())


@pytest.fixture(autouse=True)
def _identity(request, monkeypatch):
    if "real" not in request.fixturenames:
        monkeypatch.setattr("faceswap.recognition.Identifier", ByColour)
        monkeypatch.setattr(ByColour, "described", 0)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A clip of two people, its faceset, and a picture of each of three."""
    folder = tmp_path_factory.mktemp("two")
    clip = make(folder / "two.mp4", draw=pair, size=(2 * HALF, 96), count=COUNT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("faceswap.recognition.Identifier", ByColour)
        extract(ExtractConfig(sources=clip, output=folder / "set", **FAKES))
    for name, draw in (("red", RED), ("blue", BLUE), ("green", GREEN)):
        image = np.zeros((96, HALF, 3), np.uint8)
        draw(image, 3)
        cv2.imwrite(str(folder / f"{name}.png"), image)
    return folder


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Two models that draw white and black faces."""

    def opened(path, side, use):
        shade = {"white": 255, "black": 0}[path.name]

        def swap(crops):
            return np.concatenate([np.full_like(crops, shade), np.full_like(crops[..., :1], 255)], -1)

        return Model(32, 1.25, swap)

    monkeypatch.setattr("faceswap.swapper.open_model", opened)
    for user in ("conversion", "marking"):
        monkeypatch.setattr(f"faceswap.{user}.fingerprint", lambda path, use: f"hash of {path.name}")
    return tmp_path / "white", tmp_path / "black"


@pytest.fixture
def options(two, tmp_path):
    """Converts the clip of two; who gets which face is left open."""
    how = {"preset": "ultrafast", "crf": 0, "color": "none"}
    return {"source": two / "two.mp4", "faceset": two / "set", "output": tmp_path / "out.mp4", **how}


def frames(path):
    with av.open(str(path)) as container:
        return np.array([frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)], int)


def change(options):
    """How much the pixels of the left and of the right half were changed at most."""
    differ = np.abs(frames(options["output"]) - frames(options["source"]))
    halves = differ[:, :, : HALF - 4], differ[:, :, HALF + 4 :]  # pixels share chroma with their neighbours
    return [half.max() for half in halves]


def roles(two, models, *names):
    return tuple(f"{two / name}.png={model}" for name, model in zip(names, models, strict=True))


def test_without_a_picture_everybody_is_swapped(options, models):
    result = convert(ConvertConfig(**options, model=models[0]))
    assert (result.swapped, result.faces, result.others) == (COUNT, 2 * COUNT, 0)
    assert "others" not in str(result) and ByColour.described == 0, "who they are was not asked for"


@pytest.mark.parametrize(("name", "side"), [("red", 0), ("blue", 1)])
def test_only_the_one_in_the_picture_is_swapped(options, two, models, name, side):
    result = convert(ConvertConfig(**options, model=models[0], reference=two / f"{name}.png"))
    assert (result.swapped, result.faces, result.others) == (COUNT, COUNT, COUNT)
    assert f"{COUNT} faces of others left as they are" in str(result)
    halves = change(options)
    assert halves[side] > 100 and halves[1 - side] <= 1
    assert ByColour.described == 1, "the tracks' identities are in the index"


def test_each_gets_a_model(options, two, models):
    result = convert(ConvertConfig(**options, map_=roles(two, models, "red", "blue")))
    assert (result.swapped, result.faces, result.others) == (COUNT, 2 * COUNT, 0)
    after = frames(options["output"])[0]
    assert after[40:60, 56:80].mean() > 200 and after[40:60, 184:208].mean() < 60
    names = ("white", "hash of white"), ("black", "hash of black")
    assert read_manifest(options["output"]).models == names
    assert [word in str(inspect(InspectConfig(file=options["output"]))) for word in ("white", "black")] == [
        1,
        1,
    ]


def test_others_are_left_alone_and_who_is_not_there_is_told(options, two, models, caplog):
    result = convert(ConvertConfig(**options, map_=roles(two, models, "green", "blue")))
    left, right = change(options)
    assert result.others == COUNT and left <= 1 and right > 100
    told = [line for line in caplog.messages if "nobody in" in line]
    assert len(told) == 1 and "green.png" in told[0]
    assert [name for name, _ in read_manifest(options["output"]).models] == ["white", "black"]


def test_without_a_faceset_the_faces_are_found_first(options, two, models, monkeypatch):
    monkeypatch.setattr("faceswap.casting.ExtractConfig", lambda **more: ExtractConfig(**{**FAKES, **more}))
    config = ConvertConfig(**options | {"faceset": None}, model=models[0], reference=two / "red.png")
    assert convert(config).others == COUNT and change(options)[1] <= 1


def test_a_lone_track_is_described_too(clips, two, models, options, tmp_path):
    """A faceset with one track has no identity in its index until it is asked for."""
    extract(ExtractConfig(sources=clips[0], output=tmp_path / "set", **FAKES))
    options |= {"source": clips[0], "faceset": tmp_path / "set"}
    result = convert(ConvertConfig(**options, model=models[0], reference=two / "red.png"))
    assert (result.swapped, result.others) == (30, 0)
    assert 2 <= ByColour.described <= 6, "several faces of the track, once"
    with Faceset.open(tmp_path / "set") as faceset:
        assert len(faceset.identities()) == 1


def test_nobody_and_pictures_of_nobody(options, two, models, tmp_path):
    def attempt(picture):
        return convert(ConvertConfig(**options, model=models[0], reference=picture))

    with pytest.raises(NoFacesError, match=r"nobody in .*two\.mp4"):
        attempt(two / "green.png")
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((96, 128, 3), 120, np.uint8))
    with pytest.raises(NoFacesError, match=r"no face found in .*wall\.png"):
        attempt(tmp_path / "wall.png")
    both = np.zeros((96, 2 * HALF, 3), np.uint8)
    pair(both, 0)
    cv2.imwrite(str(tmp_path / "both.png"), both)
    with pytest.raises(InputError, match="2 people"):
        attempt(tmp_path / "both.png")
    with pytest.raises(InputError, match=r"gone\.png"):
        attempt(tmp_path / "gone.png")
    assert not options["output"].exists()


def test_a_model_of_the_map_that_is_missing(options, two, tmp_path):
    for name, words in (("gone", "not a model"), ("gone.onnx", "does not exist")):
        with pytest.raises(ModelError, match=words):
            convert(ConvertConfig(**options, map_=f"{two / 'red.png'}={tmp_path / name}"))


def test_segments_for_others_are_not_reused(options, two, models, tmp_path, monkeypatch):
    clip = make(tmp_path / "long.mp4", draw=pair, size=(2 * HALF, 96), rate=1, count=20)
    extract(ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES))
    options |= {"source": clip, "faceset": tmp_path / "set", "model": models[0]}
    patches, seen = Swapper.patches, []

    def watched(self, batch, found):
        seen.extend(frame.index for frame in batch)
        if batch[0].index >= 10 and dies:
            raise KeyboardInterrupt
        return patches(self, batch, found)

    monkeypatch.setattr(Swapper, "patches", watched)
    left = []
    for name, dies in (("red", True), ("blue", True), ("blue", False)):
        seen.clear()
        config = ConvertConfig(**options, reference=two / f"{name}.png")
        with pytest.raises(KeyboardInterrupt) if dies else nullcontext():
            convert(config)
        left.append({frame // 5 for frame in seen})
    assert left[0] >= {0, 1} and left[1] >= {0, 1}, "segments for somebody else are not reused"
    assert not left[2] >= {0, 1}, "a finished one for the same person is; they run side by side"
    unchanged, swapped = change(options)
    assert unchanged <= 1 and swapped > 100


def test_side_outputs(options, two, models, tmp_path):
    options |= {"model": models[0], "reference": two / "red.png", "no_provenance": True}
    mask, patches = tmp_path / "mask.mp4", tmp_path / "patches"
    convert(ConvertConfig(**options | {"output_kind": "mask", "output": mask}))
    assert frames(mask)[:, :, :HALF].max() > 200 and frames(mask)[:, :, HALF:].max() <= 2
    convert(ConvertConfig(**options | {"output_kind": "patches", "output": patches}))
    table = json.loads((patches / "patches.json").read_text())["patches"]
    assert len(table) == COUNT and all(entry["left"] < HALF for entry in table)


@pytest.mark.real
def test_a_trial_shows_whoever_is_swapped(options, two, models, tmp_path):
    options |= {"output": None, "try_": tmp_path / "sheet.png", "overwrite": True}
    shown = []
    for names in (("blue", "green"), ("green", "blue")):
        convert(ConvertConfig(**options, map_=roles(two, models, *names)))
        sheet = cv2.imread(str(tmp_path / "sheet.png"))
        shown.append((sheet[100:160, 90:150].mean((0, 1)).argmax(), sheet[:, 240:].mean()))
    assert [colour for colour, _ in shown] == [0, 0] and shown[0][1] > shown[1][1] + 3


def test_one_label_for_all_models(options, two, models):
    with Faceset.open(two / "set") as faceset:
        faces = [face for face in faceset.faces() if face.frame_index == 4]
    with open_source(two / "two.mp4") as source:
        found = list(source.frames(4, 6))
    given = {face.face.track_id: model for face, model in zip(faces, models, strict=True)}
    for label in (False, True):
        ensemble = Ensemble(ConvertConfig(**options, map_=roles(two, models, "red", "blue"), label=label))
        ensemble.follow({4: faces}, two / "set", given)
        put = ensemble.afresh().patches(found, [faces, []])
        assert [len(patches) for patches in put] == [2 + label, 0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ([], "needs one of --model"),
        (["-m", "m", "--map", "a.jpg=x"], "needs one of --model"),
        (["--reference", "a.jpg"], "needs one of --model"),
        (["--map", "a.jpg=x", "b.jpg=y", "--reference", "c.jpg"], "--map takes no --reference"),
        (["--map", "a.jpg"], "one '=' between"),
        (["--map", "a.jpg="], "one '=' between"),
        (["--map", "a=b=c"], "one '=' between"),
        (["--map", "a.jpg=x", "a.jpg=y"], "a.jpg stands twice"),
    ],
)
def test_misuse_is_one_line(more, words, capsys):
    assert run(["convert", "a.mp4", "-o", "o.mp4", *more]) == 2
    error = capsys.readouterr().err.strip()
    assert words in error and "\n" not in error


def test_who_plays_whom_in_the_options():
    config = ConvertConfig(source="a", output="b", map_=("a.jpg=x", Pair(Path("b.jpg"), Path("x"))))
    assert [str(model) for model in config.models] == ["x"]
    assert [(str(picture), str(model)) for picture, model in config.roles] == [("a.jpg", "x"), ("b.jpg", "x")]


@pytest.mark.real
def test_one_of_two_people_is_swapped(real, models, tmp_path):
    shown = frames_of(real / "hard" / "video" / "two_faces_hstack.mp4", COUNT)
    middle, picture = shown[0].shape[1] // 2, tmp_path / "left.png"
    cv2.imwrite(str(picture), shown[5][:, :middle])
    how = {"source": encode(tmp_path / "two.mp4", shown, 10), "output": tmp_path / "out.mp4", "crf": 0}
    result = convert(ConvertConfig(**how, model=models[0], reference=picture, preset="ultrafast"))
    assert (result.swapped, result.faces, result.others) == (COUNT, COUNT, COUNT)
    differ = np.abs(frames(how["output"]) - frames(how["source"]))
    assert differ[:, :, : middle - 4].mean() > 5 and differ[:, :, middle + 4 :].max() <= 1
