"""Takes whole channels out of a network: what is left is smaller and has less to compute.

Which channels belong together follows from the graph: those that an addition adds, the four that a pixel
shuffle turns into one, the places of a map that a dense layer draws. Each such group goes or stays whole. The
weakest go, by the mean magnitude of the weights that make them (Li et al., "Pruning filters for efficient
ConvNets", ICLR 2017, section 3.1); the same share in each layer, as their section 4 has it for simplicity.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from faceswap.errors import ModelError
from faceswap.networks.autoencoder import Autoencoder
from faceswap.networks.layers import PixelShuffle

MULTIPLE = 8  # channels: a layer keeps a multiple of these, as the processor works on as many at once
ELEMENTWISE = (layers.ReLU, layers.LeakyReLU, layers.Activation, layers.Dropout, layers.GaussianNoise)

Channels = NDArray[np.int64]  # a number for each channel of a tensor


def prune_path(network: Autoencoder, side: str, share: float) -> keras.Model:
    """Encoder and the decoder of `side` ('a' or 'b') as one model, both pruned; its weights are its own."""
    decoder = network.decoder_a if side == "a" else network.decoder_b
    picture = keras.Input((network.size, network.size, 3))
    return keras.Model(picture, prune(decoder, share)(prune(network.encoder, share)(picture)))


def prune(model: keras.Model, share: float) -> keras.Model:
    """A copy without `share` (0 to 1) of the channels of each layer; pictures and codes keep theirs.

    Layers that are not known here keep their channels and those of what goes into them.

    Raises:
        ModelError: It holds models within it, or operations that are not layers.
    """
    graph = _Graph(model)
    gone = graph.weakest(share)
    made: dict[int, Any] = {}
    for layer in model.layers:
        copy = _copy(layer, graph, gone)
        if isinstance(layer, layers.InputLayer):
            made[id(layer.output)] = copy.output
            continue
        inputs = layer.input
        several = isinstance(inputs, list | tuple)
        given = [made[id(one)] for one in inputs] if several else made[id(inputs)]
        made[id(layer.output)] = copy(given)
        copy.set_weights(_weights(layer, graph, gone))
    return keras.Model(made[id(model.inputs[0])], made[id(model.outputs[0])], name=model.name)


class _Graph:
    """The channels of each tensor of a model, and which of them are one."""

    def __init__(self, model: keras.Model) -> None:
        self._parents: list[int] = []
        self._fixed: set[int] = set()
        self._makers: dict[str, tuple[Channels, NDArray[np.float64]]] = {}
        self._of: dict[int, Channels] = {}
        if any(isinstance(one, keras.Model) or not isinstance(one, layers.Layer) for one in model.operations):
            raise ModelError("this network is made of parts that --prune cannot take apart: leave it out")
        for layer in model.layers:
            self._of[id(layer.output)] = self._through(layer)
        self._fixed.update(int(one) for one in self.channels(model.outputs[0]))

    def channels(self, tensor: Any) -> Channels:
        """The groups that the channels of a tensor belong to."""
        return np.array([self._root(one) for one in self._of[id(tensor)]])

    def weakest(self, share: float) -> set[int]:
        """The groups to take out."""
        strength: dict[int, list[float]] = defaultdict(list)
        families: list[set[int]] = []
        for channels, norms in self._makers.values():
            roots = [self._root(one) for one in channels]
            for root, norm in zip(roots, norms / max(norms.mean(), 1e-12), strict=True):
                strength[root].append(float(norm))
            joined = set(roots).union(*(f for f in families if f & set(roots)))
            families = [*(f for f in families if not f & joined), joined]
        fixed = {self._root(one) for one in self._fixed}
        gone: set[int] = set()
        for family in families:
            if family & fixed:
                continue
            keep = -(-round(len(family) * (1 - share)) // MULTIPLE) * MULTIPLE
            ranked = sorted(family, key=lambda root: float(np.mean(strength[root])))
            gone.update(ranked[: max(len(family) - max(keep, MULTIPLE), 0)])
        return gone

    def _through(self, layer: Any) -> Channels:
        """The channels that come out of a layer whose inputs are known."""
        if isinstance(layer, layers.InputLayer):
            return self._fresh(layer.output.shape[-1], fixed=True)
        many = layer.input if isinstance(layer.input, list | tuple) else [layer.input]
        first, *others = [self._of[id(tensor)] for tensor in many]
        if _is_weighted(layer):
            return self._made(layer)
        if isinstance(layer, ELEMENTWISE):
            return first
        if isinstance(layer, layers.Add):
            for other in others:
                self._join(first, other)
            return first
        if isinstance(layer, PixelShuffle):
            return self._folded(first, len(first) // 4)
        if isinstance(layer, layers.Flatten):
            return np.tile(first, int(np.prod(layer.input.shape[1:-1])))
        if isinstance(layer, layers.Reshape) and len(layer.input.shape) == 2:
            return self._folded(first, layer.output.shape[-1])
        for channels in (first, *others):
            self._fixed.update(int(one) for one in channels)
        return self._fresh(layer.output.shape[-1], fixed=True)

    def _made(self, layer: Any) -> Channels:
        kernel = np.abs(np.asarray(layer.get_weights()[0], np.float64))
        channels = self._fresh(kernel.shape[-1])
        self._makers[layer.name] = channels, kernel.reshape(-1, kernel.shape[-1]).mean(0)
        return channels

    def _folded(self, channels: Channels, count: int) -> Channels:
        """`count` channels, each one with those that lie `count`, 2 `count`, ... after it."""
        first, *others = channels.reshape(-1, count)
        for other in others:
            self._join(first, other)
        return first

    def _fresh(self, count: int, fixed: bool = False) -> Channels:
        channels = np.arange(len(self._parents), len(self._parents) + count)
        self._parents += channels.tolist()
        if fixed:
            self._fixed.update(channels.tolist())
        return channels

    def _join(self, one: Channels, other: Channels) -> None:
        for left, right in zip(one, other, strict=True):
            self._parents[self._root(left)] = self._root(right)

    def _root(self, one: int) -> int:
        root = int(one)
        while self._parents[root] != root:
            self._parents[root] = self._parents[self._parents[root]]
            root = self._parents[root]
        return root


def _is_weighted(layer: Any) -> bool:
    """Whether a layer's channels are made by a kernel whose last two axes are input and output."""
    if isinstance(layer, layers.Dense):
        return len(layer.input.shape) == 2
    return type(layer) is layers.Conv2D and layer.groups == 1


def _stay(tensor: Any, graph: _Graph, gone: set[int]) -> NDArray[np.bool_]:
    return np.array([int(root) not in gone for root in graph.channels(tensor)])


def _copy(layer: Any, graph: _Graph, gone: set[int]) -> Any:
    """The layer, without weights, for as many channels as stay."""
    about = layer.get_config()
    stay = int(_stay(layer.output, graph, gone).sum())
    if _is_weighted(layer):
        about["units" if isinstance(layer, layers.Dense) else "filters"] = stay
    elif isinstance(layer, layers.Reshape) and len(layer.input.shape) == 2:
        about["target_shape"] = (*layer.output.shape[1:-1], stay)
    return type(layer).from_config(about)


def _weights(layer: Any, graph: _Graph, gone: set[int]) -> list[Any]:
    """The weights of the channels that stay."""
    weights = layer.get_weights()
    if not _is_weighted(layer):
        return list(weights)
    kernel, *bias = weights
    came, stay = _stay(layer.input, graph, gone), _stay(layer.output, graph, gone)
    return [kernel[..., came, :][..., stay], *(one[stay] for one in bias)]
