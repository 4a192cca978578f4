"""Measure this program against a plain loop that does the same, on this machine.

    python scripts/benchmark.py extract [--clip CLIP] [--json FILE]

`extract` takes the clip as it is and, as HEVC, on a canvas of 1080x1920 with the face as large as the width
lets it be. The plain loop decodes every frame to BGR, runs dlib's HOG detector on the whole grey frame, then
68 landmarks, the warp to 256 pixels and `imwrite`. Ratios hold better than times: machines are noisy.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from faceswap import ExtractConfig, FaceswapError, extract
from faceswap.diagnosis import processor
from faceswap.faces.alignment import align, cut
from faceswap.faces.detectors.hog import SMALLEST, HogDetector
from faceswap.faces.faceset import Faceset
from faceswap.faces.landmarkers.dlib68 import Dlib68
from faceswap.types import Box, Pixels

SAMPLE = Path(__file__).parents[1] / "data" / "samples" / "person_a.mp4"
CANVAS = (1080, 1920)  # pixels, width and height


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["extract"], help="what is measured")
    parser.add_argument("--clip", type=Path, default=SAMPLE, help="a clip of one person")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    args = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            figures = {"machine": machine(), "extract": measure_extract(args.clip, Path(folder))}
    except FaceswapError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return error.exit_code
    print("\n".join(f"{name:<24}{value}" for name, value in figures["machine"].items()))
    for name, row in figures["extract"].items():
        print(f"\n{name}")
        print("\n".join(f"  {key:<32}{value:>10.3f}" for key, value in row.items()))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    return {"processor": processor(), "system": platform.platform(), "python": platform.python_version()}


def measure_extract(clip: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Extraction of the clip as it is and on a large canvas."""
    large = enlarge(clip, folder / "large.mp4")
    return {"as it is": compare(clip, folder / "a"), "1080x1920 HEVC": compare(large, folder / "b")}


def compare(clip: Path, folder: Path) -> dict[str, float]:
    """Frames a second of both, and whether they found the same faces."""
    plain, plain_seconds = plain_loop(clip, folder / "plain")
    started = time.perf_counter()
    result = extract(ExtractConfig(sources=(clip,), output=folder / "set"))
    seconds = time.perf_counter() - started
    with Faceset.open(folder / "set") as faceset:
        ours: dict[int, list[Box]] = {}
        for face in faceset.faces():
            ours.setdefault(face.frame_index, []).append(face.face.box)
    overlaps = [max((box.iou(b) for b in ours.get(i, [])), default=0.0) for i, box in plain]
    return {
        "frames": result.frames,
        "plain loop, frames/s": result.frames / plain_seconds,
        "extract, frames/s": result.frames / seconds,
        "ratio": plain_seconds / seconds,
        "recall of the plain loop's faces": float(np.mean([o > 0.5 for o in overlaps])),
        "mean IoU with its boxes": float(np.mean(overlaps)),
        "peak memory so far, MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def plain_loop(clip: Path, folder: Path) -> tuple[list[tuple[int, Box]], float]:
    """The faces that a loop without any thought finds, and how long it takes."""
    folder.mkdir(parents=True)
    detector, landmarker = HogDetector(), Dlib68()
    found = []
    started = time.perf_counter()
    with av.open(str(clip)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            image = frame.to_ndarray(format="bgr24")
            grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            for number, (box, _) in enumerate(detector.detect(grey, SMALLEST)):
                picture = Pixels(image)
                crop = cut(picture, align(landmarker.locate(picture, box), 256, 1.6))
                cv2.imwrite(str(folder / f"{index:06d}_{number}.png"), crop)
                found.append((index, box))
    return found, time.perf_counter() - started


def enlarge(clip: Path, path: Path) -> Path:
    """The clip scaled to the width of `CANVAS`, in the middle of it, as HEVC."""
    width, height = CANVAS
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        options = {"preset": "ultrafast", "crf": "20", "x265-params": "log-level=none"}
        stream: Any = target.add_stream("libx265", rate=Fraction(25), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index, frame in enumerate(source.decode(video=0)):
            image = frame.to_ndarray(format="bgr24")
            rows = round(image.shape[0] * width / image.shape[1])
            canvas = np.full((height, width, 3), 90, np.uint8)
            scaled = cv2.resize(image, (width, rows), interpolation=cv2.INTER_CUBIC)[:height]
            top = (height - len(scaled)) // 2
            canvas[top : top + len(scaled)] = scaled
            out = av.VideoFrame.from_ndarray(canvas, format="bgr24")
            out.pts, out.time_base = index, Fraction(1, 25)
            target.mux(stream.encode(out))
        target.mux(stream.encode(None))
    return path


if __name__ == "__main__":
    sys.exit(main())
