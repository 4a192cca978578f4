"""The face's own pixels: hair, microphones, hands and the like that lie over the face are left out.

Rother, Kolmogorov and Blake, "GrabCut: interactive foreground extraction using iterated graph cuts", SIGGRAPH
2004, seeded by the points and by the colour of the cheeks instead of by a person. What has the colour and the
brightness of the face, as a hand may, cannot be told from it in this way.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.masks import hull
from faceswap.types import Image, Points

WORK = 96  # pixels: the side at which the cut is made
ROUNDS = 1  # more change nothing that can be seen, and cost 4 ms each
# Shares of the hull's extent, the square root of its area.
CORE = 0.10  # within the hull by so much is where skin is looked for
RING = 0.08  # beyond the hull by so much all is background, but for the forehead
SPECK = 0.02  # smaller bits of the cut are noise
LINE = 0.035  # narrower gaps belong to the face: lashes, wrinkles, frames of glasses
SPOT = 0.006  # smaller gaps too: moles, gleams, nostrils; a share of the squared extent
SMOOTH = 0.02  # sigma of the rim's smoothing
# Distances from the skin's colour, in its own deviations.
SKIN = 0.8  # nearer is face for certain
ODD = 3.0  # farther is probably not face
ALIEN = 5.0  # farther is not face for certain
FLOOR = np.array([14.0, 2.5, 2.5], np.float32)  # added to the deviations of L, a and b, each 0 to 255
SHARE = 0.6  # a gap with so much of itself on eyes, brows, mouth and nostrils belongs to the face
FEATURES = ((17, 22), (22, 27), (31, 36), (36, 42), (42, 48), (48, 60))

Mask = NDArray[np.uint8]
Where = NDArray[np.bool_]


class GrabCutMasker:
    """Cuts the face out by its colours."""

    def mask(self, image: Image, landmarks: Points) -> Image:
        """The hull of the points without what lies over the face: uint8 (size, size), 0 or 255.

        Args:
            image: The crop, BGR uint8 (size, size, 3).
            landmarks: float32 (68, 2), pixels of the crop.
        """
        size = image.shape[0]
        side = min(WORK, size)
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        points = np.asarray((landmarks + 0.5) * (side / size) - 0.5, np.float32)
        shell = hull(points, side) > 0
        extent = float(np.sqrt(shell.sum()))
        features = _features(points, side, extent)
        seeds = _seeds(small, points, shell, features, extent)
        if not (seeds == cv2.GC_FGD).any() or not (seeds == cv2.GC_BGD).any():
            return hull(landmarks, size)
        cv2.setRNGSeed(0)  # the colour models begin with k-means
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(small, seeds, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
        found = shell & ((seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD))
        face = (shell & ~_gaps(found, shell, features, extent)).astype(np.float32)
        soft = cv2.GaussianBlur(face, (0, 0), max(SMOOTH * extent, 0.1))
        large = cv2.resize(soft, (size, size), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.where(large >= 0.5, hull(landmarks, size), 0), np.uint8)


def _disk(radius: float) -> Mask:
    side = 2 * max(round(radius), 1) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _features(points: Points, side: int, extent: float) -> Where:
    """Where eyes, brows, nostrils and mouth are, which differ from skin but belong to the face."""
    drawn = np.zeros((side, side), np.uint8)
    for start, stop in FEATURES:
        outline = np.round(points[start:stop]).astype(np.int32)
        cv2.fillConvexPoly(drawn, cv2.convexHull(outline), 1)
    return np.asarray(cv2.dilate(drawn, _disk(0.03 * extent)) > 0)


def _seeds(small: Image, points: Points, shell: Where, features: Where, extent: float) -> Mask:
    """What is known before the cut: uint8 (side, side) of GrabCut's four classes.

    Skin outside the hull (forehead and neck) must not teach the cut that skin is background; a hand that
    reaches in from the side must.
    """
    solid = shell.astype(np.uint8)
    core = (
        cv2.erode(solid, _disk(CORE * extent), borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    ) & ~features
    seeds = np.full(shell.shape, cv2.GC_PR_FGD, np.uint8)
    if not core.any():
        return seeds
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float32)
    middle = np.median(lab[core], axis=0)
    spread = 1.4826 * np.median(np.abs(lab[core] - middle), axis=0) + FLOOR
    distance = np.sqrt((((lab - middle) / spread) ** 2).sum(2))
    outside = cv2.dilate(solid, _disk(RING * extent)) == 0
    outside[: max(int(points[17:27, 1].max()), 0)] = False
    seeds[distance > ODD] = cv2.GC_PR_BGD
    seeds[((distance > ODD) & ~shell) | (distance > ALIEN) | outside] = cv2.GC_BGD
    seeds[core & (distance < SKIN)] = cv2.GC_FGD
    return seeds


def _gaps(found: Where, shell: Where, features: Where, extent: float) -> Where:
    """Where the hull shows something that is not the face."""
    face = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, _disk(SPECK * extent))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(face)
    largest = stats[1:, cv2.CC_STAT_AREA].max(initial=1)
    islands = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] < 0.15 * largest]
    face[np.isin(labels, islands)] = 0
    gaps = (shell & (face == 0)).astype(np.uint8)
    gaps = cv2.morphologyEx(gaps, cv2.MORPH_OPEN, _disk(LINE * extent))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(gaps)
    area = stats[:, cv2.CC_STAT_AREA]
    feature = np.bincount(labels[features], minlength=count) > SHARE * area
    own = feature | (area < SPOT * extent**2)
    own[0] = True
    return np.asarray(~own[labels])
