import itertools
import json
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest
from clips import make, single, truncated
from conftest import BLUE, FAKES, RED, nobody

from faceswap import ConvertConfig, ExtractConfig, convert, extract
from faceswap.conversion import ConvertResult
from faceswap.errors import InputError, ModelError, NoFacesError, OutputError, UsageError
from faceswap.faces.faceset import FACES, Faceset
from faceswap.faces.template import MEAN_FACE
from faceswap.faces.tracks import steadied
from faceswap.registry import BLENDS, COLORS
from faceswap.swapper import Swapper
from faceswap.types import Frame, Pixels
from faceswap.video.patching import image_apply
from faceswap.video.source import open_source, segments


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
    swapper = Swapper(config)
    (patch,) = swapper.patches([found], [[face]])[0]
    from faceswap.video.patching import apply_patches
    from faceswap.video.planes import duplicate, views

    native = found.picture.native
    before, after = views(native), views(apply_patches(duplicate(native), [patch]))
    mask = np.zeros(before[0].shape, bool)
    place = patch.place(*before[0].shape[::-1])
    mask[place.area] = place.smooth(patch.opacity) > 0
    assert (before[0][~mask] == after[0][~mask]).all() and (before[0][mask] != after[0][mask]).any()
    coarse = mask.reshape(mask.shape[0] // 2, 2, -1, 2).any((1, 3))
    for plane in (1, 2):
        assert (before[plane][~coarse] == after[plane][~coarse]).all()


def test_without_a_faceset_the_faces_are_found_first(config, tmp_path, monkeypatch):
    monkeypatch.setattr("faceswap.casting.ExtractConfig", lambda **more: ExtractConfig(**{**FAKES, **more}))
    assert convert(changed(config, faceset=None)).swapped == 30
    wall = make(tmp_path / "wall.mp4", draw=nobody, count=5)
    before = set(tmp_path.iterdir())
    with pytest.raises(NoFacesError, match=r"wall\.mp4.*--faceset"):
        convert(changed(config, source=wall, faceset=None, output=tmp_path / "x.mp4"))
    assert set(tmp_path.iterdir()) == before, "neither half a video nor a folder of what was begun"


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

    def watched(self, batch, found):
        seen.extend(frame.index for frame in batch)
        return patches(self, batch, found)

    def dying(self, batch, found):
        if any(frame.index == 24 for frame in batch):
            raise KeyboardInterrupt
        return patches(self, batch, found)

    numbers = iter([7, 7])  # whoever goes on with a run draws none of its own
    monkeypatch.setattr("faceswap.conversion.secrets.randbits", lambda bits: next(numbers))
    monkeypatch.setattr(Swapper, "patches", dying)
    with pytest.raises(KeyboardInterrupt):
        convert(config)
    assert not config.output.exists()
    done = {int(part.stem) for part in tmp_path.glob(".*.parts/*.mp4")}
    with open_source(clip) as source:
        left = [index for segment in segments(source) if segment.start not in done for index in segment]
    monkeypatch.setattr(Swapper, "patches", watched)
    convert(config)
    assert done and 24 in left and sorted(seen) == left, "only unfinished segments, again"
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
    swapper = Swapper(config)
    image = np.full((96, 128, 3), 120, np.uint8)
    frame = Frame(0, 0, 1, Pixels(image))
    assert swapper.patches([frame], [[]]) == [[]]
    with Faceset.open(config.faceset) as faceset:
        one, two = faceset.faces()[:2]
    assert [len(patches) for patches in swapper.patches([frame, frame], [[one, two], [one]])] == [2, 1]


def stored(folder, index=4):
    """The face of a frame of a faceset, as the conversion takes it."""
    with Faceset.open(folder) as faceset:
        return next(face for face in steadied(faceset.faces()) if face.frame_index == index)


def mirror(images):
    """A network whose output is its input, and that says face everywhere."""
    return np.concatenate([images, np.full_like(images[..., :1], 255)], -1)


def soft_frame(clip, index=4):
    """A frame of a clip without fine lines, which no interpolation brings back."""
    with open_source(clip) as source:
        image = next(iter(source.frames(index, index + 1))).image
    return Frame(index, 0, 1, Pixels(cv2.GaussianBlur(image, (0, 0), 4)))


def put_in(frame, patch):
    """The frame with a patch in it, and where."""
    mask = np.zeros(frame.image.shape[:2], bool)
    place = patch.place(mask.shape[1], mask.shape[0])
    mask[place.area] = place.smooth(patch.opacity) > 0
    return image_apply(frame.image, [patch]), mask


NEUTRAL = {"color": "none", "restore": False, "crisp": 0.0, "match_detail": 0.0, "match_grain": 0.0}


@pytest.mark.parametrize("look", [NEUTRAL, {}, {"color": "idt"}, {"blend": "pyramid"}, {"blend": "clone"}])
def test_an_identity_network_gives_the_source(config, look):
    frame, face = soft_frame(config.source), stored(config.faceset)
    swapper = Swapper(changed(config, **{"restore": False, **look}))
    swapper._swap = mirror
    image, mask = put_in(frame, swapper.patches([frame], [[face]])[0][0])
    differ = np.abs(image.astype(int) - frame.image).max(2)
    assert mask.sum() > 300 and (differ[~mask] == 0).all()
    assert differ.max() <= (4 if look == NEUTRAL else 8) and differ[mask].mean() < 1.5


def test_opacity_scale_and_fading(config):
    frame, face = soft_frame(config.source), stored(config.faceset)

    def change(**look):
        swapper = Swapper(changed(config, **NEUTRAL, **look))
        swapper._swap = lambda images: mirror(images * np.uint8(0))
        patches = swapper.patches([frame], [[face]])[0]
        return patches[0] if patches else None

    full, half = change(), change(opacity=0.5)
    assert change(opacity=0.0) is None
    drop = [frame.image.mean() - put_in(frame, patch)[0].mean() for patch in (full, half)]
    assert drop[1] == pytest.approx(drop[0] / 2, rel=0.03)
    covered = {
        name: put_in(frame, change(**{name: value}))[1].sum()
        for name, value in (("face_scale", 1.3), ("fade_from", 180.0), ("erode_top", 0.2))
    }
    whole = put_in(frame, full)[1].sum()
    assert covered["face_scale"] == pytest.approx(1.69 * whole, rel=0.1)
    assert covered["fade_from"] == whole > covered["erode_top"]


def test_turned_faces_fade_out_and_are_listed(config, monkeypatch):
    """A face that turns by 6 degrees a frame is there at first, then half, then gone."""
    turns = iter(range(0, 180, 6))
    known = {}

    def pose(landmarks):
        key = landmarks.tobytes()
        known.setdefault(key, float(next(turns)) if key not in known else 0.0)
        return known[key], 0.0, 0.0

    with Faceset.open(config.faceset) as faceset:
        for face in steadied(faceset.faces()):
            pose(face.face.landmarks)
    monkeypatch.setattr("faceswap.faces.index.head_pose", pose)
    result = convert(changed(config, crf=0))
    assert result.missed == (range(12, 30),) and result.swapped == 12
    assert "not swapped: 12-29" in str(result)
    before, after = frames(config.source), frames(config.output)
    change = [np.abs(a.astype(int) - b).mean() for a, b in zip(after, before, strict=True)]
    assert max(change[12:]) < 0.1 < change[11] < change[10] < min(change[:9])


def test_where_the_mask_leaves_nothing_the_frame_stays(config):
    convert(changed(config, erode=0.5, crf=0))
    for before, after in zip(frames(config.source), frames(config.output), strict=True):
        assert np.abs(before.astype(int) - after).mean() < 0.1


def test_what_was_missed_is_told_briefly(tmp_path):
    runs = tuple(range(n, n + 1 + n % 2) for n in range(0, 60, 5))
    text = str(ConvertResult(tmp_path, 100, 80, 80, (), 1.0, runs))
    assert "not swapped: 0, 5-6, 10, 15-16, 20, 25-26, 30, 35-36 and 4 more runs" in text
    assert "not swapped" not in str(ConvertResult(tmp_path, 100, 100, 100, (), 1.0))


def test_colours_are_the_same_whatever_was_converted_before(config):
    """At a segment's border the colours do not jump: they depend on the faceset alone."""
    with Faceset.open(config.faceset) as faceset:
        faces = {face.frame_index: [face] for face in steadied(faceset.faces())}
    with open_source(config.source) as source:
        found = list(source.frames())
    one, other = Swapper(config), Swapper(config)
    for swapper in (one, other):
        swapper.follow([face for [face] in faces.values()], config.faceset, None)
    inputs = [faces[frame.index] for frame in found]
    whole = one.patches(found, inputs)
    late = other.patches(found[20:], inputs[20:]) + other.patches(found[3:5], inputs[3:5])
    for (mine,), (yours,) in zip(whole[20:] + whole[3:5], late, strict=True):
        assert np.abs(mine.image.astype(int) - yours.image).max() <= 1
    alone = Swapper(changed(config, steady_frames=0))
    alone.follow([face for [face] in faces.values()], config.faceset, None)
    assert any(
        (a[0].image != b[0].image).any() for a, b in zip(alone.patches(found, inputs), whole, strict=True)
    )


def test_a_face_takes_on_the_texture_of_its_frame(config):
    """On a noisy frame a smooth face gets the frame's grain, and detail of its own more."""
    soft, face = soft_frame(config.source), stored(config.faceset)
    noise = np.random.default_rng(0).normal(0, 8, soft.image.shape[:2])
    frame = replace(soft, picture=Pixels(np.clip(soft.image + noise[..., None], 0, 255).astype(np.uint8)))
    shown = {}
    for option in ("neither", "match_grain", "match_detail"):
        swapper = Swapper(changed(config, **{**NEUTRAL, **({option: 1.0} if option in NEUTRAL else {})}))
        swapper._swap = lambda images: mirror(np.stack([cv2.GaussianBlur(x, (0, 0), 2) for x in images]))
        image, mask = put_in(frame, swapper.patches([frame], [[face]])[0][0])
        inner = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        shown[option] = (
            image[inner][:, 1].astype(float),
            cv2.Laplacian(image[..., 1], cv2.CV_32F)[inner].std(),
        )
    assert shown["match_grain"][1] > 1.1 * shown["neither"][1]
    assert np.abs(shown["match_detail"][0] - shown["neither"][0]).mean() > 0.3


class Lower:
    """Finds every second face, the drawn one, a 32nd of the crop lower than the one before."""

    count = 0

    def locate(self, picture, box):
        self.count += 1
        return np.float32(MEAN_FACE * 100 + 128 + [0, 0 if self.count % 2 else 8])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_drawn_face_is_laid_where_its_features_fit(config, share):
    with Faceset.open(config.faceset) as faceset:
        faces = steadied(faceset.faces())
    frame, swapper = soft_frame(config.source), Swapper(changed(config, fit=share))
    ((before,),) = swapper.patches([frame], [[faces[4]]])
    swapper.follow(faces, config.faceset, Lower())
    ((after,),) = swapper.patches([frame], [[faces[4]]])
    up = before.matrix[:, :2] @ [0, -256 / 32 * share]
    assert np.allclose(after.matrix[:, 2] - before.matrix[:, 2], up, atol=1e-3)


def test_pictures_that_are_gone_only_steady_less(config, tmp_path):
    with Faceset.open(config.faceset) as faceset:
        faces = {face.frame_index: [face] for face in steadied(faceset.faces())}
    swapper = Swapper(config)
    swapper.follow([face for [face] in faces.values()], tmp_path, None)
    assert len(swapper.patches([soft_frame(config.source)], [faces[4]])[0]) == 1


@pytest.mark.real
def test_try_writes_a_sheet_of_every_look(config, tmp_path):
    sheet = tmp_path / "sheet.png"
    tried = changed(config, output=None, try_=sheet, try_frames=2)
    result = convert(tried)
    assert (result.output, result.frames) == (sheet, 2)
    image = cv2.imread(str(sheet))
    tile = 240 + 38
    assert image.shape[1] == 240 * (1 + 3 * len(BLENDS)) and image.shape[0] >= 2 * tile * len(COLORS)
    rows = image[22 : 22 + tile * len(COLORS)].reshape(len(COLORS), tile, -1, 240, 3)[:, :240]
    assert (rows[:, :, 0] == rows[:1, :, 0]).all(), "the original begins each row"
    looks = {rows[y, :, x].tobytes() for y in range(len(COLORS)) for x in range(1, rows.shape[2])}
    assert len(looks) > 0.8 * len(COLORS) * 3 * len(BLENDS), "the tiles differ"
    assert not list(tmp_path.glob(".*")), "nothing is left over"
    with pytest.raises(OutputError, match="--overwrite"):
        convert(tried)
    with pytest.raises(UsageError, match="writes a picture"):
        convert(changed(tried, try_=tmp_path / "sheet.mp4"))
    for wrong in ({"output": None}, {"try_": sheet}):
        with pytest.raises(UsageError, match=r"--output .* --try"):
            changed(config, **wrong)


def kind_of(config, kind, name, **more):
    """Convert to a kind of output; returns where it is."""
    output = config.output.with_name(name)
    convert(changed(config, output_kind=kind, output=output, color="none", no_provenance=True, **more))
    return output


def test_masks_and_pairs(config):
    swapped = frames(kind_of(config, "video", "swapped.mkv", codec="ffv1"))
    masks = frames(kind_of(config, "mask", "mask.mkv", codec="ffv1"))
    pairs = frames(kind_of(config, "side-by-side", "pair.mkv", codec="ffv1"))
    before = frames(config.source)
    assert len(masks) == len(pairs) == len(before)
    mask = masks[9]
    assert mask[48, 68].min() > 200 and mask[:, :15].max() <= 2, "white on the face, black off it"
    assert (np.abs(mask - mask[..., :1].astype(int)) <= 2).all(), "grey"
    assert np.array_equal(pairs[9][:, :128], before[9]) and np.array_equal(pairs[9][:, 128:], swapped[9])
    near = cv2.dilate(mask[..., 0], np.ones((7, 7)))  # pixels share chroma with their neighbours
    assert np.array_equal(swapped[9][near <= 1], before[9][near <= 1])


def test_patches_can_be_laid_over_elsewhere(config):
    folder = kind_of(config, "patches", "patches")
    pictures = kind_of(config, "frames", "frames")
    assert [path.name for path in sorted(pictures.iterdir())] == [f"{n:06d}.png" for n in range(30)]
    table = json.loads((folder / "patches.json").read_text())
    assert (table["frames"], len(table["patches"])) == (30, 30)
    entry = table["patches"][9]
    with open_source(config.source) as source:
        image = next(iter(source.frames(9, 10))).image.astype(np.float64)
    face = cv2.imread(str(folder / entry["file"]), cv2.IMREAD_UNCHANGED).astype(np.float64)
    rows, columns = face.shape[:2]
    area = np.s_[entry["top"] : entry["top"] + rows, entry["left"] : entry["left"] + columns]
    alpha = face[..., 3:] / 255
    image[area] = image[area] * (1 - alpha) + face[..., :3] * alpha
    swapped = cv2.imread(str(pictures / "000009.png"))
    assert np.abs(image - swapped).max() <= 2 and alpha.max() > 0.9
    middle = np.array(entry["matrix"]) @ [127.5, 127.5, 1]
    face_middle = stored(config.faceset, 9).face.landmarks.mean(0)
    assert np.abs(middle - face_middle).max() < 12, "the matrix says where the upright face lies"


def test_an_animation(config):
    output = kind_of(config, "gif", "out.gif")
    with av.open(str(output)) as container:
        shown = [(f.time, f.to_ndarray(format="bgr24")) for f in container.decode(video=0)]
    assert 14 <= len(shown) <= 16 and shown[1][0] - shown[0][0] >= 0.05, "20 pictures a second at most"
    whole = frames(kind_of(config, "video", "whole.mp4", crf=4))
    assert np.abs(shown[0][1].astype(int) - whole[0]).mean() < 8


def test_kinds_that_do_not_fit(config, tmp_path):
    for kind, name, more, word in (
        ("gif", "out.mp4", {}, "GIF"),
        ("frames", "out.mp4", {}, "name a folder"),
        ("patches", "out.png", {}, "name a folder"),
        ("mask", "out.gif", {}, "name it with"),
        ("patches", "out", {"blend": "clone"}, "leave out --blend"),
    ):
        with pytest.raises(UsageError, match=word):
            kind_of(config, kind, name, **more)
    assert not (tmp_path / "out").exists()
