"""What is not one film: numbered frames, or the swapped faces by themselves, to be laid over elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from faceswap import png
from faceswap.errors import UsageError, writing
from faceswap.laying import shifted
from faceswap.progress import Progress
from faceswap.types import Frame, Patch
from faceswap.video.base import Source
from faceswap.video.images import FORMATS, write_image
from faceswap.video.joining import CONTAINERS
from faceswap.video.output import Output, Patched, Seal
from faceswap.video.patching import image_apply, placed

TABLE = "patches.json"


class SequenceOutput(Output):
    """A folder of numbered PNG files; they move there from the parts when all are done."""

    def __init__(self, path: Path, parts: Path, source: Source) -> None:
        """Check the name.

        Raises:
            UsageError: `path` is named like a file.
        """
        super().__init__(path, parts)
        self._source = source
        if path.suffix.lower() in {*CONTAINERS, *FORMATS, ".gif"}:
            raise UsageError(f"this kind of output is many files: name a folder, not {path}")

    @property
    def _folder(self) -> Path:
        """Files that are as they will be."""
        return self.parts / "files"

    @property
    def _changed(self) -> Path:
        """Files with a face in them that are not sealed yet."""
        return self.parts / "changed"

    def finished(self, segment: range) -> bool:
        """Whether the segment was finished."""
        return (self.parts / f"{segment.start:09d}.done").exists()

    def write(self, segment: range, frames: Iterable[Patched]) -> Iterator[int]:
        """Write the segment's files, and what is to be known of them."""
        with writing(self.parts):
            for folder in (self._folder, self._changed):
                folder.mkdir(exist_ok=True)
        entries: list[dict[str, Any]] = []
        for frame, patches in frames:
            entries += self._files(frame, patches)
            yield frame.index
        done = self.parts / f"{segment.start:09d}.done"
        with writing(done):
            done.write_text(json.dumps(entries), encoding="utf-8")

    def _files(self, frame: Frame, patches: Sequence[Patch]) -> list[dict[str, Any]]:
        """Write the files of a frame; returns what is to be known of each."""
        folder = self._changed if patches else self._folder
        write_image(folder / f"{frame.index:06d}.png", image_apply(frame.image, patches))
        return []

    def finish(self, notes: Mapping[str, str], seal: Seal, progress: Progress) -> None:
        """Seal the files and give them their place; other files of a folder that is there stay."""
        changed = sorted(self._changed.iterdir())
        for file in progress(changed, total=len(changed), desc="sealing", unit="image"):
            seal(file, self._folder / file.name, self._source.path)
        with writing(self.path):
            if not self.path.exists():
                os.replace(self._folder, self.path)
                return
            for file in sorted(self._folder.iterdir()):
                os.replace(file, self.path / file.name)


class PatchOutput(SequenceOutput):
    """The swapped faces with their opacity, and `patches.json`, which says where each belongs."""

    def _files(self, frame: Frame, patches: Sequence[Patch]) -> list[dict[str, Any]]:
        entries = []
        spots = [spot for patch in patches if (spot := placed(frame.picture, patch))]
        for number, (place, image, opacity) in enumerate(spots):
            name = f"{frame.index:06d}_{number}.png"
            alpha = np.rint(opacity * 255).astype(np.uint8)
            with writing(self._changed / name):
                (self._changed / name).write_bytes(png.encode(np.dstack([image, alpha])))
            matrix = shifted(place.matrix, place.left, place.top)
            entry = {"file": name, "frame": frame.index, "seconds": float(frame.pts * frame.time_base)}
            entry |= {"image": frame.name} if frame.name else {}
            entry |= {"left": place.left, "top": place.top, "matrix": np.round(matrix, 6).tolist()}
            entries.append(entry)
        return entries

    def finish(self, notes: Mapping[str, str], seal: Seal, progress: Progress) -> None:
        """Write the table and give the files their place."""
        parts = sorted(self.parts.glob("[0-9]*.done"))
        entries = [entry for part in parts for entry in json.loads(part.read_text(encoding="utf-8"))]
        source = self._source
        about = {
            "source": source.path.name,
            "frames": source.count,
            "width": source.width,
            "height": source.height,
            "frames per second": float(source.rate),
            "about": "Lay each file over its frame, its left top corner at (left, top), by its alpha, which"
            " is not multiplied in. 'matrix' maps pixels of the upright face, 256 across, to the frame's.",
            "patches": entries,
        }
        with writing(self._folder / TABLE):
            (self._folder / TABLE).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        super().finish(notes, seal, progress)
