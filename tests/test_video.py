from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import clips
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswap import png
from faceswap.blending.grain import Grain
from faceswap.errors import FaceswapError, InputError, OutputError, UsageError
from faceswap.types import Frame, Patch, Pixels
from faceswap.video.encoders import SOFTWARE, Encoding, encoders
from faceswap.video.images import read_image, write_image
from faceswap.video.joining import CONTAINERS, check_container, join
from faceswap.video.native import NativePicture
from faceswap.video.patching import apply_patches, image_apply
from faceswap.video.planes import PLAIN, duplicate, from_bgr, nearest, to_bgr, traits, views
from faceswap.video.source import ImageSource, VideoSource, find_sources, open_source, segments
from faceswap.video.writer import SegmentWriter

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
GROUPS = {"preset": "medium", "g": "10"}  # several groups of pictures, with B frames

READABLE = {
    "constant": (clips.constant, "a.mp4", {"count": 45, "options": GROUPS}),
    "variable": (clips.variable, "a.mp4", {"count": 45, "options": GROUPS}),
    "odd": (clips.odd, "a.mp4", {}),
    "rotated": (clips.rotated, "a.mp4", {"size": (96, 62)}),
    "ten_bit": (clips.ten_bit, "a.mp4", {}),
    "gray": (clips.gray, "a.mp4", {}),
    "single": (clips.single, "a.mp4", {}),
    "full_range": (clips.constant, "a.mp4", {"pixels": "yuvj420p", "about": {"color_range": 2}}),
    "open_groups": (clips.constant, "a.mp4", {"options": {**GROUPS, "x264-params": "open-gop=1"}}),
    "refreshed": (clips.constant, "a.mp4", {"options": {**GROUPS, "intra-refresh": "1"}}),
    "matroska": (clips.constant, "a.mkv", {"options": GROUPS}),
    "ntsc": (clips.constant, "a.mp4", {"rate": Fraction(30000, 1001), "options": GROUPS}),
    "transport": (clips.constant, "a.ts", {"options": GROUPS}),
    "program": (clips.constant, "a.mpg", {"codec": "mpeg1video", "sound": "mp2", "options": {"bf": "2"}}),
    "avi": (clips.constant, "a.avi", {"options": GROUPS, "sound": None}),
    "raw": (clips.constant, "a.h264", {"options": GROUPS, "sound": None}),
    "hidden": (
        clips.constant,
        "a.webm",
        {"codec": "libvpx", "sound": None, "options": {"auto-alt-ref": "1", "lag-in-frames": "16"}},
    ),
    "packed": (
        clips.constant,
        "a.mov",
        {"codec": "rawvideo", "pixels": "yuyv422", "sound": None, "options": {}},
    ),
    "bottom_up": (clips.constant, "a.avi", {"codec": "rawvideo", "pixels": "bgr24", "options": {}}),
}


def clip(name: str, folder: Path) -> Path:
    maker, file, more = READABLE[name]
    return maker(folder / file, **more)


def video(path: Path) -> VideoSource:
    source = open_source(path)
    assert isinstance(source, VideoSource)
    return source


def essence(frames: Any) -> list[tuple[int, int, bool, bytes]]:
    return [(f.index, f.pts, f.damaged, f.image.tobytes()) for f in frames]


def sound(path: Path) -> list[tuple[Fraction, bytes]]:
    """Time and content of each packet of sound."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        packets = container.demux(container.streams.audio[0])
        return [(p.pts * p.time_base, bytes(p)) for p in packets if p.size and p.pts is not None]


def seconds(source: VideoSource) -> list[Fraction]:
    return [time * source.time_base for time in source.times]


def convert(source: VideoSource, output: Path, pieces: int = 1, patches: Any = (), **settings: Any) -> Path:
    length = -(-source.count // pieces)
    parts = []
    for start in range(0, source.count, length):
        part = output.parent / f"part{start}.mp4"
        with SegmentWriter(part, source, Encoding(**{"preset": "ultrafast", **settings})) as writer:
            for frame in source.frames(start, start + length):
                writer.write(frame, patches)
        parts.append(part)
    join(parts, source, output)
    return output


# --- reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READABLE)
def test_whole_run_and_slices(name: str, tmp_path: Path) -> None:
    source = video(clip(name, tmp_path))
    more = READABLE[name][2]
    assert source.count == {"single": 1}.get(name, more.get("count", 30))
    whole = essence(source.frames())
    assert [f[0] for f in whole] == list(range(source.count))
    assert [f[1] for f in whole] == list(source.times)
    assert not any(f[2] for f in whole)
    for start in range(0, source.count, 4):
        assert essence(source.frames(start, start + 3)) == whole[start : start + 3], start
    assert source.problems == []


def test_content_is_where_it_belongs(tmp_path: Path) -> None:
    source = video(clips.constant(tmp_path / "a.mp4", count=45, options={**GROUPS, "crf": "4"}))
    for frame in source.frames(20, 30):
        assert np.abs(frame.image - clips.picture(frame.index).astype(float)).mean() < 4


def test_attributes(tmp_path: Path) -> None:
    times = [0, 512, 2048, 2560]
    source = video(clips.make(tmp_path / "a.mp4", times=times, time_base=Fraction(1, 12800)))
    assert (source.width, source.height, source.is_video) == (96, 64, True)
    assert source.times == tuple(times)
    assert source.time_base == Fraction(1, 12800)
    with source as same:
        assert same.fingerprint() == video(source.path).fingerprint()
        assert len(same.fingerprint()) == 64


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_upright(rotation: int, mirrored: bool, tmp_path: Path) -> None:
    source = video(
        clips.make(tmp_path / "a.mp4", count=1, rotation=rotation, mirrored=mirrored, options={"crf": "4"})
    )
    expected = np.rot90(clips.picture(0), rotation // 90)
    # set_display_rotation mirrors the turned picture left to right
    expected = expected[:, ::-1] if mirrored else expected
    frame = next(source.frames())
    assert frame.image.shape == expected.shape == (source.height, source.width, 3)
    assert np.abs(frame.image - expected.astype(float)).mean() < 4
    assert (frame.picture.native.width, frame.picture.native.height) == (source.width, source.height)


def test_edit_list_hides_frames(tmp_path: Path) -> None:
    """Frames before the first key frame's time belong to the file but not to the film."""
    whole = clips.constant(tmp_path / "a.mp4", sound=None)
    with av.open(str(whole)) as old, av.open(str(tmp_path / "b.mp4"), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0], opaque=True)
        for packet in old.demux(old.streams.video[0]):
            if packet.size:
                packet.pts, packet.dts = packet.pts - 10 * 512, packet.dts - 10 * 512
                packet.stream = stream
                new.mux(packet)
    source = video(tmp_path / "b.mp4")
    assert source.count == 20
    shown = [f.image for f in source.frames()]
    assert [a.tobytes() for a in shown] == [f.image.tobytes() for f in video(whole).frames(10)]


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda f: clips.text(f / "a.mp4"), "neither a video nor an image"),
        (lambda f: clips.text(f / "a.txt"), "neither a video nor an image"),
        (lambda f: clips.empty(f / "a.mp4"), "empty"),
        (lambda f: f / "a.mp4", "does not exist"),
        (lambda f: clips.sound_only(f / "a.mp4"), "sound but no picture"),
        (lambda f: clips.truncated(f / "a.mp4"), "cut off"),
        (lambda f: f, "no readable image"),
    ],
)
def test_unreadable(make: Any, word: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=word) as caught:
        open_source(make(tmp_path))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_nothing_decodes(tmp_path: Path) -> None:
    path = clips.constant(tmp_path / "a.mp4", sound=None)
    data = bytearray(path.read_bytes())
    begin, end = data.index(b"mdat") + 4, data.rindex(b"moov") - 4
    data[begin:end] = bytes(end - begin)
    path.write_bytes(data)
    with pytest.raises(InputError, match="not one of its frames"):
        open_source(path)


def test_damaged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = video(clips.flipped(tmp_path / "a.mp4", every=300, count=60, options=GROUPS))
    whole = essence(source.frames())
    assert [f[0] for f in whole] == list(range(60))
    assert 3 < sum(f[2] for f in whole) < 60
    assert "of 60 frames are damaged" in source.problems[0]
    for start in range(0, 60, 7):
        assert essence(source.frames(start, start + 5)) == whole[start : start + 5], start
    assert essence(source.frames()) == whole
    assert capfd.readouterr() == ("", "")


def test_missing_frames_show_the_last_good_one(tmp_path: Path) -> None:
    path = clips.constant(tmp_path / "a.mp4", sound=None, options={**GROUPS, "g": "1"})
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(container.streams.video[0]) if p.size]
    data = bytearray(path.read_bytes())
    for index in (0, 12, 13):
        position, size = places[index]
        data[position + 4 : position + size] = bytes(size - 4)
    path.write_bytes(data)
    frames = list(video(path).frames())
    assert [f.index for f in frames if f.damaged] == [0, 12, 13]
    for filled, like in ((0, 1), (12, 11), (13, 11)):
        assert np.array_equal(frames[filled].image, frames[like].image)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_missing_end(name: str, tmp_path: Path) -> None:
    more: Any = {"container": {"movflags": "+faststart"}} if name == "a.mp4" else {}
    source = video(clips.truncated(tmp_path / name, 0.6, count=100, **more))
    assert 20 < source.count < 100
    assert len(list(source.frames())) == source.count
    assert "the end is missing" in source.problems[0]


@pytest.mark.parametrize("matrix", [1, 6, 9])
@pytest.mark.parametrize("reach", [1, 2])
def test_matrix_and_range_are_honoured(matrix: int, reach: int) -> None:
    image = clips.picture(3)
    like = av.VideoFrame(96, 64, "yuv444p")
    like.colorspace, like.color_range = matrix, reach
    native = from_bgr(image, like)
    red, blue = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}[matrix]
    luma = image @ np.array([blue, 1 - red - blue, red])
    luma = luma if reach == 2 else 16 + luma * 219 / 255
    assert np.abs(views(native)[0] - luma).max() < 1.6
    assert np.abs(to_bgr(native) - image.astype(int)).max() <= 3


# --- finding -----------------------------------------------------------------------------------------


def test_find_sources(tmp_path: Path) -> None:
    videos, images, none = tmp_path / "videos", tmp_path / "images", tmp_path / "none"
    for folder in (videos, images, none):
        folder.mkdir()
    b, a = clips.single(videos / "b.mp4"), clips.single(videos / "a.mp4")
    clips.text(videos / "notes.txt")
    write_image(images / "1.png", clips.picture(0))
    assert find_sources([videos]) == [a, b]
    assert find_sources([images, a, a]) == [images, a]
    assert find_sources([videos / "*.mp4"]) == [a, b]
    bracketed = clips.single(tmp_path / "odd[1].mp4")
    assert find_sources([bracketed]) == [bracketed]
    for wrong in (none, tmp_path / "x.mp4", videos / "*.avi"):
        with pytest.raises(InputError, match=wrong.name.replace("*", r"\*")):
            find_sources([wrong])


def test_segments(tmp_path: Path) -> None:
    source = video(clips.constant(tmp_path / "a.mp4"))
    assert segments(source, 0.4) == [range(0, 10), range(10, 20), range(20, 30)]
    assert segments(source) == [range(0, 30)]


class Long:
    """A source as far as `segments` looks at it."""

    rate = Fraction(25)

    def __init__(self, count: int, keys: Iterable[int]) -> None:
        self.count, self.keys = count, tuple(keys)


def test_segments_of_a_long_clip_begin_where_decoding_can() -> None:
    starts = [run.start for run in segments(Long(1000, range(0, 1000, 250)))]
    assert starts == [0, 250, 500, 750]
    assert [run.start for run in segments(Long(1000, range(0, 1000, 12)))] == list(range(0, 900, 132))
    assert max(map(len, segments(Long(3000, [0])))) <= 250


@given(st.integers(1, 3000), st.lists(st.integers(1, 2999), max_size=40), st.floats(0.2, 6))
def test_segments_cover_a_clip(count, keys, seconds) -> None:
    runs = segments(Long(count, sorted({0, *(key for key in keys if key < count)})), seconds)
    assert [index for run in runs for index in run] == list(range(count))
    assert max(map(len, runs)) <= 2 * max(round(25 * seconds), 1)


# --- images ------------------------------------------------------------------------------------------


def test_images(tmp_path: Path) -> None:
    for index in (2, 0, 1):
        write_image(tmp_path / f"{index}.png", clips.picture(index))
    (tmp_path / "3.png").write_bytes((tmp_path / "0.png").read_bytes()[:60])
    clips.text(tmp_path / "notes.txt")
    source = open_source(tmp_path)
    assert isinstance(source, ImageSource)
    assert (source.count, source.width, source.height, source.rate) == (4, 96, 64, 25)
    frames = list(source.frames(1))
    assert [(f.index, f.name) for f in frames] == [(1, "1.png"), (2, "2.png")]
    assert np.array_equal(frames[0].image, clips.picture(1))
    assert len(source.problems) == 1
    assert "3.png" in source.problems[0]
    before = source.fingerprint()
    write_image(tmp_path / "0.png", clips.picture(9))
    assert open_source(tmp_path).fingerprint() != before


def test_image_named_like_a_video(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", clips.picture(0))
    path = (tmp_path / "a.png").rename(tmp_path / "a.mp4")
    assert isinstance(open_source(path), ImageSource)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"])
def test_write_image(suffix: str, tmp_path: Path) -> None:
    write_image(tmp_path / f"a{suffix}", clips.picture(0))
    difference = read_image(tmp_path / f"a{suffix}").astype(int) - clips.picture(0)
    assert np.abs(difference).mean() < 3
    assert len(list(tmp_path.iterdir())) == 1


@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(1, 70), st.sampled_from([(), (3,), (4,)]))
def test_a_png_is_read_as_what_was_written(
    seed: int, height: int, width: int, samples: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, rng.integers(2, 257), (height, width, *samples), np.uint8)
    read = cv2.imdecode(np.frombuffer(png.encode(image), np.uint8), cv2.IMREAD_UNCHANGED)
    assert read is not None and read.shape == image.shape and (read == image).all()


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4)), np.zeros((0, 4), np.uint8)]
)
def test_a_png_of_something_else_is_refused(image: Any) -> None:
    with pytest.raises(ValueError, match="8 bits"):
        png.encode(image)


def test_write_image_refuses(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.png"):
        write_image(tmp_path / "a.xyz", clips.picture(0))
    with pytest.raises(OutputError, match="cannot write"):
        write_image(tmp_path / "no" / "a.png", clips.picture(0))


# --- patching ----------------------------------------------------------------------------------------


def sample(name: str, width: int = 39, height: int = 27) -> av.VideoFrame:
    noise = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
    like = av.VideoFrame(width, height, name)
    like.color_range = 2 if traits(name).full else 1
    smooth = cv2.GaussianBlur(noise, (0, 0), 9)
    return from_bgr(cv2.normalize(smooth, None, 20, 235, cv2.NORM_MINMAX), like)


def test_region_of_a_decoded_picture(tmp_path: Path) -> None:
    """H.264 says where chroma lies; a region is converted as the whole is all the same."""
    picture = next(video(clips.constant(tmp_path / "a.mp4")).frames()).picture
    whole = picture.region(0, 0, picture.width, picture.height)
    assert np.array_equal(picture.region(20, 10, 60, 50), whole[10:50, 20:60])


@pytest.mark.parametrize("size", [(152, 92), (151, 91)], ids=["even", "odd"])
@pytest.mark.parametrize("name", PLAIN)
@settings(max_examples=8, deadline=None)
@given(edges=st.tuples(*[st.integers(0, 150)] * 2, *[st.integers(0, 90)] * 2))
def test_region(name: str, size: tuple[int, int], edges: tuple[int, int, int, int]) -> None:
    """A region is converted exactly as the whole frame would be."""
    native = sample(name, *size)
    picture = NativePicture(native)
    (left, right), (top, bottom) = sorted(edges[:2]), sorted(edges[2:])
    whole = picture.region(0, 0, *size)
    part = picture.region(left, top, right + 1, bottom + 1)
    assert np.array_equal(part, whole[top : bottom + 1, left : right + 1])
    assert picture.grey().shape == size[::-1] and picture.grey().dtype == np.uint8
    brightness = Pixels(whole).grey().astype(float)
    assert np.corrcoef(picture.grey().ravel(), brightness.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("size", [(152, 92), (151, 91)], ids=["even", "odd"])
@pytest.mark.parametrize("name", PLAIN)
@settings(max_examples=4, deadline=None)
@given(
    angle=st.floats(-3, 3),
    scale=st.floats(0.15, 3),
    squeeze=st.floats(0.5, 1),
    x=st.floats(0, 150),
    y=st.floats(0, 90),
    side=st.just(32),
)
def test_warp(name, size, angle, scale, squeeze, x, y, side) -> None:
    """A square warped plane by plane is the one warped from the converted frame, but for rounding."""
    picture = NativePicture(sample(name, *size))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * [squeeze, 1]
    matrix = np.column_stack([turn, (side - 1) / 2 - turn @ [x, y]])
    direct = Pixels(picture.region(0, 0, *size)).warp(matrix, side).astype(int)
    difference = np.abs(picture.warp(matrix, side) - direct)
    odd = size[0] % 2  # swscale stretches the chroma of these a little
    assert difference.mean() < 6 + 2 * odd and np.percentile(difference, 99) < 30 + 15 * odd


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", PLAIN)
@settings(max_examples=4, deadline=None)
@given(scale=st.floats(0.15, 3), x=st.floats(0, 150), y=st.floats(0, 90))
def test_brightness_of_a_square(name: str, full: bool, scale: float, x: float, y: float) -> None:
    """It is that of the square in colour, from black to white whatever the range."""
    like, side = av.VideoFrame(152, 92, name), 32
    like.color_range = 2 if full or traits(name).full else 1
    slope = np.linspace(0, 255, 152).astype(np.uint8)[None, :, None]
    picture = NativePicture(from_bgr(np.broadcast_to(slope, (92, 152, 3)).copy(), like))
    matrix = np.array([[scale, 0, 16 - scale * x], [0, scale, 16 - scale * y]])
    grey, image = picture.warp_grey(matrix, side), picture.warp(matrix, side)
    assert grey.dtype == np.float32 and grey.shape == (side, side)
    assert np.abs(grey - image.mean(2)).max() <= 3


@pytest.mark.parametrize("name", ["yuv420p", "nv12", "yuv420p10le"])
@pytest.mark.parametrize("corner", [(0, 0), (1, 1), (-3, 2), (60, 90)])
def test_chroma_of_a_large_face_lies_where_its_luma_does(name, corner) -> None:
    """It shares the mask of half the size, wherever the face begins and where the frame cuts it off."""
    native = sample(name, 199, 181)
    drawn = np.empty((64, 64, 3), np.uint8)
    drawn[:] = 200, 90, 40
    opacity = cv2.GaussianBlur(np.pad(np.ones((32, 32), np.float32), 16), (0, 0), 3)
    matrix = np.array([[2.7, 0.2, corner[0]], [-0.2, 2.7, corner[1]]])
    plain = Patch(drawn, opacity, matrix)
    grained = replace(plain, finish=Grain(1.0, np.ones((64, 64), np.float32), 1.0, 3))
    assert plain.place(199, 181).large
    wanted, got = (views(apply_patches(duplicate(native), [patch])) for patch in (plain, grained))
    unit = 1 << (traits(name).depth - 8)
    for old, one, other in zip(views(native)[1:], wanted[1:], got[1:], strict=True):
        assert np.abs(one.astype(int) - other).max() <= 4 * unit
        assert np.abs(other.astype(int) - old).max(initial=0) > 20 * unit, "and it is laid at all"


@pytest.mark.parametrize("name", PLAIN)
@settings(max_examples=12, deadline=None)
@given(
    left=st.integers(-20, 45),
    top=st.integers(-20, 30),
    width=st.integers(1, 24),
    height=st.integers(1, 24),
    seed=st.integers(0, 99),
)
def test_patch(name: str, left: int, top: int, width: int, height: int, seed: int) -> None:
    """Opaque pixels take the patch's colour in every plane; a sample of chroma mixes those it is for."""
    native = sample(name)
    before = [plane.copy() for plane in views(native)]
    numbers = np.random.default_rng(seed)
    mask = numbers.random((height, width)) < 0.5
    image = np.empty((height, width, 3), np.uint8)
    image[:] = numbers.integers(0, 256, 3, np.uint8)
    matrix = np.array([[1.0, 0, left], [0, 1, top]])
    result = apply_patches(duplicate(native), [Patch(image, mask.astype(np.float32), matrix)])

    covered = np.zeros((29, 41), np.float32)
    for y, x in zip(*np.nonzero(mask), strict=True):
        if 0 <= y + top < 29 and 0 <= x + left < 41:  # a sample of chroma at the border is for pixels past it
            covered[y + top, x + left] = 1
    whole = np.zeros((27, 39, 3), np.uint8)
    whole[:] = image[0, 0]
    converted = views(from_bgr(whole, native))
    tolerance = 2 << (traits(name).depth - 8)
    across, down = traits(name)[-2:]
    for old, new, full in zip(before, views(result), converted, strict=True):
        rows, columns = old.shape[:2]
        if old.shape[:2] == (27, 39):
            touched = none = covered[:27, :39]
        else:
            blocks = covered[: rows * down, : columns * across].reshape(rows, down, columns, across)
            touched, none = blocks.min((1, 3)), cv2.dilate(blocks.max((1, 3)), np.ones((3, 3)))
        assert np.array_equal(new[none == 0], old[none == 0])
        assert np.abs(new[touched == 1].astype(int) - full[touched == 1]).max(initial=0) <= tolerance


@pytest.mark.parametrize("name", PLAIN)
@settings(max_examples=4, deadline=None)
@given(
    angle=st.floats(-3, 3),
    scale=st.floats(0.3, 4),
    x=st.floats(0, 150),
    y=st.floats(0, 90),
    seed=st.integers(0, 9),
)
def test_a_turned_patch(name, angle, scale, x, y, seed) -> None:
    """Laid on each plane by itself it shows what it shows in the converted picture, at any size."""
    native = sample(name, 152, 92)
    coarse = np.random.default_rng(seed).integers(40, 210, (4, 4, 3)).astype(np.uint8)
    drawn = cv2.resize(coarse, (32, 32), interpolation=cv2.INTER_CUBIC)
    axis = np.arange(32) - 15.5
    opacity = np.clip(2 - np.hypot(axis[:, None], axis) / 6, 0, 1).astype(np.float32)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    patch = Patch(drawn, opacity, np.column_stack([turn, [x, y] - turn @ [15.5, 15.5]]))
    done, plain = to_bgr(apply_patches(duplicate(native), [patch])), to_bgr(native)
    direct = image_apply(plain, [patch])
    if traits(name).gray:
        direct = np.repeat(Pixels(direct).grey()[..., None], 3, axis=2)
    difference = np.abs(done.astype(int) - direct)
    assert difference.mean() < 2 and np.percentile(difference, 99) < 12
    reach = cv2.warpAffine((opacity > 0).astype(np.uint8), patch.matrix, (152, 92), flags=cv2.INTER_NEAREST)
    far = cv2.dilate(reach, np.ones((13, 13), np.uint8)) == 0
    assert np.array_equal(done[far], plain[far])


@pytest.mark.parametrize("name", ["yuv420p", "nv12", "yuv420p10le", "gray", "rgb24"])
def test_what_finishes_a_patch_is_for_brightness(name: str) -> None:
    """It is given and gives grey levels of 8 bits whatever the depth, and leaves chroma alone."""
    native, seen = sample(name, 40, 28), []

    def lighter(under, over, opacity, place):
        seen.append((under.max(), over.max(), opacity.shape, (place.height, place.width)))
        return np.full_like(under, 10)

    plain = Patch(np.full((12, 16, 3), 90, np.uint8), np.ones((12, 16), np.float32), np.eye(2, 3))
    patches = (replace(plain, finish=each) for each in (lighter, None))
    done, without = (apply_patches(duplicate(native), [patch]) for patch in patches)
    unit = 1 << (traits(name).depth - 8)
    for number, (new, old) in enumerate(zip(views(done), views(without), strict=True)):
        change = new.astype(int) - old
        bright = number == 0
        assert (change[:12, :16] == 10 * unit).all() if bright else not change.any()
        assert not change[12:].any() and not change[:, 16:].any()
    assert seen and all(max(under, over) < 256 and shape == place for under, over, shape, place in seen)


@pytest.mark.parametrize("name", PLAIN)
def test_own_pixels_change_next_to_nothing(name: str) -> None:
    native = sample(name)
    image = to_bgr(native)
    if not traits(name).gray:
        assert np.std(image.astype(float), axis=2).mean() > 5
    patch = Patch(image[4:20, 5:28], np.ones((16, 23), np.float32), np.array([[1.0, 0, 5], [0, 1, 4]]))
    result = apply_patches(duplicate(native), [patch])
    for old, new in zip(views(native), views(result), strict=True):
        assert np.abs(old.astype(int) - new).mean() < 2 << (traits(name).depth - 8)
    assert np.abs(to_bgr(result) - image.astype(int)).mean() < 1.5


def test_no_patch_no_copy() -> None:
    native = sample("yuv420p")
    image, far = np.zeros((4, 4, 3), np.uint8), np.array([[1.0, 0, 100], [0, 1, 0]])
    empty = Patch(image, np.zeros((4, 4), np.float32), np.eye(2, 3))
    outside = Patch(image, np.ones((4, 4), np.float32), far)
    assert apply_patches(native, []) is native
    assert apply_patches(native, [empty, outside]) is native


def test_what_is_drawn_on_a_frame_does_not_reach_those_that_build_on_it(tmp_path: Path) -> None:
    """The decoder keeps frames to make the next ones from."""
    path, everywhere = tmp_path / "clip.mp4", np.ones((16, 16), np.float32)
    clips.make(path, count=12)
    patch = Patch(np.full((16, 16, 3), 255, np.uint8), everywhere, np.array([[1.0, 0, 8], [0, 1, 8]]))
    with av.open(str(path)) as first, av.open(str(path)) as second:
        plain = [to_bgr(frame) for frame in first.decode(video=0)]
        drawn = [to_bgr(apply_patches(frame, [patch])) for frame in second.decode(video=0)]
    assert len(drawn) == 12
    for before, after in zip(plain, drawn, strict=True):
        assert (after[9:23, 9:23] > 240).all()
        after[7:25, 7:25] = before[7:25, 7:25]
        assert np.abs(after.astype(int) - before).max() == 0


def test_image_apply() -> None:
    image = clips.picture(0)
    corner = np.array([[1.0, 0, -3], [0, 1, 60]])
    patch = Patch(np.full((8, 8, 3), 7, np.uint8), np.eye(8, dtype=np.float32), corner)
    result = image_apply(image, [patch])
    assert np.array_equal(image, clips.picture(0))
    changed = np.argwhere((result != image).any(axis=2)).tolist()
    assert changed == [[63, 0]]


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("yuv420p", (64, 64), "yuv420p"),
        ("yuv420p", (63, 64), "yuv444p"),
        ("nv12", (64, 63), "yuv422p"),
        ("yuvj420p", (63, 64), "yuvj444p"),
        ("gbrp", (63, 63), "rgb24"),
        ("yuv420p12le", (64, 64), "yuv420p10le"),
        ("yuv422p10le", (64, 63), "yuv422p10le"),
        ("pal8", (64, 64), "rgb24"),
        ("ya8", (64, 64), "gray"),
        ("yuv411p", (64, 64), "yuv422p"),
        ("rgba64le", (64, 64), "gbrp12le"),
    ],
)
def test_nearest(name: str, size: tuple[int, int], expected: str) -> None:
    h264 = {f.name for c in ("libx264", "libx264rgb") for f in av.Codec(c, "w").video_formats or []}
    choices = PLAIN if name == "rgba64le" else [n for n in PLAIN if n in h264]
    assert nearest(name, choices, *size) == expected


# --- writing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [1, 2, 3])
@pytest.mark.parametrize("name", ["constant", "variable", "odd", "rotated", "ten_bit", "gray", "single"])
def test_times_and_sound_survive(name: str, pieces: int, tmp_path: Path) -> None:
    source = video(clip(name, tmp_path))
    result = video(convert(source, tmp_path / "out.mp4", pieces, preset="medium"))
    assert result.times == source.times
    assert result.time_base == source.time_base
    assert result.end == source.end
    assert name == "variable" or result.rate == source.rate
    assert (result.width, result.height) == (source.width, source.height)
    assert result.sample.format.name == source.sample.format.name
    assert sound(result.path) == sound(source.path)
    for old, new in zip(source.frames(), result.frames(), strict=True):
        assert np.abs(old.image.astype(int) - new.image).mean() < 3
    assert not list(tmp_path.glob(".*"))


HELD = [(s, c) for s, name in CONTAINERS.items() for c, codec in SOFTWARE.items() if name in codec.containers]
SOURCES = ("ntsc", "matroska", "full_range", "transport", "avi", "program")


@pytest.mark.parametrize(
    ("name", "suffix", "codec"),
    [("ntsc", suffix, codec) for suffix, codec in HELD]
    + [(name, suffix, "h264") for suffix, codec in HELD for name in SOURCES[1:] if codec == "h264"],
)
def test_containers(name: str, suffix: str, codec: str, tmp_path: Path) -> None:
    source = video(clip(name, tmp_path))
    result = video(convert(source, tmp_path / f"out{suffix}", 2, codec=codec, preset="ultrafast"))
    finest = Fraction(1, 2000) if suffix in (".mkv", ".webm") else 0
    for old, new in zip(seconds(source), seconds(result), strict=True):
        assert abs(old - new) <= finest
    carried = suffix != ".webm"  # there AAC became Opus
    for (old, data), (new, same) in (
        zip(*map(sound, (source.path, result.path)), strict=True) if carried else ()
    ):
        assert abs(old - new) <= Fraction(1, 1000)
        assert data.endswith(same)  # a transport stream's packets lose their own headers
        assert len(data) - len(same) in ((7,) if name == "transport" else (0,))
    assert max(sum(f.damaged for f in s.frames()) for s in (source, result)) == 0


@pytest.mark.parametrize("codec", SOFTWARE)
@pytest.mark.parametrize("name", ["ten_bit", "odd", "full_range", "gray"])
def test_depth_and_colours_of_every_codec(name: str, codec: str, tmp_path: Path) -> None:
    """What is written shows the same picture, in the depth asked for, or is refused."""
    source = video(clip(name, tmp_path))
    for depth in (None, 10):
        try:
            made = video(convert(source, tmp_path / "out.mkv", codec=codec, preset="veryfast", depth=depth))
        except UsageError as error:
            assert (codec, name) == ("av1", "odd") or (codec, depth) == ("vp9", 10), error
            continue
        have, now = (traits(s.sample.format.name).depth for s in (source, made))
        assert now == (depth or have) or codec == "vp9" or (name, codec) == ("odd", "ffv1")
        for old, new in zip(source.frames(), made.frames(), strict=True):
            assert np.abs(old.image.astype(int) - new.image).mean() < 4
            if codec == "ffv1" and not depth and name != "odd":
                planes = zip(views(old.picture.native), views(new.picture.native), strict=True)
                assert all(np.array_equal(*pair) for pair in planes)


def test_codecs_and_containers_that_do_not_fit(tmp_path: Path) -> None:
    for suffix, how, word in (
        (".webm", Encoding("h264"), r"\.mp4 or \.m4v or \.mov or \.mkv"),
        (".mp4", Encoding("ffv1"), r"\.mkv"),
        (".mov", Encoding("av1"), r"\.webm"),
        (".mkv", Encoding("ffv1", crf=3), "leave out --crf"),
        (".mkv", Encoding("h264", crf=60), "0 to 51"),
        (".mkv", Encoding("h264_nvenc"), "doctor"),
    ):
        with pytest.raises(UsageError, match=word):
            check_container(tmp_path / f"out{suffix}", how)


def test_subtitles_go_where_they_are_held(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = tmp_path / "a.srt"
    text.write_text("1\n00:00:00,200 --> 00:00:00,700\nGood evening\n\n")
    plain = clips.make(tmp_path / "plain.mkv")
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as target, av.open(str(plain)) as one, av.open(str(text)) as two:
        streams = [*one.streams, *two.streams]
        new = {id(old): target.add_stream_from_template(old, opaque=True) for old in streams}
        packets = [p for source in (one, two) for p in source.demux() if p.size]
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            packet.stream = new[id(packet.stream)]
            target.mux(packet)
    source = video(path)
    result = convert(source, tmp_path / "out.mkv", 2)
    with av.open(str(result)) as container:
        (line,) = [p for p in container.demux(subtitles=0) if p.size]
        assert (bytes(line), line.pts * line.time_base) == (b"Good evening", Fraction(1, 5))
    with caplog.at_level(logging.WARNING):
        convert(source, tmp_path / "out.webm", codec="vp9")
    assert "webm cannot hold" in caplog.text and "subtitles" in caplog.text


def test_late_start(tmp_path: Path) -> None:
    """A source that begins at an odd time keeps it, and so its sound stays in step."""
    base = Fraction(1, 11988)
    path = clips.make(tmp_path / "a.mkv", times=[10214 + 400 * i for i in range(30)], time_base=base)
    exact = video(convert(video(path), tmp_path / "b.mp4", 2))
    assert seconds(exact) == seconds(video(path))
    assert [p[1] for p in sound(exact.path)] == [p[1] for p in sound(path)]
    again = video(convert(exact, tmp_path / "c.mp4", 3))
    assert (again.times, sound(again.path)) == (exact.times, sound(exact.path))


def test_colours_and_shape_are_described(tmp_path: Path) -> None:
    about = {
        "color_range": 1,
        "colorspace": 1,
        "color_primaries": 1,
        "color_trc": 1,
        "sample_aspect_ratio": Fraction(4, 3),
    }
    path = clips.make(
        tmp_path / "a.mp4", about=about, rotation=90, title="A title", chapters=[(0, 500), (500, 1200)]
    )
    source = video(path)
    assert source.sample_aspect_ratio == Fraction(3, 4)
    result = video(convert(source, tmp_path / "out.mp4"))
    assert result.sample_aspect_ratio == Fraction(3, 4)
    for name in ("color_range", "colorspace", "color_primaries", "color_trc"):
        assert getattr(result.sample, name) == about[name]
    with av.open(str(result.path)) as container:
        assert container.metadata["title"] == "A title"
        starts = [chapter["start"] * chapter["time_base"] for chapter in container.chapters()]
        assert starts == [0, Fraction(1, 2)]


def test_outside_a_patch_nothing_changes(tmp_path: Path) -> None:
    """With an encoder that loses nothing, the samples outside the mask come back bit for bit."""
    source = video(clips.constant(tmp_path / "a.mp4", count=5))
    corner = np.array([[1.0, 0, 31], [0, 1, 21]])
    patch = Patch(np.full((20, 20, 3), (200, 40, 90), np.uint8), np.ones((20, 20), np.float32), corner)
    result = video(convert(source, tmp_path / "out.mp4", crf=0, patches=[patch]))
    for old, new in zip(source.frames(), result.frames(), strict=True):
        for index, (a, b) in enumerate(
            zip(views(old.picture.native), views(new.picture.native), strict=True)
        ):
            step = 2 if index else 1
            kept = np.ones(a.shape, bool)
            kept[21 // step : -(-41 // step), 31 // step : -(-51 // step)] = False
            assert np.array_equal(a[kept], b[kept])
            assert not np.array_equal(a, b)
        assert np.abs(new.image[23:39, 33:49] - np.array([200, 40, 90])).max() <= 3


def test_odd_size_of_shared_chroma(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mkv", count=3, size=(95, 63), codec="libvpx-vp9", sound=None, options={})
    source = video(path)
    assert source.sample.format.name == "yuv420p"
    result = video(convert(source, tmp_path / "out.mp4"))
    assert (result.width, result.height, result.sample.format.name) == (95, 63, "yuv444p")


def test_damaged_source_keeps_its_length(tmp_path: Path) -> None:
    source = video(clips.flipped(tmp_path / "a.mp4", every=300, count=60, options=GROUPS))
    assert video(convert(source, tmp_path / "out.mp4", 3)).times == source.times


def test_size_changes_midway(tmp_path: Path) -> None:
    """Two clips glued together: all frames take the size of the first."""
    for name, size in (("a.ts", (96, 64)), ("b.ts", (64, 48))):
        clips.make(tmp_path / name, size=size, sound=None, count=10, container={"muxdelay": "0"})
    with av.open(str(tmp_path / "c.ts"), "w") as target:
        stream = None
        for turn, name in enumerate(("a.ts", "b.ts")):
            with av.open(str(tmp_path / name)) as source:
                stream = stream or target.add_stream_from_template(source.streams.video[0], opaque=True)
                for packet in source.demux(source.streams.video[0]):
                    if packet.size:
                        packet.pts, packet.dts = packet.pts + 36000 * turn, packet.dts + 36000 * turn
                        packet.stream = stream
                        target.mux(packet)
    frames = list(video(tmp_path / "c.ts").frames())
    assert len(frames) == 20
    assert {f.image.shape for f in frames} == {(64, 96, 3)}


@pytest.mark.parametrize(("codec", "suffix"), [("tta", ".mp4"), ("flac", ".mov")])
def test_sound_a_container_cannot_hold(
    codec: str, suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = video(clips.make(tmp_path / "a.mkv", sound=codec))
    output = tmp_path / f"out{suffix}"
    with caplog.at_level(logging.WARNING):
        convert(source, output)
    assert "encoding it as AAC" in caplog.text
    with av.open(str(output)) as container:
        stream = container.streams.audio[0]
        assert stream.name == "aac"
        length = stream.duration * stream.time_base
    assert abs(length - Fraction(30, 25)) < Fraction(1, 10)


def test_writer_leaves_nothing_after_an_error(tmp_path: Path) -> None:
    source = video(clips.constant(tmp_path / "a.mp4"))
    with pytest.raises(ZeroDivisionError), SegmentWriter(tmp_path / "part.mp4", source) as writer:
        writer.write(next(source.frames()))
        raise ZeroDivisionError
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_join_refuses(tmp_path: Path) -> None:
    source = video(clips.constant(tmp_path / "a.mp4"))
    other = video(clips.variable(tmp_path / "b.mp4", rate=7))
    part = tmp_path / "part0.mp4"
    convert(source, tmp_path / "out.mp4")
    before = (tmp_path / "out.mp4").read_bytes()
    for parts, like in (([part, part], source), ([], source), ([part], other)):
        with pytest.raises(OutputError, match="not made from"):
            join(parts, like, tmp_path / "out.mp4")
    for suffix in (".avi", ""):
        with pytest.raises(UsageError, match=r"\.mkv"):
            check_container(tmp_path / f"out{suffix}")
    with pytest.raises(OutputError, match="cannot write"):
        join([part], source, tmp_path / "no" / "out.mp4")
    nowhere = SegmentWriter(tmp_path / "no" / "part.mp4", source)
    with pytest.raises(OutputError, match="cannot write"), nowhere as writer:
        writer.write(next(source.frames()))
    with pytest.raises(UsageError, match="h264, h265"):
        SegmentWriter(part, source, Encoding("x"))
    assert (tmp_path / "out.mp4").read_bytes() == before


FULL_DISK = """
import resource, sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
from test_video import convert, join, video
from faceswap.errors import OutputError
source = video(Path({clip!r}))
output = Path({clip!r}).with_name("out.mp4")
if {joining}:
    convert(source, output, crf=0)
    output.unlink()
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    if {joining}:
        join([output.with_name("part0.mp4")], source, output)
    else:
        convert(source, output, crf=0)
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [3000, 60000])
@pytest.mark.parametrize("joining", [False, True])
def test_full_disk(joining: bool, limit: int, tmp_path: Path) -> None:
    path = clips.constant(tmp_path / "a.mp4", count=60)
    before = {p.name for p in tmp_path.iterdir()}
    code = FULL_DISK.format(tests=str(Path(__file__).parent), clip=str(path), limit=limit, joining=joining)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("no space left to write")
    assert done.stderr == ""
    assert {p.name for p in tmp_path.iterdir()} - before <= {"part0.mp4"}


def test_encoders() -> None:
    assert encoders() == dict.fromkeys(SOFTWARE, True)


# --- real clips ----------------------------------------------------------------------------------------

REAL = sorted([*DATA.glob("clips/*.mp4"), *DATA.glob("clips/grid/*"), *DATA.glob("hard/video/*")])
BROKEN = {
    "audio_only": "no picture",
    "garbage": "neither",
    "text": "neither",
    "truncated_half": "cut off",
    "zero_bytes": "empty",
}


@pytest.mark.real
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.name)
def test_real(path: Path, tmp_path: Path) -> None:
    if path.stem in BROKEN:
        with pytest.raises(FaceswapError, match=BROKEN[path.stem]) as caught:
            open_source(path)
        assert isinstance(caught.value, InputError)
        return
    source = video(path)
    with av.open(str(path)) as container:
        assert source.count == sum(1 for _ in container.decode(video=0))
    whole = essence(source.frames())
    assert [f[:2] for f in whole] == list(enumerate(source.times))
    assert sum(f[2] for f in whole) > 0 if path.stem.startswith("bitflips") else not source.problems
    for start in (0, source.count // 3, source.count // 2, max(source.count - 5, 0)):
        assert essence(source.frames(start, start + 5)) == whole[start : start + 5]
    result = video(convert(source, tmp_path / "out.mp4", 2))
    assert seconds(result) == seconds(source)
    old, new = sound(path), sound(result.path)
    assert [data for _, data in new] == [data for _, data in old]
    assert all(abs(a[0] - b[0]) < Fraction(1, 10000) for a, b in zip(old, new, strict=True))


@pytest.mark.real
def test_real_images() -> None:
    for folder in sorted((DATA / "hard" / "images").glob("*")):
        source = open_source(folder)
        frames: list[Frame] = list(source.frames())
        assert len(frames) + len(source.problems) == source.count
