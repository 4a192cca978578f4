"""The whole way, and killing it anywhere on the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest
from clips import make
from conftest import BLUE, FAKES, REAL, RED

from faceswap import ConvertConfig, SwapConfig, convert, swap
from faceswap.errors import DependencyError, InputError, Interrupted, OutputError, RefusedError
from faceswap.video.source import open_source

TRAINED = {"network": "tiny", "iterations": 10, "minutes": 0, "batch_size": 2, "auto": False}
QUICK = {**FAKES, **TRAINED, "preset": "ultrafast", "no_report": True}


def frame_count(path):
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_two_clips_in_one_out(clips, tmp_path):
    output = tmp_path / "new" / "out.mp4"
    config = SwapConfig(source=clips[1], target=clips[0], output=output, **QUICK)
    result = swap(config)
    assert frame_count(output) == 30
    assert (result.target.frames, result.target.faces, result.conversion.swapped) == (30, 30, 30)
    text = str(result)
    for word in ("source (B)", "30 frames", "10 iterations", "conversion", str(output), str(result.work)):
        assert word in text
    with pytest.raises(OutputError, match="--overwrite"):
        swap(config)
    again = swap(SwapConfig(source=clips[1], target=clips[0], output=output, overwrite=True, **QUICK))
    assert "already done" in str(again)


@pytest.mark.real
def test_a_report_that_cannot_be_made_does_not_spoil_the_swap(clips, tmp_path, monkeypatch, caplog):
    def missing(name):
        raise DependencyError("the mesh is missing: run 'pip install mesh'")

    monkeypatch.setattr("faceswap.faces.mediapipe.model_file", missing)
    more = {**QUICK, "no_report": False, "no_provenance": True}
    result = swap(SwapConfig(source=clips[1], target=clips[0], output=tmp_path / "out.mp4", **more))
    assert result.report is None and frame_count(tmp_path / "out.mp4") == 30
    assert "no report on the swap: the mesh is missing: run 'pip install mesh'" in caplog.text


def test_a_work_folder_of_other_clips_is_refused(clips, tmp_path):
    config = {"target": clips[0], "output": tmp_path / "out.mp4", **QUICK}
    swap(SwapConfig(source=clips[1], **config))
    other = make(tmp_path / "other.mp4", draw=RED, count=10, size=(128, 96))
    with pytest.raises(OutputError, match="other clips"):
        swap(SwapConfig(source=other, overwrite=True, **config))


def test_adult_footage_is_refused_before_anything_is_trained(clips, tmp_path, monkeypatch):
    monkeypatch.setattr("faceswap.extraction.score", lambda image: 0.9)
    with pytest.raises(RefusedError, match=r"a\.mp4"):
        swap(SwapConfig(source=clips[1], target=clips[0], output=tmp_path / "out.mp4", **QUICK))
    assert not (tmp_path / "out.faceswap" / "model").exists()


def test_ctrl_c_while_training_says_how_to_go_on(clips, tmp_path, monkeypatch):
    from faceswap.networks.step import TrainingStep

    def interrupted(self, *batch):
        raise KeyboardInterrupt

    config = SwapConfig(source=clips[1], target=clips[0], output=tmp_path / "out.mp4", **QUICK)
    monkeypatch.setattr(TrainingStep, "__call__", interrupted)
    with pytest.raises(Interrupted, match="run the same command again"):
        swap(config)
    monkeypatch.undo()
    assert swap(config).training.iterations == 10


PROJECT = """
[swap]
source = "b.mp4"
target = "a.mp4"
output = "out.mp4"
no-report = true
[extract]
detector = "fake"
landmarker = "fake"
min-face = 16
face-size = 64
[train]
network = "tiny"
iterations = 100
minutes = 0
auto = false
batch-size = 2
save-seconds = 1
[convert]
preset = "ultrafast"
"""


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param("out.faceswap/source/faces/*_0000020_0.png", marks=pytest.mark.slow),
        pytest.param("out.faceswap/target/faces/*_0000020_0.png", marks=pytest.mark.slow),
        pytest.param("out.faceswap/model/checkpoints/[0-9]*", marks=pytest.mark.slow),
        pytest.param(".out.mp4.parts/000000000.mp4", marks=pytest.mark.slow),
    ],
    ids=["source", "target", "training", "conversion"],
)
def test_kill_9_in_each_stage_and_run_again(tmp_path, sign):
    for name, draw in (("a.mp4", RED), ("b.mp4", BLUE)):
        make(tmp_path / name, draw=draw, rate=2, count=60, size=(128, 96))
    (tmp_path / "project.toml").write_text(PROJECT)
    command = [sys.executable, "-m", "faceswap", "swap", str(tmp_path / "project.toml")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline and not list(tmp_path.glob(sign)):
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert list(tmp_path.glob(sign)), "it got so far"
    assert not (tmp_path / "out.mp4").exists(), "it was killed before the end"
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert frame_count(tmp_path / "out.mp4") == 60
    assert "100 iterations" in done.stdout and "60 frames, 60 faces, 0 frames without" in done.stdout
    hidden = [path.name for path in Path(tmp_path).glob(".*")]
    assert not hidden, hidden


@pytest.mark.real
def test_sigterm_saves_and_tells(tmp_path):
    for name, draw in (("a.mp4", RED), ("b.mp4", BLUE)):
        make(tmp_path / name, draw=draw, count=30, size=(128, 96))
    (tmp_path / "project.toml").write_text(PROJECT.replace("iterations = 100", "iterations = 0"))
    command = [sys.executable, "-m", "faceswap", "swap", str(tmp_path / "project.toml")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    losses = tmp_path / "out.faceswap" / "model" / "losses.csv"
    while process.poll() is None and time.monotonic() < deadline and not losses.exists():
        time.sleep(0.05)
    time.sleep(2)
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert error.splitlines()[-1].endswith("run the same command again to go on")
    assert list((tmp_path / "out.faceswap" / "model" / "checkpoints").glob("[0-9]*"))


@pytest.mark.real
def test_two_real_clips(real, tmp_path):
    source, target = (real / "clips" / f"{name}_512.mp4" for name in ("ed_markey", "bob_menendez"))
    output = tmp_path / "out.mp4"
    result = swap(SwapConfig(source=source, target=target, output=output, minutes=0.2))
    assert (result.conversion.frames, result.conversion.swapped) == (200, 200)
    assert frame_count(output) == 200
    with av.open(str(output)) as swapped, av.open(str(target)) as original:
        assert swapped.streams.video[0].average_rate == 25
        sound = [[bytes(p) for p in c.demux(audio=0) if p.size] for c in (swapped, original)]
        assert sound[0] == sound[1] and sound[0]


HARD = [p for p in sorted((REAL / "hard" / "video").glob("*")) if p.name != "intel_bottle_noface.mp4"]

UNSEEN = {"tiny_face_31px.mp4", "rotation_metadata_90.mp4", "bitflips_in_mdat.mp4"}  # no whole upright face
BROKEN = {"audio_only.mp4", "garbage.mp4", "text.mp4", "truncated_half.mp4", "zero_bytes.mp4"}


@pytest.mark.real
@pytest.mark.parametrize("clip", HARD, ids=lambda path: path.name)
def test_hard_clips_convert_or_say_why(clip, model, tmp_path):
    """With the real detector and a network that learned drawings: the frames are counted, not looked at."""
    output = tmp_path / "out.mkv"
    config = ConvertConfig(source=clip, model=model, output=output, preset="ultrafast")
    if clip.name in BROKEN:
        with pytest.raises(InputError, match=clip.name):
            convert(config)
        assert not output.exists()
        return
    try:
        result = convert(config)
    except InputError as error:
        assert "no faces found" in str(error)
        assert clip.name in UNSEEN
        return
    with open_source(clip) as source:
        assert result.frames == source.count == frame_count(output)
    assert result.swapped > 0
