"""Reader of the files in which dlib keeps its networks.

Made by Davis King's dlib (dlib.net); no code of dlib is needed to read them, and nothing in a file is ever
executed. What such a file is built of, as found in `dlib_face_recognition_resnet_model_v1.dat`:

- an integer: one byte whose low four bits count the bytes that follow (1 to 8, little-endian magnitude) and
  whose highest bit is the sign;
- a real: two integers, mantissa and exponent, for mantissa * 2 ** exponent;
- a text: an integer for its length, then its bytes; a flag: the character '0' or '1';
- a tensor: integer 2, its shape (samples, channels, rows, columns), then little-endian float32.

A network is a type nested in a type, and so is its file: first the loss, then one integer per level from the
output down to the input (2 for a layer, 3 for the layer that holds the input, 1 for a tag or a skip, which
hold nothing else), then the input, then the layers from the input up: name, settings, weights, and three
tensors of training state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import DependencyError

Weights = NDArray[np.float32]
Pair = tuple[int, int]

REMEDY = "run 'pip install --force-reinstall face_recognition_models==0.3.0'"

_TAG, _LAYER, _INNERMOST = 1, 2, 3
_DEEPEST = 10_000  # levels; this network has 139
_LONGEST = 256  # bytes of a name
_LARGEST = 1 << 20  # side of a tensor


@dataclass(frozen=True)
class Layer:
    """One layer of a network, with all that is needed to run it.

    Attributes:
        kind: 'input', 'con' (convolution), 'affine', 'relu', 'max_pool', 'avg_pool', 'add_prev' (adds what
            was tagged further down) or 'fc' (fully connected).
        window: Rows and columns of a convolution, a pool (0 for the whole picture) or the input picture.
        stride: Step down and to the right.
        padding: Zeros put around, rows and columns.
        weights: float32 by name. input: mean (3,), RGB, 0 to 255. con: kernel (out, in, rows, columns) and
            bias (out,). affine: gamma and beta, both (channels,). fc: kernel (in, out). Read-only.
    """

    kind: str
    window: Pair = (0, 0)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    weights: dict[str, Weights] = field(default_factory=dict)


class Reader:
    """Reads values one after the other; `DependencyError` for bytes that are not what they should be."""

    def __init__(self, data: bytes, name: str) -> None:
        """Begin with the first byte of `data`; `name` is what errors call the file."""
        self._data, self._name, self._position = data, name, 0

    def error(self, found: str) -> DependencyError:
        """The error to raise for `found`."""
        where = f"{found} at byte {self._position}"
        return DependencyError(f"{self._name} is damaged or not the file it should be ({where}): {REMEDY}")

    def expect(self, true: bool, found: str) -> None:
        """Complain about `found` unless `true`."""
        if not true:
            raise self.error(found)

    @property
    def left(self) -> int:
        """How many bytes are still to be read."""
        return len(self._data) - self._position

    def raw(self, count: int) -> bytes:
        """The next `count` bytes."""
        self.expect(count <= self.left, f"an end {count - self.left} bytes too early")
        self._position += count
        return self._data[self._position - count : self._position]

    def integer(self) -> int:
        """A packed integer."""
        control = self.raw(1)[0]
        count = control & 0x0F
        self.expect(1 <= count <= 8 and not control & 0x70, "no integer")
        size = int.from_bytes(self.raw(count), "little")
        return -size if control & 0x80 else size

    def pair(self) -> Pair:
        """Two packed integers, rows and columns."""
        rows, columns = self.integer(), self.integer()
        self.expect(min(rows, columns) >= 0 and max(rows, columns) <= _LARGEST, "an impossible size")
        return rows, columns

    def real(self) -> float:
        """A real number, packed as mantissa and exponent."""
        mantissa, exponent = self.integer(), self.integer()
        self.expect(abs(mantissa) < 1 << 53 and abs(exponent) < 64, "no real number")
        return float(mantissa) * 2.0**exponent

    def learning_rates(self) -> None:
        """Four real numbers that only a training needs."""
        for _ in range(4):
            self.real()

    def text(self) -> str:
        """A short ASCII string."""
        length = self.integer()
        self.expect(0 <= length <= _LONGEST, "no name")
        found = self.raw(length).decode("ascii", "replace")
        self.expect(found.isascii() and found.isprintable(), "no name")
        return found

    def flag(self) -> bool:
        """A truth value."""
        found = self.raw(1)
        self.expect(found in (b"0", b"1"), "no truth value")
        return found == b"1"

    def version(self, known: int) -> None:
        """A version number that has to be `known`."""
        found = self.integer()
        self.expect(found == known, f"version {found} instead of {known}")

    def shape(self, version: int) -> tuple[int, int, int, int]:
        """A version that has to be this one, then samples, channels, rows and columns of a tensor."""
        self.version(version)
        return *self.pair(), *self.pair()

    def tensor(self) -> Weights:
        """A tensor, float32, flat."""
        values = np.frombuffer(self.raw(4 * math.prod(self.shape(2))), "<f4")
        self.expect(bool(np.isfinite(values).all()), "a weight that is no finite number")
        return values.astype(np.float32, copy=False)

    def halves(self, values: Weights) -> tuple[Weights, Weights]:
        """`values` cut into two tensors, whose shapes come next in the file."""
        first, second = self.shape(1), self.shape(1)
        cut = math.prod(first)
        self.expect(cut + math.prod(second) == values.size, "weights of another shape")
        return values[:cut].reshape(first), values[cut:].reshape(second)


def _input(reader: Reader) -> Layer:
    mean = np.array([reader.real() for _ in range(3)], np.float32)
    return Layer("input", reader.pair(), weights={"mean": mean})


def _convolution(reader: Reader) -> Layer:
    values, filters = reader.tensor(), reader.integer()
    window, stride, padding = reader.pair(), reader.pair(), reader.pair()
    kernel, bias = reader.halves(values)
    fits = kernel.shape[0] == bias.size == filters and kernel.shape[2:] == window
    reader.expect(fits and min(*window, *stride) > 0, "a convolution of another shape")
    reader.learning_rates()
    return Layer("con", window, stride, padding, {"kernel": kernel, "bias": bias.ravel()})


def _affine(reader: Reader) -> Layer:
    gamma, beta = reader.halves(reader.tensor())
    reader.expect(reader.integer() == 0 and gamma.size == beta.size, "an affine layer of another kind")
    return Layer("affine", weights={"gamma": gamma.ravel(), "beta": beta.ravel()})


def _pool(kind: str, reader: Reader) -> Layer:
    layer = Layer(kind, reader.pair(), reader.pair(), reader.pair())
    reader.expect(min(layer.stride) > 0, "a stride of 0")
    return layer


def _fully_connected(reader: Reader) -> Layer:
    outputs, inputs = reader.integer(), reader.integer()
    kernel, _ = reader.halves(reader.tensor())
    reader.expect(kernel.shape == (inputs, outputs, 1, 1), "a dense layer of another shape")
    reader.expect(reader.integer() == 1, "a dense layer with a bias")
    reader.learning_rates()
    return Layer("fc", weights={"kernel": kernel.reshape(inputs, outputs)})


# By the name that stands in the file, which ends in the version of the settings that follow it.
_LAYERS: dict[str, Callable[[Reader], Layer]] = {
    "con_4": _convolution,
    "affine_": _affine,
    "relu_": lambda _: Layer("relu"),
    "max_pool_2": partial(_pool, "max_pool"),
    "avg_pool_2": partial(_pool, "avg_pool"),
    "add_prev_": lambda _: Layer("add_prev"),
    "fc_2": _fully_connected,
}


def _layer(reader: Reader) -> Layer:
    """The next layer, without the state of its training."""
    name = reader.text()
    reader.expect(name in _LAYERS, f"a layer '{name[:20]}'")
    layer = _LAYERS[name](reader)
    for read in (reader.flag, reader.tensor):
        for _ in range(3):
            read()
    return layer


def _count(reader: Reader) -> int:
    """How many layers there are, from the versions of all the levels."""
    layers = 1
    for _ in range(_DEEPEST):
        level = reader.integer()
        if level == _INNERMOST:
            return layers
        reader.expect(level in (_TAG, _LAYER), f"a level of version {level}")
        layers += level == _LAYER
    raise reader.error("no end of levels")


def read_layers(path: Path) -> list[Layer]:
    """The layers of a network that was trained with dlib's metric loss, from the input to the output.

    Tags and skips have no name in the file; what an 'add_prev' adds has to be known.

    Raises:
        DependencyError: The file is missing, cut short, or holds something else.
    """
    try:
        reader = Reader(path.read_bytes(), path.name)
    except OSError as error:
        raise DependencyError(f"cannot read {path} ({error.strerror or error}): {REMEDY}") from error
    reader.version(1)
    loss = reader.text()
    reader.expect(loss == "loss_metric_2", f"a loss '{loss[:20]}'")
    for _ in range(2):  # margin and threshold
        reader.real()
    count = _count(reader)
    name = reader.text()
    reader.expect(name == "input_rgb_image_sized", f"an input '{name[:20]}'")
    layers = [_input(reader), _layer(reader)]
    reader.version(1)  # how many samples a picture makes
    layers += [_layer(reader) for _ in range(count - 1)]
    reader.expect(reader.left == 0, f"{reader.left} bytes too many")
    return layers
