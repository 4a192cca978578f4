"""What is laid over a frame: an aligned face as it was drawn, or as a blend joins it to its surroundings."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.blending import blend as blends
from faceswap.laying import SEEN, cover_of, finished, shifted
from faceswap.types import Floats, Image, Patch, Picture

Blend = Callable[[Image, Image, Floats], Image]

EVEN = 4  # a blended region begins and ends at a multiple of it, so that it shares no chroma sample


def paste(picture: Picture, patch: Patch, blend: Blend = blends.alpha) -> Patch | None:
    """Ready a face to be laid over its frame.

    Args:
        picture: The frame; it is not changed.
        patch: The face, upright.
        blend: One of `blend`. `alpha` is what laying a patch over does anyway; for the others the region
            that the face covers is converted, and blended already in what is returned.

    Returns:
        The patch, or None where it lies outside the frame.
    """
    place = patch.place(picture.width, picture.height)
    if place is None or blend is blends.alpha:
        return patch if place else None
    place = place.grown(EVEN, picture.width, picture.height)
    bottom, right = place.top + place.height, place.left + place.width
    region = np.ascontiguousarray(picture.region(place.left, place.top, right, bottom))
    cover = cover_of(patch.opacity, place)
    over = finished(region, place.put(patch.image), cover, place, patch.finish)
    seen = (cover >= SEEN).astype(np.float32)
    corner = shifted(np.eye(2, 3), place.left, place.top)
    return Patch(blend(region, np.asarray(over, np.uint8), cover), seen, corner)


def enlarge(face: NDArray[np.generic], size: int) -> Image:
    """A square picture at another size: uint8 (size, size) or (size, size, channels).

    Float pictures, 0 to 1, are enlarged before they are rounded; masks need no more than cubic curves.
    """
    finest = cv2.INTER_LANCZOS4 if face.ndim == 3 else cv2.INTER_CUBIC
    way = cv2.INTER_AREA if face.shape[0] > size else finest
    sized = cv2.resize(face, (size, size), interpolation=way)
    if sized.dtype != np.uint8:
        sized = cv2.convertScaleAbs(np.maximum(sized, 0), alpha=255)
    return np.asarray(sized, np.uint8)
