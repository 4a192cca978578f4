"""What the features of a face do, from the face mesh turned to the front."""

from __future__ import annotations

import numpy as np

from faceswap.quality.pose import MODEL, RIGID
from faceswap.types import Matrix, Points

# Vertices of the 468-point mesh; right and left are the person's.
# fmt: off
BROWS = np.array([70, 63, 105, 66, 107, 300, 293, 334, 296, 336])
EYES = np.array([33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380])
LIPS = np.array([
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outside
    78, 82, 13, 312, 308, 317, 14, 87,  # inside
])
# fmt: on
INNER = np.concatenate([BROWS, EYES, LIPS])
# Openings that the mesh shows, each the distance between the means of two groups of vertices. Those of the
# eyes are taken from the eyes themselves: the mesh hardly moves when a person blinks.
OPENINGS = {
    "mouth open": ((82, 13, 312), (87, 14, 317)),
    "mouth wide": ((61,), (291,)),
    "right brow raised": ((63, 105, 66), (33, 133)),
    "left brow raised": ((293, 334, 296), (263, 362)),
}
CORNERS = {"right eye open": (33, 133), "left eye open": (362, 263)}
# The iris network shows moved irises at this share of the way: measured on four real faces, to both sides.
ANSWER = 0.66
CLOSED = 0.21  # of its width: an eye opened less has no gaze


def frontal(mesh: Points) -> Points:
    """The mesh turned to the front, moved and scaled so that it lies on the mean head.

    The similarity transform is that of Umeyama, IEEE TPAMI 13(4), 1991, on the points that do not move.

    Args:
        mesh: (468, 3), pixels of the frame, the third coordinate in the same unit.

    Returns:
        float32 (468, 3); the unit is the distance between the outer corners of the eyes.
    """
    source = mesh[RIGID].astype(np.float64)
    a, b = source - source.mean(0), MODEL - MODEL.mean(0)
    u, spread, vt = np.linalg.svd(b.T @ a)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation: Matrix = (u * signs) @ vt
    scale = (spread * signs).sum() / np.square(a).sum()
    return np.asarray(scale * (mesh - source.mean(0)) @ rotation.T + MODEL.mean(0), np.float32)


def features(mesh: Points) -> Points:
    """Brows, eyes and lips of a frontal mesh, as seen from the front: (42, 2)."""
    return mesh[INNER, :2]


def openings(mesh: Points, eyes: Points) -> dict[str, float]:
    """How far mouth and eyes are open and the brows are raised, in distances between the eyes' corners.

    Args:
        mesh: (468, 3), frontal.
        eyes: (2, 5, 2), as `gaze` takes them.
    """
    found = {}
    for name, (one, other) in OPENINGS.items():
        between = mesh[list(one)].mean(0) - mesh[list(other)].mean(0)
        found[name] = float(np.linalg.norm(between[:2]))
    for (name, (one_end, other_end)), opened in zip(CORNERS.items(), lids(eyes), strict=True):
        found[name] = float(opened * np.linalg.norm(mesh[one_end, :2] - mesh[other_end, :2]))
    return found


def lids(eyes: Points) -> Points:
    """How far the right and the left eye are open, float32 (2,), in widths of the eye; see `gaze`."""
    width = np.linalg.norm(eyes[:, 1] - eyes[:, 0], axis=1)
    return np.asarray(np.linalg.norm(eyes[:, 3] - eyes[:, 2], axis=1) / np.maximum(width, 1e-6), np.float32)


def gaze(eyes: Points) -> Points | None:
    """Where the irises are in the eyes.

    Args:
        eyes: (2, 5, 2), pixels: of the right and the left eye one corner, the other, the middle of the upper
            and of the lower lid, and the middle of the iris.

    Returns:
        float32 (2,), the mean of both eyes: along the line from the first corner to the second and down from
        it, from the middle between them, in widths of the eye, `ANSWER` allowed for. None where an eye is
        closed or nearly so.
    """
    if (lids(eyes) < CLOSED).any():
        return None
    corners, iris = eyes[:, :2] @ [1, 1j], eyes[:, 4] @ [1, 1j]
    along = corners[:, 1] - corners[:, 0]
    place = ((iris - corners.mean(1)) / along).mean() / ANSWER
    return np.array([place.real, place.imag], np.float32)
