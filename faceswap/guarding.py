"""When the content guard looks: while a source is extracted or, where it was not then, before conversion.

Extraction decodes every frame anyway; it has those of the sample scored, and the faceset keeps the scores
with its record of the source, which goes by the file's hash. A conversion reads them there instead of
decoding the clip once more. They tell of the source, not of the faces' pictures: to delete, move or paint
over those changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from threading import Lock

from faceswap.faces.faceset import Faceset
from faceswap.progress import Progress
from faceswap.provenance.guard import SAMPLE_SECONDS, Guard, judge
from faceswap.threads import ahead
from faceswap.types import Picture
from faceswap.video.source import Source

FEW = 20  # images of a folder
AHEAD = 4  # frames decoded while one is scored

_loading = Lock()  # segments are searched side by side, and the first frame of each is in the sample


def sample(source: Source) -> range:
    """The frames looked at: one for each second of a clip; of a folder each image up to `FEW`, then fewer."""
    step = round(SAMPLE_SECONDS * source.rate) if source.is_video else source.count // FEW
    return range(0, source.count, max(step, 1))


def score(picture: Picture) -> float:
    """How adult a picture is, 0 to 1; may be called from several threads.

    Raises:
        DependencyError: The network is not installed.
    """
    with _loading:
        guard = _loaded()
    return guard.score(picture)


def refuse_adult(source: Source, folder: Path | None, progress: Progress) -> None:
    """Refuse a source that is adult footage, by the scores its faceset keeps; without, it is looked over.

    Args:
        source: The source.
        folder: The faceset that it is converted with; None where nobody was found.
        progress: Shows the looking over.

    Raises:
        RefusedError: It is.
        InputError: The faceset is missing or damaged.
    """
    scores = _kept(source, folder) if folder else None
    if scores is None:
        scores = list(map(score, sampled(source, progress)))
    judge(scores, source.path.name)


def sampled(source: Source, progress: Progress) -> Iterator[Picture]:
    """The frames of `sample`, but for images that cannot be read; the whole source is decoded for them."""
    wanted = sample(source)
    with closing(ahead(source.frames(), AHEAD)) as frames:
        for frame in progress(frames, total=source.count, desc="looking it over", unit="frame"):
            if frame.index in wanted:
                yield frame.picture


def _kept(source: Source, folder: Path) -> list[float] | None:
    """The scores of a source in a faceset; None where not all of its sample, and no other, was scored."""
    with Faceset.open(folder) as faceset:
        number = faceset.source_number(source.fingerprint())
        scores = {} if number is None else faceset.scores(number)
    if scores.keys() != set(sample(source)):
        return None
    return [value for value in scores.values() if value is not None]


@cache
def _loaded() -> Guard:
    return Guard()
