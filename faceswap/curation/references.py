"""Who is meant by the pictures that go with a faceset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from faceswap.faces.faceset import Faceset
from faceswap.faces.people import Descriptors
from faceswap.finding import Finder
from faceswap.options import ExtractOptions
from faceswap.recognition import describe_pictures


def describe_references(paths: Sequence[Path], faceset: Faceset) -> Descriptors:
    """The descriptor of the face in each picture, float32 (N, 128).

    Faces are found as they were for the faceset, but for their size.

    Raises:
        InputError: A picture is missing or damaged, or shows several people.
        NoFacesError: There is nobody in one.
    """
    known = {field.name for field in fields(ExtractOptions)} - {"min_face"}
    settings: dict[str, Any] = {k: value for k, value in faceset.settings.items() if k in known}
    return describe_pictures(paths, Finder(ExtractOptions(**settings)).sight())
