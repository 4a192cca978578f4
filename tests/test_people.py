"""Whose face is seen: what is chosen, averaged, grouped and matched; and dlib's network on real faces."""

import subprocess
import sys
from itertools import combinations
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswap.faces.alignment import align, cut, transform
from faceswap.faces.detectors.hog import HogDetector
from faceswap.faces.identity import LENGTH, Identifier, average, representative
from faceswap.faces.landmarkers.dlib68 import Dlib68
from faceswap.faces.people import SAME_PERSON, cluster, matches, nearest, seen_together
from faceswap.faces.weights import RESNET, SHAPE_68, weight_file
from faceswap.types import Pixels

seeds = st.integers(0, 2**31)


def blobs(sizes, draw):
    """Descriptors of people who lie 0.85 apart, each within 0.1 of the person; and who each is."""
    who = draw.permutation(np.repeat(np.arange(len(sizes)), sizes))
    noise = draw.normal(size=(len(who), LENGTH))
    noise *= 0.1 / np.linalg.norm(noise, axis=1, keepdims=True)
    return (np.eye(len(sizes), LENGTH)[who] * 0.6 + noise).astype(np.float32), who


def partition(labels):
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


def by_hand(vectors, apart, threshold):
    """Average linkage, one plain step after the other."""
    groups = [{i} for i in range(len(vectors))]
    forbidden = {frozenset(pair) for pair in apart}

    def gap(one, other):
        pairs = [(a, b) for a in one for b in other]
        if any(frozenset(pair) in forbidden for pair in pairs):
            return np.inf
        return np.mean([np.linalg.norm(vectors[a] - vectors[b]) for a, b in pairs])

    while len(groups) > 1:
        one, other = min(combinations(groups, 2), key=lambda pair: gap(*pair))
        if gap(one, other) > threshold:
            break
        groups = [group for group in groups if group not in (one, other)] + [one | other]
    return {frozenset(group) for group in groups}


@given(st.lists(st.integers(1, 12), min_size=1, max_size=12), seeds)
def test_people_who_differ_are_told_apart(sizes, seed):
    draw = np.random.default_rng(seed)
    vectors, who = blobs(sizes, draw)
    weights = draw.integers(1, 500, len(who))
    labels = cluster(vectors, weights)
    assert partition(labels) == partition(who)
    frames = np.bincount(labels, weights)
    assert (np.diff(frames) <= 0).all() and len(frames) == len(sizes)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 14), seeds, st.floats(0.3, 0.8), st.floats(0, 0.5))
def test_groups_are_those_of_average_linkage(count, seed, threshold, share):
    draw = np.random.default_rng(seed)
    vectors = draw.normal(0, 0.045, (count, LENGTH)) + blobs([count], draw)[0]
    apart = {pair for pair in combinations(range(count), 2) if draw.random() < share}
    labels = cluster(vectors, np.ones(count), apart, threshold)
    assert partition(labels) == by_hand(vectors, apart, threshold)


@given(st.integers(1, 40), seeds, st.floats(0.3, 1.0))
def test_the_order_does_not_matter(count, seed, threshold):
    draw = np.random.default_rng(seed)
    vectors = draw.normal(0, 0.045, (count, LENGTH)).astype(np.float32)
    weights = draw.permutation(2 ** np.arange(count, dtype=np.float64))
    apart = {pair for pair in combinations(range(count), 2) if draw.random() < 0.05}
    order = draw.permutation(count)
    place = np.argsort(order)
    moved = {(int(place[a]), int(place[b])) for a, b in apart}
    labels = cluster(vectors, weights, apart, threshold)
    assert (cluster(vectors[order], weights[order], moved, threshold) == labels[order]).all()


@given(st.integers(2, 20), seeds, st.booleans(), st.floats(0, 1))
def test_who_is_seen_together_is_never_one(count, seed, twins, share):
    draw = np.random.default_rng(seed)
    vectors = np.zeros((count, LENGTH)) if twins else draw.normal(0, 0.03, (count, LENGTH))
    apart = {pair for pair in combinations(range(count), 2) if draw.random() < share}
    labels = cluster(vectors, np.ones(count), apart)
    assert all(labels[a] != labels[b] for a, b in apart)
    assert sorted(set(labels.tolist())) == list(range(labels.max() + 1))


def test_thousands_of_tracks_and_none():
    vectors, who = blobs([50] * 40, np.random.default_rng(0))
    assert partition(cluster(vectors, np.ones(2000))) == partition(who)
    assert cluster(vectors[:0], []).shape == (0,)
    assert cluster(vectors[:2], [1, 5], threshold=9).tolist() == [0, 0]
    assert cluster(vectors[:2], [1, 5], threshold=0).tolist() == [1, 0]


@given(st.lists(st.sets(st.integers(0, 30)), max_size=8))
def test_tracks_that_share_a_frame_are_seen_together(frames):
    tracks = [{(source % 2, frame) for frame in track} for source, track in enumerate(frames)]
    expected = {(a, b) for a, b in combinations(range(len(tracks)), 2) if tracks[a] & tracks[b]}
    assert seen_together(tracks) == expected


def test_the_nearest_reference_decides():
    vectors, who = blobs([3, 4, 5], np.random.default_rng(1))
    first = np.array([np.flatnonzero(who == person)[0] for person in (0, 2)])
    assert (matches(vectors, vectors[first]) == (who != 1)).all()
    assert not matches(vectors, vectors[:0]).any()
    assert matches(vectors, vectors[first], threshold=2).all()
    assert matches(vectors[:0], vectors).shape == (0,)
    assert nearest(vectors, vectors[first]).tolist() == [{0: 0, 1: -1, 2: 1}[person] for person in who]
    assert nearest(vectors, vectors[:0]).tolist() == [-1] * len(vectors)
    assert nearest(vectors[:0], vectors).shape == (0,)


@given(st.integers(1, 9), seeds)
def test_one_stranger_among_several_does_not_count(count, seed):
    draw = np.random.default_rng(seed)
    vectors, _ = blobs([count], draw)
    mean = average(vectors)
    assert mean.shape == (LENGTH,) and mean.dtype == np.float32
    if count <= 3:
        assert mean == pytest.approx(vectors.mean(0), abs=1e-6)
    else:
        place = draw.integers(count)
        with_stranger = vectors.copy()
        with_stranger[place] = np.eye(LENGTH)[5]
        assert average(with_stranger) == pytest.approx(np.delete(vectors, place, 0).mean(0), abs=1e-6)


def track(count, draw):
    """The measures of a track of ordinary faces."""
    return {
        "frames": np.cumsum(draw.integers(1, 4, count)),
        "sharpness": draw.uniform(80, 120, count),
        "yaw": draw.normal(0, 10, count),
        "pitch": draw.normal(0, 5, count),
        "brightness": draw.uniform(80, 160, count),
        "interpolated": draw.random(count) < 0.2,
    }


@given(st.integers(0, 60), st.integers(1, 8), seeds)
def test_a_few_faces_speak_for_a_track(length, count, seed):
    given_track = track(length, np.random.default_rng(seed))
    chosen = representative(**given_track, count=count)
    assert (np.diff(chosen) > 0).all() and min(length, 1) <= len(chosen) <= count
    if not given_track["interpolated"].all():
        assert not given_track["interpolated"][chosen].any()
        scaled = given_track | {"sharpness": given_track["sharpness"] * 1000}
        assert (representative(**scaled, count=count) == chosen).all()


@given(st.integers(30, 60), seeds)
def test_they_are_spread_in_time(length, seed):
    even = {
        name: np.full(length, values[0]) for name, values in track(1, np.random.default_rng(seed)).items()
    }
    even |= {"frames": np.arange(length), "interpolated": np.zeros(length, bool)}
    chosen = representative(**even, count=5)
    assert len(chosen) == 5 and (np.diff(chosen) >= length // 5 - 1).all()


@pytest.mark.parametrize("name, bad", [("sharpness", 3), ("yaw", -70), ("pitch", 70), ("brightness", 8)])
@given(seed=seeds, every=st.sampled_from([2, 3, 4]))
def test_bad_faces_are_passed_over(name, bad, seed, every):
    """Where good ones are near, these are taken; a stretch of time that is all bad is left out."""
    good = track(50, np.random.default_rng(seed)) | {"interpolated": np.zeros(50, bool)}
    for worse in (np.arange(50) % every > 0, np.arange(50) < 25):
        mixed = good | {name: np.where(worse, float(bad), good[name])}
        assert not worse[representative(**mixed)].any()


@pytest.fixture(scope="module")
def identifier():
    return Identifier()


@pytest.fixture(scope="module")
def faces(real):
    """By person: (frame BGR, its 68 points), of LFW and of dlib's five Johns."""
    detector, landmarker = HogDetector(), Dlib68()
    found = {}
    for path in sorted((real / "verification").glob("*/*/*.jpg")):
        picture = Pixels(cv2.imread(str(path)))
        middle = np.array([picture.width, picture.height]) / 2
        boxes = [box for box, _ in detector.detect(picture.grey(), 40)]
        box = min(
            boxes, key=lambda b, m=middle: np.hypot(b.left + b.right - 2 * m[0], b.top + b.bottom - 2 * m[1])
        )
        found.setdefault(path.parts[-3:-1], []).append((picture.image, landmarker.locate(picture, box)))
    assert len(found) == 35
    return found


@pytest.fixture(scope="module")
def described(faces, identifier):
    """By person: the descriptors of crops as a faceset has them."""
    return {who: identifier.describe(*cropped(rows, 256, 1.6)) for who, rows in faces.items()}


def cropped(rows, size, coverage):
    """Faces as a faceset has them: crops, and the points in them."""
    places = [align(points, size, coverage) for _, points in rows]
    crops = [cut(Pixels(image), place) for (image, _), place in zip(rows, places, strict=True)]
    return crops, [transform(points, place.matrix) for (_, points), place in zip(rows, places, strict=True)]


def some(faces):
    return [rows[0] for rows in faces.values()][::2]


@pytest.mark.real
def test_a_frame_gives_dlibs_own_descriptor(faces, identifier):
    import dlib

    network = dlib.face_recognition_model_v1(str(weight_file(RESNET)))
    landmarker = dlib.shape_predictor(str(weight_file(SHAPE_68)))
    for image, points in some(faces)[:5]:
        rgb = np.ascontiguousarray(image[:, :, ::-1])
        left, top = points.min(0).astype(int).tolist()
        right, bottom = points.max(0).astype(int).tolist()
        shape = landmarker(rgb, dlib.rectangle(left, top, right, bottom))
        mine = np.array([[part.x, part.y] for part in shape.parts()], np.float32)
        expected = np.array(network.compute_face_descriptor(rgb, shape))
        found = identifier.describe([image], [mine])
        assert found.shape == (1, LENGTH) and found.dtype == np.float32
        assert np.linalg.norm(found[0] - expected) < 0.02
        swapped = identifier.describe([rgb], [mine])[0]
        assert np.linalg.norm(swapped - expected) > 0.1, "the colours' order would not be noticed"
    assert identifier.describe([], []).shape == (0, LENGTH)


@pytest.mark.real
@pytest.mark.parametrize(
    "size, coverage, bound", [(256, 1.6, 0.08), (128, 1.6, 0.1), (256, 1.3, 0.15), (64, 1.6, 0.35)]
)
def test_a_crop_gives_nearly_the_descriptor_of_its_frame(faces, identifier, size, coverage, bound):
    rows = some(faces)
    expected = identifier.describe([image for image, _ in rows], [points for _, points in rows])
    found = identifier.describe(*cropped(rows, size, coverage))
    assert np.linalg.norm(found - expected, axis=1).max() < bound


@pytest.mark.real
def test_points_past_the_picture_and_points_in_a_heap_are_borne(identifier):
    image = np.full((64, 64, 3), 90, np.uint8)
    for points in (np.full((68, 2), 20.0), np.random.default_rng(0).normal(500, 300, (68, 2))):
        assert np.isfinite(identifier.describe([image], [points.astype(np.float32)])).all()


@pytest.mark.real
def test_threads_share_one(faces, identifier):
    rows = some(faces)[:6]
    images, landmarks = [image for image, _ in rows], [points for _, points in rows]
    expected, found = identifier.describe(images, landmarks), {}
    threads = [
        Thread(target=lambda i=i: found.update({i: identifier.describe(images[i::3], landmarks[i::3])}))
        for i in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((found[i] == expected[i::3]).all() for i in range(3))


@pytest.mark.real
def test_pictures_are_grouped_into_people(described):
    """Single pictures are harder than tracks: nobody is mixed up, but some are left out of their group."""
    people = [person for person, rows in described.items() for _ in rows]
    who = np.unique([" ".join(person) for person in people], return_inverse=True)[1]
    vectors = np.concatenate(list(described.values()))
    for threshold, most in ((SAME_PERSON, 56), (0.55, 44)):
        labels = cluster(vectors, np.ones(len(who)), threshold=threshold)
        assert all(len(set(who[labels == label])) == 1 for label in labels), "two people in one group"
        assert 35 <= labels.max() + 1 <= most
    johns = np.concatenate([rows for (source, _), rows in described.items() if source == "dlib_johns"])
    labels = cluster(johns, np.ones(len(johns)), threshold=0.55)
    assert partition(labels) == partition(np.repeat(np.arange(5), 11))


@pytest.mark.real
def test_means_are_grouped_and_matched(described):
    """The means of two pictures for tracks: 101 of them, of 35 people; one picture of each as a reference."""
    tracks = [
        (w, average(rows[i : i + 2])) for w, rows in described.items() for i in range(1, len(rows) - 1, 2)
    ]
    vectors = np.array([mean for _, mean in tracks])
    names = [person for person, _ in tracks]
    who = np.array([list(described).index(person) for person in names])
    labels = cluster(vectors, np.ones(len(who)))
    right = sum(np.bincount(who[labels == label]).max() for label in np.unique(labels))
    assert right >= 0.97 * len(who) and 33 <= labels.max() + 1 <= 37
    found = np.array([matches(vectors, rows[:1]) for rows in described.values()])
    same = np.arange(len(described))[:, None] == who
    assert found[same].mean() > 0.97 and found[~same].mean() < 0.006


@pytest.mark.real
def test_verification_is_measured(real):
    script = Path(__file__).parents[1] / "scripts" / "benchmark.py"
    folder = real / "verification"
    command = [sys.executable, str(script), "identity"]
    command += ["--pairs", str(folder / "mini_pairs.csv"), "--pictures", str(folder / "lfw_mini")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    accuracy = [float(line.split()[-1]) for line in done.stdout.splitlines() if line.startswith("  accuracy")]
    assert len(accuracy) == 3 and accuracy[0] > 0.975 and min(accuracy[1:]) > 0.99


def test_verification_names_what_it_cannot_read(tmp_path):
    script = Path(__file__).parents[1] / "scripts" / "benchmark.py"
    table = tmp_path / "pairs.csv"
    for text, reason in (("x,y\n1,2\n", "not a table"), ("a,b,same\np/1.jpg,p/2.jpg,1\n", "cannot read")):
        table.write_text(text)
        command = [
            sys.executable,
            str(script),
            "identity",
            "--pairs",
            str(table),
            "--pictures",
            str(tmp_path),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 3 and reason in done.stderr and "Traceback" not in done.stderr
