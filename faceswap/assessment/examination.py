"""What is measured in one frame of a swap, for `evaluate`: the parts are chained, `quality` computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from faceswap.faces.alignment import align, cut, transform
from faceswap.faces.irises import Irises
from faceswap.faces.landmarkers.dlib68 import Dlib68
from faceswap.faces.landmarkers.mesh468 import SURE, Mesh468
from faceswap.faces.masks import hull
from faceswap.faces.template import detected
from faceswap.provenance.label import Label
from faceswap.quality import expression, fidelity, texture
from faceswap.quality.fidelity import WINDOW, Mask, grey_of
from faceswap.quality.flicker import excess, flicker
from faceswap.quality.pose import RIGID, euler, head_rotation, turn_between
from faceswap.quality.seam import seam
from faceswap.quality.summary import FrameRow
from faceswap.types import Alignment, Box, Face, Frame, Image, Pixels, Points

SIDE, COVERAGE = 384, 2.4  # of the crop that the mesh is found in: pixels and extents of the face
STEADY_SIDE, STEADY_COVERAGE = 128, 1.6  # of the crop that flicker is measured in
MARGIN = 0.15  # extents of the face: what lies further from its hull is the rest of the picture
CORE = 0.06  # extents: what lies deeper within its hull is the face whose sharpness is measured
UNCHANGED = 2.0  # grey levels: a face that differs less from the original was not swapped
OUTER_EYES = (33, 263)  # of the mesh: the outer corners of the eyes


@dataclass(frozen=True)
class Moment:
    """One frame of both clips.

    Attributes:
        original: The frame of the original.
        swapped: The frame of the swapped clip.
        face: Who is in the original, steadied; None where there is nobody.
        time: When it is shown, seconds from the first frame.
    """

    original: Frame
    swapped: Frame
    face: Face | None
    time: float

    @cached_property
    def steady(self) -> tuple[Image, Image]:
        """The face of both, cut out at the same place: BGR uint8 (STEADY_SIDE, STEADY_SIDE, 3)."""
        assert self.face is not None
        alignment = align(self.face.landmarks, STEADY_SIDE, STEADY_COVERAGE)
        return cut(self.original.picture, alignment), cut(self.swapped.picture, alignment)

    def follows(self, other: Moment | None) -> bool:
        """Whether the other shows the same face."""
        return bool(self.face and other and other.face and other.face.track_id == self.face.track_id)


@dataclass(frozen=True)
class Look:
    """What the mesh shows of one clip's face.

    Attributes:
        mesh: (468, 3), pixels of the crop.
        front: The same turned to the front.
        sure: How sure the network is that there is a face, 0 to 1.
        eyes: The eyes with their irises, as `Irises.look` gives them.
    """

    mesh: Points
    front: Points
    sure: float
    eyes: Points


class Examiner:
    """The networks that look at frames."""

    def __init__(self, label: Label | None = None) -> None:
        """Load the weights.

        Args:
            label: What was written over the swapped frames on purpose; it does not count as damage.

        Raises:
            DependencyError: The mesh or its runtime is not installed.
        """
        self._label = label
        self._mesh, self._irises, self._landmarker = Mesh468(), Irises(), Dlib68()

    def examine(self, before: Moment | None, now: Moment, after: Moment | None) -> FrameRow:
        """Measure a frame; who is in it and `missed` are left to the caller, but for what is seen here.

        Args:
            before: The frame before, for the flicker; None at the start.
            now: The frame to measure.
            after: The frame after it; None at the end.
        """
        row = FrameRow(now.original.index, now.time)
        original, swapped = now.original.image, now.swapped.image
        bare = unlabelled(self._label, *original.shape[:2])
        if now.face is None:
            row.values |= _kept(original, swapped, bare)
            return row
        core, rest = areas(now.face.landmarks, original.shape[0], original.shape[1])
        rest &= bare
        row.values |= _kept(original, swapped, rest) | _texture(original, swapped, core, rest)
        if before is not None and after is not None and now.follows(before) and now.follows(after):
            row.values["flicker"] = _flicker((before, now, after), now.face)
        self._features(row, now.face, Pixels(original), Pixels(swapped))
        return row

    def landmarks(self, frame: Frame, face: Face) -> Points:
        """The 68 points of who is in a frame where `face` is in the other clip's.

        They are looked for in an upright crop, which leaning heads need.

        Returns:
            float32 (68, 2), pixels of the frame.
        """
        alignment = align(face.landmarks, SIDE, COVERAGE)
        found = self._landmarker.locate(Pixels(cut(frame.picture, alignment)), detected(SIDE, COVERAGE))
        return transform(found, np.asarray(cv2.invertAffineTransform(alignment.matrix)))

    def _features(self, row: FrameRow, face: Face, original: Pixels, swapped: Pixels) -> None:
        """Measure what the mesh and the crop around the face show."""
        alignment = align(face.landmarks, SIDE, COVERAGE)
        crops = cut(original, alignment), cut(swapped, alignment)
        points = transform(face.landmarks, alignment.matrix)
        mask = hull(points, SIDE)
        row.values["seam"] = seam(*crops, mask)
        if np.abs(crops[0].astype(np.float32) - crops[1])[mask > 0].mean() < UNCHANGED:
            row.missed = "unchanged"
        looks = [self._look(crop, _bounds(points)) for crop in crops]
        if looks[1].sure < SURE:
            row.missed = "no face found"
        elif looks[0].sure >= SURE:
            _compare(row, looks[0], looks[1], alignment)

    def _look(self, crop: Image, box: Box) -> Look:
        """Look at a crop twice: where the face should be, then where it is."""
        rough, _ = self._mesh.see(Pixels(crop), box)
        mesh, sure = self._mesh.see(Pixels(crop), _bounds(rough))
        return Look(mesh, expression.frontal(mesh), sure, self._irises.look(Pixels(crop), mesh))


def areas(landmarks: Points, height: int, width: int) -> tuple[Mask, Mask]:
    """Where in a frame the face is, without its rim, and where the rest of the picture is.

    Args:
        landmarks: (68, 2), pixels of the frame.
        height: Rows of the frame.
        width: Columns of the frame.

    Returns:
        Two of bool (height, width).
    """
    inside = hull(landmarks, max(height, width))[:height, :width]
    extent = SIDE / COVERAGE / np.hypot(*align(landmarks, SIDE, COVERAGE).matrix[:, 0])
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    away = cv2.distanceTransform(255 - inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(depth > CORE * extent), np.asarray(away > MARGIN * extent + WINDOW)


def unlabelled(label: Label | None, height: int, width: int) -> Mask:
    """Where in a frame no label is, nor a window of SSIM that reaches into it: bool (height, width)."""
    where = np.ones((height, width), np.bool_)
    if label:
        left, top, right, bottom = label.place(width, height)
        where[max(top - WINDOW, 0) : bottom + WINDOW, max(left - WINDOW, 0) : right + WINDOW] = False
    return where


def _kept(original: Image, swapped: Image, rest: Mask) -> dict[str, float | None]:
    """How well the rest of the picture was kept."""
    return {
        "ssim": fidelity.ssim(grey_of(original), grey_of(swapped), rest),
        "psnr": fidelity.psnr(original, swapped, rest),
    }


def _texture(original: Image, swapped: Image, core: Mask, rest: Mask) -> dict[str, float | None]:
    """How sharp and how grainy the face is, against the original's."""
    old, new = grey_of(original), grey_of(swapped)
    return {
        name: texture.against((of(new, core), of(new, rest)), (of(old, core), of(old, rest)))
        for name, of in (("sharpness", texture.detail), ("grain", texture.grain))
    }


def _flicker(moments: Sequence[Moment], face: Face) -> float:
    """How much more the swapped face flickers than the original's."""
    alignment = align(face.landmarks, STEADY_SIDE, STEADY_COVERAGE)
    mask = hull(transform(face.landmarks, alignment.matrix), STEADY_SIDE)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_5)
    where = np.asarray(depth > CORE * STEADY_SIDE / STEADY_COVERAGE)
    old, new = (flicker([moment.steady[side] for moment in moments], where) for side in (0, 1))
    return excess(new, old)


def _compare(row: FrameRow, old: Look, new: Look, alignment: Alignment) -> None:
    """Measure how the swapped face stands to the original's."""
    turns = head_rotation(old.mesh), head_rotation(new.mesh)
    row.enter("pose", turn_between(*turns)[None])
    eyes = old.mesh[OUTER_EYES[0], :2] - old.mesh[OUTER_EYES[1], :2]
    shift = (new.mesh[RIGID, :2] - old.mesh[RIGID, :2]).mean(0)
    row.enter("placement", shift[None] / max(float(np.linalg.norm(eyes)), 1e-6))
    row.enter("expression", expression.features(new.front) - expression.features(old.front))
    shapes = expression.openings(old.front, old.eyes), expression.openings(new.front, new.eyes)
    row.enter("shapes", np.array([[shapes[1][name] - shapes[0][name]] for name in shapes[0]], np.float32))
    row.traces["mouth opening"] = (shapes[0]["mouth open"], shapes[1]["mouth open"])
    lids = [(shape["right eye open"] + shape["left eye open"]) / 2 for shape in shapes]
    row.traces["eyes opening"] = (lids[0], lids[1])
    for name in ("mouth", "eyes"):
        before, after = row.traces[f"{name} opening"]
        row.enter(name, np.array([[after - before]], np.float32))
    tilt = float(np.degrees(np.arctan2(alignment.matrix[1, 0], alignment.matrix[0, 0])))
    for place, name in enumerate(("yaw", "pitch", "roll")):
        first, second = (euler(turn)[place] - (tilt if name == "roll" else 0) for turn in turns)
        row.traces[f"{name}, degrees"] = (first, second)
    gazes = expression.gaze(old.eyes), expression.gaze(new.eyes)
    if gazes[0] is not None and gazes[1] is not None:
        row.enter("gaze", (gazes[1] - gazes[0])[None])
        for axis, name in enumerate(("gaze to the side", "gaze down")):
            row.traces[name] = (float(gazes[0][axis]), float(gazes[1][axis]))


def _bounds(points: Points) -> Box:
    """The rectangle that holds all points."""
    return Box(*points[:, :2].min(0).tolist(), *points[:, :2].max(0).tolist())
