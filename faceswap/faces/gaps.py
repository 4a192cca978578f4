"""Filling the few frames in which a face that is there was not seen."""

from __future__ import annotations

from collections import deque

from faceswap.types import Box, Face, Frame

GAP = 5  # frames


class GapFiller:
    """Remembers the last frames and where each track was; tells what lay between when a track comes back."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._frames: deque[Frame] = deque(maxlen=GAP)
        self._seen: dict[int, tuple[int, Face]] = {}

    def fill(self, frame: Frame, faces: list[Face]) -> list[tuple[Frame, Face]]:
        """The faces of earlier frames that follow from those of this one, each with its frame."""
        filled = []
        for face in faces:
            index, before = self._seen.get(face.track_id, (frame.index, face))
            missed = frame.index - index - 1
            if 0 < missed <= GAP:
                between = [old for old in self._frames if index < old.index < frame.index]
                filled += [
                    (old, _between(before, face, (old.index - index) / (missed + 1))) for old in between
                ]
            self._seen[face.track_id] = (frame.index, face)
        self._frames.append(frame)
        return filled


def _between(before: Face, after: Face, share: float) -> Face:
    """The face `share` of the way from one place to another."""
    a, b = before.box, after.box
    edges = [
        p + share * (q - p)
        for p, q in zip((a.left, a.top, a.right, a.bottom), (b.left, b.top, b.right, b.bottom), strict=True)
    ]
    landmarks = before.landmarks + share * (after.landmarks - before.landmarks)
    score = min(before.score, after.score)
    return Face(Box(*edges), landmarks.astype("float32"), score, after.track_id, interpolated=True)
