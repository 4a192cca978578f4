"""Files that survive a crash: written under another name, synced, renamed."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path


def write_json(path: Path, content: object) -> None:
    """Write JSON; what was there before stands until it is whole on the disk."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    sync(draft)
    os.replace(draft, path)


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
