"""What finds faces: the plug-ins that were chosen, put together."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace

from faceswap import registry
from faceswap.faces.alignment import align, cut, transform
from faceswap.faces.following import STRIDE
from faceswap.faces.gaps import GAP
from faceswap.faces.maskers import Masker
from faceswap.faces.sight import Detector, Landmarker, Sight
from faceswap.faces.tracking import Tracker
from faceswap.options import FACE_TYPES, ExtractOptions
from faceswap.types import AlignedFace, Face, Frame
from faceswap.video.source import Source

LOOK_AROUND = 24  # frames at most between two searches for people who came in
QUARTER = 90  # degrees
KEPT = 20e6  # pixels kept, so that who came in can be traced back: 8 frames of 1080p


class Finder:
    """The plug-ins that find faces, and how the faces are cut out."""

    def __init__(self, options: ExtractOptions) -> None:
        """Import the detector and load the landmarker.

        Raises:
            DependencyError: A weight file is not installed.
        """
        self._detector: Callable[[], Detector] = registry.load(registry.DETECTORS, options.detector)
        self._landmarker: Landmarker = registry.load(registry.LANDMARKERS, options.landmarker)()
        self._masker: Masker = registry.load(registry.MASKERS, options.masker)()
        self._helper = None
        if options.profiles:
            detector, landmarker = (
                registry.load(table, name)()
                for table, name in ((registry.DETECTORS, "mesh"), (registry.LANDMARKERS, "mesh468"))
            )
            self._helper = Sight(detector, landmarker, options.min_face)
        self._coverage = options.coverage or FACE_TYPES[options.face_type]
        self._options = options

    def tracker(self, look_around: int) -> Tracker:
        """A tracker for one segment; see there for `look_around`.

        Each has a detector of its own: dlib's keep what they are working on, so two threads that share one
        corrupt the memory. Its shape predictors do not, and are shared, as is the helper.
        """
        return Tracker(self.sight(), look_around)

    def sight(self) -> Sight:
        """A detector of its own with the landmarker that all share."""
        options = self._options
        return Sight(self._detector(), self._landmarker, options.min_face, options.rotate, self._helper)

    def turned(self) -> Finder | None:
        """One that turns pictures in which nobody is upright; None where this one does."""
        if self._options.rotate:
            return None
        turned = copy(self)
        turned._options = replace(self._options, rotate=QUARTER)
        return turned

    def cut(self, frame: Frame, face: Face) -> AlignedFace:
        """Cut a face out of its frame."""
        alignment = align(face.landmarks, self._options.face_size, self._coverage)
        crop = cut(frame.picture, alignment)
        mask = self._masker.mask(crop, transform(face.landmarks, alignment.matrix))
        return AlignedFace(crop, mask, alignment, face, frame.index)


def look_around(source: Source) -> int:
    """Frames between two searches for people who came in; 0 for pictures that do not follow in time.

    A multiple of `STRIDE`: nobody is searched for in the frames between.
    """
    if not source.is_video:
        return 0
    most = min(LOOK_AROUND, int(KEPT / (source.width * source.height)))
    return max(most // STRIDE, GAP // STRIDE + 1) * STRIDE
