"""Who each face of a faceset is, for all of them: by the Keras network, in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.extraction import Finder
from faceswap.faces.alignment import transform
from faceswap.faces.faceset import Faceset
from faceswap.faces.index import StoredFace
from faceswap.faces.weights import RESNET, weight_file
from faceswap.networks.identity import LENGTH, SIZE, build_identity, chip_matrix
from faceswap.options import ExtractOptions
from faceswap.progress import Progress
from faceswap.recognition import describe_pictures
from faceswap.threads import ahead
from faceswap.types import Image, Points

Descriptors = NDArray[np.float32]

BATCH = 32  # faces in one go of the network


def describe(faceset: Faceset, faces: Sequence[StoredFace], progress: Progress) -> Descriptors:
    """The descriptor of each face, float32 (N, 128).

    Raises:
        DependencyError: The weight file is not installed.
        InputError: A picture cannot be read.
    """

    def chips() -> Iterator[Image]:
        for face in faces:
            yield _chip(faceset.load(face).image, transform(face.face.landmarks, face.alignment.matrix))

    with closing(ahead(chips(), 2 * BATCH)) as made:
        return _descriptors(progress(made, total=len(faces), desc="who they are", unit="face"))


def describe_references(paths: Sequence[Path], faceset: Faceset) -> Descriptors:
    """The descriptor of the face in each picture, float32 (N, 128).

    Faces are found as they were for the faceset, but for their size.

    Raises:
        InputError: A picture is missing or damaged, or shows several people.
        NoFacesError: There is nobody in one.
    """
    known = {field.name for field in fields(ExtractOptions)} - {"min_face"}
    settings: dict[str, Any] = {k: value for k, value in faceset.settings.items() if k in known}
    return describe_pictures(paths, Finder(ExtractOptions(**settings)).sight())


def _chip(image: Image, landmarks: Points) -> Image:
    """The picture that the network takes, BGR uint8 (150, 150, 3)."""
    matrix = chip_matrix(landmarks)
    size = (SIZE, SIZE)
    chip = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(chip, np.uint8)


def _descriptors(chips: Iterable[Image]) -> Descriptors:
    """The network over all chips, in batches of one size, so that it is traced once."""
    network = build_identity(weight_file(RESNET))
    found: list[Descriptors] = []
    batch = np.zeros((BATCH, SIZE, SIZE, 3), np.float32)
    filled = 0
    for chip in chips:
        batch[filled] = chip
        filled += 1
        if filled == BATCH:
            found.append(np.asarray(network.predict_on_batch(batch / 255)))
            filled = 0
    if filled:
        found.append(np.asarray(network.predict_on_batch(batch / 255))[:filled])
    return np.concatenate([np.empty((0, LENGTH), np.float32), *found])
