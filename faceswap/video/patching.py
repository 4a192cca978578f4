"""Laying patches over pictures so that everything they do not cover stays bit for bit what it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import av
import cv2
import numpy as np

from faceswap.laying import Place, cover_of, exact, finished, lay, lay_covered, lay_large, shifted
from faceswap.types import Floats, Image, Matrix, Patch, Picture
from faceswap.video.planes import Traits, components, traits, views


def apply_patches(native: av.VideoFrame, patches: Sequence[Patch]) -> av.VideoFrame:
    """Lay patches over a decoded picture, in place, one after the other, each plane by itself.

    Args:
        native: A picture in one of the formats `planes.PLAIN`.
        patches: May reach past the picture's border.

    Returns:
        The same picture.
    """
    inside = [patch for patch in patches if patch.place(native.width, native.height)]
    if inside:
        native.make_writable()  # the decoder may still build on it
    for patch in inside:
        _lay(native, patch)
    return native


def image_apply(image: Image, patches: Sequence[Patch]) -> Image:
    """A copy of a BGR image (height, width, 3) with patches laid over it."""
    result = image.copy()
    for patch in patches:
        if place := patch.place(image.shape[1], image.shape[0]):
            lay([result], [patch.image], patch.opacity, place, patch.finish)
    return result


def placed(picture: Picture, patch: Patch) -> tuple[Place, Image, Floats] | None:
    """A patch as it lies in its frame, unmixed: where, BGR uint8 (height, width, 3), and its opacity."""
    place = patch.place(picture.width, picture.height)
    if place is None:
        return None
    region = picture.region(place.left, place.top, place.left + place.width, place.top + place.height)
    cover = cover_of(patch.opacity, place)
    over = finished(region, place.put(patch.image), cover, place, patch.finish)
    return place, np.asarray(over, np.uint8), cover


def _lay(picture: av.VideoFrame, patch: Patch) -> None:
    """Lay a patch over each plane of a picture, in place.

    What finishes it is for brightness alone, and so are cubic curves: eyes see colours less sharply.
    """
    kind = traits(picture.format.name)
    patch = _on_grid(patch, kind)
    planes, drawn, levels = views(picture), components(patch.image, picture), 1 << kind.depth
    bright = len(planes) if kind.rgb else 1
    height, width = planes[0].shape[:2]
    place, chroma = patch.place(width, height), planes[bright:]
    if place and place.large and patch.finish and (bright, kind.across, kind.down) == (1, 2, 2):
        place = place.grown(2, width, height)
        cover = cover_of(patch.opacity, place.halved)  # of both: chroma is halved as well
        lay_large(planes[0], drawn[0], cover, place, patch.finish, levels)
        lay_covered(chroma, drawn[1:], cover, place.halved, None, levels, cv2.INTER_LINEAR)
        return
    if place:
        lay(planes[:bright], drawn[:bright], patch.opacity, place, patch.finish, levels)
    if not chroma:
        return
    height, width = chroma[0].shape[:2]
    if place := patch.place(width, height, unshared(patch.matrix, kind)):
        cover = cover_of(patch.opacity, place)
        lay_covered(chroma, drawn[bright:], cover, place, None, levels, cv2.INTER_LINEAR)


def unshared(matrix: Matrix, kind: Traits) -> Matrix:
    """A matrix to pixels of a frame as one to its samples of chroma, each amid the pixels it is for."""
    shared = np.array([[1 / kind.across], [1 / kind.down]])
    return np.asarray(shifted(matrix, (1 - kind.across) / 2, (1 - kind.down) / 2) * shared, np.float64)


def _on_grid(patch: Patch, kind: Traits) -> Patch:
    """The patch; one that lies pixel on pixel is grown until it begins where samples of chroma do."""
    left, top = np.rint(patch.matrix[:, 2]).astype(int)
    before = int(top % kind.down), 0, int(left % kind.across), 0
    if not any(before) or not exact(patch.matrix):
        return patch
    image = np.asarray(cv2.copyMakeBorder(patch.image, *before, cv2.BORDER_REPLICATE), np.uint8)
    opacity = cv2.copyMakeBorder(patch.opacity, *before, cv2.BORDER_CONSTANT)
    matrix = shifted(patch.matrix, -before[2], -before[0])
    return replace(patch, image=image, opacity=np.asarray(opacity, np.float32), matrix=matrix)
