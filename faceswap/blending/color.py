"""Colour transfer by mean and spread: giving the swapped face the colours of the face it takes the place of.

Each transfer takes two palettes, the swapped face's and the original's, and returns a map that recolours
the swapped face: float32 (..., 3), BGR, 0 to 1, of any leading shape. A transfer sees statistics only, so
these can be steadied through time before. Those of whole distributions stand in `distribution`.

Looked at enlarged on two pairs of HDTF: ed_markey in bob_menendez, filmed in another light, after 3,039 steps
of training, and rd_radio34 in rd_radio2, in nearly the same light, after 282. `none` leaves a red mask on the
first. `reinhard` knows nothing of how channels hang together: chin and lips turn mauve there. `hist` and
`idt` bend colours differently from shade to shade: lips and nostrils become black holes, and there are
blotches on the second one's cheek and below its lip. `lct` and `mkl` look like the frame and like each other,
but for a chin that stays a little redder than the first one's neck. `mkl` is the default: no map with the
same statistics moves colours less.

Flicker beyond the original's, steadied and each frame for itself, and the seam, in grey levels (as `evaluate`
has them, but unencoded; 100 frames of each pair):

                flicker, 1st    2nd             seam, 1st   2nd
    none        0.56   0.56     0.03   0.03     8.8         13.8
    reinhard    0.17   0.22     0.01   0.09     5.1         12.2
    lct         0.08   0.15     0.04   0.11     5.0         12.4
    mkl         0.10   0.17     0.03   0.09     5.0         12.3
    idt         0.19   0.29     0.12   0.29     5.0         12.3
    hist        0.19   0.24     0.09   0.26     5.0         12.2

Most of the second one's seam is that of lines which the mask's edge crosses, brows and hair.

Measured on 96x96 faces, one thread: reinhard 0.3 ms, lct and mkl 0.2 ms; the palettes 0.1 ms.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.blending.palette import FLAT, Colors, Palette, moments

STRETCH = 2.0  # no transfer changes a contrast by more than this factor
PLAIN = 1 / 255  # deviation from a line in colour space, below which there is no more than its one hue
LUMA = np.array([0.114, 0.587, 0.299])  # BGR, ITU-R BT.601
STEEPEST = 3.0  # no channel of a tint changes by more than this for a step of brightness

Recolor = Callable[[Colors], Colors]


def keep(have: Palette, want: Palette) -> Recolor:
    """Leave the colours as the network made them."""
    return lambda face: face


def reinhard(have: Palette, want: Palette) -> Recolor:
    """Match mean and deviation of each channel of CIE L*a*b*.

    Reinhard et al., "Color transfer between images", IEEE Computer Graphics and Applications 21(5), 2001,
    equations 10-11, in L*a*b* instead of l-alpha-beta.
    """
    (mean, spread), (wanted, wide) = (moments(_to_lab(p.colors), p.weights) for p in (have, want))
    gain = np.clip(np.sqrt(np.diag(wide) / np.diag(spread)), 1 / STRETCH, STRETCH)
    move = np.column_stack([np.diag(gain), wanted - gain * mean])
    return lambda face: _affine(_to_lab(face), move, cv2.COLOR_LAB2BGR)


def lct(have: Palette, want: Palette) -> Recolor:
    """Match mean and covariance in BGR: whiten with one square root, colour with the other.

    Gatys et al., "Preserving color in neural artistic style transfer", arXiv:1606.05897, 2016, section 3, the
    solution they take from Hertzmann's image analogies.
    """
    (mean, spread), (wanted, wide) = have.moments, want.moments
    (color,), (whiten,) = _powers(wide, 0.5), _powers(spread, -0.5)
    return _linear(color @ whiten, mean, wanted)


def mkl(have: Palette, want: Palette) -> Recolor:
    """Match mean and covariance in BGR by the linear map that moves colours least.

    Pitie and Kokaram, "The linear Monge-Kantorovitch linear colour mapping for example-based colour
    transfer", IET CVMP, 2007.
    """
    (mean, spread), (wanted, wide) = have.moments, want.moments
    root, back = _powers(spread, 0.5, -0.5)
    (middle,) = _powers(root @ wide @ root, 0.5)
    return _linear(back @ middle @ back, mean, wanted)


def toned(want: Palette, recolor: Recolor) -> Recolor:
    """A transfer after which a face has no other hues than the film: none in black and white, a tint's alone.

    Faces that were filmed in colour spread by 2.5 grey levels or more across the line along which their
    colours spread most; one that spreads by less than `PLAIN` has its swap brought onto that line.

    Args:
        want: The original's colours.
        recolor: Any transfer.
    """
    mean, spread = want.moments
    values, vectors = np.linalg.eigh(spread - FLAT * np.eye(3))
    line = vectors[:, 2] / (LUMA @ vectors[:, 2] or 1.0)
    if values[1] > PLAIN**2 or values[2] <= PLAIN**2 or np.abs(line).max() > STEEPEST:
        return recolor
    matrix = np.outer(line, LUMA)
    move = np.column_stack([matrix, mean - matrix @ mean])
    return lambda face: _affine(recolor(face), move)


def _linear(matrix: NDArray[np.float64], mean: NDArray[np.float64], wanted: NDArray[np.float64]) -> Recolor:
    """The affine map that takes one mean to the other, its stretch bounded."""
    left, stretch, right = np.linalg.svd(matrix)
    matrix = left @ np.diag(np.clip(stretch, 1 / STRETCH, STRETCH)) @ right
    move = np.column_stack([matrix, wanted - matrix @ mean])
    return lambda face: _affine(face, move)


def _affine(colors: Colors, move: NDArray[np.float64], convert: int | None = None) -> Colors:
    """Colours through a (3, 4) matrix and, if one is given, one of OpenCV's conversions."""
    rows = np.ascontiguousarray(colors, np.float32).reshape(1, -1, 3)
    moved = cv2.transform(rows, move.astype(np.float32))
    if convert is not None:
        moved = cv2.cvtColor(moved, convert)
    return np.asarray(moved, np.float32).reshape(colors.shape)


def _powers(covariance: NDArray[np.float64], *exponents: float) -> list[NDArray[np.float64]]:
    """A positive definite matrix to some powers."""
    values, vectors = np.linalg.eigh(covariance)
    return [(vectors * np.maximum(values, 1e-12) ** exponent) @ vectors.T for exponent in exponents]


def _to_lab(colors: Colors) -> Colors:
    rows = np.ascontiguousarray(np.clip(colors, 0, 1), np.float32).reshape(1, -1, 3)
    return np.asarray(cv2.cvtColor(rows, cv2.COLOR_BGR2LAB), np.float32).reshape(colors.shape)
