"""Putting patches into pictures so that everything outside their masks stays bit for bit what it was."""

from __future__ import annotations

from collections.abc import Sequence

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Image, Patch
from faceswap.video.planes import duplicate, from_bgr, traits, views


def clipped(patch: Patch, width: int, height: int) -> Patch | None:
    """The part of `patch` that lies in a frame of `width` x `height` pixels; None if nothing of it does."""
    rows, columns = patch.mask.shape
    left, top = max(patch.left, 0), max(patch.top, 0)
    right, bottom = min(patch.left + columns, width), min(patch.top + rows, height)
    if left >= right or top >= bottom:
        return None
    inner = np.s_[top - patch.top : bottom - patch.top, left - patch.left : right - patch.left]
    return Patch(left, top, patch.image[inner], patch.mask[inner])


def apply_patches(native: av.VideoFrame, patches: Sequence[Patch]) -> av.VideoFrame:
    """Put patches into the planes of a decoded picture.

    Only samples under a True mask pixel change; a chroma sample that several pixels share changes if any
    of them is under the mask. A patch may reach past the frame's border.

    Args:
        native: A picture in one of the formats `planes.PLAIN`; it is not modified.
        patches: New pixels, BGR, by the position of their top left corner.

    Returns:
        A picture with the changes, or `native` itself where there are none.
    """
    inside = [part for patch in patches if (part := clipped(patch, native.width, native.height)) is not None]
    inside = [part for part in inside if part.mask.any()]
    if not inside:
        return native
    picture = duplicate(native)
    for patch in inside:
        _put(picture, patch)
    return picture


def image_apply(image: Image, patches: Sequence[Patch]) -> Image:
    """A copy of a BGR image (height, width, 3) with the patches put in, each where its mask is True."""
    result = image.copy()
    height, width = image.shape[:2]
    for patch in patches:
        part = clipped(patch, width, height)
        if part is not None:
            rows, columns = part.mask.shape
            region = result[part.top : part.top + rows, part.left : part.left + columns]
            np.copyto(region, part.image, where=part.mask[..., None])
    return result


def _put(picture: av.VideoFrame, patch: Patch) -> None:
    """Convert a patch that lies in the frame and copy it into the planes of `picture`, in place."""
    across, down = traits(picture.format.name)[-2:]
    grown = _aligned(patch, across, down, picture.width, picture.height)
    converted = from_bgr(grown.image, picture)
    for target, source in zip(views(picture), views(converted), strict=True):
        shared = target.shape[:2] != (picture.height, picture.width)
        step_x, step_y = (across, down) if shared else (1, 1)
        rows, columns = source.shape[:2]
        mask = _any_of(grown.mask, step_x, step_y)
        region = target[grown.top // step_y :, grown.left // step_x :][:rows, :columns]
        np.copyto(region, source, where=mask if source.ndim == 2 else mask[..., None])


def _aligned(patch: Patch, across: int, down: int, width: int, height: int) -> Patch:
    """The patch grown, by repeating its border, until it begins and ends where chroma samples do."""
    rows, columns = patch.mask.shape
    left, top = patch.left % across, patch.top % down
    right = min(-(patch.left + columns) % across, width - patch.left - columns)
    bottom = min(-(patch.top + rows) % down, height - patch.top - rows)
    if not (left or top or right or bottom):
        return patch
    image = cv2.copyMakeBorder(patch.image, top, bottom, left, right, cv2.BORDER_REPLICATE)
    mask = np.pad(patch.mask, ((top, bottom), (left, right)))
    return Patch(patch.left - left, patch.top - top, image, mask)


def _any_of(mask: NDArray[np.bool_], across: int, down: int) -> NDArray[np.bool_]:
    """For each block of `across` x `down` mask pixels, whether any is True; the last blocks may be cut."""
    if across == down == 1:
        return mask
    rows, columns = mask.shape
    whole = np.pad(mask, ((0, -rows % down), (0, -columns % across)))
    blocks = whole.reshape(whole.shape[0] // down, down, -1, across)
    return np.asarray(blocks.any(axis=(1, 3)))
