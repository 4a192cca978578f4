"""Exported models: what they hold, what they draw, and that they need no TensorFlow."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from conftest import REAL

from faceswap import ConvertConfig, ExportConfig, convert, export
from faceswap.cli import run
from faceswap.errors import DependencyError, ModelError, OutputError, UsageError
from faceswap.exporting.material import read_material
from faceswap.models import fingerprint, open_model
from faceswap.networks import checkpoint, model_folder, swift
from faceswap.networks.graph import write_graph
from faceswap.networks.pruning import prune, prune_path
from faceswap.portable import onnx_packer
from faceswap.portable.card import Card
from faceswap.types import to_float
from faceswap.video.images import write_image

pytest.importorskip("tf2onnx")
pytest.importorskip("ai_edge_quantizer")

CHOSEN = "faceswap.networks.precision.chosen"
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('tensorflow', 'keras'):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
sys.meta_path.insert(0, Blocked())
from faceswap.cli import run
code = run(sys.argv[1:])
assert 'faceswap.networks' not in sys.modules
sys.exit(code)
"""


def without_tensorflow(*words) -> subprocess.CompletedProcess[str]:
    """The program where TensorFlow is not installed."""
    command = [sys.executable, "-c", BLOCKED, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def exported(model, facesets, tmp_path_factory) -> dict[str, Path]:
    """The tiny model in several forms; the graph is written once for all that are ONNX."""
    folder = tmp_path_factory.mktemp("exported")
    about = model_folder.read_config(model)
    network = model_folder.build(about)
    checkpoint.load(model, network)
    write_graph(network.path("b"), folder / "graph.onnx")
    faces = to_float(read_material(facesets[0], about.size, about.coverage).faces)
    made = {}
    for name, precision in {"plain": "float32", "half": "float16", "eight": "int8"}.items():
        made[f"{name}.onnx"] = path = Path(shutil.copy(folder / "graph.onnx", folder / f"{name}.onnx"))
        card = Card("tiny", about.size, about.coverage, "b", precision, 0.0, "", "")
        onnx_packer.pack(path, card, faces)
    path = folder / "eight.tflite"
    export(ExportConfig(model=model, output=path, precision="int8", faceset=facesets[0]))
    return made | {path.name: path}


@pytest.fixture(scope="module")
def wanted(model) -> tuple[np.ndarray, np.ndarray]:
    """Pictures, and what the model in Keras makes of them."""
    draw = np.random.default_rng(0)
    faces = np.kron(draw.integers(60, 200, (5, 4, 4, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CHOSEN, lambda name: "float32")
        return faces, open_model(model, "b").swap(faces)


def test_a_model_draws_with_the_bits_that_suit_the_machine(model, wanted, monkeypatch):
    faces, made = wanted
    monkeypatch.setattr(CHOSEN, lambda name: "mixed_bfloat16")
    off = np.abs(open_model(model, "b").swap(faces).astype(int) - made)
    assert 0 < off.max() <= 4 and off.mean() < 1


@pytest.mark.parametrize(
    "name, most", [("plain.onnx", 0.01), ("half.onnx", 0.3), ("eight.onnx", 8), ("eight.tflite", 8)]
)
def test_an_exported_model_draws_what_keras_draws(exported, wanted, name, most):
    faces, made = wanted
    loaded = open_model(exported[name], "b")
    assert (loaded.size, loaded.coverage) == (32, 1.25)
    for count in (5, 2):  # any number at a time
        difference = np.abs(loaded.swap(faces[:count]).astype(int) - made[:count])
        assert difference.mean() <= most


def test_fewer_bits_take_less_room(exported):
    sizes = {name: path.stat().st_size for name, path in exported.items()}
    assert sizes["half.onnx"] < 0.6 * sizes["plain.onnx"]
    assert sizes["eight.onnx"] < 0.5 * sizes["plain.onnx"]


def test_pixel_shuffle_is_not_left_to_the_slow_operator(exported):
    onnx = pytest.importorskip("onnx")
    plain, eight = (
        {node.op_type for node in onnx.load(exported[name]).graph.node}
        for name in ("plain.onnx", "eight.onnx")
    )
    assert "DepthToSpace" in plain and "DepthToSpace" not in eight


def test_the_file_says_what_it_is(exported, model):
    with ZipFile(exported["eight.tflite"]) as archive:
        card = json.loads(archive.read("faceswap.json"))
    assert card["model"] == checkpoint.fingerprint(model)
    assert (card["network"], card["side"], card["precision"], card["size"]) == ("tiny", "b", "int8", 32)


def test_the_table_has_every_form(model, facesets, tmp_path):
    config = ExportConfig(
        model=model, output=tmp_path / "m.onnx", prune=0.5, tune_minutes=0.02, faceset=facesets[0]
    )
    result = export(config)
    assert [row.name for row in result.rows] == [
        "Keras, float32",
        "ONNX Runtime, float32",
        "ONNX Runtime, pruned, float32",
    ]
    assert result.rows[1].fidelity == pytest.approx(1, abs=1e-3)
    assert result.rows[2].megabytes < 0.7 * result.rows[1].megabytes
    assert 0 < result.rows[2].fidelity < result.rows[1].fidelity
    assert "SSIM to Keras" in str(result) and "distance" not in str(result)
    with pytest.raises(OutputError, match="exists"):
        export(config)


def test_conversion_needs_no_tensorflow(clips, facesets, exported, tmp_path):
    output, model = tmp_path / "out.mp4", exported["eight.onnx"]
    words = ["-m", model, "-o", output, "--faceset", facesets[0], "--preset", "ultrafast"]
    done = without_tensorflow("convert", clips[0], *words)
    assert done.returncode == 0, done.stderr
    assert output.stat().st_size > 1000 and "30 swapped" in done.stdout


def test_what_needs_tensorflow_says_so_in_a_line(clips, facesets, model, exported, tmp_path):
    out, (a, b) = tmp_path / "out", facesets
    picture = tmp_path / "p.png"
    write_image(picture, np.zeros((32, 32, 3), np.uint8))
    for words in (
        ["convert", clips[0], "-m", model, "--faceset", a, "-o", out.with_suffix(".mp4")],
        ["train", "-a", a, "-b", b, "-m", out],
        ["export", model, "-o", out.with_suffix(".onnx")],
        ["stylize", picture, picture, "-o", out.with_suffix(".png")],
        ["generate", "train", a, "-m", out],
        ["generate", "sample", "-m", out, "-o", out.with_suffix(".png")],
        ["verify", "train", a, b, "-m", out],
        ["swap", "--source", clips[1], "--target", clips[0], "-o", out.with_suffix(".mp4")],
        ["evaluate", "--original", clips[0], "--swapped", clips[1], "--identity", b, "-o", out],
    ):
        done = without_tensorflow(*words)
        assert done.returncode == DependencyError.exit_code, done.stderr
        last = done.stderr.splitlines()[-1]
        assert last.startswith("faceswap: ") and "pip install tensorflow" in last
        assert not [path for path in tmp_path.iterdir() if path.name.startswith("out.")]


def test_the_other_side_is_refused(clips, facesets, exported, tmp_path):
    config = {
        "source": clips[0],
        "faceset": facesets[0],
        "output": tmp_path / "o.mp4",
        "swap_direction": True,
    }
    with pytest.raises(ModelError, match="draws B's face"):
        convert(ConvertConfig(model=exported["plain.onnx"], **config))


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
def test_what_is_no_model_is_refused(tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    with pytest.raises(ModelError, match="does not exist"):
        open_model(path, "b")
    path.write_bytes(b"not a model at all")
    with pytest.raises(ModelError, match="whole"):
        open_model(path, "b")


def test_another_weight_is_another_fingerprint(exported):
    assert len({fingerprint(path) for path in exported.values()}) == len(exported)


def test_bad_options_are_named(tmp_path, capsys):
    with pytest.raises(UsageError, match=r"\.onnx, \.tflite"):
        ExportConfig(model=tmp_path, output=tmp_path / "m.pb")
    with pytest.raises(UsageError, match="needs --faceset"):
        ExportConfig(model=tmp_path, output=tmp_path / "m.onnx", precision="int8")
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(OutputError, match="cannot write"):  # before the model is looked at
        export(ExportConfig(model=tmp_path / "none", output=blocked / "m.onnx"))
    assert run(["export", str(tmp_path), "-o", str(tmp_path / "m.onnx")]) == ModelError.exit_code
    assert "not a model" in capsys.readouterr().err


def test_pruning_takes_the_weakest_channels_and_nothing_else():
    """Channels that give nothing can go without a trace, wherever they are joined to others."""
    network = swift.build()
    _silence_half(network)
    picture = np.random.default_rng(1).random((2, network.size, network.size, 3), np.float32)
    before = network.path("b")
    after = prune_path(network, "b", 0.5)
    assert after.count_params() < 0.5 * before.count_params()
    np.testing.assert_allclose(after(picture), before(picture), atol=1e-5)


def _silence_half(network) -> None:
    """Make the second half of the channels of each layer, groups kept together, 0."""
    frozen = {network.encoder.layers[-1].name}
    last = [layer for layer in network.decoder_b.layers if layer.get_weights()][-1].name
    for part in (network.encoder, network.decoder_b):
        for layer in part.layers:
            if not layer.get_weights() or layer.name in frozen | {last}:
                continue
            kernel, bias = layer.get_weights()
            follows = [node.operation for node in layer._outbound_nodes]
            shuffled = type(follows[0]).__name__ == "PixelShuffle"
            count = kernel.shape[-1]
            width = count // 4 if shuffled else 96 if "dense" in layer.name else count
            kept = -(-round(width * 0.5) // 8) * 8
            dead = np.arange(count) % width >= kept
            kernel[..., dead], bias[dead] = 0, 0
            layer.set_weights([kernel, bias])


def test_layers_that_are_not_known_keep_their_channels():
    import keras

    code = keras.Input((32,))
    x = keras.layers.BatchNormalization()(keras.layers.Dense(32, activation="relu")(code))
    odd = keras.Model(code, keras.layers.Dense(4)(keras.layers.Dense(64)(x)))
    slim = prune(odd, 0.5)
    values = np.random.default_rng(2).random((3, 32), np.float32)
    assert [layer.units for layer in slim.layers if hasattr(layer, "units")] == [32, 32, 4]
    assert np.asarray(slim(values)).shape == (3, 4)
    with pytest.raises(ModelError, match="--prune"):
        prune(keras.Model(code, odd(code)), 0.5)  # a model within a model


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="the real clips are not on this machine")
def test_pictures_of_real_people_survive_eight_bits(tmp_path):
    """A short clip: the whole way from extraction, with int8 within 0.01 SSIM of float32."""
    from faceswap import ExtractConfig, TrainConfig, extract, train

    clip = next((REAL / "clips" / "grid").glob("pwij3p*"))
    faces = extract(ExtractConfig(sources=(clip,), output=tmp_path / "f")).faceset
    model = tmp_path / "m"
    train(TrainConfig(faceset_a=faces, faceset_b=faces, model=model, network="tiny", iterations=300))
    config = ExportConfig(model=model, output=tmp_path / "m.onnx", precision="int8", faceset=faces)
    plain, eight = export(config).rows[-2:]
    assert plain.fidelity - eight.fidelity < 0.01


@pytest.mark.slow
def test_a_machine_without_tensorflow_converts(clips, facesets, exported, tmp_path):
    """As README says to install it: the packages of `convert_only.py`, in an environment of their own."""
    root = Path(__file__).parents[1]
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    script = [sys.executable, root / "scripts" / "convert_only.py"]
    bare, usual = (
        subprocess.run([*script, *words], check=True, capture_output=True, text=True).stdout.split()
        for words in (["--bare"], [])
    )
    for words in (["--no-deps", "-e", str(root), *bare], usual):
        subprocess.run([python, "-m", "pip", "install", "-q", *words], check=True)
    assert subprocess.run([python, "-c", "import tensorflow"], capture_output=True, check=False).returncode
    output = tmp_path / "out.mp4"
    words = ["convert", clips[0], "-m", exported["plain.onnx"], "--faceset", facesets[0], "-o", output]
    done = subprocess.run(
        [python, "-m", "faceswap", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert output.stat().st_size > 1000 and "30 swapped" in done.stdout
