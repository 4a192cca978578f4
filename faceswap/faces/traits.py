"""What can be said of a face by looking at it: how sharp and bright it is, and where it looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.template import MEAN_DEPTH, MEAN_FACE, RIGID
from faceswap.types import Image, Points

OUTER_EYES = (36, 45)  # of the 68 points: the outer corners
LIPS = ((61, 67), (62, 66), (63, 65))  # the inner ones, above and below
MOUTH = (48, 54)  # its corners
VARIED = np.array([0.045, 0.05, 0.05], np.float32)  # usual deviations of `expression`, on clips of speech
AWAKE = 0.8  # of what is usual for a person: eyes open so far are not shutting
USUAL = 75  # percentile of a person's openings that is the usual one: of open eyes, and so not the mean
DISTANCE = 8.0  # of the camera, in extents: about 1.2 m, where perspective hardly matters
_MODEL = np.column_stack([MEAN_FACE, MEAN_DEPTH]).astype(np.float64)[RIGID]


@dataclass(frozen=True)
class Traits:
    """What was measured on a face.

    Attributes:
        sharpness: Variance of the Laplacian of its grey pixels (Pech-Pacheco et al., ICPR 2000), from 0 on;
            comparable between crops of one size.
        brightness: Mean grey value, 0 to 255.
        yaw: Degrees the head is turned, positive to the right of the picture.
        pitch: Degrees it is raised.
        roll: Degrees it is tilted, positive clockwise in the picture.
    """

    sharpness: float
    brightness: float
    yaw: float
    pitch: float
    roll: float


def measure(image: Image, mask: Image, landmarks: Points) -> Traits:
    """The traits of a face.

    Args:
        image: Its crop, BGR uint8 (size, size, 3).
        mask: uint8 (size, size), not 0 where the face is.
        landmarks: float32 (68, 2), pixels of the frame.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    inside = mask if mask.any() else None
    _, spread = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_32F), mask=inside)
    brightness = cv2.mean(grey, inside)[0]
    return Traits(float(spread[0, 0]) ** 2, brightness, *head_pose(landmarks))


def eye_opening(landmarks: Points) -> float:
    """The height of the eyes over their width, the mean of both: about 0.3 where they are open.

    Soukupova and Cech, "Real-time eye blink detection using facial landmarks", CVWW 2016, equation 1.

    Args:
        landmarks: float32 (68, 2), pixels.
    """
    eyes = landmarks[36:48].reshape(2, 6, 2)
    heights = np.linalg.norm(eyes[:, 1:3] - eyes[:, 5:3:-1], axis=-1).mean(1)
    widths = np.linalg.norm(eyes[:, 0] - eyes[:, 3], axis=-1)
    return float((heights / np.maximum(widths, 1e-6)).mean())


def mouth_opening(landmarks: Points) -> float:
    """How far the mouth is open, in distances between the outer corners of the eyes."""
    gaps = [np.linalg.norm(landmarks[above] - landmarks[below]) for above, below in LIPS]
    return float(np.mean(gaps) / between_eyes(landmarks))


def between_eyes(landmarks: Points) -> float:
    """The distance between the outer corners of the eyes, pixels, never 0."""
    return max(float(np.linalg.norm(landmarks[OUTER_EYES[0]] - landmarks[OUTER_EYES[1]])), 1e-6)


def expression(landmarks: Points) -> NDArray[np.float32]:
    """What a face does: how far its mouth is open, how wide that is, how far its eyes are open.

    Args:
        landmarks: float32 (68, 2), pixels.

    Returns:
        float32 (3,), each in its usual deviations.
    """
    wide = np.linalg.norm(landmarks[MOUTH[0]] - landmarks[MOUTH[1]]) / between_eyes(landmarks)
    return np.array([mouth_opening(landmarks), wide, eye_opening(landmarks)], np.float32) / VARIED


def usual_opening(faces: Iterable[Points]) -> float:
    """How far somebody's eyes are open when they do not blink, as `eye_opening` has it.

    Args:
        faces: The person's landmarks, float32 (68, 2) each.
    """
    return float(np.percentile([eye_opening(landmarks) for landmarks in faces], USUAL))


def head_pose(landmarks: Points) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees, as `Traits` has them.

    The mean face is laid under the rigid points by PnP (Terzakis and Lourakis, "A consistently fast and
    globally optimal solution to the perspective-n-point problem", ECCV 2020), seen from `DISTANCE`.

    Args:
        landmarks: float32 (68, 2), pixels of the frame.
    """
    points = landmarks[RIGID].astype(np.float64)
    scale = float(np.ptp(points, axis=0).max()) or 1.0
    camera = np.diag([DISTANCE, DISTANCE, 1.0])  # the face is about as large as its model in the picture
    _, turn, _ = cv2.solvePnP(
        _MODEL, (points - points.mean(0)) / scale, camera, None, flags=cv2.SOLVEPNP_SQPNP
    )
    r = cv2.Rodrigues(turn)[0]
    roll = np.arctan2(r[1, 0], r[0, 0])
    c, s = np.cos(roll), np.sin(roll)
    right, down, away = (
        np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) @ -r[:, 2]
    )  # where the nose points, upright
    yaw, pitch = np.arctan2(right, -away), np.arcsin(np.clip(-down, -1, 1))
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
