"""What speaks against a face: one function a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.index import StoredFace
from faceswap.faces.similar import Hashes, groups
from faceswap.faces.template import MEAN_DEPTH, MEAN_FACE, RIGID
from faceswap.recognition import Track, by_track
from faceswap.types import Descriptor, Points

Values = NDArray[np.float64]

_MODEL = np.column_stack([MEAN_FACE, MEAN_DEPTH, np.ones(len(MEAN_FACE))]).astype(np.float64)[RIGID]


@dataclass(frozen=True)
class Verdict:
    """What one reason says of each face.

    Attributes:
        name: Of the reason, one word.
        rule: When a face is dropped, in a few words.
        unit: Text with `{}` for the value of a face.
        values: (N,) of the faces.
        limit: Where dropping begins.
        low: Whether values under the limit are dropped, rather than those over it.
    """

    name: str
    rule: str
    unit: str
    values: Values
    limit: float
    low: bool

    @property
    def bad(self) -> NDArray[np.bool_]:
        """(N,) which faces are dropped."""
        return np.asarray(self.values < self.limit if self.low else self.values > self.limit)

    @property
    def worst_first(self) -> NDArray[np.intp]:
        """(N,) the places of the faces, the worst first."""
        return np.argsort(self.values if self.low else -self.values, kind="stable")


def blurred(faces: Sequence[StoredFace], limit: float) -> Verdict:
    """Too little sharp, measured by the faceset itself: how sharp a sharp face is depends on the clip."""
    sharpness = np.array([face.traits.sharpness for face in faces], np.float64)
    shares = sharpness / max(float(np.median(sharpness)), 1e-9)
    rule = f"sharpness under {limit:g} of the median"
    return Verdict("blurred", rule, "{:.2f} of the median", shares, limit, low=True)


def cut_off(faces: Sequence[StoredFace], limit: float) -> Verdict:
    """Past the border of the frame."""
    shares = np.array([outside(face.face.landmarks, face.frame_size) for face in faces])
    rule = f"more than {limit:.0%} of the face past the frame's border"
    return Verdict("cut_off", rule, "{:.0%} cut off", shares, limit, low=False)


def outside(landmarks: Points, frame_size: tuple[int, int]) -> float:
    """The share of the face that lies past the border of its frame.

    Args:
        landmarks: float32 (N, 2), pixels of the frame.
        frame_size: Width and height; 0 where unknown, when nothing is past it.
    """
    width, height = frame_size
    hull = cv2.convexHull(landmarks.astype(np.float32))
    area = cv2.contourArea(hull)
    if not width or not height or area <= 0:
        return 0.0
    right, bottom = width - 0.5, height - 0.5
    frame = np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]], np.float32)
    inside, _ = cv2.intersectConvexConvex(hull, frame)
    return float(np.clip(1 - inside / area, 0, 1))


def stranger(faces: Sequence[StoredFace], who: Mapping[Track, Descriptor], limit: float) -> Verdict:
    """Somebody else than the person with the most faces, by track: a track's mean errs less than a face.

    Args:
        faces: All of the faceset.
        who: The descriptor of each track; without any, nobody is a stranger.
        limit: Distance of descriptors.
    """
    tracks = by_track(faces)
    main = Counter(face.person for face in faces).most_common(1)[0][0]
    theirs = [track for track in tracks if tracks[track][0].person == main and track in who]
    away = dict.fromkeys(tracks, 0.0)
    if theirs:
        centre = np.average([who[track] for track in theirs], 0, [len(tracks[track]) for track in theirs])
        away |= {track: float(np.linalg.norm(who[track] - centre)) for track in tracks if track in who}
    distances = np.array([away[face.source, face.face.track_id] for face in faces], np.float64)
    rule = f"further than {limit:g} from the person with the most faces"
    return Verdict("stranger", rule, "distance {:.2f}", distances, limit, low=False)


def duplicate(
    faces: Sequence[StoredFace], found: Hashes, limit: int, kept: NDArray[np.bool_]
) -> tuple[Verdict, NDArray[np.intp]]:
    """Much like a sharper face.

    Args:
        faces: All of the faceset.
        found: Their hashes.
        limit: The most bits in which a duplicate differs.
        kept: (N,) which are not dropped for other reasons: one of these stands for its group.

    Returns:
        The verdict, and for each face the place of the one that it is much like (its own, if none).
    """
    sharpness = [face.traits.sharpness for face in faces]
    order = np.lexsort([-np.asarray(sharpness, np.float64), ~kept])
    leader, away = groups(found, order, limit)
    alone = leader == np.arange(len(faces))
    values = np.where(alone, np.inf, away.astype(np.float64))
    rule = f"at most {limit} of 256 bits differ from a sharper face"
    return Verdict("duplicate", rule, "{:.0f} bits differ", values, limit + 0.5, low=True), leader


def misfit(faces: Sequence[StoredFace], limit: float) -> Verdict:
    """Landmarks that lie as no face has them, so that they were put on something else or slipped."""
    errors = np.array([shape_error(face.face.landmarks) for face in faces])
    rule = f"landmarks further than {limit:g} of the face's size from any face's"
    return Verdict("misfit", rule, "{:.3f} off", errors, limit, low=False)


def shape_error(landmarks: Points) -> float:
    """How far landmarks are from the mean face, seen from wherever it fits them best.

    The rigid points of the mean face in three dimensions are laid under them by the affine camera of least
    squares (Mundy and Zisserman, "Geometric invariance in computer vision", 1992, appendix), which takes the
    pose out, and a little of the face's proportions.

    Args:
        landmarks: float32 (68, 2), pixels of the frame.

    Returns:
        Root of the mean squared distance, in extents of the face.
    """
    points = landmarks[RIGID].astype(np.float64)
    camera = np.linalg.lstsq(_MODEL, points, rcond=None)[0]
    extent = max(float(np.linalg.norm(camera[:3], 2)), 1e-9)
    return float(np.sqrt(((points - _MODEL @ camera) ** 2).sum(1).mean())) / extent


def doubtful(faces: Sequence[StoredFace], limit: float) -> Verdict:
    """Hardly taken for a face by the detector, whose scale is its own."""
    scores = np.array([face.face.score for face in faces], np.float64)
    middle = float(np.median(scores))
    shares = scores / middle if middle > 0 else np.ones(len(faces))
    rule = f"the detector's score under {limit:g} of the median"
    return Verdict("doubtful", rule, "{:.2f} of the median", shares, limit, low=True)
