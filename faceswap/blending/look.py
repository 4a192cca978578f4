"""One look for all swapped faces of a clip: colours and detail, the same in every frame; nothing flickers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.types import Image

Floats = NDArray[np.float32]

SIDE = 5  # pixels: of the kernels
BLUR = 2.0  # pixels: deviation below which something is detail


@dataclass(frozen=True)
class Look:
    """How the values of a face become those of the look.

    Attributes:
        colors: float32 (3, 4): BGR of the look from BGR and 1, all 0 to 1.
        detail: float32 (3, 3, SIDE, SIDE), out and in: kernels over the detail, whose sum is added.
    """

    colors: Floats
    detail: Floats

    def apply(self, face: Image) -> Image:
        """A face with this look: BGR uint8 (height, width, 3)."""
        values = face.astype(np.float32) / np.float32(255)
        found = cv2.transform(values, self.colors)
        fine = detail_of(values)
        for out, kernels in enumerate(self.detail):
            for channel, kernel in enumerate(kernels):
                found[..., out] += cv2.filter2D(
                    fine[..., channel], -1, kernel, borderType=cv2.BORDER_REPLICATE
                )
        return np.asarray(np.rint(np.clip(found, 0, 1) * 255), np.uint8)

    def to_json(self) -> str:
        """As text, exactly."""
        return json.dumps({"colors": self.colors.tolist(), "detail": self.detail.tolist()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote; `ValueError` where it is something else."""
        try:
            values = json.loads(text)
            colors = np.array(values["colors"], np.float32).reshape(3, 4)
            return cls(colors, np.array(values["detail"], np.float32).reshape(3, 3, SIDE, SIDE))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a look: {error}") from error


def detail_of(values: Floats) -> Floats:
    """What a blur takes away, float32 of the same shape."""
    return values - np.asarray(cv2.GaussianBlur(values, (0, 0), BLUR), np.float32)
