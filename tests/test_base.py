"""The weights that a training starts from."""

import json

import numpy as np
import pytest
from test_training import config

from faceswap import train
from faceswap.errors import DependencyError, ModelError
from faceswap.networks import base, swift, tiny
from faceswap.networks.autoencoder import seed_everything


def weights(network):
    return {name: [v.numpy() for v in part.variables] for name, part in network.parts.items()}


def fresh(seed):
    seed_everything(seed)
    return tiny.build()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("base") / "tiny.npz"
    assert len(base.write(path, fresh(1))) == 64
    return path


def test_the_encoder_and_what_draws_are_taken_over_and_the_person_is_not(file):
    given, network = weights(fresh(1)), fresh(2)
    before = weights(network)
    base.start(network, "tiny", str(file))
    after = weights(network)
    for index, array in enumerate(given["encoder"]):
        np.testing.assert_allclose(after["encoder"][index], array, rtol=1e-3, atol=1e-6)
    for side in ("decoder_a", "decoder_b"):
        for index, array in enumerate(given["decoder_a"]):
            wanted = before[side][index] if index < base.OF_THE_PERSON else array
            np.testing.assert_allclose(after[side][index], wanted, rtol=1e-3, atol=1e-6)
    assert not np.array_equal(after["decoder_a"][0], after["decoder_b"][0])


def test_none_changes_nothing(monkeypatch, file):
    network, again = fresh(2), fresh(2)
    monkeypatch.setattr(base, "BASES", {"tiny": (str(file), "0" * 64)})
    assert base.start(network, "tiny", "none") == "" and base.start(again, "unknown", "auto") == ""
    for one, other in zip(network.encoder.variables, again.encoder.variables, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_changed_a_missing_and_a_foreign_file_are_refused(monkeypatch, file, tmp_path):
    monkeypatch.setattr(base, "BASES", {"tiny": (str(file), "0" * 64), "original": ("no/such.npz", "")})
    with pytest.raises(ModelError, match="not the file it should be"):
        base.start(fresh(2), "tiny", "auto")
    with pytest.raises(DependencyError, match="from none"):
        base.start(fresh(2), "original", "auto")
    with pytest.raises(ModelError, match="cannot read"):
        base.start(fresh(2), "tiny", str(tmp_path / "no.npz"))
    for content in (b"", b"no archive", file.read_bytes()[:-300]):
        (tmp_path / "broken.npz").write_bytes(content)
        with pytest.raises(ModelError, match="holds no base"):
            base.start(fresh(2), "tiny", str(tmp_path / "broken.npz"))
    np.savez(tmp_path / "other.npz", encoder_0=np.zeros((3, 3, 3, 99)))
    network = fresh(2)
    before = weights(network)
    with pytest.raises(ModelError, match="holds no base"):
        base.start(network, "tiny", str(tmp_path / "other.npz"))
    np.testing.assert_array_equal(weights(network)["encoder"][0], before["encoder"][0])


def test_a_training_notes_its_base_and_goes_on_without_it(facesets, tmp_path, file):
    own = tmp_path / "own.npz"
    own.write_bytes(file.read_bytes())
    train(config(facesets, tmp_path / "m", iterations=1, from_=str(own)))
    own.unlink()
    train(config(facesets, tmp_path / "m", iterations=2, from_=str(own)))
    (state,) = (tmp_path / "m" / "checkpoints" / "000000002").glob("state.json")
    assert json.loads(state.read_text())["about"]["base"] == base.write(own, fresh(1))


def test_the_same_seed_and_base_give_the_same_start(file):
    one, two = fresh(3), fresh(3)
    for network in (one, two):
        base.start(network, "tiny", str(file))
    for name, arrays in weights(one).items():
        for index, array in enumerate(arrays):
            np.testing.assert_array_equal(array, weights(two)[name][index])


def test_the_shipped_base_is_whole_small_and_changes_the_start():
    path = base.find("swift")
    assert base.digest_of(path.read_bytes()) == base.BASES["swift"][1] and path.stat().st_size < 15e6
    network = swift.build()
    before = weights(network)
    assert base.start(network, "swift", "auto") == base.BASES["swift"][1]
    after = weights(network)
    assert all(not np.array_equal(b, a) for b, a in zip(before["encoder"], after["encoder"], strict=True))
    assert np.array_equal(before["decoder_b"][0], after["decoder_b"][0])
    assert not np.array_equal(before["decoder_b"][-2], after["decoder_b"][-2])
