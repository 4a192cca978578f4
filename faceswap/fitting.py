"""Where on a head the drawn face belongs: its features on those of the frame's face.

The network draws the other person's face, whose mouth may lie lower between eyes and chin, and who may be a
little larger in the crop. Laid where it was drawn, that face sits on the head askew by the same amount in
every frame. So some faces of each person are drawn, the features of both faces are sought in them, and the
move and the scale that bring all of one's to the other's on the mean (least squares) are kept for the clip.
Nothing turns, and nothing changes from frame to frame, so the person's shape stays what it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.blending.mask import Shape, soften
from faceswap.blending.paste import enlarge
from faceswap.faces.alignment import align, moved
from faceswap.faces.index import StoredFace
from faceswap.faces.recut import recut
from faceswap.faces.sight import Landmarker
from faceswap.faces.template import detected
from faceswap.quality.identity import spread
from faceswap.types import Alignment, Image, Pixels, without_mask

SIDE = 256  # pixels: side of the crop in which features are sought
FACES = 16  # of each person that are looked at
FEWEST = 3  # below which nothing is said
FEATURES = np.r_[17:68]  # of the 68 points: without the jaw, which stays the frame's
FEATHER = 0.1  # of the crop's side: how softly the drawn face is put on the frame's for that
MOST_SCALE, MOST_MOVE = 0.1, 0.06  # what a fit goes to; of the crop's side
Swap = Callable[[Image], Image]


@dataclass(frozen=True)
class Fit:
    """How a drawn face is moved and scaled in its crop.

    Attributes:
        scale: How many times as large it is, about the crop's middle.
        right: How far it then moves to the right, shares of the crop's side.
        down: How far it moves down.
    """

    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0

    def on(self, alignment: Alignment) -> Alignment:
        """How a crop lies in its frame when what is in it is fitted."""
        middle = (alignment.size - 1) / 2
        move = np.array([self.right, self.down]) * alignment.size
        matrix = alignment.matrix.copy()
        matrix[:, 2] += -middle - move
        matrix /= self.scale
        matrix[:, 2] += middle
        return Alignment(matrix, alignment.size, alignment.coverage)

    def partly(self, share: float) -> Fit:
        """That fit for a `share` of 1, none for 0."""
        return Fit(1 + share * (self.scale - 1), share * self.right, share * self.down)


def fits(
    faces: Iterable[StoredFace], folder: Path, swap: Swap, size: int, coverage: float, landmarker: Landmarker
) -> dict[int, Fit]:
    """The fit for each person.

    Args:
        faces: Those that are swapped.
        folder: The faceset they are in, whose pictures are drawn.
        swap: From uint8 (N, size, size, 3), BGR, to uint8 (N, size, size, 4).
        size: Side of the network's pictures, pixels.
        coverage: What it was trained with.
        landmarker: What finds the features of both.
    """
    people: dict[int, list[StoredFace]] = defaultdict(list)
    for face in faces:
        if not face.face.interpolated:
            people[face.person].append(face)
    found = {}
    for person, known in people.items():
        chosen = [known[place] for place in spread(len(known), FACES)]
        places = [align(face.face.landmarks, SIDE, coverage) for face in chosen]
        cuts = [(face, place, recut(folder, face, place)) for face, place in zip(chosen, places, strict=True)]
        there = [(face, place, crop) for face, place, crop in cuts if crop is not None]
        if len(there) >= FEWEST:
            made = swap(np.stack([enlarge(crop, size) for _, _, crop in there]))
            drawn = [_on(*one, picture) for one, picture in zip(there, made, strict=True)]
            pairs = [(crop, picture) for (_, _, crop), picture in zip(there, drawn, strict=True)]
            box = detected(SIDE, coverage)
            points = [[landmarker.locate(Pixels(picture), box) for picture in pair] for pair in pairs]
            found[person] = fitted(*np.stack(points, 1)[::-1])
    return found


def fitted(drawn: NDArray[np.float32], wanted: NDArray[np.float32]) -> Fit:
    """The fit that brings points nearest to others.

    Args:
        drawn: float32 (N, 68, 2), pixels of crops of `SIDE`.
        wanted: The same: where they are to be.
    """
    middle = (SIDE - 1) / 2
    new, old = ((points[:, FEATURES].reshape(-1, 2) - middle) / SIDE for points in (drawn, wanted))
    new_mean, old_mean = new.mean(0), old.mean(0)
    spread_of = ((new - new_mean) ** 2).sum()
    scale = ((new - new_mean) * (old - old_mean)).sum() / max(float(spread_of), 1e-9)
    scale = float(np.clip(scale, 1 - MOST_SCALE, 1 + MOST_SCALE))
    right, down = np.clip(old_mean - scale * new_mean, -MOST_MOVE, MOST_MOVE).tolist()
    return Fit(scale, right, down)


def _on(face: StoredFace, place: Alignment, crop: Image, drawn: Image) -> Image:
    """A face as it is drawn, uint8 (size, size, 4), softly put on its crop."""
    mask = np.minimum(moved(face.mask, face.alignment, place), enlarge(drawn[..., 3], SIDE))
    soft = soften(mask, Shape(feather=FEATHER * SIDE))[..., None]
    return np.rint(soft * enlarge(without_mask(drawn), SIDE) + (1 - soft) * crop).astype(np.uint8)
