"""What a conversion says of its output, from the command to `inspect`."""

import av
import cv2
import numpy as np
import pytest
from conftest import FAKES, RED

from faceswap import ConvertConfig, ExtractConfig, convert, extract
from faceswap.config import read_project
from faceswap.errors import RefusedError, SigningError
from faceswap.marking import sampled
from faceswap.options import ConsentOptions
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
    assert found.whole and found.ours and found.sources == ("a.mp4",) and found.model == "m"
    assert (found.consent, found.consent_date) == ("Ann agreed", "2026-11-01")
    assert found.settings["color"] == "mkl" and "certificate" not in found.settings
    assert read_source_type(output) == SOURCE_TYPE and "AI-modified" in comment(output)
    assert not list(output.parent.glob(".*"))


def test_without_provenance_it_says_nothing_and_that_is_said(options, caplog):
    convert(ConvertConfig(**options, no_provenance=True))
    output = options["output"]
    assert read_manifest(output) is None and read_source_type(output) is None and not comment(output)
    assert sum("--no-provenance" in line for line in caplog.messages) == 1


def test_a_container_that_holds_no_manifest_has_it_beside(options, tmp_path):
    convert(ConvertConfig(**{**options, "output": tmp_path / "out.mkv"}))
    found = read_manifest(tmp_path / "out.mkv")
    assert found.whole and found.sidecar == "out.c2pa"


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


def test_adult_footage_is_refused_before_conversion(options, monkeypatch):
    monkeypatch.setattr(guard.Guard, "score", lambda self, image: 0.99)
    with pytest.raises(RefusedError, match=r"a\.mp4"):
        convert(ConvertConfig(**options))
    assert not options["output"].exists()


def test_one_frame_a_second_is_looked_at(clips):
    with open_source(clips[0]) as source:  # 30 frames, 25 a second
        assert len(list(sampled(source, quiet))) == 2


def test_the_mark_is_on_the_face_with_its_run(options, facesets, model):
    """The drawn faces are too small to read it there: a large one, as a network that keeps it would draw."""
    from faceswap.faces.alignment import align, cut
    from faceswap.faces.faceset import Faceset
    from faceswap.finishing import Finisher
    from faceswap.provenance.watermark import COVERAGE, SIZE, Mark
    from faceswap.types import Frame, Pixels
    from faceswap.video.patching import image_apply

    with Faceset.open(facesets[0]) as faceset:
        face = faceset.faces()[0]
    finisher = Finisher(ConvertConfig(**options, match_grain=0), 1.25, Mark(0xBEEF))
    image = np.random.default_rng(0).normal(128, 6, (96, 128, 3)).clip(0, 255).astype(np.uint8)
    alignment = align(face.face.landmarks, 128, 1.25)
    made = np.dstack([cut(Pixels(image), alignment), np.full((128, 128), 255, np.uint8)])
    detector = Detector()
    for index in range(100):
        frame = Frame(index, index, 1 / 25, Pixels(image))
        shown = image_apply(image, [finisher.patch(frame, face, made, None)])
        crop = cut(Pixels(shown), align(face.face.landmarks, SIZE, COVERAGE))
        detector.add(Pixels(crop).grey(), index / 25)
    assert detector.read() is not None


def test_the_project_file_may_say_who_agreed(tmp_path):
    project = tmp_path / "p.toml"
    project.write_text('[consent]\nconsent = "Ann agreed"\nconsent-date = 2026-11-01\n')
    values = read_project(project, {"consent": ConsentOptions})
    assert values == {"consent": "Ann agreed", "consent_date": "2026-11-01"}
