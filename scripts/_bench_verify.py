"""How well the Siamese network tells people apart whom it never saw, after equal steps of each loss.

Takes folders as `verify --gallery` does: a picture, or a folder of pictures, for each person. It learns from
the people of one, and is tested on those of the other of whom there are several pictures; without another,
some people of the first are not learned from, and it is tested on several varied pictures of each. With each
seed all losses begin with the same weights and see the same batches; the figures are means over the seeds. So
are the differences from random triplets, each of two trainings of one seed.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import InputError
from faceswap.finding import Finder
from faceswap.networks.autoencoder import seed_everything
from faceswap.networks.siamese import SiameseStep, build
from faceswap.options import ExtractOptions, VerifyTrainConfig
from faceswap.registry import METRIC_LOSSES
from faceswap.types import Image
from faceswap.verification.gallery import cut_face, known
from faceswap.verification.learning import describe
from faceswap.verification.measuring import curve, fair_accuracy
from faceswap.verification.people import COVERAGE, ROOM, SEVERAL, People, batches

UNTRAINED = "untrained"  # what random weights do
LEFT_OUT = 250  # people, at most half of them
VARIED = 4  # pictures of each of those
RANDOM = "random"  # what the others are compared with
Batches = list[tuple[Image, NDArray[np.int32]]]


def measure(people: Path, test: Path | None, steps: int, seeds: int) -> dict[str, dict[str, float]]:
    """All figures, by loss."""
    size = build().size
    learned = people_in(people, round(size * ROOM))
    if test:
        tested = people_in(test, round(size * ROOM))
        names, counts = np.unique(tested.names, return_counts=True)
        tested = tested.of(names[counts >= SEVERAL])
    else:
        learned, tested = left_out(learned, size)
    about = {
        "people learned": len(np.unique(learned.names)),
        "people tested": len(np.unique(tested.names)),
        "pictures tested": len(tested.names),
    }
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed in range(seeds):
        config = VerifyTrainConfig(facesets=(Path("unused"),), model=Path("unused"), seed=seed)
        seen = list(islice(batches(learned, config, size, 0), steps))
        for loss in (UNTRAINED, *METRIC_LOSSES):
            for name, value in figures(seen, tested, loss, config).items():
                found[loss][name].append(value)
    others = [loss for loss in METRIC_LOSSES if loss != RANDOM]
    return (
        {"people": about}
        | {loss: summary(values) for loss, values in found.items()}
        | {f"{loss} less {RANDOM}": summary(differences(found[loss], found[RANDOM])) for loss in others}
    )


def people_in(folder: Path, side: int) -> People:
    """The one face of each picture that shows one, with a number for each person."""
    sight, faces, shown = Finder(ExtractOptions()).sight(), [], []
    for name, path in known(folder):
        with suppress(InputError):
            faces.append(cut_face(path, sight, side, COVERAGE * ROOM))
            shown.append(name)
    return People(np.stack(faces), np.unique(shown, return_inverse=True)[1])


def left_out(everybody: People, size: int) -> tuple[People, People]:
    """Whom to learn from, and varied pictures of the others."""
    names = np.unique(everybody.names)
    chosen = np.random.default_rng(0).permutation(names)[: min(LEFT_OUT, len(names) // 2)]
    config = VerifyTrainConfig(
        facesets=(Path("unused"),), model=Path("unused"), people=len(chosen), faces=VARIED
    )
    faces, who = next(batches(everybody.of(chosen), config, size, 0))
    return everybody.of(np.setdiff1d(names, chosen)), People(faces, who.astype(np.int64))


def figures(seen: Batches, tested: People, loss: str, config: VerifyTrainConfig) -> dict[str, float]:
    """How a network does that learned from those batches."""
    seed_everything(config.seed)
    network = build()
    if loss != UNTRAINED:
        step = SiameseStep(network, loss, config.learning_rate)
        for faces, names in seen:
            step(faces, names)
    vectors = describe(network, tested.faces)
    errors = curve(vectors, tested.names, "euclidean")
    return {
        "equal error rate": errors.equal_error[0],
        "accuracy": fair_accuracy(vectors, tested.names, "euclidean"),
        "area under the ROC curve": errors.area,
    }


def differences(one: dict[str, list[float]], other: dict[str, list[float]]) -> dict[str, list[float]]:
    """By how much each figure of one is above the other's, seed by seed."""
    return {name: [x - y for x, y in zip(one[name], other[name], strict=True)] for name in one}


def summary(values: dict[str, list[float]]) -> dict[str, float]:
    """The mean over the seeds and, where there are several, its standard error and the least and the most."""
    rows: dict[str, float] = {}
    for name, several in values.items():
        rows[name] = float(np.mean(several))
        if len(several) > 1:
            rows |= {
                f"{name}, standard error": float(np.std(several, ddof=1) / np.sqrt(len(several))),
                f"{name}, least": min(several),
                f"{name}, most": max(several),
            }
    return rows
