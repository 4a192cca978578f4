"""Who a face is: descriptors by dlib's face recognition network, and which faces speak for a track.

The network is Davis King's `dlib_face_recognition_resnet_model_v1` (dlib.net, 2017), run by dlib itself: a
track needs some five faces described, and the few tenths of a second which that takes are less than the
seconds and the hundreds of MB of loading a framework that would be faster at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import cv2
import dlib
import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceswap.faces.people import Descriptors
from faceswap.faces.weights import RESNET, weight_file
from faceswap.types import Descriptor, Image, Points

LENGTH = 128  # numbers in a descriptor
CHIP = 150  # side of the picture the network takes, pixels
PADDING = 0.25  # of the face's size, around it in that picture

# What a face counts that is to speak for its track. Tried on 9 clips: the mean of five chosen faces lies 0.08
# from that of all clean ones (any five: 0.09), with half of the track blurred or dark 0.08 (0.15), with most
# of it 0.11 (0.20).
SEVERAL = 5  # faces of a track that are described
SHARP = 80  # percentile: sharper than so many of the track's faces is sharp enough
FRONTAL = 25.0  # degrees of turn at which a face counts 0.6 of a frontal one
LIGHT = ([20.0, 70.0, 190.0, 245.0], [0.1, 1.0, 1.0, 0.1])  # mean brightness, and what a face counts at it
EDGE = 0.2  # what a face loses at the edge of its stretch of time, where the next one chosen may be near
WORTH = 0.3  # faces that count less than this share of the track's best one are not taken


class Identifier:
    """dlib's network. Threads may share one: they take turns."""

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            DependencyError: The weight file is not installed.
        """
        self._network = dlib.face_recognition_model_v1(str(weight_file(RESNET)))
        self._lock = Lock()  # a dlib network keeps what it is working on

    def describe(self, images: Sequence[Image], landmarks: Sequence[Points]) -> Descriptors:
        """The descriptors of faces, to be compared by Euclidean distance.

        The picture that the network takes is 1.2 extents of the face wide: a crop of coverage 1.6 holds it,
        of a narrower one the border is repeated.

        Args:
            images: BGR uint8, (height, width, 3): frames, photographs or aligned crops.
            landmarks: For each image the 68 points of its face, (68, 2), pixels of the image.

        Returns:
            float32 (N, 128).
        """
        rows = [self._describe(image, points) for image, points in zip(images, landmarks, strict=True)]
        return np.array(rows, np.float32).reshape(-1, LENGTH)

    def _describe(self, image: Image, points: Points) -> NDArray[np.float64]:
        """One by one: a batch is no faster, and dlib stops all of Python while it works."""
        chip = _chip(image, points)
        with self._lock:
            return np.array(self._network.compute_face_descriptor(chip))


def _chip(image: Image, points: Points) -> Image:
    """The picture that the network takes, RGB uint8 (150, 150, 3)."""
    around = int(min(np.ptp(points, axis=0).max() / 2, max(image.shape)))
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    wide = cv2.copyMakeBorder(rgb, around, around, around, around, cv2.BORDER_REPLICATE)
    # Whole pixels, as dlib has it; on 64-pixel crops they cost 0.001 of distance.
    parts = [dlib.point(x, y) for x, y in np.rint(points + around).astype(int).tolist()]
    shape = dlib.full_object_detection(dlib.rectangle(0, 0, *wide.shape[1::-1]), parts)
    return np.asarray(dlib.get_face_chip(wide, shape, CHIP, PADDING), np.uint8)


def representative(
    *,
    frames: ArrayLike,
    sharpness: ArrayLike,
    yaw: ArrayLike,
    pitch: ArrayLike,
    brightness: ArrayLike,
    interpolated: ArrayLike,
    count: int = SEVERAL,
) -> NDArray[np.intp]:
    """The faces of a track that speak for it: sharp, frontal, well lit, really seen, and spread in time.

    The track's time is cut into `count` equal stretches, and the best of each is taken if it is not much
    worse than the best of all. Interpolated faces are taken only where there are no others.

    Args:
        frames: (N,) the frame of each face, ascending.
        sharpness: (N,) above 0, of any scale; only how the track's faces compare counts.
        yaw: (N,) degrees, 0 is frontal.
        pitch: (N,) degrees, 0 is frontal.
        brightness: (N,) mean of the grey face, 0 to 255.
        interpolated: (N,) bool.
        count: The most faces to choose, 1 or more.

    Returns:
        (1 to `count`,) places in the arrays, ascending; none for an empty track.
    """
    guessed = np.asarray(interpolated, bool)
    places = np.arange(len(guessed)) if guessed.all() else np.flatnonzero(~guessed)
    if not len(places):
        return places
    sharp, turn, light, times = (
        np.asarray(values, np.float64)[places]
        for values in (sharpness, np.hypot(yaw, pitch), brightness, frames)
    )
    worth = np.minimum(sharp / max(np.percentile(sharp, SHARP), 1e-12), 1.0) * np.interp(light, *LIGHT)
    worth *= np.exp(-0.5 * (turn / FRONTAL) ** 2)
    clock = (times - times[0]) / max(times[-1] - times[0], 1.0) * count
    stretch = np.minimum(np.floor(clock), count - 1)
    central = worth * (1 - 2 * EDGE * np.abs(clock - stretch - 0.5))
    best = [int(np.where(stretch == number, central, -1.0).argmax()) for number in np.unique(stretch)]
    return places[[place for place in best if worth[place] >= WORTH * worth.max()]]


def average(descriptors: Descriptors) -> Descriptor:
    """One descriptor for a track.

    Args:
        descriptors: (N, 128), N >= 1, of faces of one track.

    Returns:
        float32 (128,): their mean; of more than three the one furthest from the median is left out, which
        may be another's face or a hand.
    """
    kept = np.asarray(descriptors, np.float32)
    if len(kept) > 3:
        away = np.linalg.norm(kept - np.median(kept, axis=0), axis=1)
        kept = np.delete(kept, away.argmax(), axis=0)
    return np.asarray(kept.mean(axis=0))
