"""Whether people lie on their side: in a clip whose camera took itself to be held in another way."""

from __future__ import annotations

from collections import Counter

from faceswap.faces.sight import Sight
from faceswap.types import Frame

LOOKS = 8  # frames of a segment that are looked at


class Lying:
    """Looks at a few frames of a segment, turned, for as long as nobody is found upright."""

    def __init__(self, sight: Sight, segment: range) -> None:
        """Choose the frames; `sight` turns the pictures in which nobody is upright."""
        self._sight = sight
        self._places = {segment[len(segment) * look // LOOKS] for look in range(LOOKS)}
        self._angles: list[float] = []

    def look(self, frame: Frame) -> None:
        """Look at a frame, if it is one of those chosen."""
        if frame.index not in self._places:
            return
        found = self._sight.everywhere(frame.picture)
        self._angles += [max(found, key=lambda seen: seen.score).angle] if found else []

    def seen(self) -> bool:
        """Whether people lie there: seen in half of the frames, turned alike. By chance nobody is."""
        often = Counter(self._angles).most_common(1)
        return bool(often) and often[0][1] >= len(self._places) / 2
