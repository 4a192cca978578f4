import dataclasses
import math
from pathlib import Path

import pytest

from faceswap import options
from faceswap.config import described, pick, read_project
from faceswap.errors import InputError, UsageError
from faceswap.options import (
    ConvertConfig,
    ConvertOptions,
    ExtractConfig,
    ExtractOptions,
    SwapConfig,
    TrainOptions,
    conversion,
)
from faceswap.video import encoders, kinds

CONFIGS = [v for v in vars(options).values() if isinstance(v, type) and dataclasses.is_dataclass(v)]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.__name__)
def test_every_option_has_a_help_line(config):
    for name, (_, about) in described(config).items():
        assert about.help and "\n" not in about.help, name


def test_names_are_unique_over_the_stages():
    names = [name for cls in (ExtractOptions, TrainOptions, ConvertOptions) for name in described(cls)]
    assert len(names) == len(set(names))


def test_codecs_are_those_the_writer_has():
    assert conversion.KINDS == kinds.KINDS
    assert options.PRESETS == encoders.SPEEDS
    assert set(options.CODECS) == set(encoders.CODECS)


@pytest.mark.parametrize(
    ("cls", "values", "word"),
    [
        (TrainOptions, {"batch_size": -1}, "batch_size must be 0 or more"),
        (TrainOptions, {"batch_size": 1e9}, "whole number"),
        (TrainOptions, {"batch_size": True}, "whole number"),
        (TrainOptions, {"minutes": math.nan}, "finite"),
        (TrainOptions, {"network": "huge"}, "one of swift"),
        (ConvertOptions, {"crf": 99}, "63 or less"),
        (ConvertOptions, {"swap_direction": "yes"}, "true or false"),
        (ExtractConfig, {"sources": (), "output": "x"}, "at least one source"),
        (ExtractConfig, {"sources": ("a",), "output": ""}, "a path"),
    ],
)
def test_values_out_of_bounds_are_refused(cls, values, word):
    with pytest.raises(UsageError, match=word):
        cls(**values)


def test_texts_become_paths():
    config = ExtractConfig(sources="a.mp4", output="faces")
    assert [path.name for path in config.sources] == ["a.mp4"]
    assert config.output.name == "faces"


def test_pick_takes_a_stage_out_of_swap():
    config = SwapConfig(source="b", target="a", output="o", minutes=3)
    assert TrainOptions(**pick(config, TrainOptions)).minutes == 3


TABLES = {"swap": SwapConfig, "train": TrainOptions, "convert": ConvertConfig}


def test_project_file(tmp_path):
    path = tmp_path / "project.toml"
    path.write_text('[swap]\nsource = "b.mp4"\n[train]\nbatch-size = 4\nfrom = "none"\n')
    values = read_project(path, TABLES)
    assert values == {"source": tmp_path / "b.mp4", "batch_size": 4, "from_": "none"}


def test_both_paths_of_a_pair_lie_beside_the_project_file(tmp_path):
    folder = tmp_path / "take=3"
    folder.mkdir()
    path = folder / "project.toml"
    path.write_text('[convert]\nmap = ["a.jpg=x", "/b.jpg=y"]\n')
    values = read_project(path, TABLES)
    config = ConvertConfig(source="a", output="b", **values)
    assert config.roles == ((folder / "a.jpg", folder / "x"), (Path("/b.jpg"), folder / "y"))
    path.write_text('[convert]\nmap = "a.jpg"\n')
    with pytest.raises(UsageError, match="map takes two paths"):
        ConvertConfig(source="a", output="b", **read_project(path, TABLES))


@pytest.mark.parametrize(
    ("text", "error", "word"),
    [
        ("[trian]\nminutes = 3", UsageError, "did you mean 'train'"),
        ("[train]\nminuets = 3", UsageError, "did you mean 'minutes'"),
        ("minutes = 3", UsageError, "not a table"),
        ("[train", InputError, "not a valid TOML"),
    ],
)
def test_broken_project_files(tmp_path, text, error, word):
    path = tmp_path / "project.toml"
    path.write_text(text)
    with pytest.raises(error, match=word):
        read_project(path, TABLES)
    with pytest.raises(InputError, match="missing"):
        read_project(tmp_path / "missing.toml", TABLES)
