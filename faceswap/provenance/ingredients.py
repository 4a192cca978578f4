"""The source of an output, stated as its parent; whatever manifest it has is kept within the new one."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from c2pa import Builder, C2paError, Context, Reader

from faceswap.errors import SigningError
from faceswap.provenance.formats import OFFLINE, OTHER, beside, format_of, written_in

_KEPT = "source.c2pa"  # what the parent's manifest is called while the new one is built


def add_source(builder: Builder, source: Path) -> None:
    """State the source as the parent, with its manifest from within it or from beside it.

    Raises:
        SigningError: The source cannot be read.
    """
    about = {"title": source.name, "relationship": "parentOf", "label": "source", "instance_id": "source"}
    try:
        store = beside(source).read_bytes() if not written_in(source) and beside(source).is_file() else b""
        with source.open("rb") as file:
            kept = _read_beside(file, store) if store else {}
            if kept:
                builder.add_resource(_KEPT, BytesIO(store))
            try:
                builder.add_ingredient(about | kept, OTHER if kept else format_of(source), file)
            except C2paError:  # damaged: no manifest can be read from it, but what it is can be stated
                file.seek(0)
                builder.add_ingredient(about, OTHER, file)
    except OSError as error:
        raise SigningError(f"cannot sign: the source {source} cannot be read: {error.strerror}") from error


def _read_beside(file: BinaryIO, store: bytes) -> dict[str, Any]:
    """What the library is to know of the manifest beside a source; nothing of a damaged one."""
    try:
        with Context.from_dict(OFFLINE) as context, Reader(OTHER, file, store, context=context) as reader:
            stated = json.loads(reader.json())
    except C2paError:
        return {}
    finally:
        file.seek(0)
    return {
        "manifest_data": {"format": "application/c2pa", "identifier": _KEPT},
        "active_manifest": stated["active_manifest"],
        "validation_results": stated["validation_results"],
    }
