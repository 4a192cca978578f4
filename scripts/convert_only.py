"""Print the packages that converting with an exported model needs: all that faceswap asks for but TensorFlow.

    pip install --no-deps -e . && python scripts/convert_only.py | xargs pip install

`faceswap convert SOURCE -m MODEL.onnx -o OUT` then works on a machine without TensorFlow and Keras, as do
`extract`, `inspect` and `faces`; `train` and `export` do not.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path

LEARNING = {"keras", "tensorflow"}  # what only training and exporting need
PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def main() -> None:
    """Parse, print a requirement a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--litert", action="store_true", help="also what runs .tflite models")
    args = parser.parse_args()
    print("\n".join(needed(litert=args.litert)))


def needed(*, litert: bool = False) -> list[str]:
    """The requirements, as they stand in pyproject.toml."""
    about = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    asked = list(about["dependencies"])
    if litert:
        asked += [one for one in about["optional-dependencies"]["export"] if _name(one) == "ai-edge-litert"]
    return [one for one in asked if _name(one) not in LEARNING]


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    return found.group() if found else ""


if __name__ == "__main__":
    main()
