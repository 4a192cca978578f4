"""How many bits networks count with while they are trained, and while they draw.

Micikevicius et al., "Mixed precision training", ICLR 2018: layers count with 16 bits, weights, losses and
moments with 32. Graphics cards with tensor cores are several times faster so. A processor that multiplies
bfloat16 numbers itself is half as fast again, and a training of as many steps comes as far (figures in
models/README.md); any other is three times slower.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import tensorflow as tf
from keras.optimizers import Optimizer

AUTO, FULL, HALF, BRAIN = "auto", "float32", "mixed_float16", "mixed_bfloat16"
ABLE = {"avx512_bf16", "amx_bf16"}  # flags of processors that multiply bfloat16 numbers
PROCESSOR = Path("/proc/cpuinfo")  # where Linux tells them
CAPABLE = {BRAIN: (8, 0), HALF: (7, 0)}  # the compute capability from which a card is fast at it


def chosen(name: str) -> str:
    """A Keras policy: `name`, or for 'auto' what suits this machine."""
    if name != AUTO:
        return name
    cards = tf.config.list_physical_devices("GPU")
    capable = [tf.config.experimental.get_device_details(c).get("compute_capability", (0, 0)) for c in cards]
    for policy, least in CAPABLE.items():
        if capable and min(capable) >= least:
            return policy
    return BRAIN if not cards and _processor_is_able() else FULL


def drawing() -> str:
    """The policy that networks draw with here: as they are trained, but that weights have as many bits, too.

    They are no other numbers for that; only they need not be made shorter for each batch.
    """
    policy = chosen(AUTO)
    return "bfloat16" if policy == BRAIN else policy


def _processor_is_able() -> bool:
    """Whether the processor multiplies bfloat16 numbers itself; told on Linux alone."""
    try:
        told = re.search(r"^flags\s*:(.*)$", PROCESSOR.read_text(), re.MULTILINE)
    except OSError:
        return False
    return bool(told and ABLE & set(told[1].split()))


@contextmanager
def counting(policy: str) -> Iterator[None]:
    """Networks that are built meanwhile count like this."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def scaled(optimizer: Optimizer, policy: str) -> Optimizer:
    """The optimizer; with 16-bit floats, whose range is small, one that scales the loss by what they bear."""
    if policy != HALF:
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer, name=f"{optimizer.name}_scaled")
