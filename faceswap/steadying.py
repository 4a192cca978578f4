"""What the frames before and after say of a face's colours, the same on both sides of a segment's border.

Every few frames of a track, the picture that the faceset keeps of the face goes through the network too, and
its colours and those of the swap are kept: an anchor. The colours of a frame are averaged with those of the
anchors around it, later ones as well as earlier ones, so there is no lag; and since an anchor depends on
nothing but the faceset and the model, a segment begins with the colours that the one before it ended with,
whichever was converted first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy
from pathlib import Path
from typing import Self

from faceswap.blending.palette import REACH, Palette, likeness, steadied
from faceswap.faces.alignment import align
from faceswap.faces.index import StoredFace
from faceswap.faces.recut import recut
from faceswap.finishing import Drawn, colors_of
from faceswap.types import Alignment, Image

STEP = 12  # at most every so manieth frame is an anchor; every single one moves colours by 0.2 grey levels
SPARSE = 1.5  # deviations of nearness from one anchor to the next: their sum ripples by 3%

Palettes = tuple[Palette, Palette]
Key = tuple[int, int]  # track and frame


class Steadier:
    """Keeps the anchors around the frames that are being converted."""

    def __init__(self, window: float, size: int, coverage: float) -> None:
        """Know no faces yet.

        Args:
            window: Standard deviation of nearness in time, frames; 0 steadies nothing.
            size: Side of the network's pictures, pixels.
            coverage: What it was trained with.
        """
        self._window, self._size, self._coverage = window, size, coverage
        self._step = max(min(int(SPARSE * window), STEP), 1)
        self._folder = Path()
        self._anchors: dict[int, dict[int, StoredFace]] = {}
        self._known: dict[Key, Palettes | None] = {}

    def follow(self, faces: Iterable[StoredFace], folder: Path) -> None:
        """Take the faces of a source, and the faceset they are in, whose pictures become anchors."""
        self._folder, self._known = folder, {}
        anchors: dict[int, dict[int, StoredFace]] = defaultdict(dict)
        for face in faces:
            if face.frame_index % self._step == 0:
                anchors[face.face.track_id][face.frame_index] = face
        self._anchors = dict(anchors)

    def afresh(self) -> Self:
        """The same faces, none of whose colours is known yet; for another thread."""
        twin = copy(self)
        twin._known = {}
        return twin

    def fresh(self, faces: Iterable[StoredFace]) -> list[tuple[StoredFace, Image]]:
        """The anchors around some faces whose colours are not known; others far from them are forgotten.

        Returns:
            Each with its picture to be drawn, BGR uint8 (size, size, 3).
        """
        near = {key: anchor for face in faces for key, anchor in self._around(face).items()}
        self._known = {key: found for key, found in self._known.items() if key in near}
        new = {key: anchor for key, anchor in near.items() if key not in self._known}
        self._known |= dict.fromkeys(new)
        cuts = [(anchor, recut(self._folder, anchor, self._alignment(anchor))) for anchor in new.values()]
        return [(anchor, crop) for anchor, crop in cuts if crop is not None]

    def learn(self, anchor: StoredFace, crop: Image, made: Image) -> None:
        """Take what the network made of the picture of an anchor, uint8 (size, size, 4)."""
        key = anchor.face.track_id, anchor.frame_index
        self._known[key] = colors_of(anchor, self._alignment(anchor), crop, made)

    def palettes(self, face: StoredFace, own: Drawn) -> Palettes:
        """The steadied colours of a face's swap and of its original; the anchors around it are known."""
        have: list[Palette] = []
        want: list[Palette] = []
        shares: list[float] = []
        for (_, frame), anchor in self._near(face).items():
            if frame != face.frame_index:
                share = likeness(own.want, anchor[1], frame - face.frame_index, self._window)
                have.append(anchor[0])
                want.append(anchor[1])
                shares.append(share)
        return steadied(own.have, have, shares), steadied(own.want, want, shares)

    def _around(self, face: StoredFace) -> dict[Key, StoredFace]:
        """The anchors of a face's track that are near enough to count."""
        far = int(REACH * self._window)
        track = self._anchors.get(face.face.track_id, {})
        first = -(-(face.frame_index - far) // self._step) * self._step
        frames = range(first, face.frame_index + far + 1, self._step)
        return {(face.face.track_id, frame): track[frame] for frame in frames if frame in track}

    def _near(self, face: StoredFace) -> Mapping[Key, Palettes]:
        found = ((key, self._known.get(key)) for key in self._around(face))
        return {key: palettes for key, palettes in found if palettes is not None}

    def _alignment(self, face: StoredFace) -> Alignment:
        return align(face.face.landmarks, self._size, self._coverage)
