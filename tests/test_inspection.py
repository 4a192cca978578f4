"""What 'faceswap inspect' says of files in every state."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make
from marks import encode, frames_of, landmarks_of, marked, marked_clip

from faceswap import InspectConfig, inspect
from faceswap.cli import run
from faceswap.errors import InputError
from faceswap.inspection import ALTERED, NOTHING, OTHERS, TRACES
from faceswap.provenance import signing
from faceswap.provenance.certificates import CONFIG_VARIABLE
from faceswap.provenance.metadata import container_notes
from faceswap.provenance.signing import Provenance, mark_file
from faceswap.provenance.watermark import Mark

SAMPLE = Path(__file__).parents[1] / "data" / "samples" / "person_a.mp4"
RUN = 0xC0FFEE42


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A marked clip, `out.mp4`, and what became of it."""
    folder = tmp_path_factory.mktemp("inspected")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONFIG_VARIABLE, str(folder / "config"))
        made = encode(
            folder / "made.mp4", marked_clip(frames_of(SAMPLE, 150), RUN), 18, container_notes("0.1.0")
        )
        about = Provenance(SAMPLE, (("ann", "ab" * 32),), "0.1.0", RUN, "Ann and Ben", "2026-10-01")
        mark_file(made, folder / "out.mp4", about)
        data = bytearray((folder / "out.mp4").read_bytes())
        data[data.index(b"mdat") + len(data) // 2] ^= 1
        (folder / "altered.mp4").write_bytes(data)
        encode(folder / "again.mp4", frames_of(folder / "out.mp4", 150), 23)
        yield folder


@pytest.fixture(autouse=True)
def _config(folder, monkeypatch):
    monkeypatch.setenv(CONFIG_VARIABLE, str(folder / "config"))


def look(path: Path):
    return inspect(InspectConfig(file=path))


def test_a_whole_file(folder):
    found = look(folder / "out.mp4")
    assert found.exit_code == 0
    assert found.mark.run == RUN
    text = str(found)
    for words in (
        "made by faceswap 0.1.0",
        "and whole",
        "person_a.mp4",
        "ann, abab",
        "Ann and Ben 2026-10-01",
        "this machine's own certificate, which proves that the file is unaltered, not who made it",
        "AI-modified: a face was replaced",
        "run c0ffee42",
    ):
        assert words in text, words


def test_an_altered_file(folder):
    found = look(folder / "altered.mp4")
    assert found.exit_code == ALTERED == 11
    assert "altered since it was signed" in str(found)
    assert "whole" not in found.verdict and "unaltered" not in str(found)
    assert "is not what was signed (assertion.bmffHash.mismatch)" in str(found)


def test_a_file_that_was_encoded_again(folder):
    found = look(folder / "again.mp4")
    assert found.exit_code == TRACES == 12
    assert found.manifest is None
    assert found.comment is None
    assert found.source_type is None
    assert found.mark.run == RUN
    assert "its manifest is gone" in str(found)


def test_a_file_that_holds_nothing():
    found = look(SAMPLE)
    assert found.exit_code == NOTHING == 14
    assert "that does not mean it is original" in str(found)
    assert found.faces >= found.searched - 5 > 100


def test_a_file_of_another_program(tmp_path, monkeypatch):
    cut = {"claim_generator_info": [{"name": "Cutter", "version": "7"}], "title": "x", "assertions": []}
    actions = [{"action": "c2pa.opened", "parameters": {"ingredientIds": ["source"]}}]
    cut["assertions"].append({"label": "c2pa.actions.v2", "data": {"actions": actions}})
    monkeypatch.setattr(signing, "_manifest", lambda *about: cut)
    source, made = make(tmp_path / "a.mp4"), make(tmp_path / "b.mp4")
    monkeypatch.setattr(signing, "write_notes", lambda *about: None)
    mark_file(made, tmp_path / "out.mp4", Provenance(source, (), "0", 0))
    found = look(tmp_path / "out.mp4")
    assert found.exit_code == OTHERS == 13
    assert "made by Cutter 7, not by faceswap" in str(found)


def test_a_picture(folder, tmp_path):
    frame = frames_of(SAMPLE, 41)[40]
    frame = marked(frame, landmarks_of([frame])[0], Mark(RUN), 0.0)
    (tmp_path / "made.png").write_bytes(cv2.imencode(".png", frame)[1].tobytes())
    source = tmp_path / "source.png"
    source.write_bytes((tmp_path / "made.png").read_bytes())
    mark_file(tmp_path / "made.png", tmp_path / "out.png", Provenance(source, (("ann", "ab"),), "0.1.0", RUN))
    found = look(tmp_path / "out.png")
    assert found.exit_code == 0
    assert found.mark is not None
    assert "consent     not stated" in str(found)
    cv2.imwrite(str(tmp_path / "again.jpg"), frame, [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert look(tmp_path / "again.jpg").exit_code == TRACES


def test_a_manifest_beside_the_file(folder, tmp_path):
    made = make(tmp_path / "made.mkv")
    mark_file(made, tmp_path / "out.mkv", Provenance(SAMPLE, (("ann", "ab"),), "0.1.0", RUN))
    assert look(tmp_path / "out.mkv").exit_code == 0
    assert "in out.mkv.c2pa" in str(look(tmp_path / "out.mkv"))
    with (tmp_path / "out.mkv").open("ab") as file:
        file.write(b"more")
    assert look(tmp_path / "out.mkv").exit_code == ALTERED
    (tmp_path / "out.mkv.c2pa").write_bytes(b"nothing sensible")
    assert look(tmp_path / "out.mkv").exit_code == ALTERED
    (tmp_path / "out.mkv.c2pa").unlink()
    assert look(tmp_path / "out.mkv").exit_code == NOTHING


def test_a_file_cut_off_within(folder, tmp_path):
    data = (folder / "out.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    assert look(tmp_path / "cut.mp4").exit_code == ALTERED


@pytest.mark.real
def test_the_command_prints_words_or_json_and_ends_with_a_code(folder, capsys):
    assert run(["inspect", str(folder / "out.mp4"), "--json"]) == 0
    stated = json.loads(capsys.readouterr().out)
    assert (stated["exit_code"], stated["manifest"]["whole"], stated["mark"]["run"]) == (0, True, RUN)
    assert run(["inspect", str(folder / "altered.mp4")]) == ALTERED
    assert "altered" in capsys.readouterr().out
    assert run(["inspect", str(folder / "missing.mp4")]) == 3
    assert run(["inspect"]) == 2


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("hello " * 100)
    for path in (tmp_path / "a.txt", tmp_path, tmp_path / "gone.mp4"):
        with pytest.raises(InputError):
            look(path)


@pytest.mark.real
def test_two_people_in_a_frame_are_read_apart(folder, tmp_path):
    """Only one of them was swapped."""
    left, right = frames_of(SAMPLE, 100), marked_clip(frames_of(SAMPLE, 100), RUN)
    both = [np.hstack(pair) for pair in zip(left, right, strict=True)]
    found = look(encode(tmp_path / "both.mp4", both, 20))
    assert found.faces > 1.9 * found.searched
    assert found.mark.run == RUN
