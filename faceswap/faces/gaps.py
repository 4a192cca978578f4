"""Filling the few frames in which a face that is there was not seen."""

from __future__ import annotations

from collections.abc import Sequence

from faceswap.types import Face, Frame

GAP = 5  # frames


class GapFiller:
    """Remembers where each track was last; tells what lay between when it comes back."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._seen: dict[int, tuple[int, Face]] = {}

    def is_new(self, face: Face) -> bool:
        """Whether the face's track was never seen before."""
        return face.track_id not in self._seen

    def fill(self, frame: Frame, face: Face, recent: Sequence[Frame]) -> list[tuple[Frame, Face]]:
        """Where a face was in those of the `recent` frames in which it was missed, if they are few."""
        index, before = self._seen.get(face.track_id, (frame.index, face))
        self._seen[face.track_id] = (frame.index, face)
        missed = frame.index - index - 1
        if not 0 < missed <= GAP:
            return []
        between = [old for old in recent if index < old.index < frame.index]
        return [(old, _between(before, face, (old.index - index) / (missed + 1))) for old in between]


def _between(before: Face, after: Face, share: float) -> Face:
    """The face `share` of the way from one place to another."""
    landmarks = before.landmarks + share * (after.landmarks - before.landmarks)
    score = min(before.score, after.score)
    return Face(
        before.box.towards(after.box, share),
        landmarks.astype("float32"),
        score,
        after.track_id,
        interpolated=True,
    )
