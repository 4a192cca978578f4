"""Who plays whom: which faces of a source are swapped, and by which model. It is decided once for a track."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceswap.curation.references import describe_references
from faceswap.errors import InputError, NoFacesError
from faceswap.extraction import extract
from faceswap.faces.faceset import Faceset
from faceswap.faces.index import StoredFace
from faceswap.faces.people import Descriptors, matches, nearest
from faceswap.faces.tracks import steadied
from faceswap.finding import Finder
from faceswap.guarding import refuse_adult
from faceswap.options import ConvertConfig, ExtractConfig
from faceswap.progress import Progress
from faceswap.recognition import by_track, describe_pictures, recognise
from faceswap.swapper import Faces
from faceswap.video.source import Source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cast:
    """The faces that are swapped.

    Attributes:
        folder: The faceset they are in.
        faces: Those of each frame, their landmarks steadied.
        roles: The model of each of their tracks.
        others: How many faces are left as they are.
    """

    folder: Path
    faces: Faces
    roles: Mapping[int, Path]
    others: int


def cast(config: ConvertConfig, source: Source, parts: Path, progress: Progress) -> Cast:
    """Choose the faces of a source that are swapped: from the faceset that was given, or from one made now.

    Args:
        config: The options.
        source: What is converted.
        parts: Where the faceset is made.
        progress: Shows how far it is.

    Raises:
        InputError: The faceset is not of this source or not finished; a picture of a person is damaged, or
            shows several.
        RefusedError: It is adult footage.
        NoFacesError: Nobody is in the source, or nobody of those in the pictures, or nobody is in a picture.
    """
    folder = config.faceset or parts / "faceset"
    extraction = ExtractConfig(sources=(config.source,), output=folder)
    named = _described(config, extraction) if config.roles else None  # first, for extraction takes long
    try:
        if not config.faceset:
            extract(extraction, progress)
    except NoFacesError:
        refuse_adult(source, None, progress)  # adult footage is called that, whether anyone is in it or not
        raise NoFacesError(
            f"no faces found in {config.source}: is a face in view? 'faceswap extract' looks closer with a"
            " smaller --min-face, --rotate 90 for pictures that lie on their side, or --profiles; give the"
            " faceset it makes as --faceset"
        ) from None
    refuse_adult(source, folder, progress)
    with Faceset.open(folder) as faceset:
        number = faceset.source_number(source.fingerprint())
        if number is None:
            raise InputError(f"{folder} holds no faces of {config.source}: extract them or drop --faceset")
        if not faceset.is_numbered(number):
            raise InputError(f"{folder} is not finished: run the 'faceswap extract' that began it again")
        faces = faceset.faces(number)
        if named is None:
            roles = {face.face.track_id: config.models[0] for face in faces}
        else:
            recognise(faceset, progress)
            roles = _roles(config, named, faceset, faces)
    by_frame: Faces = defaultdict(list)
    for face in steadied(faces):
        if face.face.track_id in roles:
            by_frame[face.frame_index].append(face)
    return Cast(folder, dict(by_frame), roles, len(faces) - sum(map(len, by_frame.values())))


def _described(config: ConvertConfig, extraction: ExtractConfig) -> Descriptors:
    """The descriptor of the person in each picture, (N, 128); sought as the faces of the source are."""
    pictures = [picture for picture, _ in config.roles]
    if config.faceset is None:
        return describe_pictures(pictures, Finder(extraction).sight())
    with Faceset.open(config.faceset) as faceset:
        return describe_references(pictures, faceset)


def _roles(
    config: ConvertConfig, named: Descriptors, faceset: Faceset, faces: Sequence[StoredFace]
) -> dict[int, Path]:
    """The model of each track that shows somebody who is named: that of the picture nearest to it."""
    known = faceset.identities()
    tracks = list(by_track(faces))
    vectors = np.array([known[track] for track in tracks], np.float32).reshape(len(tracks), named.shape[1])
    places = nearest(vectors, named)
    if not (places >= 0).any():
        raise NoFacesError(
            f"nobody in {config.source} is in the pictures that say whose face is swapped: choose pictures"
            " that show who is meant from the front, as a whole"
        )
    for (picture, _), seen in zip(config.roles, matches(named, vectors), strict=True):
        if not seen:
            log.warning("nobody in %s is the one in %s", config.source.name, picture)
    chosen = zip(tracks, places.tolist(), strict=True)
    return {track: config.roles[place][1] for (_, track), place in chosen if place >= 0}
