"""Extraction against a plain loop that does the same, and how steady the points are that it keeps."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap import ExtractConfig, extract
from faceswap.faces.alignment import align, cut
from faceswap.faces.detectors.hog import SMALLEST, HogDetector
from faceswap.faces.faceset import Faceset
from faceswap.faces.landmarkers.dlib68 import Dlib68
from faceswap.faces.tracks import steadied
from faceswap.types import Box, Image, Pixels

CANVAS = (1080, 1920)  # pixels, width and height
PLAIN = 150  # frames that the plain loop takes in a round
ROUNDS = 5
RATE = 25
STILL = 100  # frames of a face that does not move, and of one that swings
SWING = (0.25, 25)  # how far it swings, shares of its width, and frames of a swing
GRAIN = 3.0  # standard deviation of the noise of these clips, grey levels


def measure(clip: Path, folder: Path, length: int) -> dict[str, dict[str, float]]:
    """Extraction of the clip as it is and on a large canvas, and of a still and a swinging face."""
    first = next(images(clip))
    small = write(folder / "small.mp4", back_and_forth(clip, length), "libx264")
    large = write(folder / "large.mp4", map(on_canvas, back_and_forth(clip, length)), "libx265")
    return {
        f"{first.shape[1]}x{first.shape[0]} H.264": compare(small, folder / "a", length),
        "1080x1920 HEVC": compare(large, folder / "b", length),
        "a still face and a swinging one": steadiness(first, folder),
    }


def compare(clip: Path, folder: Path, length: int) -> dict[str, float]:
    """Frames a second of both in the fastest of some rounds, and whether they found the same faces.

    What disturbs a round only makes it slower, so the fastest is the one that comes out the same again. Both
    take turns, so that a machine which is slow for a while is slow for both. The plain loop takes the first
    frames only, and its models are loaded already; those of extraction are loaded within its time.
    """
    rounds = []
    for number in range(ROUNDS):
        plain, plain_rate = plain_loop(clip, folder / f"plain{number}")
        ours, seconds, memory = extracted(clip, folder / f"set{number}")
        rounds.append((plain_rate, length / seconds, memory))
    boxes: dict[int, list[Box]] = {}
    for face in ours:
        boxes.setdefault(face.frame_index, []).append(face.face.box)
    overlaps = [max((box.iou(b) for b in boxes.get(i, [])), default=0.0) for i, box in plain]
    plain_rate, rate, memory = np.max(rounds, axis=0).tolist()
    return {
        "frames": length,
        "plain loop, frames/s": plain_rate,
        "extract, frames/s": rate,
        "ratio": rate / plain_rate,
        "lowest ratio of a round": min(ours / theirs for theirs, ours, _ in rounds),
        "recall of the plain loop's faces": float(np.mean([o > 0.5 for o in overlaps])),
        "mean IoU with its boxes": float(np.mean(overlaps)),
        "peak memory, MB": memory,
    }


def extracted(clip: Path, folder: Path) -> tuple[list[Any], float, float]:
    """The faces that extraction finds, its seconds, and its peak memory in MB, in a process of its own."""
    code = (
        "import json, sys; from faceswap import ExtractConfig, extract;"
        "done = extract(ExtractConfig(sources=sys.argv[1], output=sys.argv[2]));"
        # not getrusage, which starts from what the parent had
        "peak = [row.split()[1] for row in open('/proc/self/status') if row.startswith('VmHWM')][0];"
        "print(json.dumps([done.seconds, int(peak) * 1024 / 1e6]))"
    )
    command = [sys.executable, "-c", code, str(clip), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    with Faceset.open(folder) as faceset:
        return faceset.faces(), seconds, memory


def plain_loop(clip: Path, folder: Path) -> tuple[list[tuple[int, Box]], float]:
    """The faces that a loop without any thought finds in the first frames, and its frames a second."""
    folder.mkdir(parents=True)
    found = []
    detector, landmarker = HogDetector(), Dlib68()
    started = time.perf_counter()
    for index, image in enumerate(islice(images(clip), PLAIN)):
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        for number, (box, _) in enumerate(detector.detect(grey, SMALLEST)):
            picture = Pixels(image)
            crop = cut(picture, align(landmarker.locate(picture, box), 256, 1.6))
            cv2.imwrite(str(folder / f"{index:06d}_{number}.png"), crop)
            found.append((index, box))
    return found, PLAIN / (time.perf_counter() - started)


def steadiness(image: Image, folder: Path) -> dict[str, float]:
    """Jitter of a still face's points, and lag and error of a swinging one's, as found and as steadied.

    Jitter is the standard deviation of a point's step from frame to frame, in thousandths of the distance
    between the eyes; lag the shift in time that fits the known swing best, in frames; error what remains of
    the swing at that distance, in thousandths too.
    """
    width, length = SWING[0] * image.shape[1] / 2, SWING[1]
    swing = np.array([width * np.sin(2 * np.pi * index / length) for index in range(STILL)])
    result = {}
    clips: dict[str, Callable[[int], Image]] = {
        "still": lambda index: noisy(image, index),
        "swinging": lambda index: noisy(shifted(image, swing[index]), index),
    }
    for name, frame in clips.items():
        clip = write(folder / f"{name}.mp4", map(frame, range(STILL)), "libx264")
        extract(ExtractConfig(sources=clip, output=folder / name))
        with Faceset.open(folder / name) as faceset:
            faces = faceset.faces()
        for kind, those in {"found": faces, "steadied": steadied(faces)}.items():
            points = np.stack([face.face.landmarks for face in those]).astype(np.float64)
            eyes = np.linalg.norm(points[:, 36:42].mean(1) - points[:, 42:48].mean(1), axis=1).mean()
            if name == "still":
                result[f"jitter as {kind}"] = 1000 * float(np.diff(points, axis=0).std() / eyes)
            else:
                shift, error = lag(points[..., 0].mean(1), swing)
                result[f"lag as {kind}, frames"] = shift
                result[f"error as {kind}"] = 1000 * error / float(eyes)
    return result


def lag(track: NDArray[np.float64], swing: NDArray[np.float64]) -> tuple[float, float]:
    """How late a track is, in frames, and the root mean square of its distance from the swing."""
    moved = track - track.mean()
    phase = 2 * np.pi * np.arange(len(track)) / SWING[1]
    wave = np.linalg.lstsq(np.stack([np.sin(phase), np.cos(phase)], 1), moved, rcond=None)[0]
    late = -np.arctan2(wave[1], wave[0]) * SWING[1] / (2 * np.pi)
    return float(late), float(np.sqrt(np.mean((moved - (swing - swing.mean())) ** 2)))


def images(clip: Path) -> Iterator[Image]:
    """The frames of a clip, BGR uint8."""
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def back_and_forth(clip: Path, count: int) -> Iterator[Image]:
    """A clip, then backwards, then forwards again, until there are `count` frames."""
    frames = list(images(clip))
    turn = frames + frames[-2:0:-1]
    for index in range(count):
        yield turn[index % len(turn)]


def on_canvas(image: Image) -> Image:
    """A picture scaled to the width of `CANVAS`, in the middle of it."""
    width, height = CANVAS
    rows = round(image.shape[0] * width / image.shape[1])
    canvas = np.full((height, width, 3), 90, np.uint8)
    scaled = cv2.resize(image, (width, rows), interpolation=cv2.INTER_CUBIC)[:height]
    top = (height - len(scaled)) // 2
    canvas[top : top + len(scaled)] = scaled
    return canvas


def shifted(image: Image, by: float) -> Image:
    """A picture moved to the right."""
    matrix = np.array([[1.0, 0, by], [0, 1, 0]])
    return np.asarray(
        cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def noisy(image: Image, seed: int) -> Image:
    """A picture with a camera's noise."""
    noise = np.random.default_rng(seed).normal(0, GRAIN, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def write(path: Path, frames: Iterable[Image], codec: str, bits: int | None = None) -> Path:
    """Frames as a clip, of so many bits a second where that is said."""
    options = {"preset": "ultrafast"} | ({} if bits else {"crf": "20"})
    options |= {"x265-params": "log-level=none"} if "265" in codec else {}
    with av.open(str(path), "w") as target:
        stream: Any = target.add_stream(codec, rate=Fraction(RATE), options=options)
        if bits:
            stream.bit_rate = bits
        for index, image in enumerate(frames):
            if not index:
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt = "yuv420p"
            out = av.VideoFrame.from_ndarray(image, format="bgr24")
            out.pts, out.time_base = index, Fraction(1, RATE)
            target.mux(stream.encode(out))
        target.mux(stream.encode(None))
    return path
