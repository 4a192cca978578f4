"""Stage one: sources in, faceset out."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faceswap import registry
from faceswap.config import pick
from faceswap.errors import NoFacesError
from faceswap.faces.alignment import align, cut, transform
from faceswap.faces.faceset import Faceset
from faceswap.faces.masks import hull
from faceswap.faces.tracking import Detector, Landmarker, Tracker
from faceswap.options import ExtractConfig, ExtractOptions
from faceswap.progress import Progress, quiet
from faceswap.types import AlignedFace, Face, Frame
from faceswap.video.source import Source, find_sources, open_source, segments

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExtractResult:
    """What an extraction found.

    Attributes:
        faceset: The folder.
        frames: Frames searched, over all runs.
        missed: Frames without a face.
        faces: Faces in the faceset now.
        problems: Damaged frames and files, a line each.
        seconds: Wall-clock time of this run.
    """

    faceset: Path
    frames: int
    missed: int
    faces: int
    problems: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        """A few lines for people."""
        text = f"{self.faces} faces of {self.frames} frames in {self.faceset} ({self.seconds:.1f} s)"
        missed = f"\n{self.missed} frames without a face" if self.missed else ""
        return text + missed + (f"\n{len(self.problems)} problems" if self.problems else "")


def extract(config: ExtractConfig, progress: Progress = quiet) -> ExtractResult:
    """Find the faces of the sources and write them to a faceset.

    A faceset that was begun with the same settings is gone on with: finished segments are not searched
    again, and new sources are added.

    Raises:
        InputError: A source is missing or unreadable.
        NoFacesError: Nobody is in any of them.
        OutputError: The faceset cannot be written, or was made with other settings.
    """
    started = time.monotonic()
    paths = find_sources(config.sources)
    finder = Finder(config)
    if config.overwrite:
        Faceset.remove(config.output)
    with Faceset.create(config.output, pick(config, ExtractOptions)) as faceset:
        for path in paths:
            with open_source(path) as source:
                _extract_source(faceset, source, finder, progress)
        totals = faceset.totals()
    if not totals.faces:
        names = ", ".join(str(path) for path in paths)
        raise NoFacesError(f"no faces found in {names}: is a face in view? try a smaller --min-face")
    seconds = time.monotonic() - started
    return ExtractResult(config.output, totals.frames, totals.missed, totals.faces, totals.problems, seconds)


class Finder:
    """The plug-ins that find faces, loaded once, and how the faces are cut out."""

    def __init__(self, options: ExtractOptions) -> None:
        """Load the detector and the landmarker.

        Raises:
            DependencyError: A weight file is not installed.
        """
        self._detector: Detector = registry.load(registry.DETECTORS, options.detector)()
        self._landmarker: Landmarker = registry.load(registry.LANDMARKERS, options.landmarker)()
        self._options = options

    def tracker(self) -> Tracker:
        """A tracker for one segment."""
        return Tracker(self._detector, self._landmarker, self._options.min_face)

    def cut(self, frame: Frame, face: Face) -> AlignedFace:
        """Cut a face out of its frame."""
        alignment = align(face.landmarks, self._options.face_size, self._options.coverage)
        mask = hull(transform(face.landmarks, alignment.matrix), alignment.size)
        return AlignedFace(cut(frame.picture, alignment), mask, alignment, face, frame.index)


def _extract_source(faceset: Faceset, source: Source, finder: Finder, progress: Progress) -> None:
    number = faceset.add_source(source.path.resolve(), source.fingerprint(), source.count)
    done = faceset.finished(number)
    todo = [segment for segment in segments(source) if segment.start not in done]
    work = _extract_segments(faceset, number, source, todo, finder)
    for _ in progress(work, total=sum(map(len, todo)), desc=f"faces of {source.path.name}", unit="frame"):
        pass
    for line in source.problems:
        log.warning("%s", line)


def _extract_segments(
    faceset: Faceset, number: int, source: Source, todo: list[range], finder: Finder
) -> Iterator[int]:
    """Do the segments, one transaction each; yields the index of each frame when it is searched."""
    for segment in todo:
        tracker, faces, seen, known = finder.tracker(), [], 0, len(source.problems)
        for frame in source.frames(segment.start, segment.stop):
            found = [finder.cut(frame, face) for face in tracker.find(frame.picture)]
            faces += found
            seen += bool(found)
            yield frame.index
        faceset.add_segment(number, segment, faces, len(segment) - seen, source.problems[known:])
