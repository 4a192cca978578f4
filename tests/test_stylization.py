"""Style transfer and dreaming: the losses against their formulas, and small pictures from end to end."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswap import ConvertConfig, StylizeConfig, convert, stylize
from faceswap.blending.look import SIDE, Look, detail_of
from faceswap.canvas import GREY, Canvas, to_floats, to_image
from faceswap.cli import run
from faceswap.errors import DependencyError, InputError, NoFacesError, OutputError, UsageError
from faceswap.finishing import CANVAS
from faceswap.networks.descent import adam, lbfgs
from faceswap.networks.look import fit_look
from faceswap.networks.style import Losses, gram, relative, roughness
from faceswap.networks.vgg16 import weight_file
from faceswap.provenance.reading import read_manifest
from faceswap.styling import taken_from
from faceswap.stylization import _stages
from faceswap.video.images import read_image, write_image
from faceswap.video.source import open_source

try:
    weight_file()
    MISSING = ""
except DependencyError as error:
    MISSING = str(error)
SAMPLE = Path(__file__).parents[1] / "data" / "samples" / "person_a.mp4"
needs_weights = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A disc to paint, and stripes to paint it with."""
    folder = tmp_path_factory.mktemp("pictures")
    disc = np.full((72, 96, 3), (200, 170, 60), np.uint8)
    cv2.circle(disc, (48, 36), 22, (40, 60, 200), -1)
    rows, columns = np.mgrid[:80, :80]
    stripes = np.where(((rows + columns) // 5 % 2)[..., None], (20, 200, 230), (150, 30, 90)).astype(np.uint8)
    write_image(folder / "disc.png", disc)
    write_image(folder / "stripes.png", stripes)
    return folder / "disc.png", folder / "stripes.png"


def test_gram_is_the_mean_of_products_and_counts_only_what_it_should():
    features = np.random.default_rng(1).random((1, 4, 5, 3), np.float32)
    flat = features.reshape(-1, 3)
    assert np.allclose(gram(features), flat.T @ flat / 20, atol=1e-6)
    weight = np.zeros((1, 4, 5, 1), np.float32)
    weight[0, :2] = 1
    assert np.allclose(gram(features, weight), flat[:10].T @ flat[:10] / 10, atol=1e-6)
    assert float(relative(features, features)) == 0
    assert float(relative(0 * features, features)) == pytest.approx(1)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(2, 9))
def test_roughness_of_stripes(low, high, size):
    stripes = np.zeros((1, size, size, 3), np.float32)
    stripes[:, ::2], stripes[:, 1::2] = low, high
    assert float(roughness(stripes)) == pytest.approx((high - low) ** 2, abs=1e-6)


@pytest.mark.parametrize("descend", [lbfgs, adam])
def test_descents_reach_the_least_and_keep_within_range(descend):
    if descend is lbfgs:
        pytest.importorskip("scipy")
    wanted = np.linspace(-0.2, 1.2, 48, dtype=np.float32).reshape(4, 4, 3)
    curved = np.linspace(1, 30, 48, dtype=np.float32).reshape(4, 4, 3)
    seen = []

    def measured(picture):
        assert picture.min() >= 0 and picture.max() <= 1
        far = picture - wanted
        total = float((curved * far**2).mean())
        return Losses(total, total, 0, 0), 2 * curved * far / far.size

    start = np.full((4, 4, 3), 0.5, np.float32)
    descend(measured, start, 150, lambda losses, picture: seen.append((losses.total, picture)))
    assert 1 < len(seen) <= 150 and np.allclose(seen[-1][1], np.clip(wanted, 0, 1), atol=0.02)
    if descend is lbfgs:
        assert all(after[0] <= before[0] for before, after in pairwise(seen))


@needs_weights
def test_both_losses_fall_and_the_picture_takes_the_style(pictures, tmp_path):
    content, style = pictures
    output = tmp_path / "out.png"
    config = StylizeConfig(
        content=content,
        style=style,
        output=output,
        size=96,
        iterations=14,
        start="noise",
        optimizer="adam",
        ratio=1,
    )
    result = stylize(config)
    assert result.steps == 14 and not result.interrupted
    for name in ("content", "style"):
        assert result.after[name] < 0.99 * result.before[name], name
    assert read_image(output).shape == (72, 96, 3)
    manifest = read_manifest(output)
    assert manifest and manifest.whole and manifest.ours and manifest.sources == ("disc.png",)
    assert b"painted in another picture's style" in output.read_bytes()
    with pytest.raises(OutputError, match="--overwrite"):
        stylize(config)


@needs_weights
def test_ctrl_c_keeps_the_best_so_far_and_snapshots_show_the_way(pictures, tmp_path):
    content, style = pictures

    def stopped(iterable, **about):
        for count, item in enumerate(iterable):
            if count == 5:
                raise KeyboardInterrupt
            yield item

    config = StylizeConfig(
        content=content,
        style=style,
        output=tmp_path / "out.png",
        size=96,
        iterations=8,
        optimizer="adam",
        snapshots=4,
        ratio=100,
    )
    result = stylize(config, stopped)
    assert result.interrupted and result.steps == 5
    assert [path.name for path in result.snapshots] == ["out_00002.png", "out_00004.png"]
    first, last = (to_floats(read_image(path)) for path in (content, result.output))
    assert np.abs(first - cv2.resize(last, first.shape[1::-1])).mean() > 0.01
    assert not np.array_equal(read_image(result.snapshots[1]), read_image(result.output))


def test_what_is_wrong_with_files_is_said_before_any_work(pictures, tmp_path):
    content, style = pictures

    def untouched(iterable, **about):
        raise AssertionError("work began")

    config = StylizeConfig(content=content, style=tmp_path / "none.png", output=tmp_path / "out.png")
    with pytest.raises(InputError, match=r"none\.png cannot be read"):
        stylize(config, untouched)
    kept = tmp_path / "out_00100.png"
    kept.write_bytes(b"somebody's")
    with pytest.raises(OutputError, match=r"out_00100\.png exists"):
        stylize(replace(config, style=style, snapshots=2), untouched)
    assert kept.read_bytes() == b"somebody's" and not (tmp_path / "out.png").exists()


def test_what_goes_wrong_stands_below_the_bar(pictures, tmp_path, monkeypatch, capsys):
    def failing(*about):
        raise DependencyError("no weights")

    monkeypatch.setattr("faceswap.stylization._paint", failing)
    assert run(["stylize", *map(str, pictures), "-o", str(tmp_path / "out.png")]) == 7
    assert capsys.readouterr().err.endswith("\nfaceswap: no weights\n")


@needs_weights
def test_dreaming_raises_the_activations(pictures, tmp_path):
    content, _ = pictures
    config = StylizeConfig(
        content=content, dream="conv2_2", output=tmp_path / "dream.png", size=96, iterations=8, octaves=2
    )
    result = stylize(config)
    assert result.steps == 8 and result.after["activation"] > 1.5 * result.before["activation"]
    assert read_image(result.output).shape == (72, 96, 3)


@needs_weights
def test_a_look_brings_faces_nearer_to_the_style_and_is_the_same_for_all(pictures, monkeypatch):
    monkeypatch.setattr("faceswap.networks.look.STEPS", 12)
    _, style = pictures
    faces = np.random.default_rng(3).uniform(0.3, 0.6, (2, 40, 40, 3)).astype(np.float32)
    faces[:, 10:20, 10:20] *= 0.5
    fine = np.stack([detail_of(face) for face in faces])
    whole, wanted = np.ones((2, 40, 40), np.float32), to_floats(read_image(style))
    colors, kernels, losses = fit_look(faces, fine, whole, wanted, None, SIDE)
    assert losses[-1] < 0.96 * losses[0]
    look = Look.from_json(Look(colors, kernels).to_json())
    before, worn = to_image(faces[0]), look.apply(to_image(faces[0]))
    assert np.abs(worn.astype(int) - before).mean() > 2
    assert np.array_equal(worn, look.apply(before))
    same = Look(np.eye(3, 4, dtype=np.float32), np.zeros((3, 3, SIDE, SIDE), np.float32))
    assert np.array_equal(same.apply(before), before)
    with pytest.raises(ValueError, match="not a look"):
        Look.from_json("{}")


def test_a_look_is_taken_from_the_face_where_there_is_one(pictures):
    with open_source(SAMPLE) as source:
        still = next(iter(source.frames(0, 1))).image
    face, counts = taken_from(still, 1.6)
    assert face.shape == (CANVAS, CANVAS, 3) and counts is not None
    assert counts[CANVAS // 2, CANVAS // 2] == 1 and counts[0].max() == 0
    picture, everywhere = taken_from(read_image(pictures[0]), 1.6)
    assert min(picture.shape[:2]) == CANVAS and everywhere is None


@pytest.mark.parametrize("start", ["content", "mix", "noise"])
def test_content_is_sketched_before_style_counts_unless_it_is_there(start):
    stages = _stages(
        StylizeConfig(content="a", style="b", output="c.png", start=start, size=400, iterations=50)
    )
    assert sum(steps for *_, steps in stages) == 50
    assert [size for size, *_ in stages[-2:]] == [200, 400]
    expected = [True, True] if start == "content" else [False, True, True]
    assert [ease == 1 for _, ease, _ in stages] == expected


@needs_weights
@pytest.mark.slow
def test_converted_faces_wear_the_look(pictures, clips, facesets, model, tmp_path, monkeypatch):
    monkeypatch.setattr("faceswap.networks.look.STEPS", 5)
    monkeypatch.setattr("faceswap.styling.FEW", 1)
    options = {"source": clips[0], "model": model, "faceset": facesets[0], "color": "none"}
    plain = convert(ConvertConfig(output=tmp_path / "plain.mp4", **options))
    styled = convert(ConvertConfig(output=tmp_path / "styled.mp4", style=pictures[1], **options))
    assert plain.swapped == styled.swapped > 0
    with open_source(plain.output) as one, open_source(styled.output) as two:
        pairs = [(a.image, b.image) for a, b in zip(one.frames(0, 3), two.frames(0, 3), strict=True)]
    for a, b in pairs:
        change = np.abs(a.astype(int) - b).max(-1)
        assert change.max() > 15 and np.median(change) < 5


@given(seed=st.integers(0, 99))
@settings(max_examples=10)
def test_kept_colours_are_the_pictures(seed):
    random = np.random.default_rng(seed)
    image = random.integers(90, 160, (64, 70, 3), dtype=np.uint8)
    canvas = Canvas(
        image, StylizeConfig(content="a", dream="conv1_1", output="b.png", size=70, keep_colors=True)
    )
    painted = np.clip(canvas.content + random.uniform(-0.2, 0.2, (64, 70, 1)).astype(np.float32), 0, 1)
    done, before = to_floats(canvas.finished(painted)), to_floats(image)
    assert np.allclose(done - (done @ GREY)[..., None], before - (before @ GREY)[..., None], atol=0.01)
    assert np.allclose(done @ GREY, painted @ GREY, atol=0.01)


def test_a_mask_without_a_face_is_an_error(pictures):
    content, style = pictures
    config = StylizeConfig(content=content, style=style, output="x.png", mask="face")
    with pytest.raises(NoFacesError, match="leave out --mask"):
        Canvas(read_image(content), config)


@pytest.mark.real
def test_a_mask_keeps_the_rest_as_it_was(real):
    path = real / "style" / "content" / "astronaut.png"
    image, painted = read_image(path), np.zeros((256, 256, 3), np.float32)
    changed = {}
    for mask in ("face", "rest"):
        config = StylizeConfig(content=path, dream="conv1_1", output="x.png", size=256, mask=mask)
        done = Canvas(image, config).finished(painted)
        changed[mask] = done.max(-1) < 4
    assert changed["face"][45:60, 105:120].mean() > 0.9 and not changed["face"][:, 180:].all()
    assert not changed["rest"][45:60, 105:120].any() and changed["rest"][:, 200:].all()


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"style": "b.png", "dream": "conv1_1"},
        {"style": "b.png", "style_layers": "conv9_1"},
        {"style": "b.png", "style_layers": "conv1_1=much"},
        {"style": "b.png", "style_layers": "conv1_1=0"},
        {"style": "b.png", "style_layers": ()},
        {"dream": "conv0"},
    ],
)
def test_options_that_make_no_sense(wrong):
    with pytest.raises(UsageError):
        StylizeConfig(content="a.png", output="c.png", **wrong)
    weights = StylizeConfig(content="a", style="b", output="c", style_layers=("conv1_1=0.5", "conv2_1"))
    assert weights.style_weights == {"conv1_1": 0.5, "conv2_1": 1.0}
