"""Eyes that are shut on a picture of a face: the lid's edge comes down, and behind it skin like that above.

The skin is mirrored about the line where the lid was, which stays as its crease: what lies above, up to the
brow, is not touched, as that of a face that blinks is not.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Floats, Points

# Of the 68 points: upper and lower lid from one corner of the eye to the other.
EYES = (([36, 37, 38, 39], [36, 41, 40, 39]), ([42, 43, 44, 45], [42, 47, 46, 45]))
SMALLEST = 6  # pixels: an eye less wide than this stays as it is
# The rest are shares of the eye's width, but for the skin and the crease.
WIDER = 0.22  # how far beyond the points of its corners an eye may reach
SEEK = 0.09  # how far the edge of a lid may lie from the points
STEPS = 13  # places it is sought at, as a whole and for its bow
CLOSER = 0.1  # what the farthest of these places costs, of the mean contrast around
LASHES = 0.07  # what moves with the edge of the lid as it is
SOFT = (0.25, 0.08)  # standard deviations of the blur of what is mirrored, along the lid and across
ENDS = 0.06  # standard deviation with which the opening ends towards the corners
SKIN = 0.4  # of the height of a lid: so much skin above it is mirrored, stretched
CREASE = 0.5  # how much of the new skin covers the middle of the line where the lid was

Line = NDArray[np.float64]


def shut(picture: Floats, points: Points, closed: float) -> Floats:
    """A face whose upper lids have come down.

    Args:
        picture: float32 (height, width, 3), an upright face.
        points: Its 68 landmarks, (68, 2), pixels; they may be off by a tenth of an eye's width.
        closed: How far the lids come down, 0: as they are, to 1: shut.

    Returns:
        A copy; what is not of the eyes is as it was.
    """
    picture = picture.copy()
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (0, 0), 1)
    slope = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 0, 1), np.float32)
    for upper, lower in EYES:
        _close(picture, slope, points[upper], points[lower], closed)
    return picture


def _close(picture: Floats, slope: Floats, upper: Points, lower: Points, closed: float) -> None:
    """Bring one lid down, in place."""
    height, width = picture.shape[:2]
    wide = float(np.ptp(upper[:, 0]))
    left = max(int(np.floor(upper[:, 0].min() - WIDER * wide)), 0)
    columns = np.arange(left, min(int(np.ceil(upper[:, 0].max() + WIDER * wide)) + 1, width))
    if wide < SMALLEST or len(columns) < SMALLEST or not 0 < upper[:, 1].min() < lower[:, 1].max() < height:
        return
    rim = _edge(slope, _through(lower, columns), columns, wide)
    lid = np.minimum(_edge(-slope, _through(upper, columns), columns, wide), rim)
    gap = cv2.GaussianBlur((rim - lid)[None], (0, 0), sigmaX=ENDS * wide, sigmaY=1)[0]
    edge, lashes = lid + closed * gap, LASHES * wide
    top, bottom = max(int(lid.min() - 2 * lashes), 0), min(int(np.ceil(rim.max())) + 3, height)
    rows = np.arange(top, bottom)[:, None]
    mirrored = lid - lashes - SKIN * np.maximum(rows - (lid - lashes), 0)
    there = np.where(rows < edge - lashes, mirrored, lid - (edge - rows)).astype(np.float32)
    across = np.broadcast_to(columns, there.shape).astype(np.float32)
    drawn = cv2.remap(picture, across, there, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(drawn, (0, 0), sigmaX=SOFT[0] * wide, sigmaY=SOFT[1] * wide)
    sharp = np.clip((rows - edge + lashes + 1) / 2, 0, 1).astype(np.float32)
    drawn += (soft - drawn) * (1 - sharp)[..., None]
    below = np.clip(
        (rows - lid) / lashes + 0.5 + CREASE, 0, 1
    )  # the line lies within the lashes above the lid
    cover = (below * np.clip(edge - rows + 0.5, 0, 1) * np.clip(gap, 0, 1)).astype(np.float32)
    region = picture[top:bottom, columns[0] : columns[-1] + 1]
    region += (drawn - region) * cover[..., None]


def _through(points: Points, columns: NDArray[np.int64]) -> Line:
    """The height over each column of the parabola that is nearest to points."""
    return np.asarray(np.polyval(np.polyfit(points[:, 0], points[:, 1], 2), columns))


def _edge(slope: Floats, line: Line, columns: NDArray[np.int64], wide: float) -> Line:
    """A line, moved and bowed to where the picture gets brighter downwards the most along it."""
    bow = 1 - np.linspace(-1, 1, len(columns)) ** 2
    steps = np.linspace(-SEEK, SEEK, STEPS) * wide
    down, more = (grid.ravel()[:, None] for grid in np.meshgrid(steps, steps))
    places = line + down + more * bow
    across = np.broadcast_to(columns, places.shape).astype(np.float32)
    found = cv2.remap(slope, across, places.astype(np.float32), cv2.INTER_LINEAR).mean(1)
    away = (np.abs(down) + np.abs(more))[:, 0] / (SEEK * wide)
    near = slope[int(max(line.min(), 0)) : int(max(line.max(), 0)) + 2, columns[0] : columns[-1] + 1]
    return np.asarray(places[np.argmax(found - CLOSER * away * np.abs(near).mean())])
