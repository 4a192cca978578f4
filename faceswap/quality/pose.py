"""How the head is turned, from the face mesh."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from faceswap.types import Floats, Matrix, Points

# Vertices of the 468-point mesh within the face that neither speech nor the brows move much. Of those further
# out, at the temples, the mesh is unsure, and a swap leaves them as they were.
# fmt: off
RIGID = np.array([
    168, 6, 197, 195, 5, 4, 1, 2,  # bridge and tip of the nose
    98, 327, 48, 278, 64, 294,  # wings of the nose
    33, 263, 133, 362,  # corners of the eyes
    36, 266, 205, 425, 50, 280, 117, 346, 116, 345,  # cheeks
])
# Where they lie on the mean head: x to the right of the picture, y down, z away from the camera; the unit is
# the distance between the outer corners of the eyes, and their middle the origin. The mean of the meshes of
# 1,326 drawn faces of people who do not exist (generalised Procrustes analysis; Gower, Psychometrika 40,
# 1975), made symmetric and turned so that the forehead's top and the chin lie equally deep.
MODEL: Matrix = np.array([
    [0.0000, -0.0763, -0.2462], [0.0000, 0.0023, -0.3038], [0.0000, 0.0741, -0.3675],
    [0.0000, 0.1385, -0.4349], [0.0000, 0.2077, -0.5056], [0.0000, 0.2995, -0.5421],
    [0.0000, 0.3742, -0.5258], [0.0000, 0.4627, -0.3545], [-0.2014, 0.4414, -0.2604],
    [0.2014, 0.4414, -0.2604], [-0.2177, 0.3636, -0.3441], [0.2177, 0.3636, -0.3441],
    [-0.2222, 0.3947, -0.3077], [0.2222, 0.3947, -0.3077], [-0.5000, 0.0000, 0.0000],
    [0.5000, 0.0000, 0.0000], [-0.1903, 0.0108, -0.0634], [0.1903, 0.0108, -0.0634],
    [-0.3444, 0.3375, -0.1879], [0.3444, 0.3375, -0.1879], [-0.4564, 0.4199, -0.1625],
    [0.4564, 0.4199, -0.1625], [-0.5491, 0.3343, -0.0961], [0.5491, 0.3343, -0.0961],
    [-0.5834, 0.1773, -0.0135], [0.5834, 0.1773, -0.0135], [-0.7016, 0.1983, 0.1249],
    [0.7016, 0.1983, 0.1249],
])
# fmt: on

# The mesh draws turned faces nearer to the front than they are. On pictures turned by a known angle (the
# bundled clips, whose heads are moved by program, and 91 drawn faces turned by 6 to 15 degrees) its points
# move as if the head had this share of its depth: so a turn of 10 degrees reads 8.3 to 11.0 on average.
RELIEF = 0.75
DISTANCE = 15  # from the camera to the head, in distances between the outer corners of the eyes: 1.3 m


def head_rotation(mesh: Points) -> Matrix:
    """How the head is turned before the camera, by perspective-n-point on 28 points.

    Terzakis and Lourakis, "A consistently fast and globally optimal solution to the perspective-n-point
    problem", ECCV 2020, refined after Levenberg and Marquardt. Only x and y of the mesh are used; the depths
    are the mean head's, times `RELIEF`. Clips are cropped and zoomed, so the frame says nothing of the
    camera: it is taken to look at the head from `DISTANCE`, and turns are counted from its line of sight.

    Args:
        mesh: (468, 2 or more), pixels of the frame.

    Returns:
        float64 (3, 3), a rotation; the identity where the head faces the camera upright.
    """
    points = np.asarray(mesh[RIGID, :2], np.float64)
    centred = points - points.mean(0)
    focal = DISTANCE * np.sqrt((centred**2).sum() / (MODEL[:, :2].var(0) * len(MODEL)).sum())
    camera = np.diag([focal, focal, 1.0])
    head = MODEL * [1, 1, RELIEF]
    pose: Any = cv2.solvePnP(head, centred, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    turn, _ = cv2.solvePnPRefineLM(head, centred, camera, None, *pose[1:])
    return np.asarray(cv2.Rodrigues(turn)[0], np.float64)


def turn_between(first: Matrix, second: Matrix) -> Floats:
    """The rotation that leads from one (3, 3) rotation to another: its axis, as long as its angle in degrees.

    Returns:
        float32 (3,), its length 0 to less than 180.
    """
    between = first.T @ second
    axis = np.array(
        [between[2, 1] - between[1, 2], between[0, 2] - between[2, 0], between[1, 0] - between[0, 1]]
    )
    length = np.linalg.norm(axis)  # OpenCV's Rodrigues takes the smallest turns for none
    angle = np.degrees(np.arctan2(length, np.trace(between) - 1))
    return np.asarray(axis * angle / max(length, 1e-12), np.float32)


def euler(rotation: Matrix) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a (3, 3) rotation, degrees.

    The rotation is roll after yaw after pitch. Yaw is positive where the nose points to the left of the
    picture, pitch where it points down, roll where the head leans clockwise as seen.
    """
    yaw = np.arcsin(np.clip(-rotation[2, 0], -1, 1))
    pitch = np.arctan2(rotation[2, 1], rotation[2, 2])
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
