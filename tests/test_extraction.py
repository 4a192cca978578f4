import shutil

import cv2
import numpy as np
import pytest
from clips import make, sound_only
from conftest import BLUE, FAKES, RED, nobody

from faceswap import ExtractConfig, extract
from faceswap.errors import InputError, NoFacesError, OutputError
from faceswap.faces.detectors.fake import FakeDetector
from faceswap.faces.faceset import FACES, REJECTED, Faceset
from faceswap.faces.landmarkers.fake import FakeLandmarker
from faceswap.faces.sight import Sight
from faceswap.faces.tracking import Tracker
from faceswap.types import Box, Pixels
from faceswap.video.source import VideoSource, open_source, segments


def test_every_frame_gives_a_face(clips, tmp_path):
    result = extract(ExtractConfig(sources=clips[0], output=tmp_path / "set", **FAKES))
    assert (result.frames, result.faces, result.missed, result.damaged) == (30, 30, 0, 0)
    with Faceset.open(tmp_path / "set") as faceset:
        assert [face.frame_index for face in faceset.faces()] == list(range(30))
        assert {face.face.track_id for face in faceset.faces()} == {0}
        assert faceset.load(faceset.faces()[0]).image.shape == (64, 64, 3)


def test_the_same_input_gives_the_same_faceset(clips, tmp_path):
    digests = []
    for name in "xy":
        extract(ExtractConfig(sources=clips[0], output=tmp_path / name, **FAKES))
        with Faceset.open(tmp_path / name) as faceset:
            digests.append(faceset.digest())
    assert digests[0] == digests[1]


def test_a_second_run_adds_sources_and_repeats_nothing(clips, tmp_path):
    config = {"output": tmp_path / "set", **FAKES}
    extract(ExtractConfig(sources=clips[0], **config))
    with Faceset.open(tmp_path / "set") as faceset:
        (tmp_path / "set" / FACES / faceset.faces()[3].file).unlink()
    assert extract(ExtractConfig(sources=clips[0], **config)).faces == 29
    assert extract(ExtractConfig(sources=clips, **config)).faces == 59


def test_overwrite_begins_anew(clips, tmp_path):
    extract(ExtractConfig(sources=clips[0], output=tmp_path / "set", **FAKES))
    other = {**FAKES, "face_size": 48}
    with pytest.raises(OutputError, match="--overwrite"):
        extract(ExtractConfig(sources=clips[1], output=tmp_path / "set", **other))
    result = extract(ExtractConfig(sources=clips[1], output=tmp_path / "set", overwrite=True, **other))
    assert result.faces == 30


def test_a_folder_of_images_with_a_corrupt_one(tmp_path, caplog):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(4):
        image = np.zeros((96, 128, 3), np.uint8)
        RED(image, index)
        cv2.imwrite(str(folder / f"{index}.png"), image)
    good = (folder / "2.png").read_bytes()
    (folder / "2.png").write_bytes(good[:60])
    result = extract(ExtractConfig(sources=folder, output=tmp_path / "other", **FAKES))
    assert result.faces == 3 and result.damaged == 1 and "2.png" in caplog.text


def test_each_picture_of_a_folder_is_a_track_of_its_own(tmp_path):
    """Two people at the same place, lit alike, are not one because their pictures follow one another."""
    for index in range(4):
        image = np.zeros((96, 128, 3), np.uint8)
        (RED if index % 2 else BLUE)(image, 0)
        cv2.imwrite(str(tmp_path / f"{index}.png"), image)
    extract(ExtractConfig(sources=tmp_path, output=tmp_path / "set", **FAKES))
    with Faceset.open(tmp_path / "set") as faceset:
        assert len({face.face.track_id for face in faceset.faces()}) == 4


def test_no_frame_is_decoded_that_its_segment_does_not_need(tmp_path, monkeypatch):
    """Key frames every 12 frames and segments of a second: decoding begins where a segment does."""
    clip = make(tmp_path / "a.mp4", draw=RED, count=150, size=(128, 96), options={"g": "25", "bf": "0"})
    monkeypatch.setattr("faceswap.extraction.segments", lambda source: segments(source, 1))
    asked = []
    run = VideoSource.frames
    monkeypatch.setattr(VideoSource, "frames", lambda self, *span: asked.append(span) or run(self, *span))
    extract(ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES))
    with open_source(clip) as source:
        assert {start for start, _ in asked} <= set(source.keys)


def test_globs_and_single_images(tmp_path):
    for index in range(3):
        image = np.zeros((96, 128, 3), np.uint8)
        RED(image, index)
        cv2.imwrite(str(tmp_path / f"{index}.png"), image)
    result = extract(ExtractConfig(sources=tmp_path / "?.png", output=tmp_path / "set", **FAKES))
    assert (result.frames, result.faces) == (3, 3)


def test_nobody_there(tmp_path):
    clip = make(tmp_path / "wall.mp4", draw=nobody, count=5)
    with pytest.raises(NoFacesError, match=r"wall\.mp4"):
        extract(ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES))
    assert not (tmp_path / "set").exists(), "or looking again with other options would be refused"


def test_what_was_found_stays_where_a_later_source_cannot_be_read(clips, tmp_path):
    (tmp_path / "text.mp4").write_text("text")
    for sources, kept in (((tmp_path / "text.mp4",), False), ((clips[0], tmp_path / "text.mp4"), True)):
        with pytest.raises(InputError, match=r"text\.mp4"):
            extract(ExtractConfig(sources=sources, output=tmp_path / "set", **FAKES))
        assert (tmp_path / "set").exists() == kept


def test_sound_alone(tmp_path):
    with pytest.raises(InputError, match="no picture"):
        extract(ExtractConfig(sources=sound_only(tmp_path / "a.m4a"), output=tmp_path / "set", **FAKES))


def test_a_killed_run_goes_on_at_its_segment(clips, tmp_path, monkeypatch):
    """40 s of film in 4 segments; the run dies in the third, the next one does only what is left."""
    clip = make(tmp_path / "long.mp4", draw=BLUE, rate=1, count=40, size=(128, 96), sound=None)
    config = ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES)
    find, seen = Tracker.find, []

    def dying(self, *frame):
        seen.append(1)
        if len(seen) == 15:
            raise KeyboardInterrupt
        return find(self, *frame)

    monkeypatch.setattr(Tracker, "find", dying)
    with pytest.raises(KeyboardInterrupt):
        extract(config)
    result = extract(config)
    assert len(seen) < 25 + 40, "what was finished is not searched again"
    assert (result.frames, result.faces) == (40, 40)
    monkeypatch.undo()
    whole = extract(ExtractConfig(sources=clip, output=tmp_path / "whole", **FAKES))
    with Faceset.open(tmp_path / "set") as one, Faceset.open(whole.faceset) as other:
        assert one.digest() == other.digest()


class Scripted:
    """A detector that sees what the test says, and counts."""

    colour = True

    def __init__(self, boxes):
        self.boxes, self.whole, self.near = boxes, 0, 0

    def detect(self, image, min_face):
        whole = image.shape[1] == 300
        self.whole, self.near = self.whole + whole, self.near + (not whole)
        if whole:
            return [(box, 1.0) for box in self.boxes]
        return FakeDetector().detect(image, min_face)


def scene(*centres):
    image = np.full((200, 300, 3), 120, np.uint8)
    for x, y in centres:
        cv2.rectangle(image, (x - 20, y - 20), (x + 19, y + 19), (20, 30, 220), -1)
    return Pixels(image)


def box(x, y):
    return Box(x - 20, y - 20, x + 20, y + 20)


def test_a_face_is_followed_without_searching_the_whole_frame():
    detector = Scripted([box(60, 100)])
    tracker = Tracker(Sight(detector, FakeLandmarker(), 40), 25)
    for step in range(20):
        faces = tracker.find(scene((60 + 6 * step, 100)))
        assert len(faces) == 1 and faces[0].track_id == 0
        assert faces[0].box.iou(box(60 + 6 * step, 100)) > 0.8
    assert detector.whole == 1 and detector.near == 19


def test_a_lost_face_is_searched_for_and_a_new_one_gets_a_new_track():
    detector = Scripted([box(60, 100)])
    tracker = Tracker(Sight(detector, FakeLandmarker(), 40), 25)
    tracker.find(scene((60, 100)))
    detector.boxes = [box(220, 100)]
    faces = tracker.find(scene((220, 100)))
    assert [face.track_id for face in faces] == [1] and detector.whole == 2


def test_who_comes_in_is_seen_after_a_while():
    detector = Scripted([box(60, 100)])
    tracker = Tracker(Sight(detector, FakeLandmarker(), 40), look_around=5)
    counts = []
    for step in range(12):
        detector.boxes = [box(60, 100), box(200, 100)]
        counts.append(len(tracker.find(scene((60, 100), (200, 100)) if step else scene((60, 100)))))
    detector.boxes = []
    assert counts[-1] == 2
    assert {face.track_id for face in tracker.find(scene((60, 100), (200, 100)))} == {0, 1}


def test_two_faces_that_meet_are_not_counted_twice():
    detector = Scripted([box(100, 100), box(104, 100)])
    tracker = Tracker(Sight(detector, FakeLandmarker(), 40), 25)
    assert len(tracker.find(scene((100, 100)))) == 1


def test_a_moved_source_is_known_by_its_content(clips, tmp_path):
    config = {"output": tmp_path / "set", **FAKES}
    extract(ExtractConfig(sources=clips[0], **config))
    shutil.copy(clips[0], tmp_path / "renamed.mp4")
    assert extract(ExtractConfig(sources=tmp_path / "renamed.mp4", **config)).faces == 30


@pytest.mark.real
def test_real_talking_heads(real, tmp_path):
    result = extract(ExtractConfig(sources=real / "clips" / "rd_radio2_512.mp4", output=tmp_path / "set"))
    assert (result.frames, result.missed) == (200, 0)
    with Faceset.open(tmp_path / "set") as faceset:
        assert len(faceset.faces()) == 200
        assert {face.face.track_id for face in faceset.faces()} == {0}


@pytest.mark.real
def test_nobody_in_a_real_clip(real, tmp_path):
    clip = next((real / "hard" / "video").glob("*noface*"))
    with pytest.raises(NoFacesError):
        extract(ExtractConfig(sources=clip, output=tmp_path / "set"))


def test_who_comes_in_between_two_searches_is_traced_back(tmp_path):
    def enters(image, index):
        nobody(image, index)
        if index >= 8:
            cv2.circle(image, (64, 48), 20, (30, 40, 210), -1)

    clip = make(tmp_path / "enters.mp4", draw=enters, size=(128, 96), count=20)
    result = extract(ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES))
    assert (result.faces, result.missed) == (12, 8)


def test_who_joins_one_who_is_followed_is_found_from_the_first_frame_on(tmp_path):
    def joins(image, index):
        nobody(image, index)
        for centre in [32] + [96] * (index >= 40):
            cv2.circle(image, (centre, 48), 20, (30, 40, 210), -1)

    clip = make(tmp_path / "joins.mp4", draw=joins, size=(128, 96), count=150)
    result = extract(ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES))
    assert result.faces == 150 + 110


def test_a_face_that_is_not_seen_for_a_moment_is_filled_in_and_marked(tmp_path):
    def blinks(image, index):
        nobody(image, index)
        if index not in (8, 9):
            cv2.circle(image, (40 + 2 * index, 48), 20, (30, 40, 210), -1)

    clip = make(tmp_path / "blinks.mp4", draw=blinks, size=(128, 96), count=20)
    assert extract(ExtractConfig(sources=clip, output=tmp_path / "set", **FAKES)).missed == 0
    with Faceset.open(tmp_path / "set") as faceset:
        faces = faceset.faces()
        assert [face.frame_index for face in faces if face.face.interpolated] == [8, 9]
        assert {face.face.track_id for face in faces} == {0}
        middle = faces[8].face.box
        assert (middle.left + middle.right) / 2 == pytest.approx(56, abs=3)


def test_new_people_are_searched_for_where_something_moved(tmp_path):
    """One who enters makes the part of the frame around him, not all of it, be searched."""
    searched = []

    class Watched(FakeDetector):
        def detect(self, image, min_face):
            searched.append(image.shape)
            return super().detect(image, min_face)

    tracker = Tracker(Sight(Watched(), FakeLandmarker(), 40), look_around=8)
    for index in range(17):
        picture = scene((60, 100), (200, 100)) if index > 8 else scene((60, 100))
        tracker.is_cut(picture)
        counts = len(tracker.find(picture))
    height, width = picture.grey().shape
    assert counts == 2
    assert searched[0][:2] == (height, width)
    assert all(shape[1] < width for shape in searched[1:])


def test_pictures_of_a_folder_do_not_follow_in_time(tmp_path):
    """The second picture shows another person besides: nobody is followed, so both are found."""
    for index, centres in enumerate([[40], [40, 100], [40]]):
        image = np.full((96, 128, 3), 120, np.uint8)
        for x in centres:
            cv2.circle(image, (x, 48), 20, (30, 40, 210), -1)
        cv2.imwrite(str(tmp_path / f"{index}.png"), image)
    assert extract(ExtractConfig(sources=tmp_path, output=tmp_path / "set", **FAKES)).faces == 4


@pytest.mark.real
@pytest.mark.parametrize(("name", "tracks"), [("two_faces_hstack.mp4", 2), ("scene_cuts_3people.mp4", 3)])
def test_real_tracks(real, tmp_path, name, tracks):
    extract(ExtractConfig(sources=real / "hard" / "video" / name, output=tmp_path / "set"))
    with Faceset.open(tmp_path / "set") as faceset:
        faces = faceset.faces()
    assert len({face.face.track_id for face in faces}) == tracks


def test_what_is_only_named_like_an_image_is_named(tmp_path, caplog):
    image = np.zeros((96, 128, 3), np.uint8)
    RED(image, 0)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    (tmp_path / "b.jpg").write_bytes(b"")
    (tmp_path / "c.png").write_text("not a picture")
    (tmp_path / "notes.txt").write_text("not meant as one")
    extract(ExtractConfig(sources=tmp_path, output=tmp_path / "set", **FAKES))
    assert [word in caplog.text for word in ("b.jpg", "c.png", "notes.txt")] == [True, True, False]


@pytest.mark.real
@pytest.mark.parametrize(
    ("clip", "people"),
    [("two_faces_hstack.mp4", (200, 200)), ("scene_cuts_3people.mp4", (50, 50, 50))],
)
def test_people_are_told_apart(real, tmp_path, clip, people):
    source = real / "hard" / "video" / clip
    result = extract(ExtractConfig(sources=source, output=tmp_path / "set"))
    assert result.people == people and f"{len(people)} people" in str(result)
    with Faceset.open(tmp_path / "set") as faceset:
        tracks = {(face.face.track_id, face.person) for face in faceset.faces()}
    assert len(tracks) == len(people)


@pytest.mark.real
def test_one_person_is_kept_or_left_out(real, tmp_path):
    source = real / "hard" / "video" / "scene_cuts_3people.mp4"
    with open_source(source) as clip:
        cv2.imwrite(str(tmp_path / "first.png"), next(clip.frames(5, 6)).image)
    kept = ExtractConfig(sources=source, output=tmp_path / "kept", reference=tmp_path / "first.png")
    assert extract(kept).people == (50,)
    assert len(list((tmp_path / "kept" / REJECTED).iterdir())) == 100
    dropped = ExtractConfig(sources=source, output=tmp_path / "rest", exclude=tmp_path / "first.png")
    assert extract(dropped).people == (50, 50)
    stranger = real / "hard" / "images" / "pose" / "lower_face.jpeg"
    with pytest.raises(NoFacesError, match="nobody"):
        extract(ExtractConfig(sources=source, output=tmp_path / "none", reference=stranger))
    group = real / "hard" / "images" / "group" / "bald_guys.jpg"
    with pytest.raises(InputError, match="cut out the one"):
        extract(ExtractConfig(sources=source, output=tmp_path / "none", reference=group))


@pytest.mark.real
def test_a_clip_that_lies_on_its_side_comes_upright(real, tmp_path):
    source = real / "hard" / "video" / "rotation_metadata_90.mp4"
    result = extract(ExtractConfig(sources=source, output=tmp_path / "set"))
    assert result.faces == result.frames
    with Faceset.open(tmp_path / "set") as faceset:
        assert all(70 < abs(face.traits.roll) < 110 for face in faceset.faces())
