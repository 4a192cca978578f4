"""Blinks of the frame's face on the drawn one.

A clip shows few blinks, and in a picture of 128 pixels lids are a line: a network that was trained for
minutes draws open eyes whatever the frame's do. How far those are open is told by their landmarks: the height
of an eye over its width (Soukupova and Cech, "Real-time eye blink detection using facial landmarks", CVWW
2016). Where it falls well below what is usual for the person, the drawn lids are brought down as far, unless
the network has shut them already.

Landmarks of drawn eyes are too inexact for that. But where the eyes lie in pictures of the person is known
better, and so is what the network makes of these: the renditions of their eyes are sought in the drawn face,
and the landmarks of those most like it are moved to where they were found.

Measured on clips of five people: open eyes are at 0.8 to 1.1 of their usual height, shut ones at 0.3 to 0.6.
Landmarks read some shut eyes as 0.75; those are only lowered by a little.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from faceswap.blending.lids import EYES, shut
from faceswap.blending.paste import enlarge
from faceswap.faces.index import StoredFace
from faceswap.faces.sight import Landmarker
from faceswap.faces.template import detected
from faceswap.faces.traits import AWAKE, eye_opening, usual_opening
from faceswap.types import Floats, Grey, Image, Pixels, Points, without_mask

SHUT = 0.5  # of the usual height of an eye: from `AWAKE` to there a lid comes down
WIDE = 0.9  # of the usual: pictures whose eyes are open so far are looked for
AROUND = (0.8, 0.6, 0.5)  # of an eye's width: how far aside, above and below its middle it is compared
REACH = 10  # pixels it may have moved
LIKELY = 10  # the most alike at half size, which alone are sought at full size
BEST = 5  # the most alike, whose landmarks are taken in the mean


@dataclass(frozen=True)
class _Eye:
    """What the network makes of an open eye: its grey pixels, where they begin, the face's landmarks."""

    patch: Grey
    left: int
    top: int
    points: Points

    @cached_property
    def halved(self) -> Grey:
        """The pixels at half size."""
        return _halved(self.patch)


class Blinks:
    """Brings the lids of drawn faces down where the frame's are."""

    def __init__(
        self,
        faces: Iterable[StoredFace],
        pictures: Image,
        renditions: Image,
        landmarker: Landmarker,
        coverage: float,
    ) -> None:
        """Learn what is usual of the frames' faces.

        Args:
            faces: Those that are swapped.
            pictures: BGR uint8 (N, side, side, 3) of who is drawn, cut as the network's pictures are.
            renditions: What the network makes of these, uint8 (N, size, size, 4).
            landmarker: Finds the features of all.
            coverage: What the network was trained with.
        """
        self._landmarker, self._coverage = landmarker, coverage
        self._pictures, self._renditions = pictures, renditions
        known: dict[int, list[Points]] = {}
        for face in faces:
            known.setdefault(face.person, []).append(face.face.landmarks)
        self._usual = {person: usual_opening(found) for person, found in known.items()}

    def closed(self, face: StoredFace) -> float:
        """How far a frame's face has its eyes shut, 0 to 1."""
        return _closed(eye_opening(face.face.landmarks), self._usual[face.person])

    def follow(self, closed: float, made: Image, picture: Floats) -> Floats:
        """A drawn face with its eyes shut as far as a frame's.

        Args:
            closed: How far those are, more than 0, to 1.
            made: As the network drew it, uint8 (size, size, 4).
            picture: With all detail, BGR float32 (side, side, 3), about 0 to 1.
        """
        seen = self._points(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
        missing = closed - _closed(eye_opening(seen), self._drawn[0])
        points = self._found(made, picture.shape[0]) if missing > 0 else None
        return picture if points is None else shut(picture, points, missing)

    @cached_property
    def _drawn(self) -> tuple[float, tuple[list[_Eye], ...]]:
        """How far the eyes of who is drawn are open usually, and how open ones are drawn, right and left.

        Found out when the first eye is to be shut, which keeps one core busy for a quarter of a second.
        """
        points = [self._points(picture) for picture in self._pictures]
        usual = usual_opening(points)
        both: tuple[list[_Eye], ...] = ([], [])
        for one, rendition in zip(points, self._renditions, strict=True):
            if eye_opening(one) >= WIDE * usual:
                grey = _grey(rendition, self._pictures.shape[1])
                for eyes, (upper, lower, _) in zip(both, EYES, strict=True):
                    eyes += _cut_out(grey, one, one[[*upper, *lower]])
        return usual, both

    def _points(self, picture: Image) -> Points:
        return self._landmarker.locate(Pixels(picture), detected(picture.shape[0], self._coverage))

    def _found(self, made: Image, side: int) -> Points | None:
        """The landmarks of both eyes and brows of a drawn face; those of the rest mean nothing."""
        grey, points = _grey(made, side), np.zeros((68, 2), np.float32)
        small = _halved(grey)
        for eyes, parts in zip(self._drawn[1], EYES, strict=True):  # lids and brow
            likely = sorted(eyes, key=lambda eye: -float(_likeness(small, eye.halved, eye, 2).max()))[:LIKELY]
            matches = sorted((_sought(grey, eye) for eye in likely), key=lambda match: -match[0])
            if not matches:
                return None
            for part in parts:
                points[part] = np.mean([moved[part] for _, moved in matches[:BEST]], axis=0)
        return points


def _closed(opening: float, usual: float) -> float:
    return float(np.clip((AWAKE - opening / max(usual, 1e-6)) / (AWAKE - SHUT), 0, 1))


def _grey(made: Image, side: int) -> Grey:
    return np.asarray(cv2.cvtColor(enlarge(without_mask(made), side), cv2.COLOR_BGR2GRAY), np.uint8)


def _cut_out(grey: Grey, points: Points, eye: Points) -> Sequence[_Eye]:
    """An eye of a rendition, if it is whole in it with all that it may have moved."""
    (x, y), wide = eye.mean(0), np.ptp(eye[:, 0])
    aside, above, below = (share * wide for share in AROUND)
    left, top, right, bottom = (round(float(v)) for v in (x - aside, y - above, x + aside, y + below))
    side = grey.shape[0] - REACH
    if min(left, top) < REACH or max(right, bottom) > side or right - left < REACH or bottom <= top:
        return ()
    return (_Eye(grey[top:bottom, left:right], left, top, points),)


def _sought(grey: Grey, eye: _Eye) -> tuple[float, Points]:
    """How alike the likest place around is, -1 to 1, and the eye's landmarks moved there."""
    scores = _likeness(grey, eye.patch, eye, 1)
    _, best, _, (column, row) = cv2.minMaxLoc(scores)
    move = (column + _peak(scores[row], column) - REACH, row + _peak(scores[:, column], row) - REACH)
    return best, np.asarray(eye.points + np.array(move, np.float32), np.float32)


def _likeness(grey: Grey, patch: Grey, eye: _Eye, step: int) -> Floats:
    """How alike an eye's patch is to each place around, -1 to 1; all at a `step`-th of the size."""
    height, width = patch.shape
    top, left, reach = eye.top // step, eye.left // step, REACH // step
    area = grey[top - reach : top + height + reach, left - reach : left + width + reach]
    return np.asarray(cv2.matchTemplate(area, patch, cv2.TM_CCOEFF_NORMED), np.float32)


def _halved(grey: Grey) -> Grey:
    return np.asarray(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def _peak(scores: Floats, at: int) -> float:
    """How far from a highest score the parabola through it and its neighbours is highest, -0.5 to 0.5."""
    if not 0 < at < len(scores) - 1:
        return 0.0
    before, here, after = map(float, scores[at - 1 : at + 2])
    return 0.5 * (before - after) / min(before - 2 * here + after, -1e-9)
