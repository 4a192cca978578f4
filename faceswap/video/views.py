"""What is shown of a converted frame: the swap, where it is, or both side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import av
import numpy as np

from faceswap.types import Image, Patch
from faceswap.video.patching import apply_patches, image_apply
from faceswap.video.planes import blank, duplicate, views


def matte(height: int, width: int, patches: Sequence[Patch]) -> Image:
    """How much of each pixel is swapped: uint8 (height, width, 3), black for nothing, white for all."""
    shown = np.zeros((height, width), np.float32)
    for patch in patches:
        if place := patch.place(width, height):
            shown[place.area] = np.maximum(shown[place.area], place.smooth(patch.opacity))
    return np.dstack([np.rint(shown * 255).astype(np.uint8)] * 3)


def image_matte(image: Image, patches: Sequence[Patch]) -> Image:
    """The same for an image (height, width, 3)."""
    return matte(image.shape[0], image.shape[1], patches)


def image_beside(image: Image, patches: Sequence[Patch]) -> Image:
    """The image and, on the right, the same with the patches put in: (height, 2 * width, 3)."""
    return np.hstack([image, image_apply(image, patches)])


def _native_matte(native: av.VideoFrame, patches: Sequence[Patch]) -> av.VideoFrame:
    height, width = native.height, native.width
    whole = np.ones((height, width), np.float32)
    return apply_patches(native, [Patch(matte(height, width, patches), whole, np.eye(2, 3))])


def _native_beside(native: av.VideoFrame, patches: Sequence[Patch]) -> av.VideoFrame:
    both = blank(native, 2 * native.width, native.height)
    swapped = apply_patches(duplicate(native), patches)
    for target, left, right in zip(views(both), views(native), views(swapped), strict=True):
        half = left.shape[1]
        target[:, :half], target[:, half:] = left, right
    return both


class View(NamedTuple):
    """A way of showing.

    Attributes:
        native: For a decoded picture in one of `planes.PLAIN`, which may be drawn on.
        image: For a BGR image.
        across: How many times as wide the result is.
    """

    native: Callable[[av.VideoFrame, Sequence[Patch]], av.VideoFrame]
    image: Callable[[Image, Sequence[Patch]], Image]
    across: int = 1


SWAPPED = View(apply_patches, image_apply)
VIEWS = {
    "video": SWAPPED,
    "mask": View(_native_matte, image_matte),
    "side-by-side": View(_native_beside, image_beside, 2),
}
