import csv
import json
import shutil

import cv2
import numpy as np
import pytest
from conftest import FAKES

from faceswap import ExtractConfig, TrainConfig, extract, train
from faceswap.errors import InputError, ModelError, OutputError
from faceswap.faces.faceset import FACES
from faceswap.networks import checkpoint, model_folder, precision
from faceswap.networks.step import TrainingStep


def config(facesets, model, **more):
    a, b = facesets
    values = {
        "network": "tiny",
        "iterations": 12,
        "batch_size": 2,
        "minutes": 0,
        "exam_seconds": 1e4,
        "auto": False,
        **more,
    }
    return TrainConfig(faceset_a=a, faceset_b=b, model=model, **values)


@pytest.fixture(scope="module")
def trained(facesets, tmp_path_factory):
    """A model of five steps."""
    folder = tmp_path_factory.mktemp("trained") / "m"
    train(config(facesets, folder, iterations=5))
    return folder


@pytest.fixture
def begun(trained, tmp_path):
    """One of the test's own."""
    return shutil.copytree(trained, tmp_path / "m")


def test_a_model_and_what_is_written_beside_it(facesets, tmp_path):
    result = train(config(facesets, tmp_path / "m"))
    assert result.iterations == 12 and not result.interrupted
    assert np.isfinite([result.loss_a, result.loss_b, result.faces_per_second]).all()
    assert cv2.imread(str(result.preview)).shape[1] == 8 * 128 + 6
    rows = list(csv.DictReader((tmp_path / "m" / "losses.csv").open()))
    assert int(rows[-1]["iterations"]) == 12 and float(rows[-1]["loss_a"]) == pytest.approx(
        result.loss_a, abs=1e-4
    )
    state = json.loads(next((tmp_path / "m" / "checkpoints").glob("*/state.json")).read_text())
    assert state["about"]["counted_in"] == precision.chosen("auto").removeprefix("mixed_")
    assert state["about"]["options"]["seed"] == 0 and len(state["about"]["faces"]["a"]) == 64
    there = {p.name for p in (tmp_path / "m").iterdir()} - {"losses.png"}  # drawn of two rows or more
    assert there == {"cache", "checkpoints", "config.json", "examples", "losses.csv", "preview.png"}


def test_running_again_resumes_and_does_not_repeat(facesets, begun):
    again = train(config(facesets, begun, iterations=5))
    assert again.iterations == 5 and again.loss_a is None and "already trained" in str(again)
    more = train(config(facesets, begun))
    assert more.iterations == 12 and more.loss_a is not None


def test_losses_fall(model):
    rows = list(csv.DictReader((model / "losses.csv").open()))
    assert float(rows[-1]["loss_a"]) < 0.3 and float(rows[-1]["loss_b"]) < 0.3


def test_minutes_end_it(facesets, tmp_path):
    result = train(config(facesets, tmp_path / "m", iterations=0, minutes=0.05))
    assert 3 <= result.seconds < 60


class Dying(TrainingStep):
    """Dies, or is interrupted, at a step."""

    at, error = 8, KeyboardInterrupt

    def __call__(self, *batch):
        if int(self.optimizer.iterations) == self.at - 1:
            raise self.error
        return super().__call__(*batch)


def test_ctrl_c_saves(facesets, tmp_path, monkeypatch):
    monkeypatch.setattr("faceswap.groundwork.TrainingStep", Dying)
    result = train(config(facesets, tmp_path / "m"))
    assert result.interrupted and result.iterations == 7 and "run it again" in str(result)
    monkeypatch.undo()
    assert train(config(facesets, tmp_path / "m")).iterations == 12


def test_an_error_saves_what_came_before_it(facesets, begun, monkeypatch):
    monkeypatch.setattr("faceswap.groundwork.TrainingStep", Dying)
    monkeypatch.setattr(Dying, "error", MemoryError)
    with pytest.raises(MemoryError):
        train(config(facesets, begun))
    monkeypatch.undo()
    assert checkpoint.load(begun, model_folder.build(model_folder.read_config(begun))).iterations == 7
    result = train(config(facesets, begun))
    assert result.iterations == 12
    rows = list(csv.DictReader((begun / "losses.csv").open()))
    assert [int(row["iterations"]) for row in rows] == sorted({int(row["iterations"]) for row in rows})


def test_stopped_and_resumed_sees_the_same_samples(facesets, tmp_path, monkeypatch):
    """The losses of steps 7-12 are those of an uninterrupted run."""
    losses = {}

    def noting(name):
        class Noting(TrainingStep):
            def __call__(self, *batch):
                loss = super().__call__(*batch)
                losses.setdefault(name, []).append(loss)
                return loss

        monkeypatch.setattr("faceswap.groundwork.TrainingStep", Noting)

    noting("whole")
    monkeypatch.setattr("faceswap.coaching.session.WARPED", 2.0)
    train(config(facesets, tmp_path / "whole"))
    noting("halves")
    train(config(facesets, tmp_path / "halves", iterations=6))
    train(config(facesets, tmp_path / "halves"))
    np.testing.assert_allclose(losses["whole"], losses["halves"], rtol=2e-3)


def test_models_that_do_not_fit(facesets, tmp_path):
    train(config(facesets, tmp_path / "m", iterations=2))
    with pytest.raises(ModelError, match="--network tiny"):
        train(config(facesets, tmp_path / "m", network="swift"))
    (tmp_path / "m" / "config.json").write_text("{")
    with pytest.raises(ModelError, match="damaged"):
        train(config(facesets, tmp_path / "m"))
    assert train(config(facesets, tmp_path / "m", overwrite=True, iterations=3)).iterations == 3


def test_a_folder_with_other_things_is_left_alone(facesets, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="not a model"):
        train(config(facesets, tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_too_few_faces(clips, facesets, tmp_path):
    extract(ExtractConfig(sources=clips[0], output=tmp_path / "few", **FAKES))
    for path in sorted((tmp_path / "few" / FACES).iterdir())[1:]:
        path.unlink()
    with pytest.raises(InputError, match="has 1 face"):
        train(config((tmp_path / "few", facesets[1]), tmp_path / "m"))
    with pytest.raises(InputError, match="not a faceset"):
        train(config((tmp_path / "nothing", facesets[1]), tmp_path / "m"))
    assert not (tmp_path / "m").exists()


def test_faces_cut_too_close(clips, facesets, tmp_path):
    extract(ExtractConfig(sources=clips[0], output=tmp_path / "close", coverage=1.1, **FAKES))
    with pytest.raises(InputError, match=r"--coverage 1\.1"):
        train(config((tmp_path / "close", facesets[1]), tmp_path / "m"))


def test_disk_full_while_saving(facesets, begun, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="no space left"):
        train(config(facesets, begun))
    monkeypatch.undo()
    network = model_folder.build(model_folder.read_config(begun))
    assert checkpoint.load(begun, network).iterations == 5
