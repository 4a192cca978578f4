"""Clips with the pixel mark on their faces, as conversion puts it there, and what is done to clips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from faceswap.faces.alignment import align, cut, transform
from faceswap.faces.masks import hull
from faceswap.finding import LOOK_AROUND, Finder
from faceswap.options import ExtractOptions
from faceswap.provenance.detection import Detector, Reading
from faceswap.provenance.watermark import COVERAGE, SIZE, Mark
from faceswap.types import Image, Pixels, Points
from faceswap.video.source import open_source

CANVAS, CANVAS_COVERAGE = 256, 1.6  # the crop that conversion works in
RATE = 25


def frames_of(path: Path, count: int) -> list[Image]:
    """The first frames of a clip."""
    with open_source(path) as source:
        return [frame.image.copy() for frame in source.frames(0, count)]


def landmarks_of(frames: Sequence[Image]) -> list[Points | None]:
    """The points of the largest face of each frame."""
    tracker, found = Finder(ExtractOptions()).tracker(LOOK_AROUND), []
    for frame in frames:
        tracker.is_cut(Pixels(frame))
        faces = tracker.find(Pixels(frame))
        found.append(max(faces, key=lambda face: face.box.area).landmarks if faces else None)
    return found


def marked(frame: Image, points: Points, mark: Mark, seconds: float) -> Image:
    """The frame with the mark on its face, under the soft mask of a conversion."""
    alignment = align(points, CANVAS, CANVAS_COVERAGE)
    crop = cut(Pixels(frame), alignment)
    mask = hull(transform(points, alignment.matrix), CANVAS)
    opacity = cv2.GaussianBlur(cv2.erode(mask, np.ones((15, 15))), (0, 0), 5).astype(np.float32) / 255
    change = mark.apply(crop, CANVAS_COVERAGE, seconds).astype(np.float32) - crop
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    back = cv2.warpAffine(change * opacity[..., None], alignment.matrix, frame.shape[1::-1], flags=flags)
    return np.clip(np.rint(frame + back), 0, 255).astype(np.uint8)


def marked_clip(frames: Sequence[Image], run: int) -> list[Image]:
    """All frames with the mark of a run."""
    mark, points = Mark(run), landmarks_of(frames)
    pairs = enumerate(zip(frames, points, strict=True))
    return [
        frame if place is None else marked(frame, place, mark, index / RATE)
        for index, (frame, place) in pairs
    ]


def read_mark(frames: Sequence[Image]) -> Reading | None:
    """The mark, with the faces found anew."""
    detector = Detector()
    for index, (frame, points) in enumerate(zip(frames, landmarks_of(frames), strict=True)):
        if points is not None:
            crop = cut(Pixels(frame), align(points, SIZE, COVERAGE))
            detector.add(Pixels(crop).grey(), index / RATE)
    return detector.read()


def encode(path: Path, frames: Sequence[Image], crf: int, notes: dict[str, str] | None = None) -> Path:
    """Write a clip with x264 at its default preset."""
    height, width = (side // 2 * 2 for side in frames[0].shape[:2])
    with av.open(str(path), "w") as target:
        target.metadata.update(notes or {})
        stream = target.add_stream("libx264", rate=RATE, options={"crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame[:height, :width]), format="bgr24")
            target.mux(stream.encode(picture))
        target.mux(stream.encode(None))
    return path


def halved(frame: Image) -> Image:
    """Half as wide and half as high."""
    return cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def doubled(frame: Image) -> Image:
    """Twice as wide and twice as high."""
    return cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)


def cropped(frame: Image) -> Image:
    """A fifth of the area less."""
    height, width = frame.shape[:2]
    down, across = round(0.05 * height), round(0.055 * width)
    return frame[down : height - down, across : width - across]


def brighter(frame: Image) -> Image:
    """Lighter and with more contrast."""
    return cv2.convertScaleAbs(frame, alpha=1.2, beta=10)


def darker(frame: Image) -> Image:
    """Darker and with less contrast."""
    return cv2.convertScaleAbs(frame, alpha=0.75, beta=-5)
