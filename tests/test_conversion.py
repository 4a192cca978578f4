import itertools
import json

import av
import cv2
import numpy as np
import pytest
from clips import make, single, truncated
from conftest import BLUE, FAKES, RED, nobody

from faceswap import ConvertConfig, ExtractConfig, convert, extract
from faceswap.conversion import Swapper
from faceswap.errors import InputError, ModelError, NoFacesError, OutputError, UsageError
from faceswap.faces.faceset import FACES, Faceset
from faceswap.networks import checkpoint
from faceswap.types import Frame, Pixels
from faceswap.video.source import open_source


def frames(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


@pytest.fixture
def config(clips, facesets, model, tmp_path):
    """Converts A's clip."""
    return ConvertConfig(
        source=clips[0], faceset=facesets[0], model=model, output=tmp_path / "out.mp4", preset="ultrafast"
    )


def changed(config, **more):
    from dataclasses import replace

    return replace(config, **more)


def test_a_video_gets_the_other_face(config):
    result = convert(changed(config, color="none"))
    assert (result.frames, result.swapped, result.faces, result.problems) == (30, 30, 30, ())
    before, after = frames(config.source), frames(config.output)
    assert len(after) == 30
    differ = np.abs(after[9].astype(int) - before[9]).max(2)
    face = differ[30:66, 50:90]
    assert (face > 40).mean() > 0.3, "the face is another one"
    assert (differ[:, :15] <= 12).all() and (differ[:, -15:] <= 12).all(), "the rest is what it was"
    assert not list(config.output.parent.glob(".*")), "nothing is left over"


def test_colours_follow_the_frame_unless_told_otherwise(config):
    """B is blue and A red: matched, the swap is red; unmatched, it is blue."""
    means = {}
    for color in ("reinhard", "none"):
        convert(changed(config, color=color, output=config.output.with_stem(color)))
        means[color] = frames(config.output.with_stem(color))[9][40:60, 56:80].mean((0, 1))
    assert means["reinhard"][2] > means["reinhard"][0] + 60
    assert means["none"][0] > means["reinhard"][0] + 40


def test_the_other_direction(config, clips, facesets):
    result = convert(changed(config, source=clips[1], faceset=facesets[1], swap_direction=True, color="none"))
    before, after = frames(clips[1])[9], frames(config.output)[9]
    assert result.swapped == 30
    assert after[40:60, 56:80, 0].mean() < before[40:60, 56:80, 0].mean() - 40, "blue became red"


def test_sound_and_times_are_the_sources(config, clips):
    convert(config)
    packets = []
    for path in (clips[0], config.output):
        with av.open(str(path)) as container:
            stamps = [p.pts * p.time_base for p in container.demux(video=0) if p.size]
        with av.open(str(path)) as container:
            packets.append((sorted(stamps), [bytes(p) for p in container.demux(audio=0) if p.size]))
    assert packets[0] == packets[1] and packets[0][1]


def test_pixels_off_the_mask_are_bit_identical(config, facesets, clips):
    with open_source(clips[0]) as source, Faceset.open(facesets[0]) as faceset:
        found = next(iter(source.frames(4, 5)))
        face = next(face for face in faceset.faces() if face.frame_index == 4)
    swapper = Swapper(config, checkpoint.read_config(config.model))
    (patch,) = swapper.patches([found], [[face]])[0]
    from faceswap.video.patching import apply_patches
    from faceswap.video.planes import views

    before, after = views(found.picture.native), views(apply_patches(found.picture.native, [patch]))
    height, width = patch.mask.shape
    mask = np.zeros(before[0].shape, bool)
    mask[patch.top : patch.top + height, patch.left : patch.left + width] = patch.mask
    assert (before[0][~mask] == after[0][~mask]).all() and (before[0][mask] != after[0][mask]).any()
    coarse = mask.reshape(mask.shape[0] // 2, 2, -1, 2).any((1, 3))
    for plane in (1, 2):
        assert (before[plane][~coarse] == after[plane][~coarse]).all()


def test_without_a_faceset_the_faces_are_found_first(config, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "faceswap.conversion.ExtractConfig", lambda **more: ExtractConfig(**{**FAKES, **more})
    )
    assert convert(changed(config, faceset=None)).swapped == 30
    wall = make(tmp_path / "wall.mp4", draw=nobody, count=5)
    with pytest.raises(NoFacesError, match=r"wall\.mp4"):
        convert(changed(config, source=wall, faceset=None, output=tmp_path / "x.mp4"))
    assert not (tmp_path / "x.mp4").exists()


def test_frames_without_a_face_pass_through(config, tmp_path, facesets):
    """The second half shows nobody; a face whose picture was deleted is left alone too."""

    def half(image, index):
        (RED if index < 6 else nobody)(image, index)

    clip = make(tmp_path / "half.mp4", draw=half, size=(128, 96), count=12)
    extract(ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES))
    with Faceset.open(tmp_path / "set") as faceset:
        (tmp_path / "set" / FACES / faceset.faces()[2].file).unlink()
    result = convert(changed(config, source=clip, faceset=tmp_path / "set", crf=0))
    assert (result.frames, result.swapped) == (12, 5)
    same = [
        np.abs(x.astype(int) - y).max() <= 1 for x, y in zip(frames(clip), frames(config.output), strict=True)
    ]
    assert same == [False, False, True, False, False, False] + [True] * 6


def test_a_folder_of_images(config, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index, name in enumerate(("one.png", "two.jpg", "wall.jpg")):
        image = np.zeros((96, 128, 3), np.uint8)
        (RED if index < 2 else nobody)(image, index)
        cv2.imwrite(str(folder / name), image)
    (folder / "broken.png").write_bytes((folder / "one.png").read_bytes()[:60])
    extract(ExtractConfig(sources=folder, output=tmp_path / "set", **FAKES))
    output = tmp_path / "swapped"
    result = convert(changed(config, source=folder, faceset=tmp_path / "set", output=output))
    assert sorted(p.name for p in output.iterdir()) == ["one.png", "two.jpg", "wall.jpg"]
    assert "broken.png" in result.problems[0] and result.swapped == 2
    assert (output / "wall.jpg").read_bytes() == (folder / "wall.jpg").read_bytes()
    before, after = (cv2.imread(str(place / "one.png")) for place in (folder, output))
    assert (before[:, :10] == after[:, :10]).all() and (before != after).any()
    with pytest.raises(OutputError, match="exists"):
        convert(changed(config, source=folder, faceset=tmp_path / "set", output=output))
    (output / "notes.txt").write_text("mine")
    (output / "one.png").write_text("old")
    convert(changed(config, source=folder, faceset=tmp_path / "set", output=output, overwrite=True))
    assert (output / "notes.txt").exists() and cv2.imread(str(output / "one.png")) is not None


def test_a_single_image(config, tmp_path):
    image = np.zeros((96, 128, 3), np.uint8)
    RED(image, 0)
    cv2.imwrite(str(tmp_path / "one.png"), image)
    extract(ExtractConfig(sources=tmp_path / "one.png", output=tmp_path / "set", **FAKES))
    more = {"source": tmp_path / "one.png", "faceset": tmp_path / "set", "output": tmp_path / "two.jpg"}
    assert convert(changed(config, **more)).swapped == 1
    assert (cv2.imread(str(tmp_path / "two.jpg")) != image).any()
    assert (tmp_path / "two.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
    with pytest.raises(UsageError, match="name it with one of"):
        convert(changed(config, **{**more, "output": tmp_path / "two.mp4"}))
    with pytest.raises(UsageError, match="folder of images"):
        convert(changed(config, **{**more, "source": tmp_path, "output": tmp_path / "out.mp4"}))


@pytest.mark.parametrize(
    "maker", [single, lambda p, **m: truncated(p, container={"movflags": "faststart"}, **m)]
)
def test_odd_sources(config, tmp_path, maker):
    clip = maker(tmp_path / "odd.mp4", draw=RED, size=(128, 96))
    extract(ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES))
    result = convert(changed(config, source=clip, faceset=tmp_path / "set"))
    assert len(frames(config.output)) == result.frames > 0


def test_killed_in_the_middle_it_goes_on_and_gives_the_same(config, tmp_path, monkeypatch):
    clip = make(tmp_path / "long.mp4", draw=BLUE, rate=1, count=35, size=(128, 96))
    extract(ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES))
    config = changed(config, source=clip, faceset=tmp_path / "set")
    patches, seen = Swapper.patches, []

    def dying(self, batch, found):
        seen.extend(frame.index for frame in batch)
        if 24 in seen and seen.count(24) == 1:
            raise KeyboardInterrupt
        return patches(self, batch, found)

    monkeypatch.setattr(Swapper, "patches", dying)
    with pytest.raises(KeyboardInterrupt):
        convert(config)
    assert not config.output.exists()
    seen.clear()
    seen.append(24)
    convert(config)
    assert sorted(seen[1:]) == list(range(20, 35)), "only unfinished segments are converted again"
    whole = tmp_path / "whole.mp4"
    convert(changed(config, output=whole))
    for one, other in itertools.zip_longest(frames(config.output), frames(whole)):
        assert (one == other).all()


def test_faces_deleted_between_two_runs_are_not_swapped(config, tmp_path, monkeypatch):
    clip = make(tmp_path / "long.mp4", draw=RED, rate=1, count=20, size=(128, 96))
    extract(ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES))
    config = changed(config, source=clip, faceset=tmp_path / "set", crf=0)
    patches = Swapper.patches

    def dying(self, batch, found):
        if batch[0].index >= 10:
            raise KeyboardInterrupt
        return patches(self, batch, found)

    monkeypatch.setattr(Swapper, "patches", dying)
    with pytest.raises(KeyboardInterrupt):
        convert(config)
    monkeypatch.undo()
    with Faceset.open(tmp_path / "set") as faceset:
        (tmp_path / "set" / FACES / faceset.faces()[0].file).unlink()
    convert(config)
    before, after = frames(clip)[0], frames(config.output)[0]
    assert np.abs(before.astype(int) - after).max() <= 1, "the deleted face was swapped all the same"


def test_other_settings_do_not_mix_with_finished_segments(config):
    parts = config.output.with_name(".out.mp4.parts")
    parts.mkdir()
    (parts / "settings.json").write_text(json.dumps({"crf": 51}))
    (parts / "000000000.mp4").write_text("from another run")
    assert convert(config).frames == 30
    assert len(frames(config.output)) == 30


def test_what_is_refused_before_any_work(config, tmp_path, clips, facesets):
    config.output.write_text("precious")
    with pytest.raises(OutputError, match="--overwrite"):
        convert(config)
    assert config.output.read_text() == "precious"
    with pytest.raises(OutputError, match="source itself"):
        convert(changed(config, output=clips[0], overwrite=True))
    with pytest.raises(UsageError, match="name it with one of"):
        convert(changed(config, output=tmp_path / "out.xyz"))
    with pytest.raises(ModelError, match="not a model"):
        convert(changed(config, model=tmp_path / "nothing", output=tmp_path / "x.mp4"))
    with pytest.raises(InputError, match="does not exist"):
        convert(changed(config, source=tmp_path / "nothing.mp4"))
    with pytest.raises(InputError, match="holds no faces of"):
        convert(changed(config, faceset=facesets[1], output=tmp_path / "x.mp4"))
    with pytest.raises(OutputError, match="cannot write"):
        convert(changed(config, output=config.output / "below" / "x.mp4"))
    assert convert(changed(config, overwrite=True)).frames == 30


def test_a_frame_may_hold_several_faces_or_none(config):
    swapper = Swapper(config, checkpoint.read_config(config.model))
    image = np.full((96, 128, 3), 120, np.uint8)
    frame = Frame(0, 0, 1, Pixels(image))
    assert swapper.patches([frame], [[]]) == [[]]
    with Faceset.open(config.faceset) as faceset:
        one, two = faceset.faces()[:2]
    assert [len(patches) for patches in swapper.patches([frame, frame], [[one, two], [one]])] == [2, 1]
