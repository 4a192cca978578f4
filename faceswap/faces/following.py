"""The faces of successive frames, those missed at first too."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from faceswap.faces.gaps import GapFiller
from faceswap.faces.sight import Sighting
from faceswap.faces.tracking import Tracker
from faceswap.types import Face, Frame

STRIDE = 4  # a face that is followed is searched for in every fourth frame; its points are found in all
CALM = 0.8  # intersection over union with where it was `STRIDE` frames ago, up to which this is enough

Found = Iterator[tuple[Frame, Face]]


class Follower:
    """Follows the faces of one segment; gives each with its frame, not always in the order of the frames."""

    def __init__(self, tracker: Tracker, look_around: int) -> None:
        """Begin with no face known.

        Args:
            tracker: Tells who is who.
            look_around: Frames in which who is found newly is traced back; 0 for pictures that do not follow
                one another in time.
        """
        self._tracker = tracker
        self._gaps = GapFiller()
        self._through_time = look_around > 0
        self._waiting: list[Frame] = []
        self._recent: deque[Frame] = deque(maxlen=look_around)

    def begins_scene(self, frame: Frame) -> bool:
        """Look at the next frame only as to whether a scene begins with it."""
        return self._tracker.is_cut(frame.picture)

    def faces(self, frame: Frame, cut: bool) -> Found:
        """The faces known of the next frame and earlier ones; `cut` is what `begins_scene` said of it."""
        if cut or not self._through_time:
            yield from self.rest()
            self._tracker.forget()
            self._recent.clear()
        self._waiting.append(frame)
        if len(self._waiting) >= STRIDE or not self._tracker.is_calm():
            yield from self._catch_up()

    def rest(self) -> Found:
        """The faces of the frames that are still waited with."""
        waiting, self._waiting = self._waiting, []
        for frame in waiting:
            yield from self._look(frame)

    def _catch_up(self) -> Found:
        """Look at the last frame that is waited with, then at those before it."""
        *skipped, frame = self._waiting
        self._waiting = []
        before = self._tracker.last
        faces = self._tracker.find(frame.picture, len(skipped) + 1)
        after = self._tracker.last
        for track, old in before.items():
            new = after.get(track)
            if new is not None and old.box.iou(new.box) >= CALM:
                between = self._between(skipped, old, new, track)
            else:
                between = self._after(skipped, old, track)
            for earlier, face in between:
                yield from self._enter(earlier, face)
        self._recent.extend(skipped)
        for face in faces:
            yield from self._enter(frame, face)
        self._recent.append(frame)

    def _look(self, frame: Frame) -> Found:
        for face in self._tracker.find(frame.picture):
            yield from self._enter(frame, face)
        self._recent.append(frame)

    def _between(self, frames: list[Frame], old: Sighting, new: Sighting, track: int) -> Found:
        """A face in the frames between two sightings, its points found where it should be."""
        for number, frame in enumerate(frames, 1):
            there = replace(new, box=old.box.towards(new.box, number / (len(frames) + 1)))
            yield frame, self._tracker.sight.face(frame.picture, there, track)[0]

    def _after(self, frames: list[Frame], last: Sighting, track: int) -> Found:
        """A face in the frames after a sighting, searched for in each, as long as it is seen."""
        for frame in frames:
            found = self._tracker.sight.near(frame.picture, last)
            if found is None:
                return
            face, last = self._tracker.sight.face(frame.picture, found, track)
            yield frame, face

    def _enter(self, frame: Frame, face: Face) -> Found:
        """A face, and where it was in earlier frames as follows from it."""
        if self._gaps.is_new(face):
            before = list(reversed(self._recent))
            pictures = (old.picture for old in before)
            yield from zip(before, self._tracker.trace_back(face, pictures), strict=False)
        yield from self._gaps.fill(frame, face, self._recent)
        yield frame, face
