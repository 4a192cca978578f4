"""One faceset of several."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceswap.curation.folders import whole
from faceswap.errors import InputError
from faceswap.faces.copying import copy_into
from faceswap.faces.faceset import Faceset
from faceswap.faces.people import cluster, seen_together
from faceswap.options import FacesMergeConfig
from faceswap.progress import Progress, quiet
from faceswap.recognition import by_track


@dataclass(frozen=True)
class MergeResult:
    """What was put together.

    Attributes:
        faceset: The new one.
        sources: Sources in it.
        faces: Faces in it.
        twice: Faces that were in several of the facesets, and are in this one once.
        people: How many people there are, as far as tracks have identities; 1 where none has.
    """

    faceset: Path
    sources: int
    faces: int
    twice: int
    people: int

    def __str__(self) -> str:
        """A line for people."""
        twice = f"; {self.twice} were there twice" if self.twice else ""
        people = "1 person" if self.people == 1 else f"{self.people} people"
        return f"{self.faces} faces of {people} from {self.sources} sources in {self.faceset}{twice}"


def faces_merge(config: FacesMergeConfig, progress: Progress = quiet) -> MergeResult:
    """Put several facesets together in a new one.

    A source that is in several is entered once, and so is a face. Who is one person is found anew, by the
    identities of the tracks. The new faceset goes on with the settings of the first one.

    Raises:
        InputError: One is no faceset, is unfinished, or has faces of another size or coverage.
        OutputError: The output exists or cannot be written.
    """
    with ExitStack() as stack:
        origins = [stack.enter_context(Faceset.open(folder)) for folder in config.facesets]
        _check_crops(origins)
        with whole(config.output) as draft:
            given, copied = 0, 0
            with Faceset.create(draft, origins[0].settings) as merged:
                for origin in progress(origins, total=len(origins), desc="facesets", unit="faceset"):
                    faces = origin.faces()
                    given += len(faces)
                    copied += copy_into(merged, origin, faces)
                _find_people(merged)
                people = {face.person for face in merged.faces()}
                sources = len(merged.sources())
    return MergeResult(config.output, sources, copied, given - copied, len(people))


def _check_crops(facesets: Sequence[Faceset]) -> None:
    """Refuse facesets whose pictures do not go together."""
    crops: dict[tuple[int, float], Path] = {}
    for faceset in facesets:
        for face in faceset.faces():
            crops.setdefault((face.alignment.size, face.alignment.coverage), faceset.folder)
    if len(crops) > 1:
        kinds = [f"{size} pixels and coverage {wide:g} in {where}" for (size, wide), where in crops.items()]
        raise InputError(
            f"faces are cut differently: {', '.join(kinds)}; extract one of them again like the other"
        )


def _find_people(faceset: Faceset) -> None:
    """Number the people through: the facesets each counted from 0."""
    identities = faceset.identities()
    tracks = {track: faces for track, faces in by_track(faceset.faces()).items() if track in identities}
    if not tracks:
        return
    frames = [[(face.source, face.frame_index) for face in faces] for faces in tracks.values()]
    vectors = np.stack([identities[track] for track in tracks])
    people = cluster(vectors, [len(those) for those in frames], seen_together(frames)).tolist()
    faceset.add_people(
        {track: (identities[track], person) for track, person in zip(tracks, people, strict=True)}
    )
