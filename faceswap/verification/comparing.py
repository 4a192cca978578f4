"""Whether two pictures show one person, and who of a gallery a picture shows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceswap.errors import InputError, ModelError, NoFacesError
from faceswap.faces.identity import Identifier
from faceswap.faces.people import Descriptors
from faceswap.finding import Finder
from faceswap.options import ExtractOptions, VerifyConfig
from faceswap.progress import Progress, quiet
from faceswap.recognition import only_face
from faceswap.verification.gallery import cut_face, known
from faceswap.verification.measuring import distances
from faceswap.video.images import read_image

log = logging.getLogger(__name__)

SAME, DIFFERENT = 0, 15  # exit codes
DLIB = 0.6  # the distance that dlib's network was trained to set between the same and another person

Describe = Callable[[Path], Descriptors]


@dataclass(frozen=True)
class VerifyResult:
    """What was found.

    Attributes:
        pictures: What was asked about.
        distance: Between the two, or to the nearest of the gallery.
        threshold: Up to it pictures show one person.
        similarity: How it was measured.
        name: Whom of the gallery the picture is nearest to; empty without a gallery.
    """

    pictures: tuple[Path, ...]
    distance: float
    threshold: float
    similarity: str
    name: str = ""

    @property
    def same(self) -> bool:
        """Whether it is the same person, or one of the gallery."""
        return self.distance <= self.threshold

    @property
    def exit_code(self) -> int:
        """0 for the same person, 15 for another."""
        return SAME if self.same else DIFFERENT

    def __str__(self) -> str:
        """One line."""
        figures = f"{self.similarity} distance {self.distance:.3f}, threshold {self.threshold:.3f}"
        if not self.name:
            return f"{'same person' if self.same else 'different people'}: {figures}"
        return f"{self.name}: {figures}" if self.same else f"nobody of the gallery: {figures} to {self.name}"


def verify(config: VerifyConfig, progress: Progress = quiet) -> VerifyResult:
    """Compare two pictures, or one with those of a gallery.

    Raises:
        DependencyError: A weight file is not installed.
        InputError: A picture is missing or damaged, or shows several people; the gallery holds no picture.
        ModelError: The model is missing, damaged or of another kind.
        NoFacesError: There is nobody in a picture, or in any of the gallery.
    """
    describe, threshold = _network(config)
    first = describe(config.pictures[0])
    if config.gallery is None:
        gap = distances(first, describe(config.pictures[1]), config.similarity)[0, 0]
        return VerifyResult(config.pictures, float(gap), threshold, config.similarity)
    names, others = people_of(config.gallery, describe, progress)
    gaps = distances(first, others, config.similarity)[0]
    nearest = int(gaps.argmin())
    return VerifyResult(config.pictures, float(gaps[nearest]), threshold, config.similarity, names[nearest])


def _network(config: VerifyConfig) -> tuple[Describe, float]:
    """What describes pictures, and its threshold."""
    sight = Finder(ExtractOptions()).sight()
    if config.model is None:
        identifier = Identifier()

        def by_dlib(path: Path) -> Descriptors:
            image = read_image(path)
            return identifier.describe([image], [only_face(image, path, sight).landmarks])

        return by_dlib, config.threshold or DLIB
    from faceswap.verification.learning import opened  # late: it loads Keras

    network, coverage, thresholds = opened(config.model)
    if config.similarity not in thresholds and not config.threshold:
        raise ModelError(f"{config.model} was not tested yet: train it to its end, or give --threshold")

    def describe(path: Path) -> Descriptors:
        crop = cut_face(path, sight, network.size, coverage)
        return np.asarray(network.model(crop[None].astype(np.float32) / 255, training=False))

    return describe, config.threshold or thresholds[config.similarity]


def people_of(folder: Path, describe: Describe, progress: Progress) -> tuple[list[str], Descriptors]:
    """The name and the descriptor of each picture; those without one face are passed over with a warning.

    Raises:
        InputError: There is no such folder, no picture in it, or none that can be used.
        NoFacesError: There is nobody in any picture.
    """
    pictures = known(folder)
    names, rows, nobody = [], [], 0
    for name, path in progress(pictures, total=len(pictures), desc="gallery", unit="picture"):
        try:
            rows.append(describe(path)[0])
            names.append(name)
        except InputError as error:
            nobody += isinstance(error, NoFacesError)
            log.warning("passed over: %s", error)
    if not rows:
        kind = NoFacesError if nobody == len(pictures) else InputError
        raise kind(f"there is nobody in the gallery {folder}: give it pictures with a face each")
    return names, np.stack(rows)
