"""An animated GIF of finished segments, in the 256 colours that suit them best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import cast

import av
from av.filter import Graph

from faceswap.errors import UsageError
from faceswap.progress import Progress
from faceswap.video.atomic import encoding, replacing
from faceswap.video.clip import VideoSource
from faceswap.video.encoders import Encoding
from faceswap.video.opening import open_clip
from faceswap.video.output import Seal, VideoOutput
from faceswap.video.timeline import decoded
from faceswap.video.views import SWAPPED

TICK = Fraction(1, 100)  # seconds; GIF knows no finer times
SHORTEST = (
    5  # ticks that a picture lasts: browsers slow down what is shown shorter than 2, and 20 a second do
)
FINE = Encoding("h264", 12, "veryfast")  # of the segments, until the colours are chosen


class GifOutput(VideoOutput):
    """An animation without sound, at most 20 pictures a second."""

    def __init__(self, path: Path, parts: Path, source: VideoSource) -> None:
        """Check the name.

        Raises:
            UsageError: It does not end in `.gif`.
        """
        if path.suffix.lower() != ".gif":
            raise UsageError(f"--output-kind gif writes a GIF: name it so, not {path}")
        super().__init__(path, parts, source, FINE, SWAPPED)

    def finish(self, notes: Mapping[str, str], seal: Seal, progress: Progress) -> None:
        """Choose the colours in one pass over the segments, and write the pictures in another."""
        whole = self.parts / "whole.gif"
        animate(sorted(self.parts.glob("[0-9]*.mp4")), whole)
        seal(whole, self.path, self._source.path)


def animate(parts: Sequence[Path], output: Path) -> None:
    """Write segments one after another as a GIF; memory does not know how many there are.

    The colours are those of libav's `palettegen`, spread by its `paletteuse`.

    Args:
        parts: Files of `SegmentWriter`, in order.
        output: The file to write.

    Raises:
        OutputError: The disk is full.
    """
    palette = _palette(parts)
    pictures = _pictures(parts)
    first = next(pictures)
    graph = Graph()
    inlet = _buffer(graph, first)
    colors = _buffer(graph, palette)
    use, end = graph.add("paletteuse", "diff_mode=rectangle"), graph.add("buffersink")
    inlet.link_to(use, 0, 0)
    colors.link_to(use, 0, 1)
    use.link_to(end)
    graph.configure()
    colors.push(palette)
    colors.push(None)
    with (
        replacing(output) as temporary,
        encoding(output),
        av.open(f"file:{temporary}", "w", format="gif") as target,
    ):
        stream = target.add_stream("gif", rate=Fraction(100, SHORTEST))
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, "pal8"
        stream.codec_context.time_base = TICK
        for picture in _through(graph, inlet, chain([first], pictures)):
            target.mux(stream.encode(picture))
        target.mux(stream.encode(None))


def _palette(parts: Sequence[Path]) -> av.VideoFrame:
    pictures = _pictures(parts)
    first = next(pictures)
    graph = Graph()
    inlet = _buffer(graph, first)
    choose, end = graph.add("palettegen"), graph.add("buffersink")
    inlet.link_to(choose)
    choose.link_to(end)
    graph.configure()
    return list(_through(graph, inlet, chain([first], pictures)))[-1]


def _buffer(graph: Graph, like: av.VideoFrame) -> av.filter.FilterContext:
    return graph.add_buffer(width=like.width, height=like.height, format=like.format, time_base=TICK)


def _through(
    graph: Graph, inlet: av.filter.FilterContext, pictures: Iterator[av.VideoFrame]
) -> Iterator[av.VideoFrame]:
    """What comes out of a graph that pictures are pushed into."""
    for picture in chain(pictures, [None]):
        inlet.push(picture)
        while True:
            try:
                yield cast(av.VideoFrame, graph.pull())
            except (av.BlockingIOError, av.EOFError):
                break


def _pictures(parts: Sequence[Path]) -> Iterator[av.VideoFrame]:
    """The pictures that are shown long enough, in RGB, their times in ticks from 0."""
    begin: Fraction | None = None
    due = 0
    for part in parts:
        with open_clip(part) as (container, stream):
            for picture in decoded(container, stream):
                time = Fraction(picture.pts or 0) * (picture.time_base or TICK)
                begin = time if begin is None else begin
                tick = round((time - begin) / TICK)
                if tick >= due:
                    shown = picture.reformat(format="rgb24")
                    shown.pts, shown.time_base = tick, TICK
                    due = tick + SHORTEST
                    yield shown
