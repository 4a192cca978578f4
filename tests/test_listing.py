"""What `train --list` shows: figures that are those of the networks, and what takes too long."""

import pytest
import tensorflow as tf

from faceswap import listing
from faceswap.cli import run
from faceswap.networks.building import build
from faceswap.options import DimensionOptions, ListConfig


class Report(list):
    """The near end of a pipe."""

    send = list.append

    def close(self):
        pass


def measured(name, **options):
    report = Report()
    tf.config.run_functions_eagerly(True)
    try:
        listing._measure(report, name, ListConfig(batch_size=1, list_seconds=1, **options))
    finally:
        tf.config.run_functions_eagerly(False)
    return {key: value for part in report for key, value in part.items()}


def test_the_figures_are_those_of_the_network():
    found = measured("tiny", size=64)  # it takes no size
    assert found["size"] == 32 and found["parameters"] == build("tiny", DimensionOptions()).parameters
    # 4x4-stride and 2x2-stride convolutions, three dense layers, two upscales and the last convolution.
    macs = 8 * 8 * 27 * 16 + 4 * 4 * 144 * 16 + 2 * (256 * 32 + 32 * 1024) / 2
    macs += 8 * 8 * 144 * 64 + 16 * 16 * 144 * 64 + 32 * 32 * 144 * 4
    assert found["operations"] == pytest.approx(2 * macs, rel=0.1)
    assert found["speed"] > 0 and found["memory"] > 50e6


def test_dimensions_that_make_no_sense_are_told_in_the_table():
    found = measured("df", size=100)
    assert "multiple of 16" in found["problem"]
    assert "df: size must be" in str(listing.Listing({"df": found}, 8))


def test_what_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr(listing, "START", -1.0)
    monkeypatch.setattr(listing, "NETWORKS", {"original": "gone"})
    result = listing.list_networks(ListConfig(list_seconds=1))
    assert "original: a step takes too long" in str(result)


def test_the_list_needs_no_facesets_and_takes_nothing_of_training(capsys, monkeypatch):
    monkeypatch.setattr(listing, "NETWORKS", {})
    assert run(["train", "--list"]) == 0
    assert "parameters" in capsys.readouterr().out
    assert run(["train", "--list", "--minutes", "3"]) == 2
    assert "--list does not take --minutes" in capsys.readouterr().err
