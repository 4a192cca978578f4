"""What the C2PA library calls the formats it knows, and where the manifest of other files lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SIDECAR = ".c2pa"
OTHER = "application/octet-stream"  # hashed as a whole
OFFLINE: dict[str, Any] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},  # a manifest shows nobody's face
}

_WRITTEN = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".gif": "image/gif",
}
_BEGINNINGS = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}
_IN_RIFF = {b"WEBP": "image/webp", b"AVI ": "video/avi"}
_BRANDS = {b"qt  ": "video/quicktime", b"heic": "image/heic", b"mif1": "image/heif", b"avif": "image/avif"}


def written_in(path: Path) -> str | None:
    """The format that a file of this name is written in, if that can hold a manifest."""
    return _WRITTEN.get(path.suffix.lower())


def format_of(path: Path) -> str:
    """The format of a file by its first twelve bytes, whatever its name.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[:4] == b"RIFF":
        return _IN_RIFF.get(head[8:12], OTHER)
    return next((name for start, name in _BEGINNINGS.items() if head.startswith(start)), OTHER)


def beside(path: Path) -> Path:
    """Where the manifest of a file that cannot hold one lies: `out.mkv.c2pa` beside `out.mkv`.

    The whole name is kept, so that `out.mkv` and `out.webm` each have their own.
    """
    return path.with_name(path.name + SIDECAR)
