"""From what a person names to sources of frames."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from glob import glob
from itertools import pairwise
from mimetypes import guess_type
from pathlib import Path

from faceswap.errors import InputError
from faceswap.video.base import Source
from faceswap.video.clip import VideoSource
from faceswap.video.images import ImageSource, images_in, is_image
from faceswap.video.opening import open_clip

log = logging.getLogger(__name__)

__all__ = ["ImageSource", "Source", "VideoSource", "find_sources", "open_source", "segments"]


def find_sources(patterns: Iterable[Path]) -> list[Path]:
    """Turn files, folders and globs into paths for `open_source`.

    A folder of images stays one path; a folder without images becomes the clips in it.

    Raises:
        InputError: A path is missing, a glob matches nothing, a folder has neither images nor clips.
    """
    found: list[Path] = []
    for pattern in patterns:
        if pattern.exists():
            found += _expanded(pattern)
        elif re.search(r"[*?\\[]", str(pattern)):
            matches = [Path(name) for name in sorted(glob(str(pattern), recursive=True))]
            if not matches:
                raise InputError(f"nothing matches {pattern}; check the path and the quotes")
            found += [path for match in matches for path in _expanded(match)]
        else:
            raise InputError(f"{pattern} does not exist; check the path")
    return list(dict.fromkeys(found))


def open_source(path: Path) -> Source:
    """Open a video, an image or a folder of images, told apart by their content, not their names.

    Raises:
        InputError: It is missing, empty, damaged beyond use, has sound only, or is something else.
    """
    if path.is_dir() or (path.exists() and is_image(path)):
        return ImageSource(path)
    return VideoSource(path)


def segments(source: Source, seconds: float = 5.0) -> list[range]:
    """Cut the source's frame indices into runs; images by their nominal rate.

    Those of a long clip begin where decoding can, or up to a whole group of pictures is decoded in vain for
    each; they last `seconds` or more, but not twice as long. Those of a clip of up to four times `seconds`
    are even: shorter than a person would wait for twice, and a clip of 8 seconds keeps two cores busy.
    """
    length = max(round(source.rate * seconds), 1)
    if source.count <= 4 * length or not source.keys:
        return _even(range(source.count), length)
    edges = [0]
    for key in source.keys:
        if key - edges[-1] >= length and source.count - key >= length:
            edges.append(key)
    groups = [range(start, stop) for start, stop in pairwise([*edges, source.count])]
    return [run for group in groups for run in _even(group, 2 * length)]


def _even(frames: range, length: int) -> list[range]:
    """Frames cut into as few equal runs of at most `length` as it takes."""
    parts = -(-len(frames) // length)
    edges = [frames.start + len(frames) * part // parts for part in range(parts + 1)]
    return [range(start, stop) for start, stop in pairwise(edges)]


def _expanded(path: Path) -> list[Path]:
    """A file or folder of images as it is, a folder of clips as its clips."""
    if not path.is_dir() or images_in(path):
        return [path]
    clips = [p for p in sorted(path.iterdir()) if p.is_file() and p.name[0] != "." and _is_clip(p)]
    if not clips:
        raise InputError(f"there are neither images nor videos in {path}; check the folder")
    return clips


def _is_clip(path: Path) -> bool:
    """Whether the file holds moving pictures; one that only has the name of a video is warned of."""
    try:
        with open_clip(path):
            return True
    except InputError as error:
        if (guess_type(path.name)[0] or "").startswith("video/"):
            log.warning("left out: %s", error)
        return False
