"""Following the faces of successive frames: near their last place first, in the whole frame when needed."""

from __future__ import annotations

from collections.abc import Iterable

from faceswap.faces.changes import Changes
from faceswap.faces.gaps import GAP
from faceswap.faces.sight import SAME, Sight, Sighting
from faceswap.types import Face, Picture

ALONE = 5  # frames between two searches of the whole frame while nobody is in sight
WHOLE = 96  # frames between two searches of all of it while somebody is in sight


class Tracker:
    """Follows faces through the frames of one segment.

    The whole frame is searched at the start of a scene, when a followed face is lost, and every `WHOLE`
    frames; every `look_around` frames what has moved in it is, for people who came in, who are then traced
    back to where they did. In between, each face is searched for around its last place only.

    Attributes:
        sight: Sees faces.
    """

    def __init__(self, sight: Sight, look_around: int) -> None:
        """Begin with no face known.

        Args:
            sight: Sees faces.
            look_around: Frames between two searches for people who came in.
        """
        self.sight, self._look_around = sight, look_around
        self._last: list[tuple[Sighting, int]] = []
        self._lost: list[tuple[Sighting, int, int]] = []
        self._changes = Changes()
        self._next_id = 0
        self._age: int | None = None  # frames since the last search for new people; None at a scene's start
        self._whole = 0  # and since that of the whole frame

    @property
    def last(self) -> dict[int, Sighting]:
        """Where each track was in the last frame."""
        return {track: seen for seen, track in self._last}

    def is_cut(self, picture: Picture) -> bool:
        """Look at the next frame only as to whether a scene begins with it."""
        return self._changes.is_cut(picture)

    def forget(self) -> None:
        """Follow nobody into the next frame."""
        self._last, self._lost, self._age = [], [], None

    def is_calm(self) -> bool:
        """Whether somebody is followed and nobody was just lost."""
        return bool(self._last) and not self._lost

    def find(self, picture: Picture, passed: int = 1) -> list[Face]:
        """The faces of a frame, with the track each belongs to.

        Args:
            picture: The frame.
            passed: How many frames after the one that was searched last.
        """
        self._age, self._whole = None if self._age is None else self._age + passed, self._whole + passed
        followed = [(self.sight.near(picture, last), track) for last, track in self._last]
        known = [(seen, track) for seen, track in followed if seen is not None]
        found = self._merge(known, self._newcomers(picture, known))
        located = [(self.sight.face(picture, seen, track), track) for seen, track in found]
        self._remember([(again, track) for (_, again), track in located])
        return [face for (face, _), _ in located]

    def trace_back(self, face: Face, pictures: Iterable[Picture]) -> list[Face]:
        """Where a face that was just found was before.

        Args:
            face: The face in the present frame.
            pictures: The frames before it, the latest first.

        Returns:
            The face in these frames, the latest first, as far back as it is seen.
        """
        last, faces = self.last[face.track_id], []
        for picture in pictures:
            found = self.sight.near(picture, last)
            if found is None:
                break
            earlier, last = self.sight.face(picture, found, face.track_id)
            faces.append(earlier)
        return faces

    def _newcomers(self, picture: Picture, known: list[tuple[Sighting, int]]) -> list[Sighting]:
        """Who is seen besides `known`, who were seen near their last place; them too, where it is them."""
        lost = len(known) < len(self._last) or bool(self._lost)
        patience = self._look_around if self._last else min(self._look_around, ALONE)
        if self._age is not None and self._age < patience and not lost:
            return []
        in_part = self._age is not None and self._last and self._whole < WHOLE and not lost
        place = self._changes.moved(picture, [seen.box for seen, _ in known]) if in_part else None
        self._age = 0
        self._changes.mark()
        if in_part:
            return self.sight.everywhere(picture, place) if place else []
        self._whole = 0
        return self.sight.everywhere(picture)

    def _remember(self, found: list[tuple[Sighting, int]]) -> None:
        """Keep where everyone is, and for a few frames where those were who are gone."""
        there = {track for _, track in found}
        missing = [(seen, track, age + 1) for seen, track, age in self._lost]
        missing += [(seen, track, 1) for seen, track in self._last]
        self._lost = [item for item in missing if item[1] not in there and item[2] <= GAP]
        self._last = found

    def _merge(self, known: list[tuple[Sighting, int]], seen: list[Sighting]) -> list[tuple[Sighting, int]]:
        """Faces followed and faces seen anew, each person once; the lost keep their number if near."""
        merged: list[tuple[Sighting, int]] = []
        for sighting, track in known:
            if not _among(sighting, merged):
                merged.append((sighting, track))
        lost = [(old, track) for old, track in self._last if all(track != other for _, other in merged)]
        lost += [(old, track) for old, track, _ in self._lost]
        for sighting in seen:
            if _among(sighting, merged):
                continue
            again = next((item for item in lost if item[0].box.iou(sighting.box) >= SAME), None)
            if again:
                lost.remove(again)
                merged.append((sighting, again[1]))
            else:
                merged.append((sighting, self._next_id))
                self._next_id += 1
        return merged


def _among(sighting: Sighting, others: list[tuple[Sighting, int]]) -> bool:
    """Whether a face is one of others."""
    return any(sighting.box.iou(other.box) >= SAME for other, _ in others)
