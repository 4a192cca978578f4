"""The door: what a person types, and the one line that answers what is wrong."""

import re
import shutil
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError

import cv2
import numpy as np
import pytest
from clips import empty, flipped, make, sound_only, text, truncated
from conftest import RED, nobody

from faceswap import diagnosis
from faceswap.cli import COMMANDS, run

FAST = ["--detector", "fake", "--landmarker", "fake", "--min-face", "16", "--face-size", "64"]


def test_help_of_every_command(capsys):
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name.split()[0] in shown for name in COMMANDS)
    for name in COMMANDS:
        assert run([*name.split(), "--help"]) == 0
        begins = re.split("[,:;]", COMMANDS[name].config.__doc__ or "")[0]
        assert begins in capsys.readouterr().out


def test_help_is_instant():
    """The bound is loose, for busy machines; scripts/benchmark.py measures it."""
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "faceswap", "--help"], check=True, capture_output=True)
    assert time.monotonic() - started < 2


def test_from_facesets_to_a_swapped_clip(clips, tmp_path, capsys):
    for clip, name in zip(clips, "ab", strict=True):
        assert run(["extract", str(clip), "-o", str(tmp_path / name), *FAST]) == 0
    model, out = str(tmp_path / "m"), str(tmp_path / "out.mp4")
    train = [
        "train",
        "-a",
        str(tmp_path / "a"),
        "-b",
        str(tmp_path / "b"),
        "-m",
        model,
        "--network",
        "tiny",
        "--no-auto",
    ]
    assert run([*train, "--iterations", "5", "--batch-size", "2"]) == 0
    convert = ["convert", str(clips[0]), "-m", model, "--faceset", str(tmp_path / "a")]
    assert run([*convert, "-o", out]) == 0
    assert "30 frames, 30 swapped" in capsys.readouterr().out
    assert run([*convert, "-o", out]) == 5
    assert run([*convert, "-o", out, "--overwrite"]) == 0


def test_flags_override_the_project_file(clips, tmp_path, capsys):
    project = tmp_path / "p.toml"
    project.write_text('[extract]\nsources = ["nothing.mp4"]\noutput = "x"\ndetector = "fake"\n')
    assert run(["extract", "--project", str(project)]) == 3
    assert str(tmp_path / "nothing.mp4") in capsys.readouterr().err
    assert run(["extract", str(project)]) == 3
    assert run(["extract", str(clips[0]), "--project", str(project), *FAST]) == 0
    assert (tmp_path / "x" / "faceset.sqlite").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["extrct"], "extract"),
        (["extract", "-o", "x"], "extract needs SOURCES"),
        (["extract", "a.mp4"], "extract needs --output"),
        (["extract", "a.mp4", "-o", "x", "--min-face", "few"], "--min-face"),
        (["extract", "a.mp4", "-o", "x", "--min-face", "-2"], "min_face must be 0 or more"),
        (["extract", "a.mp4", "-o", "x", "--min-fce", "20"], "--min-face"),
        (["extract", "a.mp4", "-o", "x", "--detector", "magic"], "one of hog"),
        (["train", "-a", "x"], "train needs --faceset-b"),
        (["convert", "a.mp4", "b.mp4", "-m", "m", "-o", "o.mp4"], "does not take 'b.mp4'"),
        (["swap", "a.mp4"], "does not take 'a.mp4'"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(arguments, word, capsys):
    assert run(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert word in error and "\n" not in error and error.startswith("faceswap: ")


def corrupt_image(path):
    folder = path.with_suffix("")
    folder.mkdir()
    (folder / "one.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    return folder


BAD = {
    "missing": (lambda path: path, 3, "does not exist"),
    "text": (text, 3, "neither a video nor an image"),
    "zero bytes": (empty, 3, "0 bytes"),
    "audio only": (lambda path: sound_only(path.with_suffix(".m4a")), 3, "no picture"),
    "truncated": (truncated, 3, "cut off"),
    "corrupt images only": (corrupt_image, 3, "no readable image"),
    "no face": (lambda path: make(path, draw=nobody, count=5), 4, "no faces found"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("role", ["extract", "convert", "swap source", "swap target"])
def test_bad_input_is_one_line_that_names_the_file(case, role, clips, model, tmp_path, capsys):
    maker, code, word = BAD[case]
    bad, out = maker(tmp_path / "input.mp4"), tmp_path / "out.mp4"
    arguments = {
        "extract": ["extract", bad, "-o", tmp_path / "set", *FAST],
        "convert": ["convert", bad, "-m", model, "-o", out],
        "swap source": ["swap", "--source", bad, "--target", clips[0], "-o", out, *FAST],
        "swap target": ["swap", "--source", clips[0], "--target", bad, "-o", out, *FAST],
    }[role]
    assert run([str(argument) for argument in arguments]) == code
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert word in line and bad.name in line and "Traceback" not in line
    assert not out.exists()


def test_bit_flips_are_counted_and_the_frames_stay_in_step(model, tmp_path, capsys):
    often = {"preset": "ultrafast", "g": "10"}  # key frames, so that a wound heals
    clip = flipped(tmp_path / "flipped.mp4", draw=RED, size=(128, 96), count=60, options=often, every=5000)
    assert run(["extract", str(clip), "-o", str(tmp_path / "set"), *FAST]) == 0
    captured = capsys.readouterr()
    assert "of 60 frames" in captured.out and "damaged frames" in captured.out
    assert "frames are damaged" in captured.err and "Traceback" not in captured.err
    convert = ["convert", str(clip), "--faceset", str(tmp_path / "set"), "-m", str(model)]
    assert run([*convert, "-o", str(tmp_path / "out.mp4")]) == 0
    assert "60 frames" in capsys.readouterr().out


def test_one_face_only(clips, facesets, tmp_path, capsys):
    image = np.zeros((96, 128, 3), np.uint8)
    RED(image, 0)
    cv2.imwrite(str(tmp_path / "one.png"), image)
    assert run(["extract", str(tmp_path / "one.png"), "-o", str(tmp_path / "set"), *FAST]) == 0
    arguments = ["train", "-a", str(tmp_path / "set"), "-b", str(facesets[1]), "-m", str(tmp_path / "m")]
    assert run([*arguments, "--network", "tiny"]) == 3
    assert "has 1 face" in capsys.readouterr().err


def test_models_of_another_shape_or_half_written(model, clips, tmp_path, capsys):
    shutil.copytree(model / "checkpoints", tmp_path / "checkpoints")
    (tmp_path / "config.json").write_text('{"network": "tiny", "size": 64, "coverage": 1.25}')
    arguments = ["convert", str(clips[0]), "-o", str(tmp_path / "o.mp4"), "-m"]
    assert run([*arguments, str(tmp_path)]) == 6
    assert "pictures of 32 pixels" in capsys.readouterr().err
    (tmp_path / "config.json").write_text('{"network": "ti')
    assert run([*arguments, str(tmp_path)]) == 6
    assert "damaged" in capsys.readouterr().err


LIMITED = """
import resource, signal, sys
from faceswap.cli import run
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize("stage", ["extract", "train", "convert"])
def test_a_full_disk(stage, model, facesets, clips, tmp_path):
    """The system refuses to let a file grow past a limit, as a full disk does."""
    out = tmp_path / "out.mp4"
    arguments, limit = {
        "extract": (["extract", clips[0], "-o", tmp_path / "set", *FAST], 30_000),
        "train": (["train", "-a", facesets[0], "-b", facesets[1], "-m", tmp_path / "m"], 60_000),
        "convert": (["convert", clips[0], "-m", model, "--faceset", facesets[0], "-o", out], 3_000),
    }[stage]
    more = (
        ["--network", "tiny", "--iterations", 3, "--batch-size", 2, "--no-auto"] if stage == "train" else []
    )
    code = LIMITED.format(limit=limit)
    command = [sys.executable, "-c", code, *map(str, [*arguments, *more])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr
    assert "space" in done.stderr.strip().splitlines()[-1]
    assert not out.exists() and not list(tmp_path.glob("m/checkpoints/*"))


def test_doctor_reports_and_finds_faults(monkeypatch, capsys):
    monkeypatch.setattr(diagnosis, "LEAST_DISK", 0.0)
    monkeypatch.setattr(diagnosis, "LEAST_MEMORY", 0.0)
    assert run(["doctor"]) == 0
    shown = capsys.readouterr().out
    words = ("tensorflow", "threads", "graphics card", "h264 yes", "intact, sha256", "disk free")
    assert all(word in shown for word in (*words, "nothing is wrong"))
    monkeypatch.setattr(diagnosis, "LEAST_DISK", 1e9)
    monkeypatch.setattr(diagnosis, "is_intact", lambda path: False)
    assert run(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "free some" in shown and "reinstall face_recognition_models" in shown


@pytest.fixture
def convert_only(monkeypatch):
    """A machine as `scripts/convert_only.py` has it, with room enough."""
    for name in ("LEAST_DISK", "LEAST_MEMORY"):
        monkeypatch.setattr(diagnosis, name, 0.0)
    missing, find = {"tensorflow", "keras"}, diagnosis.version
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    for name in [name for name in sys.modules if name.startswith("faceswap.networks")]:
        monkeypatch.delitem(sys.modules, name)

    def version(name):
        if name in missing:
            raise PackageNotFoundError(name)
        return find(name)

    monkeypatch.setattr(diagnosis, "version", version)
    return missing


def test_doctor_on_a_machine_that_only_converts(convert_only, capsys):
    assert run(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (said,) = (line for line in lines if line.startswith("tensorflow"))
    works, lacks = said.split("work without it;")
    assert ".onnx" in works and "extract" in works and "train" in lacks and "model folder" in lacks
    assert "nothing is wrong" in lines and not any("fault" in line for line in lines)


@pytest.mark.parametrize("name", ["av", "onnxruntime"])
def test_what_such_a_machine_needs_all_the_same_is_a_fault(name, convert_only, capsys):
    convert_only.add(name)
    assert run(["doctor"]) == 1
    faults = [line for line in capsys.readouterr().out.splitlines() if "is not installed" in line]
    assert faults == [f"{name} is not installed: run 'pip install {name}'"]


def test_a_tensorflow_without_keras_is_a_fault(convert_only, monkeypatch):
    monkeypatch.setattr(diagnosis, "find_spec", lambda name: object())
    faults = diagnosis.doctor(diagnosis.DoctorConfig()).faults
    assert any("keras is not installed" in fault for fault in faults)
    assert any("needs TensorFlow and Keras" in fault for fault in faults)
