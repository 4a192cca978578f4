"""Swap a folder of videos with one trained model, going on after a failing one.

    python scripts/swap_folder.py VIDEOS MODEL OUTPUT

Each video is converted to OUTPUT under its own name; one that is there already is left alone, so that the
script can be stopped and run again. At the end stands a table of what came of each; the exit code is 1 if
any failed.
"""

from __future__ import annotations

import argparse
import sys
from mimetypes import guess_type
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
    parser.add_argument("--color", default="mkl", help="see 'faceswap convert --help'")
    parser.add_argument("--crf", type=int, default=18, help="see 'faceswap convert --help'")
    args = parser.parse_args()
    try:
        videos = named_videos(args.videos) if args.videos.is_dir() else find_sources([args.videos])
    except FaceswapError as error:
        print(f"swap_folder: {error}", file=sys.stderr)
        return error.exit_code
    names = unique_names(videos)
    rows = [(video.name, *swap_one(video, args.output / names[video], args)) for video in videos]
    width = max((len(name) for name, _, _ in rows), default=0)
    print("\n".join(f"{name:<{width}}  {'ok' if good else 'FAILED':<6}  {text}" for name, good, text in rows))
    failed = sum(not good for _, good, _ in rows)
    print(f"{len(rows)} videos, {len(rows) - failed} swapped, {failed} failed")
    return 1 if failed else 0


def named_videos(folder: Path) -> list[Path]:
    """The files of a folder that are named like videos, broken ones too, so that they are reported."""
    files = [path for path in sorted(folder.iterdir()) if path.name[0] != "." and path.is_file()]
    return [path for path in files if (guess_type(path.name)[0] or "").startswith("video/")]


def unique_names(videos: list[Path]) -> dict[Path, str]:
    """A name for each output: the video's with .mp4, after its old suffix where two would be the same."""
    stems = [video.stem for video in videos]
    return {video: f"{video.name if stems.count(video.stem) > 1 else video.stem}.mp4" for video in videos}


def swap_one(video: Path, output: Path, args: argparse.Namespace) -> tuple[bool, str]:
    """Convert one video; whether it worked, and a line about it."""
    if output.exists():
        return True, "was there already"
    try:
        config = ConvertConfig(source=video, model=args.model, output=output, color=args.color, crf=args.crf)
        return True, str(convert(config, bar)).splitlines()[0]
    except FaceswapError as error:
        return False, str(error)


if __name__ == "__main__":
    sys.exit(main())
