"""How well the identity network tells whether two pictures show one person, and how fast it is.

The table of pairs (CSV) has the columns a, b and same (1 or 0); its names start from the folder of pictures,
which has a folder a person. Of the faces in a picture the one nearest to its middle is taken. Beside the
pairs of the table, each person's pictures are halved: the mean of one half stands for a track, and is
compared with every single picture of the other halves (as `--reference` does) and with their means (as tracks
are grouped into people). Thresholds are those that the program uses.
"""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import InputError
from faceswap.faces.detectors.hog import HogDetector
from faceswap.faces.identity import Identifier
from faceswap.faces.landmarkers.dlib68 import Dlib68
from faceswap.faces.people import REFERENCE, SAME_PERSON, Descriptors
from faceswap.faces.weights import RESNET, weight_file
from faceswap.types import Image, Pixels, Points

SMALLEST = 40  # pixels: the smallest face looked for
BATCH = 32  # pictures that the Keras network takes at a time

Describe = Callable[[list[Image], list[Points]], Descriptors]


def measure(table: Path, folder: Path) -> dict[str, dict[str, float]]:
    """All figures, by what is compared."""
    pairs = read_pairs(table)
    names = sorted({name for a, b, _ in pairs for name in (a, b)})
    found = find_faces(folder, names)
    images, points = [image for image, _ in found.values()], [points for _, points in found.values()]
    by_keras, fast = timed(keras(), images, points)
    by_dlib, slow = timed(dlib(), images, points)
    vectors = dict(zip(found, by_keras, strict=True))
    counts = {
        "pictures": len(names),
        "without a face": len(names) - len(found),
        "dlib, ms a face": slow,
        "Keras, ms a face": fast,
        "ratio": slow / fast,
        "largest distance between both": float(np.linalg.norm(by_keras - by_dlib, axis=1).max()),
    }
    single = [
        (distance(vectors[a], vectors[b]), same) for a, b, same in pairs if a in vectors and b in vectors
    ]
    from faceswap.networks.identity import THRESHOLD  # late: it loads Keras

    figures = {"faces": counts, "two pictures, the table's pairs": judge(single, THRESHOLD)}
    return figures | measure_means(halves(vectors))


def timed(describe: Describe, images: list[Image], points: list[Points]) -> tuple[Descriptors, float]:
    """The descriptors, and milliseconds a face."""
    started = time.perf_counter()
    rows = describe(images, points)
    return rows, 1000 * (time.perf_counter() - started) / len(images)


def measure_means(people: dict[str, tuple[Descriptors, Descriptors]]) -> dict[str, dict[str, float]]:
    """The mean of each person's first half against the others' second halves and their means."""
    pictures, means = [], []
    for (one, (half, _)), (other, (_, rest)) in product(people.items(), repeat=2):
        pictures += [(distance(half.mean(0), picture), one == other) for picture in rest]
        means.append((distance(half.mean(0), rest.mean(0)), one == other))
    return {
        "mean of several with a picture": judge(pictures, REFERENCE),
        "mean of several with another": judge(means, SAME_PERSON),
    }


def read_pairs(table: Path) -> list[tuple[str, str, bool]]:
    """The pairs of the table and whether they show one person.

    Raises:
        InputError: It cannot be read, or has not the columns it should have.
    """
    try:
        with table.open(newline="", encoding="utf-8") as file:
            return [(row["a"], row["b"], bool(int(row["same"]))) for row in csv.DictReader(file)]
    except OSError as error:
        raise InputError(f"cannot read {table}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{table} is not a table with the columns a, b and same (1 or 0)") from error


def find_faces(folder: Path, names: list[str]) -> dict[str, tuple[Image, Points]]:
    """The pictures with a face, and the 68 points of the one nearest to the middle.

    Raises:
        InputError: A picture cannot be read, or none shows a face.
    """
    detector, landmarker = HogDetector(), Dlib68()
    found = {}
    for name in names:
        image = cv2.imread(str(folder / name))
        if image is None:
            raise InputError(f"cannot read the picture {folder / name}")
        picture = Pixels(np.asarray(image, np.uint8))
        boxes = [box for box, _ in detector.detect(picture.grey(), SMALLEST)]
        if boxes:
            x, y = picture.width / 2, picture.height / 2
            away = [np.hypot((b.left + b.right) / 2 - x, (b.top + b.bottom) / 2 - y) for b in boxes]
            found[name] = (picture.image, landmarker.locate(picture, boxes[int(np.argmin(away))]))
    if not found:
        raise InputError(f"there is no face in any picture of {folder}")
    return found


def halves(vectors: dict[str, NDArray[np.float32]]) -> dict[str, tuple[Descriptors, Descriptors]]:
    """Each person's descriptors, the first half and the rest; people with one picture are left out."""
    people = defaultdict(list)
    for name, vector in vectors.items():
        people[Path(name).parent.name].append(vector)
    cut = {person: len(rows) // 2 for person, rows in people.items() if len(rows) > 1}
    return {p: (np.array(people[p][:half]), np.array(people[p][half:])) for p, half in cut.items()}


def distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Euclidean distance of two descriptors."""
    return float(np.linalg.norm(one - other))


def judge(compared: Iterable[tuple[float, bool]], threshold: float) -> dict[str, float]:
    """How well distances tell the same person from others.

    Accuracy is the mean of the shares judged rightly of the same and of the others, so that it does not
    depend on how many there are of each. The area under the ROC curve is the share of all (same, other) that
    are in the right order. The equal error rate is where the larger of both errors is smallest: as large a
    share of the same is missed as of the others let in, or nearly.
    """
    distances, same = (np.array(column) for column in zip(*compared, strict=True))
    ours, others = np.sort(distances[same]), np.sort(distances[~same])
    if not len(ours) or not len(others):
        raise InputError("the table needs pairs of one person and pairs of two")
    every = np.unique(distances)
    missed = 1 - np.searchsorted(ours, every, "right") / len(ours)
    let_in = np.searchsorted(others, every, "right") / len(others)
    larger = np.maximum(missed, let_in)
    below = np.searchsorted(others, ours, "left") + np.searchsorted(others, ours, "right")
    wrong = float((ours > threshold).mean()), float((others <= threshold).mean())
    return {
        "comparisons": len(distances),
        "threshold": threshold,
        "accuracy": 1 - sum(wrong) / 2,
        "same, missed": wrong[0],
        "others, let in": wrong[1],
        "area under the ROC curve": float(1 - below.mean() / 2 / len(others)),
        "equal error rate": float(larger.min()),
        "equal error at": float(every[larger.argmin()]),
        "best accuracy at any threshold": float(1 - (missed + let_in).min() / 2),
    }


def dlib() -> Describe:
    """The network as dlib runs it."""
    return Identifier().describe


def keras() -> Describe:
    """The network as Keras runs it, on a chip cut out of the picture."""
    from faceswap.networks.identity import SIZE, build_identity, chip_matrix

    network = build_identity(weight_file(RESNET))
    network.predict_on_batch(np.zeros((BATCH, SIZE, SIZE, 3), np.float32))  # the first call builds the graph

    def describe(images: list[Image], landmarks: list[Points]) -> Descriptors:
        chips = [
            cv2.warpAffine(image, chip_matrix(points), (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
            for image, points in zip(images, landmarks, strict=True)
        ]
        batches = [np.array(chips[i : i + BATCH], np.float32) / 255 for i in range(0, len(chips), BATCH)]
        return np.concatenate([np.asarray(network.predict_on_batch(batch)) for batch in batches])

    return describe
