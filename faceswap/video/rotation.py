"""Turning a decoded picture upright, as its display matrix asks, without a loss."""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np

from faceswap.video.planes import blank, nearest, reshaped, traits, views

Signs = tuple[int, int, int, int]

# The signs of a display matrix's a, b, c and d, to: turn by cv2's code (or None), then flip (or None).
_TURNS: dict[Signs, tuple[int | None, int | None]] = {
    (1, 0, 0, 1): (None, None),
    (-1, 0, 0, 1): (None, 1),
    (1, 0, 0, -1): (None, 0),
    (-1, 0, 0, -1): (cv2.ROTATE_180, None),
    (0, 1, -1, 0): (cv2.ROTATE_90_CLOCKWISE, None),
    (0, -1, 1, 0): (cv2.ROTATE_90_COUNTERCLOCKWISE, None),
    (0, 1, 1, 0): (cv2.ROTATE_90_CLOCKWISE, 1),
    (0, -1, -1, 0): (cv2.ROTATE_90_COUNTERCLOCKWISE, 1),
}
UPRIGHT: Signs = (1, 0, 0, 1)


def orientation(picture: av.VideoFrame) -> Signs:
    """The signs of the picture's display matrix; `UPRIGHT` where it has none, or one askew."""
    side_data: Any = picture.side_data
    data = next((data for data in side_data if data.type.name == "DISPLAYMATRIX"), None)
    if data is None:
        return UPRIGHT
    a, b, c, d = (int(sign) for sign in np.sign(np.frombuffer(data, np.int32)[[0, 1, 3, 4]]))
    return (a, b, c, d) if (a, b, c, d) in _TURNS else UPRIGHT


def upright(picture: av.VideoFrame, signs: Signs) -> av.VideoFrame:
    """The picture turned and mirrored by `signs`, plane by plane: no sample changes its value.

    Only a format that shares chroma across but not down (4:2:2) has no turned twin; it becomes 4:4:4.
    """
    turn, flip = _TURNS[signs]
    if turn is None and flip is None:
        return picture
    across = turn in (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE)
    kind = traits(picture.format.name)
    if across and kind.across != kind.down:
        whole = ("yuv444p", "yuvj444p", "yuv444p10le", "yuv444p12le")
        picture = reshaped(picture, nearest(picture.format.name, whole, 1, 1))
    width, height = (picture.height, picture.width) if across else (picture.width, picture.height)
    turned = blank(picture, width, height)
    for target, source in zip(views(turned), views(picture), strict=True):
        plane = source if turn is None else cv2.rotate(source, turn)
        target[...] = plane if flip is None else cv2.flip(plane, flip)
    return turned
