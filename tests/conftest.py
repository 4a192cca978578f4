"""Clips, facesets and models that several tests use; all drawn, all small."""

from __future__ import annotations

import os
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # a worker for each core: threads of their own would stand in line
    for threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OPENCV_FOR_THREADS_NUM"):
        os.environ.setdefault(threads, "1")

import cv2
import numpy as np
import pytest
from clips import make
from hypothesis import settings

from faceswap import ExtractConfig, TrainConfig, extract, train
from faceswap.provenance.certificates import CONFIG_VARIABLE
from faceswap.types import Image

# How long an example takes says more about the machine than about the code.
settings.register_profile("timeless", deadline=None)
settings.load_profile("timeless")

REAL = Path(__file__).parents[2] / "shared" / "data"
FAKES = {"detector": "fake", "landmarker": "fake", "min_face": 16, "face_size": 64}


@pytest.fixture(scope="session", autouse=True)
def settings_folder(tmp_path_factory) -> None:
    """Certificates that tests make are not the user's."""
    os.environ[CONFIG_VARIABLE] = str(tmp_path_factory.mktemp("settings"))


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real clips and images; the test is skipped where it is absent."""
    if not REAL.is_dir():
        pytest.skip("the real clips are not on this machine")
    return REAL


def person(colour: tuple[int, int, int]):
    """Something to draw that the fake detector takes for a face; it wanders and opens its mouth."""

    def draw(image: Image, index: int) -> None:
        height, width = image.shape[:2]
        image[:] = np.linspace(90, 150, width, dtype=np.uint8)[None, :, None]
        centre = (round(width * (0.5 + 0.15 * np.sin(index / 5))), height // 2)
        size = height // 3
        cv2.ellipse(image, centre, (size * 4 // 5, size), 0, 0, 360, colour, -1)
        for side in (-1, 1):
            cv2.circle(
                image, (centre[0] + side * size // 3, centre[1] - size // 3), size // 8, (60, 20, 20), -1
            )
        opened = 1 + round(size / 6 * (1 + np.sin(index / 2)))
        cv2.ellipse(
            image, (centre[0], centre[1] + size // 2), (size // 3, opened), 0, 0, 360, (40, 0, 90), -1
        )

    return draw


def nobody(image: Image, index: int) -> None:
    """A grey wall."""
    image[:] = 120


RED, BLUE = person((30, 40, 210)), person((220, 60, 20))


@pytest.fixture(scope="session")
def clips(tmp_path_factory) -> tuple[Path, Path]:
    """A's clip and B's clip, 30 frames with sound."""
    folder = tmp_path_factory.mktemp("clips")
    size = {"size": (128, 96), "count": 30}
    return make(folder / "a.mp4", draw=RED, **size), make(folder / "b.mp4", draw=BLUE, **size)


@pytest.fixture(scope="session")
def facesets(clips, tmp_path_factory) -> tuple[Path, Path]:
    """The facesets of A and B."""
    folder = tmp_path_factory.mktemp("facesets")
    for clip, name in zip(clips, "ab", strict=True):
        extract(ExtractConfig(sources=clip, output=folder / name, **FAKES))
    return folder / "a", folder / "b"


@pytest.fixture(scope="session")
def model(facesets, tmp_path_factory) -> Path:
    """A tiny model, trained for some steps."""
    a, b = facesets
    folder = tmp_path_factory.mktemp("model") / "m"
    train(
        TrainConfig(
            faceset_a=a,
            faceset_b=b,
            model=folder,
            network="tiny",
            iterations=150,
            batch_size=4,
            learning_rate=3e-3,
            exam_seconds=1e4,
        )
    )
    return folder
