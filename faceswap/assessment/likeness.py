"""Who is in a picture: descriptors of facesets, galleries and frames, for `evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from faceswap.errors import InputError, NoFacesError
from faceswap.faces.faceset import Faceset
from faceswap.faces.sight import Sight
from faceswap.finding import Finder
from faceswap.options import EvaluateConfig, ExtractOptions
from faceswap.quality.identity import Descriptors, cosines, distances, ranks, spread
from faceswap.quality.report import picture
from faceswap.quality.summary import FrameRow
from faceswap.recognizer import BATCH, Recognizer
from faceswap.types import AlignedFace, Image, Pixels
from faceswap.video.images import images_in, read_image

FACES = 24  # of a faceset that stand for its person


def person_of(faces: Sequence[AlignedFace], recognizer: Recognizer) -> Descriptors:
    """The mean descriptor (128,) of a person's faces."""
    mean: Descriptors = recognizer.describe(map(recognizer.chip_of, faces)).mean(0)
    return mean


def faces_of(folder: Path) -> list[AlignedFace]:
    """`FACES` or fewer faces, evenly chosen, of the person with the most faces in a faceset.

    Raises:
        InputError: There is no faceset, or it is damaged.
        NoFacesError: It is empty.
    """
    with Faceset.open(folder) as faceset:
        stored = [face for face in faceset.faces() if face.person == 0]
        if not stored:
            raise NoFacesError(f"there are no faces in {folder}: extract some first")
        return [faceset.load(stored[place]) for place in spread(len(stored), FACES)]


def gallery(folder: Path, recognizer: Recognizer) -> tuple[Descriptors, list[str]]:
    """The people of a gallery.

    Args:
        folder: Each picture in it, and each folder of pictures in it, is a person.
        recognizer: Describes them.

    Returns:
        Their mean descriptors (N, 128), and the pictures without a face, a line each.

    Raises:
        InputError: There is nobody in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give one with pictures of other people")
    people = [[path] for path in images_in(folder)]
    people += [images_in(path) for path in sorted(folder.iterdir()) if path.is_dir()]
    sight, found, problems = Finder(ExtractOptions()).sight(), [], []
    for paths in people:
        chips = {path: _largest(read_image(path), sight, recognizer) for path in paths}
        problems += [f"no face in {path} of the gallery" for path, chip in chips.items() if chip is None]
        seen = [chip for chip in chips.values() if chip is not None]
        if seen:
            found.append(recognizer.describe(seen).mean(0))
    if not found:
        raise InputError(f"there is no face in any picture of {folder}; give pictures of other people")
    return np.stack(found), problems


def _largest(image: Image, sight: Sight, recognizer: Recognizer) -> Image | None:
    """The picture for the network of the largest face, None where there is none."""
    picture = Pixels(image)
    seen = sight.everywhere(picture)
    if not seen:
        return None
    face, _ = sight.face(picture, max(seen, key=lambda sighting: sighting.box.area), 0)
    return recognizer.chip(picture, face.landmarks)


class Collector:
    """Describes pictures that come one by one, a batch at a time."""

    def __init__(self, recognizer: Recognizer) -> None:
        """Begin with none."""
        self._recognizer = recognizer
        self._waiting: list[Image] = []
        self._found: list[Descriptors] = []

    def add(self, chip: Image) -> None:
        """Take a picture that `Recognizer.chip` cut."""
        self._waiting.append(chip)
        if len(self._waiting) == BATCH:
            self._describe()

    def finish(self) -> Descriptors:
        """The descriptors (N, 128) of all of them."""
        self._describe()
        return np.concatenate(self._found)

    def _describe(self) -> None:
        self._found.append(self._recognizer.describe(self._waiting))
        self._waiting = []


class People:
    """Who B is, who A is, and who else there is.

    Attributes:
        b: B's mean descriptor (128,).
        a: A's, None where A is whoever is in the original clip.
        picture: A face of B's, as a data URI.
        problems: Pictures of the gallery that were no use, a line each.
    """

    def __init__(self, config: EvaluateConfig, recognizer: Recognizer) -> None:
        """Describe them.

        Raises:
            InputError: A faceset or the gallery is missing, damaged or shows nobody.
        """
        faces = faces_of(config.identity)
        self.b = person_of(faces, recognizer)
        self.a = person_of(faces_of(config.target), recognizer) if config.target else None
        self.picture = picture(faces[len(faces) // 2].image)
        self._others: Descriptors | None = None
        self.problems: list[str] = []
        if config.gallery:
            self._others, self.problems = gallery(config.gallery, recognizer)

    def judge(self, rows: Sequence[FrameRow], swapped: Descriptors, a: Descriptors) -> None:
        """Enter who the swapped faces are, in rows that each have one.

        Args:
            rows: The frames with a face.
            swapped: (N, 128): the swapped face of each.
            a: A's mean descriptor (128,).
        """
        to_b, to_a, likeness = distances(swapped, self.b), distances(swapped, a), cosines(swapped, self.b)
        places = None if self._others is None else ranks(swapped, self.b, self._others)
        for number, row in enumerate(rows):
            row.values["identity"] = float(to_a[number] - to_b[number])
            row.values["distance"] = float(to_b[number])
            row.values["cosine"] = float(likeness[number])
            if places is not None:
                row.values["rank"] = float(places[number])
            if not row.missed and to_b[number] >= to_a[number]:
                row.missed = "not nearer to B"
            row.values["missed"] = float(bool(row.missed))
