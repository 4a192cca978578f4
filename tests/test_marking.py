"""What a conversion says of its output, from the command to `inspect`."""

from functools import partial

import av
import cv2
import numpy as np
import pytest
from clips import make
from conftest import FAKES, RED, nobody

from faceswap import ConvertConfig, ExtractConfig, convert, extract
from faceswap.config import read_project
from faceswap.curation.merging import faces_merge
from faceswap.errors import NoFacesError, RefusedError, SigningError
from faceswap.faces.faceset import Faceset
from faceswap.guarding import refuse_adult, sample, sampled, score
from faceswap.options import ConsentOptions, FacesMergeConfig
from faceswap.progress import quiet
from faceswap.provenance import guard
from faceswap.provenance.detection import Detector
from faceswap.provenance.metadata import SOURCE_TYPE, read_source_type
from faceswap.provenance.reading import read_manifest
from faceswap.video.source import open_source


@pytest.fixture
def options(clips, facesets, model, tmp_path):
    more = {"faceset": facesets[0], "model": model, "preset": "ultrafast"}
    return {"source": clips[0], "output": tmp_path / "out.mp4", **more}


def comment(path):
    with av.open(str(path)) as container:
        return container.metadata.get("comment", "")


def test_a_converted_clip_says_what_it_is(options):
    convert(ConvertConfig(**options, consent="Ann agreed", consent_date="2026-11-01"))
    output = options["output"]
    found = read_manifest(output)
    assert found.whole and found.ours and found.sources == ("a.mp4",) and found.models[0][0] == "m"
    assert (found.consent, found.consent_date) == ("Ann agreed", "2026-11-01")
    assert found.settings["color"] == "mkl" and "certificate" not in found.settings
    assert read_source_type(output) == SOURCE_TYPE and "AI-modified" in comment(output)
    assert not list(output.parent.glob(".*"))


def test_without_provenance_it_says_nothing_and_that_is_said(options, caplog):
    convert(ConvertConfig(**options, no_provenance=True))
    output = options["output"]
    assert read_manifest(output) is None and read_source_type(output) is None and not comment(output)
    assert sum("--no-provenance" in line for line in caplog.messages) == 1


def test_a_file_that_says_nothing_has_no_manifest_of_the_one_before(options, tmp_path):
    options["output"] = tmp_path / "out.mkv"
    convert(ConvertConfig(**options))
    convert(ConvertConfig(**options, no_provenance=True, overwrite=True))
    assert read_manifest(tmp_path / "out.mkv") is None and not (tmp_path / "out.mkv.c2pa").exists()


@pytest.mark.parametrize(("agreed", "words"), [("", "should have agreed"), ("Ann", "nor who agreed")])
def test_without_provenance_one_line_says_all(agreed, words, options, caplog):
    convert(ConvertConfig(**options, no_provenance=True, consent=agreed))
    assert len(caplog.messages) == 1 and words in caplog.messages[0]


def test_a_container_that_holds_no_manifest_has_it_beside(options, tmp_path):
    convert(ConvertConfig(**{**options, "output": tmp_path / "out.mkv"}))
    found = read_manifest(tmp_path / "out.mkv")
    assert found.whole and found.sidecar == "out.mkv.c2pa"


def test_images_of_a_folder_are_marked_and_untouched_ones_are_not(options, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, draw in (("face.png", True), ("wall.png", False)):
        image = np.full((96, 128, 3), 120, np.uint8)
        if draw:
            RED(image, 0)
        cv2.imwrite(str(folder / name), image)
    extract(ExtractConfig(sources=folder, output=tmp_path / "set", **FAKES))
    places = {"source": folder, "faceset": tmp_path / "set", "output": tmp_path / "out"}
    convert(ConvertConfig(**{**options, **places}))
    assert read_manifest(tmp_path / "out" / "face.png").sources == ("face.png",)
    assert read_manifest(tmp_path / "out" / "wall.png") is None
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["face.png", "wall.png"]


def test_a_failed_signing_leaves_nothing_and_goes_on_later(options, monkeypatch):
    def failing(*given):
        raise SigningError("out.mp4 could not be signed")

    with monkeypatch.context() as patch:
        patch.setattr("faceswap.marking.mark_file", failing)
        with pytest.raises(SigningError):
            convert(ConvertConfig(**options))
    assert not options["output"].exists()
    convert(ConvertConfig(**options))
    assert read_manifest(options["output"]).whole


def test_a_certificate_that_cannot_sign_is_refused_before_any_work(options, tmp_path):
    with pytest.raises(SigningError, match="cannot be read"):
        convert(ConvertConfig(**options, certificate=tmp_path / "none.pem"))


def test_the_label_is_drawn_on_request(options):
    def corner(**more):
        convert(ConvertConfig(**options, overwrite=True, **more))
        with av.open(str(options["output"])) as container:
            return next(container.decode(video=0)).to_ndarray(format="gray")[-20:, -60:].astype(int)

    plain = corner()
    assert np.abs(corner(label=True, label_size=0.1) - plain).max() > 40
    assert np.abs(corner(label=True, label_position="top-left") - plain).max() < 25


@pytest.fixture
def corners(monkeypatch):
    """A guard that is certain where the first pixel is white; returns how often it looked."""
    looked = []

    def score(self, picture):
        looked.append(1)
        return picture.region(0, 0, 1, 1)[0, 0, 0] / 255

    monkeypatch.setattr(guard.Guard, "score", score)
    return looked


def footage(path, seconds, white):
    """A clip of RED, as many of whose seconds begin with a white corner; in several segments."""

    def draw(image, index):
        RED(image, index)
        image[:16, :16] = 255 if index < 5 * white else 0

    return make(path, draw=draw, count=5 * seconds, rate=5, size=(64, 48), sound=None)


def forget(folder):
    """Make a faceset one of before, which keeps no scores."""
    with Faceset.open(folder) as faceset, faceset.changing() as index:
        index.execute("DROP TABLE scores")


@pytest.mark.parametrize(("white", "refused"), [(1, False), (2, False), (3, True)])
def test_the_verdict_is_the_same_with_scores_and_without(white, refused, corners, tmp_path):
    clip = footage(tmp_path / "a.mp4", 21, white)
    extract(ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES))
    with open_source(clip) as source:
        for count in (21, 42):
            if refused:
                with pytest.raises(RefusedError, match="14%"):
                    refuse_adult(source, tmp_path / "set", quiet)
            else:
                refuse_adult(source, tmp_path / "set", quiet)
            assert len(corners) == count, "each frame is scored while faces are sought, and never again"
            if count == 21:
                forget(tmp_path / "set")


def test_what_a_faceset_keeps_are_the_scores_of_the_frames(clips, facesets):
    with open_source(clips[0]) as source, Faceset.open(facesets[0]) as faceset:
        assert list(sample(source)) == [0, 25]
        alone = list(map(score, sampled(source, quiet)))
        assert list(faceset.scores(1).values()) == alone and len(alone) == 2


def test_adult_footage_is_refused_before_conversion(options, corners, tmp_path):
    options |= {"source": footage(tmp_path / "a.mp4", 3, 3), "faceset": tmp_path / "set"}
    extract(ExtractConfig(sources=options["source"], output=tmp_path / "set", **FAKES))
    for picture in list((tmp_path / "set" / "faces").iterdir())[1:]:
        picture.unlink()
    for more in ({}, {"try_": tmp_path / "sheet.png", "output": None}):
        with pytest.raises(RefusedError, match=r"a\.mp4"):
            convert(ConvertConfig(**{**options, **more}))
    assert not options["output"].exists() and not (tmp_path / "sheet.png").exists()
    assert len(corners) == 3


def test_adult_footage_is_refused_whether_anyone_is_in_it_or_not(options, monkeypatch, tmp_path):
    options |= {"source": make(tmp_path / "a.mp4", draw=nobody, count=5), "faceset": None}
    with pytest.raises(NoFacesError):
        convert(ConvertConfig(**options))
    monkeypatch.setattr(guard.Guard, "score", lambda self, picture: 0.99)
    (tmp_path / "b").mkdir()
    with pytest.raises(RefusedError):
        convert(ConvertConfig(**{**options, "output": tmp_path / "b" / "out.mp4"}))


def test_a_faceset_with_some_of_the_scores_is_not_believed(corners, tmp_path):
    clip = footage(tmp_path / "a.mp4", 3, 3)
    extract(ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES))
    with Faceset.open(tmp_path / "set") as faceset, faceset.changing() as index:
        index.execute("DELETE FROM scores WHERE score > 0")
    with open_source(clip) as source, pytest.raises(RefusedError):
        refuse_adult(source, tmp_path / "set", quiet)


def test_an_image_that_cannot_be_read_has_no_score(corners, tmp_path):
    (tmp_path / "in").mkdir()
    for index in range(3):
        image = np.zeros((96, 128, 3), np.uint8)
        RED(image, index)
        cv2.imwrite(str(tmp_path / "in" / f"{index}.png"), image)
    (tmp_path / "in" / "1.png").write_bytes((tmp_path / "in" / "1.png").read_bytes()[:60])
    extract(ExtractConfig(sources=tmp_path / "in", output=tmp_path / "set", **FAKES))
    with Faceset.open(tmp_path / "set") as faceset, open_source(tmp_path / "in") as source:
        assert [value is None for value in faceset.scores(1).values()] == [False, True, False]
        refuse_adult(source, tmp_path / "set", quiet)
    assert len(corners) == 2


def test_a_merged_faceset_keeps_the_scores(facesets, tmp_path):
    faces_merge(FacesMergeConfig(facesets=facesets, output=tmp_path / "both"))
    with Faceset.open(tmp_path / "both") as both, Faceset.open(facesets[1]) as second:
        assert both.scores(2) == second.scores(1) and len(both.scores(2)) == 2


def test_a_faceset_of_before_is_gone_on_with(clips, tmp_path):
    extract(ExtractConfig(sources=clips[0], output=tmp_path / "set", **FAKES))
    forget(tmp_path / "set")
    extract(ExtractConfig(sources=clips, output=tmp_path / "set", **FAKES))
    with Faceset.open(tmp_path / "set") as faceset:
        assert not faceset.scores(1) and len(faceset.scores(2)) == 2


def test_the_mark_is_on_the_face_with_its_run(options, facesets, model):
    """The drawn faces are too small to read it there: a large one, as a network that keeps it would draw."""
    from faceswap.blending.crispen import crisp
    from faceswap.faces.alignment import align, cut
    from faceswap.faces.faceset import Faceset
    from faceswap.finishing import CANVAS, Drawn, Finisher, colors_of
    from faceswap.provenance.watermark import COVERAGE, SIZE, Mark
    from faceswap.types import Frame, Pixels
    from faceswap.video.patching import image_apply

    with Faceset.open(facesets[0]) as faceset:
        face = faceset.faces()[0]
    finisher = Finisher(ConvertConfig(**options, match_grain=0), 1.25, Mark(0xBEEF))
    image = np.random.default_rng(0).normal(128, 6, (96, 128, 3)).clip(0, 255).astype(np.uint8)
    alignment = align(face.face.landmarks, 128, 1.25)
    made = np.dstack([cut(Pixels(image), alignment), np.full((128, 128), 255, np.uint8)])
    colors = colors_of(face, alignment, cut(Pixels(image), alignment), made)
    picture = partial(crisp, made[..., :3], CANVAS, 0)
    own = Drawn(picture, made[..., 3], alignment, *colors)
    detector = Detector()
    for index in range(100):
        frame = Frame(index, index, 1 / 25, Pixels(image))
        shown = image_apply(image, [finisher.patch(frame, face, own, None)])
        crop = cut(Pixels(shown), align(face.face.landmarks, SIZE, COVERAGE))
        detector.add(Pixels(crop).grey(), index / 25)
    assert detector.read() is not None


def test_the_project_file_may_say_who_agreed(tmp_path):
    project = tmp_path / "p.toml"
    project.write_text('[consent]\nconsent = "Ann agreed"\nconsent-date = 2026-11-01\n')
    values = read_project(project, {"consent": ConsentOptions})
    assert values == {"consent": "Ann agreed", "consent_date": "2026-11-01"}
