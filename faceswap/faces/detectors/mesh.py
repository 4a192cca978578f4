"""MediaPipe's BlazeFace, which goes before its face mesh: fast, and not bound to frontal faces.

Bazarevsky, Kartynnik, Vakunov, Raveendran and Grundmann, "BlazeFace: sub-millisecond neural face detection on
mobile GPUs", arXiv:1907.05047. Single-shot detection with anchors: Liu et al., arXiv:1512.02325. Two networks
see a square picture each: one large faces, the other small ones too. A frame is shown to them whole, and in
tiles where smaller faces are looked for than can be seen so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.mediapipe import Array, Network, sigmoid
from faceswap.types import Box, Image

SURE = 0.5  # least score, as in MediaPipe's graphs
SAME = 0.3  # intersection over union from which boxes are merged, as in MediaPipe's graphs
OVERLAP = 0.25  # of neighbouring tiles, a share of their side
EDGE = 0.01  # a box so near to its tile's edge, in sides, is taken for a cut face


@dataclass(frozen=True)
class Model:
    """One of BlazeFace's networks.

    Attributes:
        file: Its `.tflite` file.
        grid: (cells in a row, anchors in a cell) of each layer: MediaPipe's SsdAnchorsCalculatorOptions.
        least: Smallest face it finds, as a share of its picture's side; measured.
        lift: How far HOG's box lies above its box, in its box's sides; median over 137 pictures.
        growth: Side of HOG's box as a multiple of its box's; likewise.
    """

    file: str
    grid: tuple[tuple[int, int], ...]
    least: float
    lift: float
    growth: float


# face_detection_short_range.pbtxt: strides 8, 16, 16 and 16 of 128 pixels, two anchors each.
NEAR = Model("face_detection_short_range.tflite", ((16, 2), (8, 6)), 0.15, 0.072, 1.0)
# face_detection_full_range.pbtxt: stride 4 of 192 pixels, one anchor.
FAR = Model("face_detection_full_range_sparse.tflite", ((48, 1),), 0.06, 0.015, 0.94)


@dataclass(frozen=True)
class Tile:
    """A square of the frame: its left and top edge and its side, pixels; it may reach past the frame."""

    left: int
    top: int
    side: int


class MeshDetector:
    """Finds faces, profiles among them."""

    colour = True

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            DependencyError: The weights or their runtime are not installed.
        """
        self._near, self._far = _Reader(NEAR), _Reader(FAR)

    def detect(self, image: Image, min_face: float) -> list[tuple[Box, float]]:
        """Boxes as HOG would draw them and scores (0.5 to 1) of the faces of `min_face` pixels or more.

        Args:
            image: BGR uint8, (height, width, 3).
            min_face: Smallest side looked for, pixels; the larger, the faster.
        """
        height, width = image.shape[:2]
        near = min_face >= NEAR.least * max(height, width)
        reader = self._near if near else self._far
        read = [reader.read(image, tile) for tile in tiles(width, height, min_face)]
        boxes, scores = (np.concatenate(parts) for parts in zip(*read, strict=True))
        return [(box, score) for box, score in merge(boxes, scores) if box.width >= min_face]


class _Reader:
    """A network and what its numbers mean."""

    def __init__(self, model: Model) -> None:
        self._model, self._network = model, Network(model.file, -1.0)
        self._anchors = anchors(model.grid)

    def read(self, image: Image, tile: Tile) -> tuple[Array, Array]:
        """The faces in a tile: boxes (N, 4) as HOG would draw them, pixels of the frame, and scores (N,)."""
        raw, logits = self._network.run(_show(image, tile, self._network.size))
        scores = sigmoid(logits.ravel())
        sure = scores >= SURE
        numbers = raw[0][sure] / self._network.size
        centre, sides = numbers[:, :2] + self._anchors[sure], numbers[:, 2:4]
        inner = _whole(centre - sides / 2, centre + sides / 2, image.shape[1::-1], tile)
        centre[:, 1] -= self._model.lift * sides[:, 1]
        half = self._model.growth * sides / 2
        corners = np.hstack([centre - half, centre + half]) * tile.side
        boxes = corners + np.array([tile.left, tile.top] * 2, np.float32)
        return boxes[inner], scores[sure][inner]


def _show(image: Image, tile: Tile, size: int) -> Image:
    """The tile at the network's size, BGR uint8 (size, size, 3), black past the frame's border."""
    seen = image[tile.top : tile.top + tile.side, tile.left : tile.left + tile.side]
    scale = size / tile.side
    height, width = (max(round(length * scale), 1) for length in seen.shape[:2])
    shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    shown = np.zeros((size, size, 3), np.uint8)
    shown[:height, :width] = cv2.resize(seen, (width, height), interpolation=shrink)
    return shown


def _whole(low: Array, high: Array, frame: tuple[int, ...], tile: Tile) -> NDArray[np.bool_]:
    """Which boxes (shares of the tile) are not cut by an edge that the tile has within the frame."""
    start = np.array([tile.left, tile.top])
    first, last = start <= 0, start + tile.side >= np.array(frame)
    return np.asarray(((low > EDGE) | first).all(1) & ((high < 1 - EDGE) | last).all(1))


def tiles(width: int, height: int, min_face: float) -> list[Tile]:
    """The squares in which faces of `min_face` pixels and more are seen: the frame, then smaller ones.

    Each face lies wholly within a square of which it fills the share that the network needs. A square as
    small as `min_face` asks for may be too small for the faces that the next larger one just misses; then
    there are sizes between.
    """
    sides = [max(width, height)]
    if min_face < NEAR.least * sides[0]:
        while sides[-1] * FAR.least > min_face:
            sides.append(math.floor(max(min_face / FAR.least, sides[-1] * FAR.least / OVERLAP)))
    return [
        Tile(left, top, side)
        for side in sides
        for top in _starts(height, side)
        for left in _starts(width, side)
    ]


def _starts(length: int, side: int) -> list[int]:
    """Where along `length` pixels tiles of `side` begin, so that neighbours share `OVERLAP` at least."""
    count = 1 + math.ceil(max(length - side, 0) / (side * (1 - OVERLAP)))
    return [round(start) for start in np.linspace(0, max(length - side, 0), count)]


def anchors(grid: tuple[tuple[int, int], ...]) -> Array:
    """The centres of all cells, row by row, layer after layer, each as often as it has anchors."""
    layers = []
    for cells, repeats in grid:
        middle = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(middle, middle, indexing="ij")
        layers.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), repeats, axis=0))
    return np.concatenate(layers).astype(np.float32)


def merge(boxes: Array, scores: Array) -> list[tuple[Box, float]]:
    """Join boxes of the same face to their mean, weighted by score (arXiv:1907.05047, section 3.4).

    Args:
        boxes: (N, 4) of left, top, right and bottom.
        scores: (N,), above 0.

    Returns:
        The joined boxes and the best score of each, best first; no two of their leaders overlap by `SAME`.
    """
    left = np.argsort(-scores, kind="stable")
    found = []
    while len(left):
        best = Box(*boxes[left[0]].tolist())
        same = np.array([best.iou(Box(*boxes[i].tolist())) >= SAME for i in left])
        same[0] = True
        group = left[same]
        mean = np.average(boxes[group].astype(np.float64), axis=0, weights=scores[group])
        found.append((Box(*mean.tolist()), float(scores[left[0]])))
        left = left[~same]
    return found
