"""Whether two pictures show one person: mining, curves, the command, and a network that learns."""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from faceswap import VerifyConfig, VerifyTrainConfig, verify, verify_train
from faceswap.cli import run
from faceswap.errors import InputError, NoFacesError, UsageError
from faceswap.networks import siamese
from faceswap.progress import quiet
from faceswap.verification.comparing import VerifyResult, people_of
from faceswap.verification.measuring import curve, distances, fair_accuracy


def sphere(*angles):
    """Points of a circle, in degrees."""
    turns = np.radians(angles)
    return tf.constant(np.stack([np.cos(turns), np.sin(turns)], 1), tf.float32)


def square(degrees):
    """The squared distance of two points so far apart."""
    return 2 - 2 * np.cos(np.radians(degrees))


# Two people: one at 0 and 20 degrees, one at 25 and 90.
PLACES, WHO = sphere(0, 20, 25, 90), tf.constant([0, 0, 1, 1])


def test_hard_triplets_by_hand():
    """The nearest others are 25, 5, 5 and 70 degrees away, the furthest own 20, 20, 65 and 65."""
    near, far = np.sqrt(square(np.array([25, 5, 5, 70]))), np.sqrt(square(np.array([20, 20, 65, 65])))
    expected = np.log1p(np.exp(far - near)).mean()
    assert float(siamese.hard_triplets(PLACES, WHO)) == pytest.approx(expected, abs=1e-4)


def test_semi_hard_triplets_by_hand():
    """The nearest other further away than the own one; for 25 with 90 there is none, so the furthest."""
    near, far = square(np.array([20, 20, 65, 65])), square(np.array([25, 70, 25, 70]))
    expected = np.maximum(near - far + siamese.MARGIN, 0).mean()
    assert float(siamese.semi_hard_triplets(PLACES, WHO)) == pytest.approx(expected, abs=1e-4)


def test_contrastive_by_hand():
    pull = square(np.array([20, 65])).mean()
    push = (np.maximum(1 - np.sqrt(square(np.array([25, 90, 5, 70]))), 0) ** 2).mean()
    assert float(siamese.contrastive(PLACES, WHO)) == pytest.approx((pull + push) / 4, abs=1e-4)


def test_random_triplets_lie_between_the_easiest_and_the_hardest():
    tf.random.set_seed(0)
    found = {round(float(siamese.random_triplets(PLACES, WHO)), 4) for _ in range(20)}
    assert len(found) > 1
    hardest = np.maximum(square(np.array([20, 20, 65, 65])) - square(np.array([25, 5, 5, 70])) + 0.2, 0)
    assert min(found) >= 0 and max(found) <= hardest.mean() + 1e-4


def test_hard_triplets_wait_until_semi_hard_ones_have_spread_the_people(monkeypatch):
    monkeypatch.setattr(siamese, "WARM_UP", 2)
    faces = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), np.uint8)
    network, who = siamese.build(), np.int32([0, 0, 1, 1, 2, 2])
    step = siamese.SiameseStep(network, "hard", 1e-3)
    for mined in (siamese.semi_hard_triplets, siamese.semi_hard_triplets, siamese.hard_triplets):
        expected = float(mined(network.model(faces.astype(np.float32) / 255), tf.constant(who)))
        assert step(faces, who) == pytest.approx(expected, abs=1e-3)


def test_descriptors_have_length_one():
    faces = np.random.default_rng(0).random((3, 64, 64, 3), np.float32)
    vectors = siamese.build().model(faces).numpy()
    assert vectors.shape == (3, 128)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)


def test_distances_by_hand():
    one, other = np.float32([[3, 4, 0, -1]]), np.float32([[3, 0, 0, -1], [-3, -4, 1, 1]])
    assert distances(one, other, "euclidean")[0] == pytest.approx([4, np.sqrt(36 + 64 + 1 + 4)])
    assert distances(one, other, "cosine")[0] == pytest.approx(
        [1 - 10 / np.sqrt(260), 1 + 26 / np.sqrt(27 * 26)]
    )
    assert distances(one, other, "jaccard")[0] == pytest.approx([0.5, 1.0])


def test_curves_of_people_who_are_far_apart_and_of_chance():
    draw, who = np.random.default_rng(0), np.repeat(np.arange(8), 6)
    chance = draw.normal(0, 1, (48, 16)).astype(np.float32)
    clear = chance * 0.05 + draw.normal(0, 1, (8, 16)).astype(np.float32)[who]
    far, near = curve(clear, who, "euclidean"), curve(chance, who, "euclidean")
    assert far.area == pytest.approx(1) and far.equal_error[0] == 0
    assert far.accuracy(far.equal_error[1]) == 1 and fair_accuracy(clear, who, "cosine") > 0.95
    assert 0.4 < near.area < 0.6 and 0.4 < near.equal_error[0] < 0.6
    assert near.accuracy(-1.0) == 0.5


def test_the_result_says_who_and_ends_with_a_code():
    pictures = {"pictures": (), "threshold": 0.6, "similarity": "euclidean"}
    same, other = VerifyResult(distance=0.4, **pictures), VerifyResult(distance=0.7, name="ann", **pictures)
    assert (same.exit_code, other.exit_code) == (0, 15)
    assert str(same).startswith("same person") and str(other).startswith("nobody of the gallery")


def test_counts_of_pictures_are_checked():
    for pictures, gallery in ((("a",), None), (("a", "b", "c"), None), (("a", "b"), "g")):
        with pytest.raises(UsageError, match="verify takes"):
            VerifyConfig(pictures=pictures, gallery=gallery)
    with pytest.raises(UsageError, match="give --threshold"):
        VerifyConfig(pictures=("a", "b"), similarity="cosine")


def test_a_command_and_a_group_of_one_name(capsys, tmp_path):
    assert run(["verify", str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")]) == 3
    assert run(["verify"]) == 2
    assert run(["verify", "train", str(tmp_path / "none"), "-m", str(tmp_path / "m")]) == 3
    assert "is not a faceset" in capsys.readouterr().err


def test_training_goes_on_and_is_tested_on_others(facesets, tmp_path):
    options = {"facesets": facesets, "test": facesets, "model": tmp_path / "m", "people": 2, "faces": 2}
    first = verify_train(VerifyTrainConfig(**options, iterations=2))
    second = verify_train(VerifyTrainConfig(**options, iterations=3))
    assert (first.iterations, second.iterations) == (2, 3)
    assert set(second.curves) == {"euclidean", "cosine", "jaccard"} and second.tested == 2
    assert cv2.imread(str(tmp_path / "m" / "roc.png")) is not None


def test_a_picture_without_a_face_has_its_code_whatever_the_gallery(tmp_path, capsys):
    grey = tmp_path / "grey.png"
    cv2.imwrite(str(grey), np.full((96, 96, 3), 128, np.uint8))
    assert run(["verify", str(grey), "--gallery", str(tmp_path)]) == 4
    assert "no face found" in capsys.readouterr().err


def test_nobody_in_a_gallery(tmp_path):
    def describe(path):
        image = cv2.imread(str(path))
        raise InputError("damaged") if image is None else NoFacesError("no face")

    gallery = tmp_path / "gallery"
    with pytest.raises(InputError, match="not a folder"):
        people_of(gallery, describe, quiet)
    gallery.mkdir()
    with pytest.raises(InputError, match="no picture") as raised:
        people_of(gallery, describe, quiet)
    assert raised.value.exit_code == 3
    (gallery / "ann").mkdir()
    cv2.imwrite(str(gallery / "ann" / "1.png"), np.full((96, 96, 3), 128, np.uint8))
    with pytest.raises(NoFacesError, match="nobody in the gallery") as raised:
        people_of(gallery, describe, quiet)
    assert raised.value.exit_code == 4
    (gallery / "bob.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="nobody in the gallery") as raised:
        people_of(gallery, describe, quiet)
    assert raised.value.exit_code == 3


@pytest.mark.real
def test_people_of_a_gallery_are_named(real, capsys):
    home = real / "verification" / "lfw_mini"
    one, two, other = (
        sorted((home / "Bill_Gates").iterdir())[:2] + sorted((home / "Ariel_Sharon").iterdir())[:1]
    )
    assert verify(VerifyConfig(pictures=(one, two))).same
    assert run(["verify", str(one), str(other)]) == 15
    assert "different people" in capsys.readouterr().out
