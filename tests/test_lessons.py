"""The lessons teach what they say: each is run, and its words and its picture are looked at."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

LESSONS = sorted((Path(__file__).parents[1] / "scripts" / "lessons").glob("*.py"))


def taught(name, output, *arguments):
    lesson = next(path for path in LESSONS if path.stem == name)
    command = [sys.executable, str(lesson), *arguments, "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert cv2.imread(str(output)).std() > 20
    return done.stdout


def test_lessons_are_short():
    assert len(LESSONS) == 4
    assert all(len(path.read_text().splitlines()) < 100 for path in LESSONS)


def test_a_perceptron_parts_clouds_but_not_the_exclusive_or(tmp_path):
    clouds, other = taught("perceptron", tmp_path / "out.png").splitlines()
    assert "0 of 120 wrong" in clouds and int(re.search(r"(\d+) of", other)[1]) > 30


def test_a_linear_unit_finds_least_squares_at_the_right_rate(tmp_path):
    away = re.findall(r"steps (\S+) away", taught("linear_unit", tmp_path / "out.png"))
    slow, right, fast = map(float, away)
    assert right < 0.05 < slow < 1 < fast


@pytest.mark.slow
def test_back_propagation_is_tensorflows(tmp_path):
    said = taught("backpropagation", tmp_path / "out.png")
    assert float(re.search(r"by (\S+) of the largest", said)[1]) < 1e-9
    assert float(re.search(r"([\d.]+)% right", said)[1]) > 98


@pytest.mark.slow
def test_convolutions_know_ten_people_better(tmp_path):
    said = taught("ten_faces", tmp_path / "out.png")
    dense, convolutional = (float(share) for share in re.findall(r"([\d.]+)%", said))
    assert 30 < dense < convolutional > 80


@pytest.mark.slow
def test_ten_people_of_a_folder(tmp_path, real):
    said = taught("ten_faces", tmp_path / "out.png", str(real / "verification" / "lfw_mini"))
    assert all(float(share) > 20 for share in re.findall(r"([\d.]+)%", said))
