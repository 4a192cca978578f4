"""What a network leaves out of a person's face, given back from pictures of that person.

A network of few pixels, trained for minutes, draws who somebody is and what the face does, and leaves out
pores, lashes and the edges of teeth. But there are pictures of the person, and what the network makes of them
is known: the difference is what it leaves out. So for each face that it draws, the pictures are sought whose
renditions are most like it; optical flow brings each of these renditions to the drawn face, and what was left
out of that picture moves along and is added. Where a rendition cannot be brought to the drawn face, nothing
is added.

Only fine detail in brightness is, no colours or shadows; and both sides of the comparison were drawn by the
same network, so the light of the pictures need not be that of the film. The shares of the pictures change
without a jump from frame to frame, and depend on nothing but the frame's own face.

Freeman, Jones and Pasztor, "Example-based super-resolution", IEEE Computer Graphics and Applications 22(2),
2002; the flow is that of Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016.

Measured on ed_markey in bob_menendez (HDTF) after 3,039 steps, without and with: sharpness against the
film's 0.36 and 0.51, distance to B 0.335 and 0.311, mouth 0.048 and 0.048, flicker beyond the film's -0.01
and 0.05 grey levels; rd_radio34 in rd_radio2 after 3,300 steps: 0.54 and 0.59, 0.319 and 0.308, 0.049 and
0.047, 0.10 and 0.04. Detail in colour instead looks the same and takes thrice the time; linear
interpolation in place of cubic loses a third of the sharpness; five pictures in place of two, nearly a
fifth; the finest flow gains a twentieth in more than twice the time; 128 pixels in place of 96 gain nothing,
at 64 corners of the mouth are drawn twice now and then. 2.8 ms a face, one thread.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.blending.crispen import crisp
from faceswap.types import WHOLE, Floats, Grey, Image, Part, to_float, without_mask

SIDE = 96  # pixels: side at which renditions are brought together
COARSE = 32  # pixels: side at which renditions are compared
SHADE = 6  # of that: standard deviation of what is light and not shape
STRIDE = 6  # of its pixels, from one patch that is looked for to the next; 4 takes twice as long to gain 0.3%
COARSEST = 8.0  # pixels of the crop, standard deviation: what is coarser than detail
ALIKE = 0.15  # how fast a picture's share falls, by how much less alike it is than the one most alike
FEW = 0.2  # the share of a second picture below which it is left out: so are two of three and more
SMOOTH = 1.5  # of its pixels: blur of the flow
AROUND = 2.0  # of its pixels: over which two renditions are compared
DOUBT = 14.0  # grey levels they may differ by
TRUST = 0.25  # of the pictures: so many have to agree with the drawn face for all of their detail to be added


class Restorer:
    """Gives a drawn face the detail of pictures of the same person."""

    def __init__(self, pictures: Image, renditions: Image, narrow: float) -> None:
        """Take the pictures.

        Args:
            pictures: BGR uint8 (N, side, side, 3), three or more, cut as the network's pictures are.
            renditions: What the network makes of these, uint8 (N, size, size, 4) of the same person.
            narrow: How far the drawn face's edges are narrowed, see `crisp`.
        """
        self._narrow = narrow
        self._pictures, self._renditions = pictures, renditions
        self._greys = [_grey(made) for made in renditions]
        self._shapes = np.stack([_shape(grey) for grey in self._greys])
        self._known: dict[int, Floats] = {}

    def restore(self, made: Image, part: Part = WHOLE) -> Floats:
        """A drawn face with detail.

        Args:
            made: uint8 (size, size, 4): BGR, and where the face is.
            part: What of it is made.

        Returns:
            BGR float32 (side, side, 3), about 0 to 1, of which it is the part.
        """
        side = self._pictures.shape[1]
        grey = _grey(made)
        flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        flow.setFinestScale(1)
        flow.setPatchStride(STRIDE)
        (detail, counts), *second = (
            self._moved(which, share, grey, flow, part) for which, share in self._nearest(grey, made[..., 3])
        )
        for other, more in second:
            detail, counts = cv2.blendLinear(detail, other, counts, more), counts + more
        trust = np.minimum(counts / np.float32(TRUST * 255), np.float32(1 / 255))
        detail = cv2.multiply(detail, trust)
        drawn = crisp(without_mask(made), side, self._narrow, part)
        return np.asarray(cv2.add(drawn, cv2.merge([detail] * 3)))

    def _left_out(self, which: int) -> Floats:
        """What the network leaves out of a picture, grey levels; worked out when it is first asked for."""
        if which not in self._known:
            picture, made = self._pictures[which], self._renditions[which]
            drawn = crisp(without_mask(made), picture.shape[0], self._narrow)
            missing = cv2.cvtColor(to_float(picture) - drawn, cv2.COLOR_BGR2GRAY)
            fine = cv2.subtract(missing, cv2.GaussianBlur(missing, (0, 0), COARSEST))
            self._known[which] = np.asarray(fine * np.float32(255), np.float32)
        return self._known[which]

    def _nearest(self, grey: Grey, where: Grey) -> list[tuple[int, float]]:
        """The picture whose rendition is most like a drawn face, and the next if it counts, with shares."""
        weights = cv2.resize(where, (COARSE, COARSE), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
        off = np.sqrt((self._shapes - _shape(grey)) ** 2 @ weights / max(float(weights.sum()), 1.0)) + 1e-3
        nearest = np.argsort(off, kind="stable")[:3]
        likeness = np.exp(-(off[nearest] / off[nearest[0]] - 1) / ALIKE)
        # Nothing for the third, so that it may come second without a jump, nor for one of few hundredths.
        first, second = (likeness[:2] - likeness[2]).tolist()
        share = second / (first + second) if first + second > 1e-6 else 0.5
        share = max(share - FEW, 0.0) / (1 - 2 * FEW)
        chosen = [(int(nearest[0]), 1 - share), (int(nearest[1]), share)]
        return chosen if share else chosen[:1]

    def _moved(
        self, which: int, share: float, grey: Grey, flow: cv2.DISOpticalFlow, part: Part
    ) -> tuple[Floats, Floats]:
        """What was left out of a picture, moved to where the drawn face has it; how much it counts there."""
        rendition, left_out = self._greys[which], self._left_out(which)
        side = left_out.shape[0]
        way = cv2.GaussianBlur(flow.calc(grey, rendition, None), (0, 0), SMOOTH)
        there = cv2.remap(rendition, _grid(SIDE) + way, None, cv2.INTER_LINEAR)
        off = cv2.GaussianBlur(cv2.absdiff(there, grey).astype(np.float32), (0, 0), AROUND)
        counts = np.float32(share) * np.exp(-((off / np.float32(DOUBT)) ** 2))
        wide = cv2.add(_grid(side)[part], cv2.resize(way * np.float32(side / SIDE), (side, side))[part])
        moved = cv2.remap(left_out, wide, None, cv2.INTER_CUBIC)
        return np.asarray(moved, np.float32), np.asarray(cv2.resize(counts, (side, side))[part], np.float32)


def _grey(made: Image) -> Grey:
    grey = cv2.cvtColor(made, cv2.COLOR_BGRA2GRAY)
    way = cv2.INTER_AREA if grey.shape[0] > SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=way), np.uint8)


@cache
def _grid(side: int) -> Floats:
    """The place of each pixel: float32 (side, side, 2), x and y."""
    line = np.arange(side, dtype=np.float32)
    return np.stack(np.meshgrid(line, line), -1)


def _shape(grey: Grey) -> NDArray[np.float32]:
    """What a face looks like but for the light on it."""
    small = cv2.resize(grey, (COARSE, COARSE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small - cv2.GaussianBlur(small, (0, 0), SHADE), np.float32).ravel()
