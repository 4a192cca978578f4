import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make, text
from conftest import RED, nobody

SCRIPTS = Path(__file__).parents[1] / "scripts"


def run(name, *arguments):
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("[a-z]*.py")), ids=lambda path: path.name)
def test_scripts_say_what_they_do(script):
    if script.name == "make_samples.py":
        pytest.importorskip("openvino")
    done = run(script.name, "--help")
    assert done.returncode == 0 and len(done.stdout.splitlines()) > 3


@pytest.mark.real
def test_a_folder_of_videos_goes_on_after_a_failing_one(model, tmp_path):
    """Drawn faces are not faces to the real detector, so only what it does about failures is seen here."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("a.mp4", "a.mkv", "c.mp4"):
        make(folder / name, draw=nobody if name == "c.mp4" else RED, count=5, size=(256, 192))
    text(tmp_path / "broken.mp4")
    shutil.copy(tmp_path / "broken.mp4", folder / "b.mp4")
    done = run("swap_folder.py", folder, model, tmp_path / "out")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.strip().splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["a.mkv", "a.mp4", "b.mp4", "c.mp4"]
    assert "neither a video" in lines[2] and "no faces found" in lines[3]
    assert lines[-1].startswith("4 videos")
    assert "Traceback" not in done.stderr


def test_a_strip_shows_both_clips(clips, tmp_path):
    done = run("strip.py", *clips, "-o", tmp_path / "strip.png", "--count", 3)
    assert done.returncode == 0, done.stderr
    assert cv2.imread(str(tmp_path / "strip.png")).shape == (2 * 96, 3 * 128, 3)
    assert run("strip.py", tmp_path / "nothing.mp4", clips[0]).returncode == 3


def test_a_linear_autoencoder_spans_the_principal_components():
    """Baldi and Hornik, 1989: at its best it is as good as principal component analysis."""
    spec = importlib.util.spec_from_file_location("autoencoders", SCRIPTS / "autoencoders.py")
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script
    spec.loader.exec_module(script)
    draw = np.random.default_rng(0)
    axes = np.linalg.qr(draw.normal(size=(48, 12)))[0].T
    rows = (draw.normal(size=(200, 12)) * np.linspace(0.2, 0.02, 12) @ axes + 0.5).astype(np.float32)
    encoder, decoder, _ = script.learn("linear", rows, 5, 2500, 0)
    error = script.error_of(decoder(encoder(rows)), rows)
    assert script.principal(rows, rows, 5) <= error * 1.0001 <= script.principal(rows, rows, 5) * 1.01
