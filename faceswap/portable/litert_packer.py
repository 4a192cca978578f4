"""Gives a LiteRT model its card, and weights of fewer bits."""

from __future__ import annotations

import io
import os
import re
import warnings
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import DependencyError
from faceswap.portable.card import Card
from faceswap.portable.litert_runner import ENTRY

REMEDY = 'run pip install -e ".[export]"'


def pack(path: Path, card: Card, faces: NDArray[np.float32] | None) -> None:
    """Store the weights of a float32 model as the card says, and the card with them.

    float16 weights are made float32 again when the file is loaded. int8 is static quantization with a scale
    for each channel; its input is int8 too. The last convolution and the sigmoid after it stay float32, see
    `onnx_packer`.

    Args:
        path: The file; it is replaced.
        card: What it is to be.
        faces: float32 (N, size, size, 3), BGR, 0 to 1, by which the ranges of an int8 model are found.

    Raises:
        DependencyError: `ai-edge-quantizer` is missing.
    """
    if card.precision != "float32":
        path.write_bytes(_quantised(path, card.precision, faces))
    with ZipFile(path, "a") as archive:
        archive.writestr(ENTRY, str(card))


def _quantised(path: Path, precision: str, faces: NDArray[np.float32] | None) -> bytes:
    try:
        from ai_edge_quantizer import qtyping, quantizer, recipe
    except ImportError as error:
        raise DependencyError(f"ai-edge-quantizer is missing: {REMEDY}") from error
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):  # its own bars and advice
        warnings.simplefilter("ignore")
        if precision == "float16":
            work = quantizer.Quantizer(path)
            work.add_weight_only_config(
                regex=".*",
                operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
                num_bits=16,
                algorithm_key=quantizer.AlgorithmName.FLOAT_CASTING,
            )
            found = None
        else:
            assert faces is not None
            work = quantizer.Quantizer(path, recipe.static_wi8_ai8())
            kinds = qtyping.TFLOperationName
            for kind, which in (
                (kinds.CONV_2D, re.escape(_last(path))),
                (kinds.LOGISTIC, ".*"),
                (kinds.OUTPUT, ".*"),
            ):
                work.update_quantization_recipe(
                    regex=which, operation_name=kind, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE
                )
            found = work.calibrate(_samples(path, faces), num_threads=os.cpu_count() or 1)
        return bytes(work.quantize(found, enable_progress_report=False).quantized_model)


def _last(path: Path) -> str:
    """The name of what the last convolution gives."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    graph = model.subgraphs[0]
    kind = schema.BuiltinOperator.CONV_2D
    found = [one for one in graph.operators if model.operatorCodes[one.opcodeIndex].builtinCode == kind]
    return str(graph.tensors[found[-1].outputs[0]].name.decode())


def _samples(path: Path, faces: NDArray[np.float32]) -> dict[str, list[dict[str, Any]]]:
    """The faces, one by one, by the names that the file has for a call and for its picture."""
    from ai_edge_litert.interpreter import Interpreter

    name, about = next(iter(Interpreter(str(path)).get_signature_list().items()))
    return {name: [{about["inputs"][0]: face[None]} for face in faces]}
