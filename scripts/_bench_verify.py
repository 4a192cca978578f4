"""How well the Siamese network tells people apart whom it never saw, after equal steps of each loss.

Takes facesets: of a person each, or with several people in them. All losses begin with the same weights and
see the same batches; a quarter of the people with several faces are held out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from faceswap.networks.autoencoder import seed_everything
from faceswap.networks.siamese import SiameseStep, build
from faceswap.options import VerifyTrainConfig
from faceswap.progress import quiet
from faceswap.registry import METRIC_LOSSES
from faceswap.verification.learning import batches, describe, divided
from faceswap.verification.measuring import curve, fair_accuracy


def measure(
    facesets: Sequence[Path], test: Sequence[Path], steps: int, losses: Sequence[str] = tuple(METRIC_LOSSES)
) -> dict[str, dict[str, float]]:
    """All figures, by loss; 'untrained' is what random weights do."""
    config = VerifyTrainConfig(facesets=tuple(facesets), test=tuple(test), model=Path("unused"))
    size = build().size
    learned, tested = divided(config, size, quiet)
    people = {"people learned": len(np.unique(learned.names)), "people tested": len(np.unique(tested.names))}
    found: dict[str, dict[str, float]] = {"people": people}
    for loss in ("untrained", *losses):
        seed_everything(config.seed)
        network = build()
        if loss != "untrained":
            step = SiameseStep(network, loss, config.learning_rate)
            for faces, names in islice(batches(learned, config, size, 0), steps):
                step(faces, names)
        vectors = describe(network, tested.faces)
        errors = curve(vectors, tested.names, "euclidean")
        found[loss] = {
            "equal error rate": errors.equal_error[0],
            "accuracy": fair_accuracy(vectors, tested.names, "euclidean"),
            "area under the ROC curve": errors.area,
        }
    return found
