"""Measure this program against a plain loop that does the same, on this machine.

    python scripts/benchmark.py extract [--clip CLIP] [--frames 1000] [--json FILE]
    python scripts/benchmark.py convert [--clip CLIP] [--frames 1000] [--network NAME] [--json FILE]
    python scripts/benchmark.py identity --pairs TABLE --pictures FOLDER [--json FILE]
    python scripts/benchmark.py train --clip A --other B [--minutes 10] [--work FOLDER] [--plot FILE]
    python scripts/benchmark.py pipeline [--clip A] [--other B] [--minutes 1] [--json FILE]
    python scripts/benchmark.py verify --people FOLDER [--test FOLDER] [--steps 250] [--seeds 3]

`extract` plays the clip back and forth until it has --frames frames, as it is and as HEVC on a canvas of
1080x1920 with the face as large as the width lets it be. The plain loop decodes every frame to BGR, runs
dlib's HOG detector on the whole grey frame, then 68 landmarks, the warp to 256 pixels and `imwrite`. Then the
clip's first frame, with a camera's noise, stands still and swings, for the jitter and the lag of the points.
`convert` makes the same two clips, the large one of as many bits as a telephone's, and measures decoding
alone, then in turn decoding and encoding, the network alone, and the whole of `convert` from loading a model
to the joined file, each in a process of its own that has loaded its libraries; how long TensorFlow takes to
load; then the share of the content guard and of the pixel mark in the processor's time, where `convert` finds
the faces itself.
`identity` runs the identity network as dlib and as Keras have it; see `_bench_identity.py` for the table.
`train` trains `swift` for two minutes each in steps of the usual size and in larger ones, as layers count by
default and in float32, for its speed; or, with --minutes, `swift` and `original` for so long each, and
compares what the faces that were held out show; see `_bench_train.py`.
`pipeline` times all of `swap`, its report with it, against a plain loop that trains as long; see
`_bench_pipeline.py`.
`verify` trains the Siamese network with each loss for equal steps, and tests it on people it never saw; see
`_bench_verify.py`.
Ratios hold better than times: machines are noisy. Those of `extract` are of the fastest of some rounds that
take turns, those of `convert` the median of the rounds'.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from pathlib import Path

from faceswap import FaceswapError
from faceswap.diagnosis import processor

SAMPLE = Path(__file__).parents[1] / "data" / "samples" / "person_a.mp4"
OTHER = SAMPLE.with_name("person_b.mp4")
Figures = dict[str, dict[str, float]]


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = ["extract", "convert", "identity", "train", "pipeline", "verify"]
    parser.add_argument("what", choices=kinds, help="what is measured")
    parser.add_argument("--clip", type=Path, default=SAMPLE, help="a clip of one person")
    parser.add_argument("--frames", type=int, default=1000, help="extract, convert: frames of each clip")
    parser.add_argument("--network", default="swift", help="the network of convert")
    parser.add_argument("--pairs", type=Path, help="table of pairs of pictures")
    parser.add_argument("--pictures", type=Path, help="folder that its names start from")
    parser.add_argument("--other", type=Path, help="train, pipeline: a clip of the other person")
    parser.add_argument(
        "--minutes", type=float, help="train, pipeline: how long each network is trained; pipeline: 1"
    )
    parser.add_argument(
        "--work", type=Path, help="train: where facesets and models are kept and gone on with"
    )
    parser.add_argument("--plot", type=Path, help="train: draw quality against minutes to this file")
    parser.add_argument("--people", type=Path, help="verify: pictures of people to learn from")
    parser.add_argument("--test", type=Path, help="verify: pictures of other people; none: some are left out")
    parser.add_argument("--steps", type=int, default=250, help="verify: steps of each loss")
    parser.add_argument("--seeds", type=int, default=1, help="verify: trainings of each loss")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    args = parser.parse_args()
    if args.what == "identity" and not (args.pairs and args.pictures):
        parser.error("identity needs --pairs and --pictures")
    if args.what == "train" and not args.other:
        parser.error("train needs --other")
    if args.what == "verify" and not args.people:
        parser.error("verify needs --people")
    try:
        if args.what == "verify":
            figures = verification(args.people, args.test, args.steps, args.seeds)
        elif args.what == "train":
            figures = training((args.clip, args.other), args.minutes or 0.0, args.work, args.plot)
        elif args.what == "pipeline":
            figures = pipeline((args.clip, args.other or OTHER), args.minutes or 1.0)
        elif args.what == "convert":
            figures = conversion(args.clip, args.network, args.frames)
        else:
            figures = (
                extraction(args.clip, args.frames)
                if args.what == "extract"
                else identity(args.pairs, args.pictures)
            )
    except FaceswapError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return error.exit_code
    report = {"machine": machine(), args.what: figures}
    print("\n".join(f"{name:<24}{value}" for name, value in report["machine"].items()))
    for name, row in figures.items():
        print(f"\n{name}")
        print("\n".join(f"  {key:<34}{value:>10.4g}" for key, value in row.items()))
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    return {"processor": processor(), "system": platform.platform(), "python": platform.python_version()}


def extraction(clip: Path, frames: int) -> Figures:
    """Speed, memory and sameness of extraction, and the steadiness of its points."""
    from _bench_extract import measure

    with tempfile.TemporaryDirectory() as folder:
        return measure(clip, Path(folder), frames)


def conversion(clip: Path, network: str, frames: int) -> Figures:
    """Speed and memory of conversion, and of its parts alone."""
    from _bench_convert import measure

    with tempfile.TemporaryDirectory() as folder:
        return measure(clip, Path(folder), network, frames)


def identity(pairs: Path, pictures: Path) -> Figures:
    """Speed and accuracy of the identity network."""
    from _bench_identity import measure

    return measure(pairs, pictures)


def training(clips: tuple[Path, Path], minutes: float, work: Path | None, plot: Path | None) -> Figures:
    """Speed of training, and quality against minutes."""
    from _bench_train import measure

    with tempfile.TemporaryDirectory() as folder:
        return measure(clips, work or Path(folder), minutes, plot)


def pipeline(clips: tuple[Path, Path], minutes: float) -> Figures:
    """Speed and memory of a whole swap."""
    from _bench_pipeline import measure

    with tempfile.TemporaryDirectory() as folder:
        return measure(clips, Path(folder), minutes)


def verification(people: Path, test: Path | None, steps: int, seeds: int) -> Figures:
    """How well the Siamese network tells people apart whom it never saw, by loss."""
    from _bench_verify import measure

    return measure(people, test, steps, seeds)


if __name__ == "__main__":
    sys.exit(main())
