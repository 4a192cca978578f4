"""A faceset of each person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from faceswap.curation.folders import whole
from faceswap.errors import InputError
from faceswap.faces.copying import copy_into
from faceswap.faces.faceset import Faceset
from faceswap.options import FacesSplitConfig
from faceswap.progress import Progress, quiet


@dataclass(frozen=True)
class SplitResult:
    """What a faceset was split into.

    Attributes:
        folders: Each person's faceset and how many faces it has.
        left_out: Faces of people who have too few.
    """

    folders: dict[Path, int]
    left_out: int

    def __str__(self) -> str:
        """A line for each person."""
        lines = [f"{faces:6d} faces in {folder}" for folder, faces in self.folders.items()]
        return "\n".join([*lines, *([f"{self.left_out} faces left out"] if self.left_out else [])])


def faces_split(config: FacesSplitConfig, progress: Progress = quiet) -> SplitResult:
    """Make a faceset of each person: `person_0`, `person_1` and so on, all of them or none.

    Each has all sources, so that it can be trained on, converted with and gone on with. Its pictures are
    copies. What was rejected stays behind.

    Raises:
        InputError: There is no faceset, it is unfinished, or it shows one person only.
        OutputError: The output exists or cannot be written.
    """
    with Faceset.open(config.faceset) as faceset:
        faces = faceset.faces()
        counts = Counter(face.person for face in faces)
        people = [person for person in sorted(counts) if counts[person] >= config.fewest]
        if len(counts) < 2:
            raise InputError(f"{config.faceset} shows one person only: there is nothing to split")
        if not people:
            raise InputError(f"nobody in {config.faceset} has {config.fewest} faces: use a smaller --fewest")
        with whole(config.output) as draft:
            for person in progress(people, total=len(people), desc="people", unit="person"):
                theirs = [face for face in faces if face.person == person]
                with Faceset.create(_folder(draft, person), faceset.settings) as part:
                    copy_into(part, faceset, theirs)
                    part.add_people({track: (who, 0) for track, who in part.identities().items()})
    kept = {_folder(config.output, person): counts[person] for person in people}
    return SplitResult(kept, len(faces) - sum(kept.values()))


def _folder(parent: Path, person: int) -> Path:
    return parent / f"person_{person}"
