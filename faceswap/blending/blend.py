"""Blends: how the swapped face and the frame are joined within a region of the frame.

Each takes the frame's region and the swapped face lying in it, BGR uint8 (height, width, 3), and the
opacity, float32 (height, width), 0 to 1, and returns the region with the face in it. Where the opacity is 0
that is the frame's region.

Looked at on the two pairs that `color` names. The pyramid is hardly to be told from alpha, whose feather is
wide already. `clone` takes on the first one's olive chin better than any colour transfer, but whitens the
second one's, and flickers, for it goes by what lies just outside the mask. `mixed_clone` brings back the
original's eyes, glasses and lips, and with them the original. So alpha is the default.

Flicker beyond the original's and seam, in grey levels, with `mkl`, and milliseconds for the whole patch:

                flicker, 1st   2nd     seam, 1st   2nd     time
    alpha       0.10           0.03    5.0         12.3    11
    pyramid     0.11           0.04    5.2         11.8    15
    clone       0.26           0.48    8.7         16.8    43
    mixed       1.03           1.20    3.2         10.9    43

The mask decides more than the blend: with `--mask faceset` in place of `both` the first one's seam is 12.2,
for beside the jaw the network drew a collar.

Measured on a region of 300x340 pixels, one thread: alpha 0.4 ms, pyramid 3 ms, the clones 31 ms.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Image

LEVELS = 5  # of the pyramid, at most
MARGIN = 4  # pixels around the region, so that no mask touches the border of what seamlessClone sees

Opacity = NDArray[np.float32]


def alpha(region: Image, face: Image, opacity: Opacity) -> Image:
    """Mix pixel by pixel.

    Porter and Duff, "Compositing digital images", SIGGRAPH 1984: `over`.
    """
    return np.asarray(cv2.blendLinear(face, region, opacity, 1 - opacity), np.uint8)


def pyramid(region: Image, face: Image, opacity: Opacity) -> Image:
    """Mix each band of detail over a width that fits it: broad shades widely, fine lines sharply.

    Burt and Adelson, "A multiresolution spline with application to image mosaics", ACM Transactions on
    Graphics 2(4), 1983. Its edge lies where the opacity is half its highest; what would spill over the mask
    is faded.
    """
    levels = min(LEVELS, int(np.log2(max(min(opacity.shape), 1))) - 1)
    if levels < 1:
        return alpha(region, face, opacity)
    edge = (opacity > 0.5 * opacity.max()).astype(np.float32)
    weights = [edge]
    for _ in range(levels):
        weights.append(cv2.pyrDown(weights[-1]))
    below, above = (_laplacians(image, levels) for image in (region, face))
    bands = [a * w[..., None] + b * (1 - w[..., None]) for a, b, w in zip(above, below, weights, strict=True)]
    mixed = bands.pop()
    while bands:
        band = bands.pop()
        mixed = cv2.pyrUp(mixed, dstsize=(band.shape[1], band.shape[0])) + band
    joined = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    return alpha(region, joined, _cover(opacity))


def clone(region: Image, face: Image, opacity: Opacity) -> Image:
    """Keep the face's gradients and take on the frame's colours at the edge.

    Perez, Gangnet and Blake, "Poisson image editing", ACM Transactions on Graphics 22(3), 2003: seamless
    cloning.
    """
    return _cloned(region, face, opacity, cv2.NORMAL_CLONE)


def mixed_clone(region: Image, face: Image, opacity: Opacity) -> Image:
    """As `clone`, but of both gradients the stronger one: hair and glasses of the frame stay visible.

    The same paper, section 3, mixing gradients. Strong lines of the original face come through too.
    """
    return _cloned(region, face, opacity, cv2.MIXED_CLONE)


def _cloned(region: Image, face: Image, opacity: Opacity, way: int) -> Image:
    """OpenCV's cloning on a region that is padded, so that the mask never meets its border.

    OpenCV lays the middle of the mask's bounding box on the point it is given; that of this very box leaves
    everything where it is.
    """
    mask = np.pad((opacity > 0.02 * max(float(opacity.max()), 0.02)).astype(np.uint8), MARGIN)
    left, top, width, height = cv2.boundingRect(mask)
    if min(width, height) < 3:
        return alpha(region, face, opacity)
    around = (*(MARGIN, MARGIN, MARGIN, MARGIN), cv2.BORDER_REPLICATE)
    wide, over = (cv2.copyMakeBorder(image, *around) for image in (region, face))
    # Beyond the mask the frame itself: the cloned gradients then meet at the mask's edge.
    over = np.where(mask[..., None] > 0, over, wide)
    joined = cv2.seamlessClone(over, wide, mask * np.uint8(255), (left + width // 2, top + height // 2), way)
    inner = np.ascontiguousarray(joined[MARGIN:-MARGIN, MARGIN:-MARGIN])
    return alpha(region, inner, _cover(opacity))


def _cover(opacity: Opacity) -> Opacity:
    """Nearly all of the mask: 0 where the opacity is 0, as high as it gets from a quarter of that on."""
    top = float(opacity.max(initial=0))
    return np.asarray(np.minimum(opacity * 4, top), np.float32)


def _laplacians(image: Image, levels: int) -> list[NDArray[np.float32]]:
    """The bands of a picture from fine to coarse, and what is left, float32."""
    bands, now = [], image.astype(np.float32)
    for _ in range(levels):
        less = cv2.pyrDown(now)
        bands.append(now - cv2.pyrUp(less, dstsize=(now.shape[1], now.shape[0])))
        now = less
    return [*bands, now]
