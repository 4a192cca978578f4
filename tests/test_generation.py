"""Faces of nobody: training, its scores, and samples."""

import csv

import cv2
import numpy as np
import pytest

from faceswap import GenerateSampleConfig, GenerateTrainConfig, generate_sample, generate_train
from faceswap.cli import run
from faceswap.errors import ModelError, OutputError
from faceswap.generation import material, training
from faceswap.generation.material import batch, split
from faceswap.generation.model import GeneratorConfig
from faceswap.generation.scoring import Score, collapsed, frechet, grid, mean_distance
from faceswap.networks.generators import draw_noise, tiny
from faceswap.provenance.metadata import SOURCE_TYPE, read_source_type


def crowd(count=400, shift=0.0, spread=1.0, seed=0):
    """Normal features."""
    draw = np.random.default_rng(seed)
    return (draw.normal(0, spread, (count, 4)) + shift).astype(np.float32)


def test_frechet_by_hand():
    """Of isotropic normals: the squared distance of the means, and of the deviations, a feature."""
    one, other = crowd(20_000), crowd(20_000, shift=0.5, spread=2.0, seed=1)
    assert frechet(one, one) == pytest.approx(0, abs=1e-6)
    assert frechet(one, other) == pytest.approx(4 * (0.5**2 + 1.0**2), rel=0.05)
    assert frechet(one, other) == pytest.approx(frechet(other, one))


def test_frechet_of_fewer_faces_than_features():
    few = np.random.default_rng(0).normal(0, 1, (6, 128)).astype(np.float32)
    assert frechet(few, few) == pytest.approx(0, abs=1e-4)


def test_diversity_is_that_of_the_real_ones_or_less():
    assert mean_distance(crowd(spread=0.5)) == pytest.approx(mean_distance(crowd()) / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("diversity", "best", "alike"),
    [(0.8, 0.9, False), (0.4, 0.9, True), (0.3, 0.3, False), (0.7, 1.6, False)],
)
def test_a_collapse_is_a_fall_from_what_was_reached(diversity, best, alike):
    assert collapsed(Score(1.0, diversity), best) == alike


def test_grid_fills_up_with_white():
    sheet = grid(np.zeros((3, 8, 8, 3), np.uint8), 2)
    assert sheet.shape == (16, 16, 3)
    assert sheet[8:, 8:].min() == 255 and sheet[:8].max() == 0


def test_batches_follow_from_their_number_and_half_are_mirrored():
    faces = np.zeros((40, 4, 4, 3), np.uint8)
    faces[:, :, 0] = 255
    first = batch(faces, 64, 0, 7)
    assert (first == batch(faces, 64, 0, 7)).all()
    assert 0.2 < (first[:, 0, 0, 0] == 0).mean() < 0.8
    assert faces[:, :, 0].min() == 255, "the album itself stays as it is"


def test_noise_makes_faces_and_the_same_noise_the_same_ones():
    generator, noise = tiny(), draw_noise(0, 0, 3, 96)
    made = generator.make(noise)
    assert made.shape == (3, 16, 16, 3) and made.dtype == np.uint8
    assert (made == generator.make(noise)).all() and (made[0] != made[1]).any()


@pytest.fixture(scope="module")
def trained(facesets, tmp_path_factory):
    """A tiny generator after some steps, stopped and gone on with."""
    folder = tmp_path_factory.mktemp("generator") / "m"
    options = {"facesets": facesets * 2, "model": folder, "generator": "tiny", "batch_size": 8}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(material, "MANY", 12)
        patched.setattr(training, "MANY", 12)  # faces that are scored: the identity network takes its time
        first = generate_train(GenerateTrainConfig(**options, iterations=4))
        second = generate_train(GenerateTrainConfig(**options, iterations=8))
    return options, first, second


def test_training_goes_on_and_writes_down_how_far_it_is(trained):
    options, first, second = trained
    assert (first.iterations, second.iterations) == (4, 8)
    assert second.seconds > first.seconds
    with (options["model"] / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["iterations"] for row in rows] == ["0", "4", "8"]
    assert all(float(row["frechet"]) > 0 for row in rows)
    assert second.score.frechet == pytest.approx(float(rows[-1]["frechet"]), abs=1e-4)
    again = generate_train(GenerateTrainConfig(**options, iterations=8))
    assert again.score is None and "already" in str(again)


def test_the_sheet_over_time_has_a_row_a_moment(trained):
    options, _, _ = trained
    sheet = cv2.imread(str(options["model"] / "over_time.png"))
    assert sheet.shape == (3 * 32, 8 * 32, 3) and (sheet[:32] != sheet[-32:]).any()


def test_samples(trained, tmp_path):
    options, _, _ = trained
    sheet = tmp_path / "new" / "grid.png"
    result = generate_sample(GenerateSampleConfig(model=options["model"], output=sheet, count=5))
    assert result.iterations == 8 and cv2.imread(str(sheet)).shape == (2 * 16, 3 * 16, 3)
    assert read_source_type(sheet) == SOURCE_TYPE
    with pytest.raises(OutputError, match="exists"):
        generate_sample(GenerateSampleConfig(model=options["model"], output=sheet))


def test_held_out_faces_are_not_learned(facesets):
    layout = GeneratorConfig("tiny", "whole", 16, 1.25)
    learned, held_out = split(GenerateTrainConfig(facesets=facesets * 2, model="m"), layout)
    assert len(held_out) == 12 and len(learned) + len(held_out) == 120


def test_refusals(trained, facesets, model, tmp_path, capsys):
    options, _, _ = trained
    with pytest.raises(ModelError, match="--discriminator whole"):
        generate_train(GenerateTrainConfig(**{**options, "discriminator": "patch"}))
    with pytest.raises(ModelError, match="not a model that 'faceswap generate train' makes"):
        generate_sample(GenerateSampleConfig(model=model, output=tmp_path / "x.png"))
    assert run(["generate", "train", str(facesets[0]), "-m", str(tmp_path / "m")]) == 3
    assert "too few" in capsys.readouterr().err
    assert run(["generate", "sample", "-m", str(tmp_path / "none"), "-o", str(tmp_path / "x.png")]) == 6
