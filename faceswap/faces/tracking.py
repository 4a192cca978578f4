"""Finding the faces of successive frames: near their last place first, in the whole frame when needed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol

from faceswap.faces.cuts import CutDetector
from faceswap.faces.gaps import GAP
from faceswap.types import Box, Face, Image, Picture, Points

SAME = 0.3  # intersection over union from which two boxes are the same face
MARGIN = 0.4  # how far past its last box a face is looked for, in box sides
CROP_FACE = 100  # pixels: about a face's side while it is followed; HOG needs 80
SMALLEST = 80  # pixels, in that crop
PYRAMID = 6 / 5  # HOG's sizes; crops are scaled by its powers, so that boxes are those of the whole frame
SHARE = 0.1  # of the frame's shorter side: the smallest face looked for, unless it is given
LEAST = 40  # pixels: nor is a smaller one
ALONE = 5  # frames between two searches of the whole frame while nobody is in sight
SMALLEST_REGION = 8  # pixels: less of a frame is not searched


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


class Tracker:
    """Follows faces through the frames of one segment.

    The whole frame is searched at the start of a scene, when a followed face is lost, and every `look_around`
    frames for people who came in, who are then traced back to where they did. In between, each face is
    searched for around its last place only.
    """

    def __init__(self, detector: Detector, landmarker: Landmarker, min_face: int, look_around: int):
        """Begin with no face known.

        Args:
            detector: Finds boxes.
            landmarker: Finds points.
            min_face: Smallest face looked for in the whole frame, pixels; 0 for `SHARE` of the frame.
            look_around: Frames between two searches of the whole frame.
        """
        self._detector, self._landmarker = detector, landmarker
        self._min_face, self._look_around = min_face, look_around
        self._last: list[tuple[Box, int]] = []
        self._lost: list[tuple[Box, int, int]] = []
        self._cuts = CutDetector()
        self._next_id = 0
        self._age: int | None = None  # frames since the whole frame was searched; None at a scene's start

    def begins_scene(self, picture: Picture) -> bool:
        """Look whether a scene begins with the next frame; if so, nobody is followed into it."""
        cut = self._cuts.is_cut(picture)
        if cut:
            self._last, self._lost, self._age = [], [], None
        return cut

    def find(self, picture: Picture) -> list[Face]:
        """The faces of the next frame, with the track each belongs to."""
        followed = [(self._follow(picture, box), track) for box, track in self._last]
        known = [(found, track) for found, track in followed if found is not None]
        lost = len(known) < len(self._last) or bool(self._lost)
        patience = self._look_around if self._last else min(self._look_around, ALONE)
        if self._age is None or lost or self._age >= patience:
            found = self._merge(known, self._search(picture))
            self._age = 0
        else:
            found = self._merge(known, [])
        self._age += 1
        self._remember(found)
        return [Face(box, self._landmarker.locate(picture, box), score, track) for box, score, track in found]

    def trace_back(self, face: Face, pictures: Iterable[Picture]) -> list[Face]:
        """Where a face that was just found was before.

        Args:
            face: The face in the present frame.
            pictures: The frames before it, the latest first.

        Returns:
            The face in these frames, the latest first, as far back as it is seen.
        """
        box, faces = face.box, []
        for picture in pictures:
            found = self._follow(picture, box)
            if found is None:
                break
            box, score = found
            faces.append(Face(box, self._landmarker.locate(picture, box), score, face.track_id))
        return faces

    def _remember(self, found: list[tuple[Box, float, int]]) -> None:
        """Keep where everyone is, and for a few frames where those were who are gone."""
        there = {track for _, _, track in found}
        missing = [(box, track, age + 1) for box, track, age in self._lost]
        missing += [(box, track, 1) for box, track in self._last]
        self._lost = [item for item in missing if item[1] not in there and item[2] <= GAP]
        self._last = [(box, track) for box, _, track in found]

    def _follow(self, picture: Picture, box: Box) -> tuple[Box, float] | None:
        """The face nearest to its last place, searched for around it only."""
        margin = MARGIN * box.width
        around = Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)
        step = round(math.log(box.width / CROP_FACE, PYRAMID))
        found = self._detect(picture, around, SMALLEST * PYRAMID**step)
        near = [(b, score) for b, score in found if b.iou(box) >= SAME]
        return max(near, key=lambda item: item[0].iou(box), default=None)

    def _search(self, picture: Picture) -> list[tuple[Box, float]]:
        """The faces of the whole frame."""
        side = min(picture.width, picture.height)
        whole = Box(0, 0, picture.width, picture.height)
        return self._detect(picture, whole, self._min_face or max(side * SHARE, LEAST))

    def _detect(self, picture: Picture, around: Box, min_face: float) -> list[tuple[Box, float]]:
        """The faces within a rectangle, in pixels of the frame."""
        left, top = max(int(around.left), 0), max(int(around.top), 0)
        right, bottom = min(int(around.right), picture.width), min(int(around.bottom), picture.height)
        if min(right - left, bottom - top) < SMALLEST_REGION:
            return []
        if self._detector.colour:
            image = picture.region(left, top, right, bottom)
        else:
            image = picture.grey()[top:bottom, left:right]
        found = self._detector.detect(image, min_face)
        return [
            (Box(b.left + left, b.top + top, b.right + left, b.bottom + top), score) for b, score in found
        ]

    def _merge(
        self, known: list[tuple[tuple[Box, float], int]], seen: list[tuple[Box, float]]
    ) -> list[tuple[Box, float, int]]:
        """Faces followed and faces seen anew, each person once; the lost keep their number if near."""
        merged: list[tuple[Box, float, int]] = []
        for (box, score), track in known:
            if all(box.iou(other) < SAME for other, _, _ in merged):
                merged.append((box, score, track))
        lost = [(box, track) for box, track in self._last if all(track != t for _, _, t in merged)]
        lost += [(box, track) for box, track, _ in self._lost]
        for box, score in seen:
            if any(box.iou(other) >= SAME for other, _, _ in merged):
                continue
            again = next((item for item in lost if item[0].iou(box) >= SAME), None)
            if again:
                lost.remove(again)
                merged.append((box, score, again[1]))
            else:
                merged.append((box, score, self._next_id))
                self._next_id += 1
        return merged
