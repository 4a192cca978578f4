"""A whole swap, from two clips to the swapped one, against a plain loop that does the same.

The plain loop does what the first programs of the field did, on this program's own parts where speed does not
hang on how they are put together: it decodes every frame, runs dlib's HOG detector on all of it, finds 68
points, warps the face to 256 pixels and writes it with `imwrite`; reads the pictures back and trains the
classic `original` network, a batch of each person in turn; then decodes the clip once more, and for each face
runs the network on that face alone, warps it back over a whole frame of floats, blends it there under a
blurred hull, and encodes with x264 at the same preset. It neither marks, signs nor measures what it makes.

Both train for the same time, so the whole ratio falls with it: the ratio without the training is told too.
Each is run in a process of its own, timed from its start, the loading of libraries with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from fractions import Fraction
from itertools import cycle
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from _bench_extract import images
from numpy.typing import NDArray

from faceswap.faces.alignment import align, cut, transform
from faceswap.faces.detectors.hog import SMALLEST, HogDetector
from faceswap.faces.landmarkers.dlib68 import Dlib68
from faceswap.faces.masks import hull
from faceswap.types import Image, Pixels

SIDE, COVERAGE = 256, 1.6  # pixels and face extents of the plain loop's pictures
CROP = 160  # pixels of their middle that the network sees
BATCH, RATE = 16, 5e-5  # of the classic training
WARP = 5  # pixels by which its grid of 5 x 5 is moved
PRESET = "fast"
STAGES = ("extract", "train", "convert", "report")

_PLAIN = """
import sys
sys.path.insert(0, {scripts!r})
from _bench_pipeline import main
main(*sys.argv[1:])
"""
_OURS = """
import json, sys, time
begun = time.perf_counter()
from faceswap import SwapConfig, swap
target, source, output, minutes = sys.argv[1:]
clips = dict(source=source, target=target, output=output)
done = swap(SwapConfig(**clips, minutes=float(minutes), preset={preset!r}))
assert done.conversion.swapped and done.report, done
seconds = [done.source.seconds + done.target.seconds, done.training_seconds, done.conversion.seconds]
print(json.dumps([time.perf_counter() - begun, *seconds, done.report.seconds]))
"""
# not getrusage, which starts from what the parent had
_MEMORY = """
peak = [row.split()[1] for row in open('/proc/self/status') if row.startswith('VmHWM')][0]
print(int(peak) * 1024 / 1e6)
"""


def measure(clips: tuple[Path, Path], folder: Path, minutes: float) -> dict[str, dict[str, float]]:
    """Seconds and peak memory of both.

    Args:
        clips: A's, which gets the face, and B's.
        folder: Where both work.
        minutes: How long each of them trains.
    """
    ours = _run(_OURS.format(preset=PRESET), clips, folder / "ours.mp4", minutes)
    plain = _run(_PLAIN.format(scripts=str(Path(__file__).parent)), clips, folder / "plain.mp4", minutes)
    rest = [row["all, s"] - row["train, s"] for row in (plain, ours)]
    return {
        "plain loop": plain,
        "swap": ours,
        "plain loop against swap": {
            "ratio of all": plain["all, s"] / ours["all, s"],
            "ratio without the training": rest[0] / rest[1],
            "ratio without training and report": rest[0] / (rest[1] - ours["report, s"]),
        },
    }


def _run(code: str, clips: tuple[Path, Path], output: Path, minutes: float) -> dict[str, float]:
    """The seconds of all and of each stage, and the peak memory in MB."""
    command = [sys.executable, "-c", code + _MEMORY, *map(str, clips), str(output), str(minutes)]
    begun = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds = time.perf_counter() - begun
    *_, stages, memory = done.stdout.splitlines()
    _, *parts = json.loads(stages)
    named = {f"{name}, s": value for name, value in zip(STAGES, parts, strict=False)}
    return {"all, s": seconds, **named, "peak memory, MB": float(memory)}


def main(target: str, source: str, output: str, minutes: str) -> None:
    """The plain loop; prints its seconds, all and by stage."""
    times = [time.perf_counter()]
    folders = [Path(output).with_suffix("") / side for side in "ab"]
    places = [_find(Path(clip), folder) for clip, folder in zip((target, source), folders, strict=True)]
    times.append(time.perf_counter())
    swap = _learn(*folders, 60 * float(minutes))
    times.append(time.perf_counter())
    _put(Path(target), places[0], swap, Path(output))
    times.append(time.perf_counter())
    print(json.dumps([times[-1] - times[0], *np.diff(times).tolist()]))


def _find(clip: Path, folder: Path) -> dict[int, list[NDArray[np.float32]]]:
    """Write the faces of a clip; returns the points of those of each frame."""
    folder.mkdir(parents=True)
    detector, landmarker = HogDetector(), Dlib68()
    found: dict[int, list[NDArray[np.float32]]] = {}
    for index, image in enumerate(images(clip)):
        grey, picture = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), Pixels(image)
        for number, (box, _) in enumerate(detector.detect(grey, SMALLEST)):
            points = landmarker.locate(picture, box)
            crop = cut(picture, align(points, SIDE, COVERAGE))
            cv2.imwrite(str(folder / f"{index:06d}_{number}.png"), crop)
            found.setdefault(index, []).append(points)
    return found


def _learn(folder_a: Path, folder_b: Path, seconds: float) -> Any:
    """Train the classic network for so long; returns it."""
    from faceswap.networks import original

    network = original.build()
    draw = np.random.default_rng(0)
    sides = []
    for side, folder in (("a", folder_a), ("b", folder_b)):
        pictures = [cv2.imread(str(path)) for path in sorted(folder.glob("*.png"))]
        sides.append((_step(network.path(side)), pictures))
    begun = time.perf_counter()
    for step, pictures in cycle(sides):
        chosen = [pictures[place] for place in draw.integers(0, len(pictures), BATCH)]
        warped, wanted = zip(*(_warped(_middle(picture), draw) for picture in chosen), strict=True)
        step(np.stack(warped), np.stack(wanted))
        if time.perf_counter() - begun >= seconds:
            return network


def _step(path: Any) -> Any:
    """One step of training a path of the network: mean absolute error, Adam."""
    import keras
    import tensorflow as tf

    optimizer = keras.optimizers.Adam(RATE, beta_1=0.5)

    @tf.function
    def step(warped: Any, wanted: Any) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(path(warped, training=True)[..., :3] - wanted))
        weights = path.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    return step


def _middle(picture: Image) -> Image:
    edge = (SIDE - CROP) // 2
    return picture[edge:-edge, edge:-edge]


def _warped(picture: Image, draw: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A picture with its grid moved at random, and itself, both 64 pixels, 0 to 1."""
    from faceswap.networks.original import SIZE

    axis = np.linspace(0, CROP - 1, 5)
    grid = np.stack(np.meshgrid(axis, axis)) + draw.normal(0, WARP, (2, 5, 5))
    maps = [cv2.resize(part, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC).astype(np.float32) for part in grid]
    warped = cv2.remap(picture, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    wanted = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return np.float32(warped) / 255, np.float32(wanted) / 255


def _put(clip: Path, places: dict[int, list[NDArray[np.float32]]], network: Any, output: Path) -> None:
    """Swap the faces of a clip one by one, each over a whole frame of floats."""
    swap = network.path("b")
    with av.open(str(clip)) as given, av.open(str(output), "w") as made:
        rate = given.streams.video[0].average_rate or Fraction(25)
        stream: Any = made.add_stream("libx264", rate=rate, options={"preset": PRESET})
        for index, image in enumerate(images(clip)):
            for points in places.get(index, []):
                image = _swapped(image, points, swap)
            if not index:
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt = "yuv420p"
            made.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        made.mux(stream.encode(None))


def _swapped(image: Image, points: NDArray[np.float32], network: Any) -> Image:
    alignment = align(points, SIDE, COVERAGE)
    crop, size = cut(Pixels(image), alignment), image.shape[1::-1]
    seen = np.float32(cv2.resize(_middle(crop), (network.input_shape[1],) * 2, interpolation=cv2.INTER_AREA))
    face = crop.astype(np.float32)
    _middle(face)[...] = cv2.resize(
        network.predict_on_batch(seen[None] / 255)[0][..., :3] * 255, (CROP, CROP)
    )
    mask = hull(transform(points, alignment.matrix), SIDE).astype(np.float32) / 255
    soft = cv2.GaussianBlur(cv2.erode(mask, np.ones((15, 15))), (0, 0), 5)
    back = [
        cv2.warpAffine(part, alignment.matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        for part in (face, soft)
    ]
    opacity = np.clip(back[1], 0, 1)[..., None]
    mixed = opacity * back[0] + (1 - opacity) * image.astype(np.float32)
    return np.clip(mixed, 0, 255).astype(np.uint8)
