"""Gives an ONNX model its card, and weights of fewer bits."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import DependencyError
from faceswap.portable.card import NAME, Card

REMEDY = 'run pip install -e ".[export]"'
LEAST = 256  # numbers from which an array of weights is worth storing in fewer bits
BATCH = 8


def pack(path: Path, card: Card, faces: NDArray[np.float32] | None) -> None:
    """Store the weights of a float32 model as the card says, and the card with them.

    float16: half the size; they are made float32 again when the file is loaded, so that it runs neither
    slower nor faster. int8: static quantization with a scale for each channel, as ONNX Runtime runs it with
    8-bit products. Weights keep to 7 bits: without VNNI, two products of 8 bits overflow the 16 bits that
    AVX2 adds them in. The last convolution stays float32: what it gives goes into a sigmoid, whose steep
    middle makes a step of 8 bits visible (0.020 SSIM were lost with it, 0.003 are without). Pixel shuffle is
    written as transposes: with `DepthToSpace` a face of `swift` took 3.0 ms, without 1.8.

    Args:
        path: The file; it is replaced.
        card: What it is to be.
        faces: float32 (N, size, size, 3), BGR, 0 to 1, by which the ranges of an int8 model are found.

    Raises:
        DependencyError: `onnx` is missing.
    """
    try:
        import onnx
    except ImportError as error:
        raise DependencyError(f"onnx is missing: {REMEDY}") from error
    if card.precision == "int8":
        assert faces is not None
        _quantise(path, faces)
    model = onnx.load(path)
    if card.precision == "float16":
        _halve(model)
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = NAME, str(card)
    onnx.save(model, path)


def _quantise(path: Path, faces: NDArray[np.float32]) -> None:
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Hands out the faces in batches."""

        def __init__(self, name: str) -> None:
            self._batches: Iterator[dict[str, Any]] = (
                {name: faces[first : first + BATCH]} for first in range(0, len(faces), BATCH)
            )

        def get_next(self) -> dict[str, Any] | None:
            return next(self._batches, None)

    plain = path.with_name(f"{path.name}.plain")
    with _silent():
        try:
            quant_pre_process(path, plain, skip_symbolic_shape=True)
            model = onnx.load(plain)
            _unshuffle(model)
            onnx.save(model, plain)
            graph = model.graph
            quantize_static(
                plain,
                path,
                Reader(graph.input[0].name),
                nodes_to_exclude=_last(graph),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
        finally:
            plain.unlink(missing_ok=True)


def _unshuffle(model: Any) -> None:
    """Put transposes in the place of `DepthToSpace`, which moves the same numbers more slowly.

    They work on pixels whose channels lie together, as 8-bit convolutions have them, and move whole rows of
    channels. The first and the last meet those around the convolutions, and ONNX Runtime takes out both.
    """
    shapes = {one.name: one.type.tensor_type.shape.dim for one in model.graph.value_info}
    nodes: list[Any] = []
    for node in model.graph.node:
        if node.op_type == "DepthToSpace":
            _, channels, height, width = (dim.dim_value for dim in shapes[node.input[0]])
            nodes += _transposes(model.graph, node, channels, height, width)
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _transposes(graph: Any, node: Any, channels: int, height: int, width: int) -> list[Any]:
    """What does the work of a `DepthToSpace` on (n, channels, height, width)."""
    from onnx import helper, numpy_helper

    side = next(one.i for one in node.attribute if one.name == "blocksize")
    parts = (0, height, width, side, channels // side)  # 0: as many pictures as there are
    whole = (0, height * side, width * side, channels // side**2)
    steps = (
        ("Transpose", (0, 2, 3, 1)),
        ("Reshape", parts),
        ("Transpose", (0, 1, 3, 2, 4)),
        ("Reshape", whole),
        ("Transpose", (0, 3, 1, 2)),
    )
    names = [node.input[0], *(f"{node.name}/{place}" for place in range(len(steps) - 1)), node.output[0]]
    made = []
    for (kind, how), before, after in zip(steps, names, names[1:], strict=False):
        if kind == "Transpose":
            made.append(helper.make_node(kind, [before], [after], name=f"{after}/step", perm=how))
            continue
        shape = numpy_helper.from_array(np.array(how, np.int64), f"{after}/shape")
        graph.initializer.append(shape)
        made.append(helper.make_node(kind, [before, shape.name], [after], name=f"{after}/step"))
    return made


def _last(graph: Any) -> list[str]:
    """The names of the last convolution and of what follows it."""
    nodes = list(graph.node)
    place = max(place for place, node in enumerate(nodes) if node.op_type == "Conv")
    return [str(node.name) for node in nodes[place:]]


def _halve(model: Any) -> None:
    """Store the large float32 weights as float16, each with a cast back; the rest stays as it is."""
    import onnx
    from onnx import numpy_helper

    casts = []
    for weights in model.graph.initializer:
        if weights.data_type != onnx.TensorProto.FLOAT or np.prod(weights.dims) < LEAST:
            continue
        name = weights.name
        values = numpy_helper.to_array(weights).astype(np.float16)
        weights.CopyFrom(numpy_helper.from_array(values, f"{name}.float16"))
        casts.append(onnx.helper.make_node("Cast", [weights.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the quantizer's advice to its own users out of ours' sight."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
