"""Two clips side by side: who is where, what is measured, and what the worst frames look like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from faceswap.assessment.examination import Examiner, Moment
from faceswap.assessment.likeness import FACES, Collector, People
from faceswap.errors import InputError, NoFacesError
from faceswap.extraction import AHEAD, extract
from faceswap.faces.alignment import align, cut
from faceswap.faces.faceset import Faceset
from faceswap.faces.smoothing import steady
from faceswap.options import ExtractConfig
from faceswap.progress import Progress
from faceswap.quality.identity import spread
from faceswap.quality.measures import MEASURES
from faceswap.quality.report import Worst, picture, side_by_side
from faceswap.quality.summary import FrameRow, Summary, enter_changes
from faceswap.recognizer import Recognizer
from faceswap.threads import ahead
from faceswap.types import Face
from faceswap.video.source import Source

ENOUGH = 300  # frames measured, unless the caller says otherwise
THROWN_AWAY = 64  # pixels: side of face pictures that nobody looks at
SIDE, VIEW = 240, 1.5  # of the pictures of worst frames: pixels, and extents of the face

Faces = dict[int, Face]  # frame to the face in it


class Study:
    """Both clips.

    Attributes:
        every: Each so manieth frame is measured.
        count: How many frames there are to compare.
    """

    def __init__(self, original: Source, swapped: Source, faces: Faces, every: int) -> None:
        """Take two clips of one size.

        Args:
            original: Before the swap.
            swapped: After it.
            faces: Who is where in the original, as `find_faces` says.
            every: Measure each so manieth frame; 0 so that `ENOUGH` or fewer are.
        """
        self._original, self._swapped, self._faces = original, swapped, faces
        self.count = min(original.count, swapped.count)
        self.every = every or -(-self.count // ENOUGH)

    def measure(
        self, examiner: Examiner, recognizer: Recognizer, people: People, progress: Progress
    ) -> list[FrameRow]:
        """Measure the frames; the whole of both clips is read once, three frames are held at a time.

        Raises:
            NoFacesError: Nobody is in the frames of the original that are measured.
            InputError: A frame has another size than the original's.
        """
        wanted = [index for index in range(0, self.count, self.every) if index in self._faces]
        if not wanted:
            raise NoFacesError(f"no face found in {self._original.path}: is a face in view?")
        sample = {wanted[place] for place in spread(len(wanted), FACES)} if people.a is None else set()
        rows: list[FrameRow] = []
        new, old = Collector(recognizer), Collector(recognizer)
        with closing(self._moments()) as moments:
            for before, now, after in progress(
                _triples(moments), total=self.count, desc="measuring", unit="frame"
            ):
                if now.original.index % self.every:
                    continue
                rows.append(examiner.examine(before, now, after))
                if now.face:
                    new.add(recognizer.chip(now.swapped.picture, examiner.landmarks(now.swapped, now.face)))
                if now.face and now.original.index in sample:
                    old.add(recognizer.chip(now.original.picture, examiner.landmarks(now.original, now.face)))
        a = old.finish().mean(0) if people.a is None else people.a
        people.judge([row for row in rows if row.frame in self._faces], new.finish(), a)
        enter_changes(rows)
        return rows

    def pictures(
        self, found: Mapping[str, Summary], typical: int, progress: Progress
    ) -> tuple[Worst, tuple[str, str]]:
        """What one is to see, from another run through both clips.

        Args:
            found: The summaries.
            typical: A frame that stands for the clip.
            progress: Shows the run.

        Returns:
            The worst frames of each measure beside the original's; the typical one before and after.
        """
        wanted = {(frame, MEASURES[name].whole) for name, summary in found.items() for frame in summary.worst}
        last = max([typical, *(frame for frame, _ in wanted)]) + 1
        both = ("", "")
        shots: dict[tuple[int, bool], str] = {}
        with closing(self._moments(last)) as moments:
            for moment in progress(moments, total=last, desc="worst frames", unit="frame"):
                index = moment.original.index
                if index == typical:
                    both = picture(moment.original.image), picture(moment.swapped.image)
                for whole in (True, False):
                    if (index, whole) in wanted:
                        shots[index, whole] = _shot(moment, whole)
        worst = {
            name: [(frame, shots[frame, MEASURES[name].whole]) for frame in summary.worst]
            for name, summary in found.items()
        }
        return worst, both

    def figures(self, measured: int, seconds: float) -> dict[str, float | int]:
        """What the report says of the clip."""
        return {
            "frames": self.count,
            "measured": measured,
            "every": self.every,
            "faces": sum(index < self.count for index in self._faces),
            "width": self._original.width,
            "height": self._original.height,
            "rate": float(self._original.rate),
            "seconds": round(seconds, 1),
        }

    def _moments(self, stop: int | None = None) -> Generator[Moment, None, None]:
        """The frames of both clips that have the same index, up to but without `stop`."""
        end = self.count if stop is None else stop
        start: float | None = None
        pairs = zip(self._original.frames(0, end), self._swapped.frames(0, end), strict=False)
        with closing(ahead(pairs, AHEAD)) as both:
            for old, new in both:
                sizes = [(frame.picture.width, frame.picture.height) for frame in (old, new)]
                if sizes[0] != sizes[1] or old.index != new.index:
                    raise InputError(
                        f"frame {old.index} of {self._swapped.path} is missing or has another size than the"
                        " original's: give the clip that was made from it"
                    )
                time = float(old.pts * old.time_base)
                start = time if start is None else start
                yield Moment(old, new, self._faces.get(old.index), time - start)


def find_faces(source: Source, faceset: Path | None, progress: Progress) -> Faces:
    """Who is where in a clip: in each frame the face that is seen most, steadied through time.

    Args:
        source: The clip.
        faceset: The clip is not searched where this faceset was made from it.
        progress: Shows the search.

    Raises:
        NoFacesError: Nobody is in it.
        InputError: The faceset is missing or damaged.
    """
    found = _known_faces(source, faceset) if faceset else None
    if found is None:
        found = _searched_faces(source, progress)
    tracks: dict[int, list[tuple[int, Face]]] = defaultdict(list)
    for index, face in found:  # pictures that do not follow in time have no tracks
        tracks[face.track_id if source.is_video else len(tracks)].append((index, face))
    result: Faces = {}
    for track in sorted(tracks.values(), key=lambda track: sum(face.box.area for _, face in track)):
        points = steady([face.landmarks for _, face in track], [index for index, _ in track])
        for (index, face), smoothed in zip(track, points, strict=True):
            result[index] = replace(face, landmarks=smoothed)  # that of a larger track takes its place
    return result


def _known_faces(source: Source, folder: Path) -> list[tuple[int, Face]] | None:
    """The faces that a faceset has of a clip, None where it was not made from all of it."""
    with Faceset.open(folder) as faceset:
        number = faceset.source_number(source.fingerprint())
        if number is None or not faceset.is_numbered(number):
            return None
        return [(stored.frame_index, stored.face) for stored in faceset.faces(number)]


def _searched_faces(source: Source, progress: Progress) -> list[tuple[int, Face]]:
    """The faces of a clip, found as the extraction finds them, in a faceset that is thrown away."""
    with TemporaryDirectory(prefix="faceswap-") as folder:
        faceset = Path(folder) / "faces"
        extract(ExtractConfig(sources=(source.path,), output=faceset, face_size=THROWN_AWAY), progress)
        return _known_faces(source, faceset) or []


def _triples(moments: Iterator[Moment]) -> Iterator[tuple[Moment | None, Moment, Moment | None]]:
    """Each moment with the one before and the one after it."""
    before: Moment | None = None
    now = next(moments, None)
    while now is not None:
        after = next(moments, None)
        yield before, now, after
        before, now = now, after


def _shot(moment: Moment, whole: bool) -> str:
    """The original beside the swapped frame: all of it, or what is around the face."""
    old, new = moment.original, moment.swapped
    if whole or moment.face is None:
        return side_by_side(old.image, new.image, SIDE)
    alignment = align(moment.face.landmarks, SIDE, VIEW)
    return side_by_side(cut(old.picture, alignment), cut(new.picture, alignment), SIDE)
