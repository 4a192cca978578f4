"""Whose faces a faceset holds: who is one person, and who is the one that is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from faceswap.errors import DependencyError, InputError, NoFacesError
from faceswap.faces.alignment import transform
from faceswap.faces.faceset import Faceset
from faceswap.faces.identity import LENGTH, Identifier, average, representative
from faceswap.faces.index import StoredFace
from faceswap.faces.people import Descriptors, cluster, matches, seen_together
from faceswap.faces.sight import Sight
from faceswap.progress import Progress
from faceswap.types import Descriptor, Face, Image, Pixels
from faceswap.video.images import read_image

MANY = 60  # faces, from which loading Keras pays: 10 ms a face and 5 s, against 80 ms a face
Track = tuple[int, int]  # source and number of the track
Tracks = Mapping[Track, Sequence[StoredFace]]


def by_track(faces: Sequence[StoredFace]) -> dict[Track, list[StoredFace]]:
    """The faces of each track, in their order."""
    tracks: dict[Track, list[StoredFace]] = {}
    for face in faces:
        tracks.setdefault((face.source, face.face.track_id), []).append(face)
    return tracks


def recognise(faceset: Faceset, progress: Progress) -> None:
    """Enter who each track shows, and which tracks show one person.

    A track's identity is worked out once; the people are numbered anew each time.

    Raises:
        DependencyError: The weight file is not installed.
        OutputError: The faceset cannot be written.
    """
    tracks = by_track(faceset.faces())
    known = faceset.identities()
    fresh = {track: faces for track, faces in tracks.items() if track not in known}
    if not tracks or not fresh:
        return
    found = known | _described(faceset, fresh, progress)
    frames = [[(face.source, face.frame_index) for face in faces] for faces in tracks.values()]
    people = cluster(
        np.stack([found[track] for track in tracks]), [len(those) for those in frames], seen_together(frames)
    )
    entries = {track: (found[track], int(person)) for track, person in zip(tracks, people, strict=True)}
    faceset.add_people(entries)


def keep(faceset: Faceset, wanted: Descriptors, unwanted: Descriptors) -> int:
    """Reject the tracks of people who are not wanted; those of `recognise` must be entered.

    Args:
        faceset: Whose faces are moved to `rejected`.
        wanted: (N, 128), descriptors of the people to keep; none: everybody.
        unwanted: (N, 128), descriptors of people to drop.

    Returns:
        How many faces were rejected.

    Raises:
        NoFacesError: Nobody would be left; nothing is rejected.
    """
    tracks = by_track(faceset.faces())
    known = faceset.identities()
    vectors = np.stack([known[track] for track in tracks])
    stay = matches(vectors, wanted) if len(wanted) else np.ones(len(vectors), bool)
    stay &= ~matches(vectors, unwanted)
    if not stay.any():
        raise NoFacesError(
            f"nobody in {faceset.folder} is left by --reference and --exclude: look at its faces, and choose"
            " pictures that show who is meant from the front"
        )
    gone = [face for faces, kept in zip(tracks.values(), stay, strict=True) if not kept for face in faces]
    faceset.reject(gone)
    return len(gone)


def describe_pictures(paths: Sequence[Path], sight: Sight) -> Descriptors:
    """The descriptor of the one face in each picture, float32 (N, 128).

    Raises:
        InputError: A picture is missing or damaged, or shows several people.
        NoFacesError: There is nobody in one.
    """
    if not paths:
        return np.empty((0, LENGTH), np.float32)
    shown = [read_image(path) for path in paths]
    points = [only_face(image, path, sight).landmarks for image, path in zip(shown, paths, strict=True)]
    return Identifier().describe(shown, points)


def only_face(image: Image, path: Path, sight: Sight) -> Face:
    """The one face of a picture; it is named by `path` where there is none, or more.

    Raises:
        InputError: It shows several people of about the same size.
        NoFacesError: There is nobody.
    """
    picture = Pixels(image)
    seen = sorted(sight.everywhere(picture), key=lambda one: -one.box.area)
    if not seen:
        raise NoFacesError(
            f"no face found in {path}: give a picture that shows it as a whole, from the front"
        )
    if len(seen) > 1 and seen[1].box.width > seen[0].box.width / 2:
        raise InputError(f"{path} shows {len(seen)} people: cut out the one that is meant")
    return sight.face(picture, seen[0], 0)[0]


def _described(faceset: Faceset, tracks: Tracks, progress: Progress) -> dict[Track, Descriptor]:
    """The identity of each track, from a few faces that speak for it."""
    chosen = {track: [faces[place] for place in speakers(faces)] for track, faces in tracks.items()}
    flat = [face for faces in chosen.values() for face in faces]
    rows = iter(_many(faceset, flat, progress) if len(flat) > MANY else _few(faceset, flat, progress))
    return {track: average(np.array([next(rows) for _ in faces])) for track, faces in chosen.items()}


def _many(faceset: Faceset, faces: Sequence[StoredFace], progress: Progress) -> Iterable[Descriptor]:
    """The descriptors of many faces; one by one where there is no TensorFlow, as `_few` has them."""
    try:
        from faceswap.recognizer import describe_faces  # late: it loads Keras
    except DependencyError:
        return _few(faceset, faces, progress)
    return describe_faces(faceset, faces, progress)


def _few(faceset: Faceset, faces: Sequence[StoredFace], progress: Progress) -> Iterator[Descriptor]:
    """The descriptors of faces, one by one."""
    identifier = Identifier()
    for face in progress(faces, total=len(faces), desc="who is who", unit="face"):
        points = transform(face.face.landmarks, face.alignment.matrix)
        yield identifier.describe([faceset.load(face).image], [points])[0]


def speakers(faces: Sequence[StoredFace]) -> list[int]:
    """The places of the faces that speak for their track; see `representative`."""
    chosen = representative(
        frames=[face.frame_index for face in faces],
        sharpness=[face.traits.sharpness for face in faces],
        yaw=[face.traits.yaw for face in faces],
        pitch=[face.traits.pitch for face in faces],
        brightness=[face.traits.brightness for face in faces],
        interpolated=[face.face.interpolated for face in faces],
    )
    return [int(place) for place in chosen]
