"""Draw a strip of frames before and after a swap.

    python scripts/strip.py ORIGINAL SWAPPED -o strip.png --count 5

Upper row: the original; lower row: the same frames of the swapped clip.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from faceswap import FaceswapError
from faceswap.types import Image
from faceswap.video.images import write_image
from faceswap.video.source import open_source


def main() -> int:
    """Parse, pick frames, write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("original", type=Path, help="video or folder of images")
    parser.add_argument("swapped", type=Path, help="the same, swapped")
    parser.add_argument("-o", "--output", type=Path, default=Path("strip.png"), help="picture to write")
    parser.add_argument("--count", type=int, default=5, help="frames shown")
    args = parser.parse_args()
    try:
        rows = [row(path, args.count) for path in (args.original, args.swapped)]
        width = min(picture.shape[1] for picture in rows)
        write_image(args.output, np.vstack([picture[:, :width] for picture in rows]))
    except FaceswapError as error:
        print(f"strip: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def row(path: Path, count: int) -> Image:
    """Frames spread evenly over a clip, side by side."""
    with open_source(path) as source:
        places = np.linspace(0, source.count - 1, count + 2).round().astype(int)[1:-1]
        return np.hstack([next(source.frames(place, place + 1)).image for place in places.tolist()])


if __name__ == "__main__":
    sys.exit(main())
