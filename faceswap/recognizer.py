"""Describing many faces: dlib's face recognition network as Keras has it, in batches.

Loading it takes some seconds and hundreds of MB; for a few faces see `faces.identity`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice

import numpy as np

from faceswap.faces.alignment import cut, transform
from faceswap.faces.faceset import Faceset
from faceswap.faces.index import StoredFace
from faceswap.faces.people import Descriptors
from faceswap.faces.weights import RESNET, weight_file
from faceswap.networks.identity import LENGTH, SIZE, build_identity, chip_matrix
from faceswap.progress import Progress
from faceswap.threads import ahead
from faceswap.types import AlignedFace, Alignment, Image, Picture, Pixels, Points

BATCH = 32  # pictures that go through the network together


class Recognizer:
    """The network, and how its pictures are cut."""

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            DependencyError: The weight file is not installed.
        """
        self._network = build_identity(weight_file(RESNET))

    def chip(self, picture: Picture, landmarks: Points) -> Image:
        """The picture of a face that the network takes, from its 68 landmarks in a picture."""
        return cut(picture, Alignment(chip_matrix(landmarks), SIZE, 1.0))

    def chip_of(self, face: AlignedFace) -> Image:
        """The picture that the network takes, from a faceset's crop."""
        return self.chip(Pixels(face.image), transform(face.face.landmarks, face.alignment.matrix))

    def describe(self, chips: Iterable[Image]) -> Descriptors:
        """The descriptors (N, 128) of pictures that `chip` cut; one size of batch, so it is traced once."""
        found, remaining = [np.empty((0, LENGTH), np.float32)], iter(chips)
        while batch := list(islice(remaining, BATCH)):
            pictures = np.zeros((BATCH, SIZE, SIZE, 3), np.float32)
            pictures[: len(batch)] = np.stack(batch)
            found.append(np.asarray(self._network.predict_on_batch(pictures / 255))[: len(batch)])
        return np.concatenate(found)


def describe_faces(faceset: Faceset, faces: Sequence[StoredFace], progress: Progress) -> Descriptors:
    """The descriptor of each face of a faceset, float32 (N, 128).

    Raises:
        DependencyError: The weight file is not installed.
        InputError: A picture cannot be read.
    """
    recognizer = Recognizer()

    def chips() -> Iterator[Image]:
        for face in faces:
            yield recognizer.chip_of(faceset.load(face))

    with closing(ahead(chips(), 2 * BATCH)) as made:
        return recognizer.describe(progress(made, total=len(faces), desc="who they are", unit="face"))
