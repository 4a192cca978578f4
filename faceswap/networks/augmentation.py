"""What is done to a face before the network sees it, so that it learns the face and not the pictures.

The target is the face, a little turned, shifted and zoomed; the input is the same with its parts pushed about
on a coarse grid (the field's *random warp*). The network learns to put the parts back where they belong, and
so to make the person's own features out of anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from faceswap.types import Image, Matrix

GRID = 5  # points along each side of the warp's grid


@dataclass(frozen=True)
class Jitter:
    """How strongly faces are varied; 0 switches a thing off.

    Attributes:
        warp: Standard deviation of the grid's points, share of the picture's side.
        rotation: Largest turn either way, degrees.
        zoom: Largest change of scale either way.
        shift: Largest shift either way, share of the side.
        light: Largest change of brightness either way, share of full scale.
        contrast: Largest change of contrast either way.
        flip: Chance of a mirror image.
    """

    warp: float = 0.03
    rotation: float = 8.0
    zoom: float = 0.05
    shift: float = 0.04
    light: float = 0.06
    contrast: float = 0.1
    flip: float = 0.5


def vary(image: Image, mask: Image, size: int, jitter: Jitter, draw: Generator) -> tuple[Image, Image, Image]:
    """One training sample.

    Args:
        image: BGR uint8 (side, side, 3); its middle `size` pixels are the crop to learn.
        mask: uint8 (side, side), 255 on the face.
        size: Side of what comes out, pixels.
        jitter: How strongly.
        draw: Where chance comes from.

    Returns:
        Input and target, BGR uint8 (size, size, 3), and the target's mask, uint8 (size, size).
    """
    image = _relight(image, jitter, draw)
    matrix = _jitter_matrix(image.shape[0], size, jitter, draw)
    target, target_mask = (
        cv2.warpAffine(picture, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
        for picture in (image, mask)
    )
    warped = target
    if jitter.warp > 0:
        grid = draw.normal(0, jitter.warp * size, (2, GRID, GRID)).astype(np.float32)
        push_x, push_y = (cv2.resize(plane, (size, size), interpolation=cv2.INTER_CUBIC) for plane in grid)
        y, x = np.mgrid[:size, :size].astype(np.float32)
        inverse = cv2.invertAffineTransform(matrix).astype(np.float32)
        x, y = x + push_x, y + push_y
        map_x = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
        map_y = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
        warped = cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped), np.asarray(target), np.asarray(target_mask)


def _jitter_matrix(side: int, size: int, jitter: Jitter, draw: Generator) -> Matrix:
    angle = draw.uniform(-jitter.rotation, jitter.rotation)
    scale = 1 + draw.uniform(-jitter.zoom, jitter.zoom)
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), angle, scale)
    matrix[:, 2] += draw.uniform(-jitter.shift, jitter.shift, 2) * size - (side - size) / 2
    if draw.random() < jitter.flip:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size - 1
    return np.asarray(matrix)


def _relight(image: Image, jitter: Jitter, draw: Generator) -> Image:
    light = draw.uniform(-jitter.light, jitter.light) * 255
    contrast = 1 + draw.uniform(-jitter.contrast, jitter.contrast)
    values = np.clip((np.arange(256) - 128) * contrast + 128 + light, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, values))
