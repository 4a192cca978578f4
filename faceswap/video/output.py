"""Where converted frames go: segments of a video that are joined at the end, or images of a folder.

Both collect in a folder of parts, so that finished segments outlive a kill, and appear under the output's
name only when all of them are there.
"""

from __future__ import annotations

import logging
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from faceswap.errors import UsageError, writing
from faceswap.progress import Progress
from faceswap.types import Frame, Patch
from faceswap.video.encoders import Encoding
from faceswap.video.images import FORMATS, ImageSource, write_image
from faceswap.video.joining import CONTAINERS, join
from faceswap.video.planes import traits
from faceswap.video.source import VideoSource
from faceswap.video.views import SWAPPED, View
from faceswap.video.writer import SegmentWriter

log = logging.getLogger(__name__)

Patched = tuple[Frame, Sequence[Patch]]
Seal = Callable[[Path, Path, Path], object]  # a finished file, the name it gets, and what it was made from


class Output(ABC):
    """Takes frames by the segment."""

    def __init__(self, path: Path, parts: Path) -> None:
        """Collect in the folder `parts`; appear as `path`."""
        self.path, self.parts = path, parts

    @abstractmethod
    def finished(self, segment: range) -> bool:
        """Whether this segment was written whole, by this run or an earlier one."""

    @abstractmethod
    def write(self, segment: range, frames: Iterable[Patched]) -> Iterator[int]:
        """Write a segment's frames, each with the patches to put in it; yields each one's index."""

    @abstractmethod
    def finish(self, notes: Mapping[str, str], seal: Seal, progress: Progress) -> None:
        """Make the output of the segments; an output that is there is replaced.

        Args:
            notes: Metadata of a container, by libav's names.
            seal: Gives a changed file its name, in its way; what it has sealed, it has moved.
            progress: Shown where there is more than one file to seal.
        """


class VideoOutput(Output):
    """A video: each segment in a file of its own, joined without encoding again, with the source's sound."""

    def __init__(self, path: Path, parts: Path, source: VideoSource, how: Encoding, view: View) -> None:
        """Check that it can be.

        Raises:
            UsageError: No container has the suffix of `path`, or it does not hold the codec, or that does
                not hold such pictures.
        """
        super().__init__(path, parts)
        self._source, self._how, self._view = source, how, view
        coded = source.sample.format.name
        depth, now = (
            traits(name).depth for name in (coded, how.format(coded, source.width, source.height)[0])
        )
        if how.depth is None and now < depth:
            log.warning("%s writes %d bits a sample here, the source has %d: try h265", how.codec, now, depth)

    def _file(self, start: int) -> Path:
        return self.parts / f"{start:09d}.mp4"

    def finished(self, segment: range) -> bool:
        """Whether the segment's file is there."""
        return self._file(segment.start).exists()

    def write(self, segment: range, frames: Iterable[Patched]) -> Iterator[int]:
        """Encode the segment."""
        file = self._file(segment.start)
        with SegmentWriter(file, self._source, self._how, self._view) as writer:
            for frame, patches in frames:
                writer.write(frame, patches)
                yield frame.index

    def finish(self, notes: Mapping[str, str], seal: Seal, progress: Progress) -> None:
        """Join the segments."""
        whole = self.parts / f"whole{self.path.suffix}"
        join(sorted(self.parts.glob("[0-9]*.mp4")), self._source, whole, notes)
        seal(whole, self.path, self._source.path)


class ImageOutput(Output):
    """Images under the names they had; one that no patch touches is copied as it is."""

    def __init__(self, path: Path, parts: Path, source: ImageSource, view: View) -> None:
        """Write the images of `source`: a folder to a folder, a single image to a file.

        Raises:
            UsageError: `path` is named like a video, or a single image's like no image.
        """
        super().__init__(path, parts)
        self._source, self._view, self._single = source, view, not source.path.is_dir()
        suffix = path.suffix.lower()
        if self._single and suffix not in FORMATS:
            raise UsageError(f"cannot write an image to {path}: name it with one of {', '.join(FORMATS)}")
        if suffix in CONTAINERS:
            raise UsageError(f"{source.path} is a folder of images: name a folder, not {path}")

    def finished(self, segment: range) -> bool:
        """Whether the segment was finished."""
        return (self.parts / f"{segment.start:09d}.done").exists()

    def write(self, segment: range, frames: Iterable[Patched]) -> Iterator[int]:
        """Write the segment's images."""
        with writing(self.parts):
            for folder in (self._done, self._changed):
                folder.mkdir(exist_ok=True)
        for frame, patches in frames:
            self._write_image(self._source.files[frame.index], frame, patches)
            yield frame.index
        (self.parts / f"{segment.start:09d}.done").touch()

    @property
    def _done(self) -> Path:
        """Images that are as they will be."""
        return self.parts / "images"

    @property
    def _changed(self) -> Path:
        """Images with a face put in that are not sealed yet."""
        return self.parts / "changed"

    def _name(self, origin: Path) -> str:
        """What the image made from `origin` is called."""
        if self._single:
            return self.path.name
        return origin.name if origin.suffix.lower() in FORMATS else f"{origin.stem}.png"

    def _write_image(self, origin: Path, frame: Frame, patches: Sequence[Patch]) -> None:
        name = self._name(origin)
        if patches or self._view is not SWAPPED:
            write_image(self._changed / name, self._view.image(frame.image, patches))
        elif Path(name).suffix == origin.suffix:
            with writing(self._done / name):
                shutil.copyfile(origin, self._done / name)
        else:
            write_image(self._done / name, frame.image)

    def finish(self, notes: Mapping[str, str], seal: Seal, progress: Progress) -> None:
        """Give the images their place; other files of a folder that is there stay."""
        changed = {path.name for path in self._changed.iterdir()}
        origins = {self._name(origin): origin for origin in self._source.files}
        names = [name for name in origins if name in changed]
        shown = progress(names, total=len(names), desc="sealing", unit="image")
        for name in names if self._single else shown:
            seal(self._changed / name, self.path if self._single else self._done / name, origins[name])
        with writing(self.path):
            if self._single and not changed:
                os.replace(self._done / self.path.name, self.path)
            elif not self._single and not self.path.exists():
                os.replace(self._done, self.path)
            elif not self._single:
                for image in sorted(self._done.iterdir()):
                    os.replace(image, self.path / image.name)
