"""Seeing the faces of one picture: anywhere, near their last place, leaning, or from the side."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

from faceswap.faces import turning
from faceswap.types import Box, Face, Image, Picture, Points

SAME = 0.3  # intersection over union from which two boxes are the same face
MARGIN = 0.4  # how far past its last box a face is looked for, in box sides
CROP_FACE = 100  # pixels: about a face's side while it is followed; HOG needs 80
SMALLEST = 80  # pixels, in that crop
PYRAMID = 6 / 5  # HOG's sizes; crops are scaled by its powers, so that boxes are those of the whole frame
SHARE = 0.1  # of the frame's shorter side: the smallest face looked for, unless it is given
LEAST = 40  # pixels: nor is a smaller one
SMALLEST_REGION = 8  # pixels: less of a frame is not searched
LEANING = math.radians(25)  # from here on a face is turned upright before it is looked at; HOG sees up to 30
LARGEST = 512  # pixels: side of the square in which that is done
EYES = (slice(36, 42), slice(42, 48))  # of the 68 points: the person's right and left eye


class Detector(Protocol):
    """What finds faces in a picture.

    Attributes:
        colour: Whether it wants BGR (height, width, 3) or grey (height, width).
    """

    colour: bool

    def detect(self, image: Image, min_face: float) -> list[tuple[Box, float]]:
        """Boxes and scores of the faces of `min_face` pixels or more in a uint8 array."""
        ...


class Landmarker(Protocol):
    """What finds the points of a face."""

    def locate(self, picture: Picture, box: Box) -> Points:
        """The 68 points of the face in `box`, pixels of the picture."""
        ...


@dataclass(frozen=True)
class Sighting:
    """Where a face was seen.

    Attributes:
        box: About where, upright, in pixels of the frame.
        score: The detector's confidence.
        angle: How far it leans, radians clockwise; 0 up to `LEANING`.
        helped: It was seen by the helper.
    """

    box: Box
    score: float
    angle: float = 0.0
    helped: bool = False


class Sight:
    """A detector and a landmarker, and the ways in which they are used."""

    def __init__(
        self,
        detector: Detector,
        landmarker: Landmarker,
        min_face: int,
        rotate: int = 0,
        helper: Sight | None = None,
    ) -> None:
        """Keep them.

        Args:
            detector: Finds boxes.
            landmarker: Finds points.
            min_face: Smallest face looked for in a whole frame, pixels; 0 for `SHARE` of the frame.
            rotate: Degrees; where nobody is seen, the picture is turned by multiples of it. 0: it is not.
            helper: Sees what this one does not, such as profiles.
        """
        self._detector, self._landmarker, self._min_face = detector, landmarker, min_face
        self._angles = [math.radians(angle) for angle in range(rotate, 360, rotate)] if rotate else []
        self._helper = helper

    def everywhere(self, picture: Picture, place: Box | None = None) -> list[Sighting]:
        """The faces of a whole frame, or the upright ones in a rectangle of it and near that."""
        found = self._upright(picture, place)
        if not found and self._angles and place is None:
            turns = [self._leaning(picture, angle) for angle in self._angles]
            found = max(turns, key=lambda seen: max((s.score for s in seen), default=-math.inf))
        if self._helper:
            known = [sighting.box for sighting in found]
            more = [
                s for s in self._helper._upright(picture, place) if all(s.box.iou(b) < SAME for b in known)
            ]
            found += [replace(sighting, helped=True) for sighting in more]
        return found

    def near(self, picture: Picture, last: Sighting) -> Sighting | None:
        """The face nearest to where it was last, searched for around there only."""
        found = self._turned(picture, last) if last.angle else self._around(picture, last.box)
        best = max(found, key=lambda sighting: sighting.box.iou(last.box), default=None)
        if best is not None and best.box.iou(last.box) >= SAME:
            return best
        helped = self._helper.near(picture, last) if self._helper else None
        return replace(helped, helped=True) if helped else None

    def face(self, picture: Picture, seen: Sighting, track: int) -> tuple[Face, Sighting]:
        """The points of a face, and where to look for it next."""
        landmarker = self._helper._landmarker if seen.helped and self._helper else self._landmarker
        if seen.angle:
            turned, box = turning.around(picture, seen.box, seen.angle, 1 + 2 * MARGIN, LARGEST)
            points = turned.back(landmarker.locate(turned, box))
        else:
            points = landmarker.locate(picture, seen.box)
        right, left = (points[eye].mean(0) for eye in EYES)
        lean = math.atan2(float(left[1] - right[1]), float(left[0] - right[0]))
        next_time = replace(seen, angle=lean if abs(lean) > LEANING else 0.0)
        return Face(seen.box, points, seen.score, track), next_time

    def _upright(self, picture: Picture, place: Box | None = None) -> list[Sighting]:
        """The upright faces of a whole picture, or of a rectangle with the smallest face's side around it."""
        side = min(picture.width, picture.height)
        smallest = self._min_face or max(side * SHARE, LEAST)
        place = Box(0, 0, picture.width, picture.height) if place is None else place.grown(smallest)
        return self._detect(picture, place, smallest)

    def _leaning(self, picture: Picture, angle: float) -> list[Sighting]:
        """The faces of a whole picture that lean by `angle`."""
        turned = turning.whole(picture, angle)
        lean = math.remainder(angle, math.tau)
        return [replace(s, box=turned.there(s.box), angle=lean) for s in self._upright(turned)]

    def _around(self, picture: Picture, box: Box) -> list[Sighting]:
        """The upright faces around a box."""
        return self._detect(picture, box.grown(MARGIN * box.width), _smallest(box))

    def _turned(self, picture: Picture, last: Sighting) -> list[Sighting]:
        """The faces around a sighting that lean as it did."""
        turned, box = turning.around(picture, last.box, last.angle, 1 + 2 * MARGIN, LARGEST)
        found = self._detect(turned, Box(0, 0, turned.width, turned.height), _smallest(box))
        return [replace(s, box=turned.there(s.box), angle=last.angle) for s in found]

    def _detect(self, picture: Picture, place: Box, min_face: float) -> list[Sighting]:
        """The faces within a rectangle, in pixels of the picture."""
        left, top = max(int(place.left), 0), max(int(place.top), 0)
        right, bottom = min(int(place.right), picture.width), min(int(place.bottom), picture.height)
        if min(right - left, bottom - top) < SMALLEST_REGION:
            return []
        if self._detector.colour:
            image = picture.region(left, top, right, bottom)
        else:
            image = picture.grey()[top:bottom, left:right]
        return [
            Sighting(Box(b.left + left, b.top + top, b.right + left, b.bottom + top), score)
            for b, score in self._detector.detect(image, min_face)
        ]


def _smallest(box: Box) -> float:
    """The smallest face looked for around a box: the box is `CROP_FACE` pixels then, as nearly as may be."""
    return SMALLEST * PYRAMID ** round(math.log(max(box.width, 1.0) / CROP_FACE, PYRAMID))
