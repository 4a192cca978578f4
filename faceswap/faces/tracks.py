"""Tracks over a whole source, joined from those of its segments, and steadied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

from faceswap.faces.index import StoredFace
from faceswap.faces.outlines import steady_masks
from faceswap.faces.sight import SAME
from faceswap.faces.smoothing import steady


def linked(faces: Sequence[StoredFace], segments: Mapping[range, bool]) -> list[StoredFace]:
    """Number the tracks of one source through.

    A track goes on in the next segment if the scene does and that begins with a face at the place where the
    track's last one was.

    Args:
        faces: All faces of the source, by frame; tracks are numbered within their segment.
        segments: The segments of the source, and whether the scene of each goes on in the next one.

    Returns:
        The same faces with tracks numbered from 0 within the source.
    """
    by_frame: dict[int, list[StoredFace]] = defaultdict(list)
    for face in faces:
        by_frame[face.frame_index].append(face)
    numbers: dict[tuple[int, int], int] = {}
    fresh = count()
    result: list[StoredFace] = []
    at_end: list[StoredFace] = []
    for frames in sorted(segments, key=lambda frames: frames.start):
        before = at_end
        for face in by_frame[frames.start]:
            same = [old for old in before if old.face.box.iou(face.face.box) >= SAME]
            if same:
                best = max(same, key=lambda old: old.face.box.iou(face.face.box))
                numbers[frames.start, face.face.track_id] = best.face.track_id
                before = [old for old in before if old is not best]
        begun = len(result)
        for index in frames:
            for face in by_frame.get(index, []):
                key = (frames.start, face.face.track_id)
                number = numbers[key] if key in numbers else numbers.setdefault(key, next(fresh))
                result.append(replace(face, face=replace(face.face, track_id=number)))
        last = frames.stop - 1 if segments[frames] else None
        at_end = [face for face in result[begun:] if face.frame_index == last]
    return result


def steadied(faces: Sequence[StoredFace]) -> list[StoredFace]:
    """The faces of one source with landmarks and masks steadied through time by track, in the same order."""
    tracks: dict[int, list[int]] = defaultdict(list)
    for place, face in enumerate(faces):
        tracks[face.face.track_id].append(place)
    result = list(faces)
    for places in tracks.values():
        track = [faces[place] for place in places]
        smoothed = steady([f.face.landmarks for f in track], [f.frame_index for f in track])
        moved = [
            replace(face, face=replace(face.face, landmarks=points))
            for face, points in zip(track, smoothed, strict=True)
        ]
        for place, face in zip(places, steady_masks(moved), strict=True):
            result[place] = face
    return result
