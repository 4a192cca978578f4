"""Faces in an order: listed, or shown so by the names of their pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.curation.references import describe_references
from faceswap.errors import InputError, UsageError
from faceswap.faces.faceset import Faceset
from faceswap.faces.index import StoredFace
from faceswap.faces.people import Descriptors
from faceswap.faces.renaming import rank, unrank
from faceswap.faces.similar import groups, hashes
from faceswap.options import FacesSortConfig
from faceswap.progress import Progress, quiet
from faceswap.recognizer import describe_faces
from faceswap.types import Image
from faceswap.warping import scale_of

DUPLICATE = 10  # bits of 256 in which faces of one group differ; more than `clean` drops, to look at
CHUNK = 1024  # faces compared with all others at a time

Values = NDArray[np.float64]
Order = NDArray[np.intp]


@dataclass(frozen=True)
class SortResult:
    """Faces in an order.

    Attributes:
        by: What they are sorted by.
        files: Name and value of each, in order; the names are those after renaming.
        renamed: How many pictures have another name than before.
    """

    by: str
    files: tuple[tuple[str, float], ...]
    renamed: int

    def __str__(self) -> str:
        """A line for each face: its picture and the value."""
        lines = [f"{name}  {value:.4g}" for name, value in self.files]
        return "\n".join([*lines, f"{len(self.files)} faces by {self.by}, {self.renamed} renamed"])


def faces_sort(config: FacesSortConfig, progress: Progress = quiet) -> SortResult:
    """Put the faces in an order; name their pictures so if asked to.

    Sharpness, size, brightness: the most first. Yaw: from the left of the picture to its right; pitch: from
    down to up; roll: from counter-clockwise to clockwise. Hue: from -180 to 180 degrees, red in the middle.
    Similarity: the nearest identity first; dissimilarity: the one furthest from all others first. Duplicates:
    those that look alike side by side, the largest group first; the value is the number of the group. Time:
    by source and frame.

    Raises:
        UsageError: References for another order than similarity.
        InputError: There is no faceset, it is empty, or a picture cannot be read.
        OutputError: The pictures cannot be renamed.
    """
    if config.reference and config.by != "similarity":
        raise UsageError(f"--reference is for --by similarity, not --by {config.by}")
    with Faceset.open(config.faceset) as faceset:
        faces = faceset.faces()
        if not faces:
            raise InputError(f"{config.faceset} has no faces: extract a clip that shows some")
        values, order = _sorted(config, faceset, faces, progress)
        order = order[::-1] if config.reverse else order
        renamed: dict[str, str] = {}
        if config.rename:
            in_order = [faces[place] for place in order.tolist()]
            as_written = config.by == "time" and not config.reverse
            renamed = unrank(faceset, in_order) if as_written else rank(faceset, in_order)
    names = [renamed.get(face.file, face.file) for face in faces]
    files = tuple((names[place], float(values[place])) for place in order.tolist())
    return SortResult(config.by, files, len(renamed))


def _sorted(
    config: FacesSortConfig, faceset: Faceset, faces: Sequence[StoredFace], progress: Progress
) -> tuple[Values, Order]:
    """The value of each face, and the places of the faces in order."""
    if config.by == "duplicates":
        return _by_group(faceset, faces, progress)
    if config.by == "time":
        return np.array([face.frame_index for face in faces], np.float64), np.arange(len(faces))
    if config.by in _TRAITS:
        measure, sign = _TRAITS[config.by]
        values = np.array([measure(face) for face in faces], np.float64)
    elif config.by == "hue":
        shown = progress(faces, desc="hue", unit="face")
        values, sign = np.array([hue(faceset.load(face).image, face.mask) for face in shown]), 1
    else:
        who, sign = describe_faces(faceset, faces, progress), 1
        if config.by == "similarity":
            like = describe_references(config.reference, faceset) if config.reference else who
            values = np.linalg.norm(who - like.mean(0), axis=1)
        else:
            values, sign = mean_distances(who), -1
    return values, np.argsort(sign * values, kind="stable")


def _by_group(faceset: Faceset, faces: Sequence[StoredFace], progress: Progress) -> tuple[Values, Order]:
    """The number of each face's group of look-alikes, and an order that has the largest group first."""
    pictures = (faceset.load(face).image for face in progress(faces, desc="duplicates", unit="face"))
    leader, away = groups(hashes(pictures), np.arange(len(faces)), DUPLICATE)
    sizes = np.bincount(leader, minlength=len(faces))[leader]
    order = np.lexsort([away, leader, -sizes])
    numbers = np.empty(len(faces))
    begins = np.diff(leader[order], prepend=-1) != 0
    numbers[order] = np.cumsum(begins) - 1
    return numbers, order


def extent(face: StoredFace) -> float:
    """How large a face is in its frame, pixels from ear to ear."""
    scale = scale_of(face.alignment.matrix)
    return face.alignment.size / face.alignment.coverage / max(scale, 1e-9)


def hue(image: Image, mask: Image) -> float:
    """The mean hue of a face, weighted by how strong its colour is.

    Args:
        image: BGR uint8 (size, size, 3).
        mask: uint8 (size, size), not 0 on the face.

    Returns:
        Degrees, -180 to 180: 0 is red, 60 yellow, -120 blue.
    """
    turns, strength, _ = cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2HSV_FULL))
    inside = mask > 0 if mask.any() else np.ones(mask.shape, np.bool_)
    angles = turns[inside] * (2 * np.pi / 256)
    mean = (strength[inside] * np.exp(1j * angles)).sum()
    return float(np.degrees(np.angle(mean)))


def mean_distances(who: Descriptors) -> Values:
    """The mean distance of each descriptor to all others, (N,)."""
    who64 = who.astype(np.float64)  # in 32 bits a descriptor is 0.001 from itself
    squares = (who64**2).sum(1)
    sums = np.empty(len(who))
    for start in range(0, len(who), CHUNK):
        rows = slice(start, start + CHUNK)
        gaps = squares[rows, None] + squares - 2 * (who64[rows] @ who64.T)
        sums[rows] = np.sqrt(np.maximum(gaps, 0)).sum(1)
    return sums / max(len(who) - 1, 1)


# What to measure, and whether the most (-1) or the least (1) comes first.
_TRAITS: dict[str, tuple[Callable[[StoredFace], float], int]] = {
    "sharpness": (lambda face: face.traits.sharpness, -1),
    "yaw": (lambda face: face.traits.yaw, 1),
    "pitch": (lambda face: face.traits.pitch, 1),
    "roll": (lambda face: face.traits.roll, 1),
    "size": (extent, -1),
    "brightness": (lambda face: face.traits.brightness, -1),
}
