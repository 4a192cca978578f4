"""Swap a folder of videos with one trained model, going on after a failing one.

    python scripts/swap_folder.py VIDEOS MODEL OUTPUT

Each video is converted to OUTPUT under its own name; one that is there already is left alone, so that the
script can be stopped and run again. At the end stands a table of what came of each; the exit code is 1 if
any failed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from faceswap import ConvertConfig, FaceswapError, convert
from faceswap.cli import bar
from faceswap.video.source import find_sources


def main() -> int:
    """Parse, convert each video, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", type=Path, help="folder of videos, or a glob in quotes")
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("output", type=Path, help="folder for the swapped videos")
    parser.add_argument("--color", default="reinhard", help="see 'faceswap convert --help'")
    parser.add_argument("--crf", type=int, default=18, help="see 'faceswap convert --help'")
    args = parser.parse_args()
    try:
        videos = find_sources([args.videos])
    except FaceswapError as error:
        print(f"swap_folder: {error}", file=sys.stderr)
        return error.exit_code
    rows = [(video.name, *swap_one(video, args)) for video in videos]
    width = max(len(name) for name, _, _ in rows)
    print("\n".join(f"{name:<{width}}  {'ok' if good else 'FAILED':<6}  {text}" for name, good, text in rows))
    failed = sum(not good for _, good, _ in rows)
    print(f"{len(rows)} videos, {len(rows) - failed} swapped, {failed} failed")
    return 1 if failed else 0


def swap_one(video: Path, args: argparse.Namespace) -> tuple[bool, str]:
    """Convert one video; whether it worked, and a line about it."""
    output = args.output / video.with_suffix(".mp4").name
    if output.exists():
        return True, "was there already"
    try:
        config = ConvertConfig(source=video, model=args.model, output=output, color=args.color, crf=args.crf)
        return True, str(convert(config, bar)).splitlines()[0]
    except FaceswapError as error:
        return False, str(error)


if __name__ == "__main__":
    sys.exit(main())
