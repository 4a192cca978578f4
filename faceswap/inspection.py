"""Where a file comes from: its manifest, its notes, and the mark in its pixels."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import av

from faceswap.errors import InputError
from faceswap.faces.alignment import align, cut
from faceswap.finding import Finder, look_around
from faceswap.options import ExtractOptions, InspectConfig
from faceswap.progress import Progress, quiet
from faceswap.provenance.detection import Detector, Reading
from faceswap.provenance.metadata import SOURCE_TYPE, read_comment, read_source_type
from faceswap.provenance.reading import Manifest, read_manifest
from faceswap.provenance.watermark import COVERAGE, SIZE
from faceswap.types import Pixels
from faceswap.video.source import Source, open_source

ALTERED, TRACES, OTHERS, NOTHING = 11, 12, 13, 14  # exit codes; 0: made by this program, and whole

_MOST = 1500  # frames searched for the mark
_LOOK = 200  # frames between two attempts to read it
_OWN = "this machine's own certificate, which proves that the file is unaltered, not who made it"


@dataclass(frozen=True)
class InspectResult:
    """What a file says of itself.

    Attributes:
        file: What was looked at.
        manifest: Its C2PA manifest, or None.
        source_type: The IPTC's digital source type in its XMP or in its manifest, or None.
        comment: What its own metadata says of this program, or None.
        mark: The mark in its pixels, or None.
        searched: Frames that the mark was looked for in.
        faces: Faces that were found in them.
        as_json: How it is printed.
    """

    file: Path
    manifest: Manifest | None
    source_type: str | None
    comment: str | None
    mark: Reading | None
    searched: int
    faces: int
    as_json: bool = False

    @property
    def exit_code(self) -> int:
        """0: made by this program and whole. Otherwise one of `ALTERED`, `TRACES`, `OTHERS`, `NOTHING`."""
        if self.manifest:
            if not self.manifest.whole:
                return ALTERED
            return 0 if self.manifest.ours else OTHERS
        return TRACES if self.mark or self.comment or self.source_type == SOURCE_TYPE else NOTHING

    @property
    def verdict(self) -> str:
        """One sentence."""
        made = f"made by {self.manifest.tool or 'an unnamed program'}" if self.manifest else ""
        if self.manifest and self.manifest.when:
            made += f" at {self.manifest.when}"
        return {
            0: f"{made}, and whole: nothing was changed since it was signed",
            ALTERED: "altered since it was signed: what its manifest states is not to be relied on",
            TRACES: "made by faceswap, or from what was; its manifest is gone, as after re-encoding",
            OTHERS: f"{made}, not by faceswap; whole: nothing was changed since it was signed",
            NOTHING: "nothing found; that does not mean it is original",
        }[self.exit_code]

    def __str__(self) -> str:
        """Plain words, or JSON."""
        if self.as_json:
            return json.dumps(self.as_dict(), indent=1)
        lines = [f"{self.file}: {self.verdict}", *_rows(self)]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """All of it, ready for JSON."""
        found = {name: value for name, value in asdict(self).items() if name != "as_json"}
        return {"verdict": self.verdict, "exit_code": self.exit_code, **found, "file": str(self.file)}


def inspect(config: InspectConfig, progress: Progress = quiet) -> InspectResult:
    """Look for everything that this program, or another, states about a file.

    Raises:
        InputError: The file is missing or unreadable.
    """
    if not config.file.is_file():
        raise InputError(f"{config.file} is not a file: give a video or an image")
    manifest = read_manifest(config.file)
    source_type = read_source_type(config.file) or (manifest.source_type if manifest else "") or None
    try:
        with open_source(config.file) as source:
            mark, searched, faces = _search(source, progress)
            comment = _comment(config.file, source.is_video)
    except InputError:
        if manifest is None:
            raise
        mark, searched, faces, comment = None, 0, 0, None  # so damaged that only its manifest can be read
    return InspectResult(config.file, manifest, source_type, comment, mark, searched, faces, config.json)


def _search(source: Source, progress: Progress) -> tuple[Reading | None, int, int]:
    """The clearest mark in the faces of the first frames; how many frames and faces were looked at."""
    tracker = Finder(ExtractOptions()).tracker(look_around(source))
    detectors: defaultdict[int, Detector] = defaultdict(Detector)
    best, searched, faces = None, 0, 0
    total = min(source.count, _MOST)
    frames = progress(source.frames(0, _MOST), total=total, desc="looking for the mark", unit="frame")
    for frame in frames:
        searched += 1
        if tracker.is_cut(frame.picture):
            tracker.forget()
        for face in tracker.find(frame.picture):
            crop = cut(frame.picture, align(face.landmarks, SIZE, COVERAGE))
            detectors[face.track_id].add(Pixels(crop).grey(), float(frame.pts * frame.time_base))
            faces += 1
        if searched % _LOOK == 0:
            best = _clearest(detectors)
            if best and best.run is not None:
                return best, searched, faces
    return _clearest(detectors), searched, faces


def _clearest(detectors: defaultdict[int, Detector]) -> Reading | None:
    read = [reading for detector in detectors.values() if (reading := detector.read())]
    return max(read, key=lambda reading: (reading.run is not None, reading.score), default=None)


def _comment(path: Path, is_video: bool) -> str | None:
    """What a video's or an image's own metadata says of this program."""
    if is_video:
        with av.open(f"file:{path}", metadata_errors="replace") as container:
            notes = {name.lower(): text for name, text in container.metadata.items()}
        texts = [notes.get("comment", ""), notes.get("description", "")]
    else:
        texts = [read_comment(path) or ""]
    return next((text for text in texts if "faceswap" in text), None)


def _rows(result: InspectResult) -> Iterator[str]:
    """What was found, a line each."""
    if result.manifest:
        yield from _stated(result.manifest)
    else:
        yield _row("manifest", "none")
    note = "made or changed with a trained model" if result.source_type == SOURCE_TYPE else result.source_type
    yield _row("XMP", note or "says nothing of its origin")
    if result.comment:
        yield _row("comment", result.comment)
    if result.mark:
        run = "the run's number is too worn to be read" if result.mark.run is None else _run(result.mark.run)
        yield _row("pixel mark", f"found ({result.mark.score:.0f} standard deviations above chance), {run}")
    else:
        yield _row("pixel mark", f"none in {result.faces} faces of {result.searched} frames")


def _stated(manifest: Manifest) -> Iterator[str]:
    yield from (_row("problem", _plain(problem)) for problem in manifest.problems)
    if manifest.sidecar:
        yield _row("manifest", f"in {manifest.sidecar}")
    if manifest.sources:
        yield _row("made from", ", ".join(manifest.sources))
    for name, sign in manifest.models:
        yield _row("model", f"{name}, {sign[:16]}")
    if manifest.run:
        yield _row("run", manifest.run)
    if manifest.ours:
        agreed = f"{manifest.consent} {manifest.consent_date}".strip()
        yield _row("consent", agreed or "not stated")
    if manifest.signer:
        stranger = f"{manifest.signer}, whom this machine does not know"
        own = _OWN if manifest.whole else _OWN.partition(",")[0]
        yield _row("signed by", own if manifest.own else stranger)
    yield from (_row("before", step) for step in manifest.earlier)


def _plain(problem: str) -> str:
    """What the library says does not hold, in words for what it mostly is."""
    code = problem.partition(":")[0]
    changed = code.endswith("ash.mismatch")
    return f"what the file holds is not what was signed ({code})" if changed else problem


def _row(name: str, text: str) -> str:
    return f"  {name:<12}{text}"


def _run(number: int) -> str:
    return f"run {number:08x}"
