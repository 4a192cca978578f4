"""Eyes that are shut on a picture of a face: the skin above them comes down over them, as a lid unrolls."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Floats, Points

# Of the 68 points: upper and lower lid from one corner of the eye to the other, and the brow above.
EYES = (
    ([36, 37, 38, 39], [36, 41, 40, 39], slice(17, 22)),
    ([42, 43, 44, 45], [42, 47, 46, 45], slice(22, 27)),
)
SMALLEST = 6  # pixels: an eye less wide than this stays as it is
# The rest are shares of the eye's width, but for the fold.
WIDER = 0.22  # how far beyond the points of its corners an eye may reach
SEEK = 0.09  # how far the edge of a lid may lie from the points
STEPS = 13  # places it is sought at, as a whole and for its bow
CLOSER = 0.1  # what the farthest of these places costs, of the mean contrast around
LASHES = 0.07  # what moves with the edge of the lid without being stretched
SOFT = (0.18, 0.05)  # standard deviations of the blur of what is stretched, along the lid and across
ENDS = 0.06  # standard deviation with which the opening ends towards the corners
FOLD = 0.6  # of the way from the lid to the brow: the skin that is stretched

Line = NDArray[np.float64]


def shut(picture: Floats, points: Points, closed: float) -> Floats:
    """A face whose upper lids have come down.

    Args:
        picture: float32 (height, width, 3), an upright face.
        points: Its 68 landmarks, (68, 2), pixels; they may be off by a tenth of an eye's width.
        closed: How far the lids come down, 0: as they are, to 1: shut.

    Returns:
        A copy; what is not between brow and lower lid is as it was.
    """
    picture = picture.copy()
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (0, 0), 1)
    slope = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 0, 1), np.float32)
    for upper, lower, brow in EYES:
        _close(picture, slope, points[upper], points[lower], points[brow], closed)
    return picture


def _close(picture: Floats, slope: Floats, upper: Points, lower: Points, brow: Points, closed: float) -> None:
    """Bring one lid down, in place."""
    height, width = picture.shape[:2]
    wide = float(np.ptp(upper[:, 0]))
    left = max(int(np.floor(upper[:, 0].min() - WIDER * wide)), 0)
    columns = np.arange(left, min(int(np.ceil(upper[:, 0].max() + WIDER * wide)) + 1, width))
    top = max(int(np.floor(brow[:, 1].min())), 0)
    if wide < SMALLEST or len(columns) < SMALLEST or not top < lower[:, 1].max() < height:
        return
    rim = _edge(slope, _through(lower, 2, columns), columns, wide)
    lid = np.minimum(_edge(-slope, _through(upper, 2, columns), columns, wide), rim)
    gap = cv2.GaussianBlur((rim - lid)[None], (0, 0), sigmaX=ENDS * wide, sigmaY=1)[0]
    rows = np.arange(top, min(int(np.ceil(rim.max())) + 3, height))[:, None]
    fold = lid - FOLD * np.maximum(lid - _through(brow, 1, columns), 1)
    edge = lid + closed * gap
    lashes = np.minimum(LASHES * wide, (lid - fold) / 2)
    stretch = (lid - lashes - fold) / np.maximum(edge - lashes - fold, 1e-3)
    there = np.where(rows < edge - lashes, fold + (rows - fold) * stretch, lid - (edge - rows))
    there = np.minimum(np.where(rows < fold, rows, there), lid).astype(np.float32)
    across = np.broadcast_to(columns, there.shape).astype(np.float32)
    drawn = cv2.remap(picture, across, there, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(drawn, (0, 0), sigmaX=SOFT[0] * wide, sigmaY=SOFT[1] * wide)
    sharp = np.clip((rows - edge + lashes + 1) / 2, 0, 1).astype(np.float32)
    stretched = np.clip((rows - fold) / np.maximum(lid - fold, 1), 0, 1).astype(np.float32)
    drawn += (soft - drawn) * ((1 - sharp) * stretched)[..., None]
    cover = (np.clip(edge - rows + 0.5, 0, 1) * np.clip(gap, 0, 1)).astype(np.float32)
    region = picture[rows[0, 0] : rows[-1, 0] + 1, columns[0] : columns[-1] + 1]
    region += (drawn - region) * cover[..., None]


def _through(points: Points, degree: int, columns: NDArray[np.int64]) -> Line:
    """The height over each column of the parabola, or line, that is nearest to points."""
    return np.asarray(np.polyval(np.polyfit(points[:, 0], points[:, 1], degree), columns))


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
