"""Stage one: sources in, faceset out."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from faceswap.config import pick
from faceswap.errors import InputError, NoFacesError
from faceswap.faces.faceset import Faceset
from faceswap.faces.following import Follower
from faceswap.faces.index import Segment, WrittenFace
from faceswap.faces.lying import Lying
from faceswap.faces.sight import SAME
from faceswap.faces.tracks import linked
from faceswap.finding import Finder, look_around
from faceswap.guarding import sample, score
from faceswap.options import ExtractConfig, ExtractOptions
from faceswap.progress import Progress, quiet
from faceswap.recognition import by_track, describe_pictures, keep, recognise
from faceswap.threads import ahead, side_by_side
from faceswap.types import Face, Frame
from faceswap.video.source import Source, find_sources, open_source, segments

NAMED = 8  # people whose faces are counted out
OFTEN = 0.02  # share of a faceset's faces from which a person is counted
AHEAD = 3  # frames decoded ahead of the search: as fast as 4, in 15 MB less at 1080p

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExtractResult:
    """What an extraction found.

    Attributes:
        faceset: The folder.
        frames: Frames searched, over all runs.
        missed: Frames without a face.
        damaged: Frames and images that could not be (wholly) decoded.
        faces: Faces in the faceset now.
        people: How many of them each person has, the most first; see `faces.people` for who is one person.
        seconds: Wall-clock time of this run.
    """

    faceset: Path
    frames: int
    missed: int
    damaged: int
    faces: int
    people: tuple[int, ...]
    seconds: float

    def __str__(self) -> str:
        """A few lines for people."""
        text = f"{self.faces} faces of {self.frames} frames in {self.faceset} ({self.seconds:.1f} s)"
        missed = f"\n{self.missed} frames without a face" if self.missed else ""
        damaged = f"\n{self.damaged} damaged frames" if self.damaged else ""
        return text + self._people() + missed + damaged

    def _people(self) -> str:
        """A line on who is there, where there are several."""
        if len(self.people) < 2:
            return ""
        often = [count for count in self.people if count >= OFTEN * self.faces]
        seldom = sum(self.people) - sum(often)
        who = f"{len(often)} people" if len(often) > 1 else "one person"
        shares = ", ".join(str(count) for count in often[:NAMED]) + (", ..." if len(often) > NAMED else "")
        text = f"\n{who} with {shares} faces"
        if seldom:
            text += f"; {seldom} faces of others or of nobody"
        return f"{text}: 'faceswap faces split {self.faceset}' parts them"


def extract(config: ExtractConfig, progress: Progress = quiet) -> ExtractResult:
    """Find the faces of the sources and write them to a faceset.

    A faceset that was begun with the same settings is gone on with: finished segments are not searched
    again, and new sources are added. One without a face is not left behind.

    Raises:
        InputError: A source is missing or unreadable.
        NoFacesError: Nobody is in any of them.
        OutputError: The faceset cannot be written, or was made with other settings.
        DependencyError: A weight file, or the content guard's network, is not installed.
    """
    started = time.monotonic()
    paths = find_sources(config.sources)
    finder = Finder(config)
    wanted, unwanted = (
        describe_pictures(pictures, finder.sight()) for pictures in (config.reference, config.exclude)
    )
    if config.overwrite:
        Faceset.remove(config.output)
    with Faceset.create(config.output, pick(config, ExtractOptions)) as faceset:
        try:
            _fill(faceset, paths, finder, progress)
        except InputError:
            faceset.discard()
            raise
        chosen = bool(len(wanted) or len(unwanted))
        if chosen or len(by_track(faceset.faces())) > 1:
            recognise(faceset, progress)
        if chosen:
            keep(faceset, wanted, unwanted)
        totals, people = faceset.totals(), Counter(face.person for face in faceset.faces())
    seconds = time.monotonic() - started
    sizes = tuple(count for _, count in sorted(people.items()))
    return ExtractResult(
        config.output, totals.frames, totals.missed, totals.damaged, totals.faces, sizes, seconds
    )


def _fill(faceset: Faceset, paths: Sequence[Path], finder: Finder, progress: Progress) -> None:
    for path in paths:
        with open_source(path) as source:
            _extract_source(faceset, source, finder, progress)
    if not faceset.totals().faces:
        names = ", ".join(str(path) for path in paths)
        raise NoFacesError(
            f"no faces found in {names}: is a face in view? Try a smaller --min-face,"
            " --rotate 90 for pictures that lie on their side, or --profiles"
        )


def _extract_source(faceset: Faceset, source: Source, finder: Finder, progress: Progress) -> None:
    number = faceset.add_source(source.path.resolve(), source.fingerprint(), source.count)
    done = faceset.finished(number)
    todo = [segment for segment in segments(source) if segment.start not in done]
    jobs = [partial(_search, faceset, number, source, segment, finder) for segment in todo]
    with closing(side_by_side(jobs, workers=os.cpu_count() or 1)) as results:
        work = _entered(faceset, number, results)
        for _ in progress(work, total=sum(map(len, todo)), desc=f"faces of {source.path.name}", unit="frame"):
            pass
    if not faceset.is_numbered(number):
        faceset.number_tracks(number, linked(faceset.faces(number), faceset.segments(number)))
    for line in source.problems:
        log.warning("%s", line)


def _entered(faceset: Faceset, number: int, results: Iterator[int | Segment]) -> Iterator[int]:
    """Enter each segment when it comes; yields the index of each frame when it was searched."""
    for result in results:
        if isinstance(result, Segment):
            faceset.add_segment(number, result)
        else:
            yield result


def _search(
    faceset: Faceset, number: int, source: Source, segment: range, finder: Finder
) -> Iterator[int | Segment]:
    """Search a segment; yields the index of each frame when it is done, and the segment at the end.

    Where nobody is upright but people lie on their side, all the time and on the same one, it is searched
    once more for those: so is a clip shown whose camera took itself to be held in another way.
    """
    turned = finder.turned() if source.is_video else None
    lying = Lying(turned.sight(), segment) if turned else None
    for step in _follow(faceset, number, source, segment, finder, lying):
        if isinstance(step, Segment) and not step.faces and turned and lying and lying.seen():
            *_, step = _follow(faceset, number, source, segment, turned)
        yield step


def _follow(
    faceset: Faceset, number: int, source: Source, segment: range, finder: Finder, lying: Lying | None = None
) -> Iterator[int | Segment]:
    """Follow the faces of a segment and write them; yields what `_search` does."""
    reach = look_around(source)
    follower = Follower(finder.tracker(reach), reach)
    goes_on, good = False, 0
    found: dict[int, list[WrittenFace]] = {index: [] for index in segment}
    scores: dict[int, float | None] = {index: None for index in sample(source) if index in segment}

    def write(faces: Iterable[tuple[Frame, Face]]) -> None:
        for place, face in faces:
            written = found[place.index]
            if all(other.face.face.box.iou(face.box) < SAME for other in written):
                size = (place.picture.width, place.picture.height)
                written.append(faceset.write(number, finder.cut(place, face), len(written), size))

    past = segment.stop + source.is_video  # one more frame is cheap there; one before needs decoding anew
    for frame in ahead(source.frames(segment.start, past), AHEAD):
        cut = follower.begins_scene(frame)
        if frame.index == segment.stop:
            goes_on = not cut
            break
        write(follower.faces(frame, cut))
        good += not frame.damaged
        if frame.index in scores:  # here it is decoded: looked for by itself it costs a decoding of the clip
            scores[frame.index] = score(frame.picture)
        if lying and not any(found.values()):
            lying.look(frame)
        yield frame.index
    write(follower.rest())
    missed = sum(not faces for faces in found.values())
    faces_in_order = [face for index in segment for face in found[index]]
    yield Segment(segment, faces_in_order, missed, len(segment) - good, goes_on, scores)
