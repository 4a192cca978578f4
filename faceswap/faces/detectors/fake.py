"""A detector for tests: takes a blob of strong colour for a face."""

from __future__ import annotations

import cv2
import numpy as np

from faceswap.types import Box, Image

VIVID = 90  # difference between a pixel's strongest and weakest channel


class FakeDetector:
    """Finds blobs of vivid colour, so that drawn clips can stand in for filmed ones."""

    colour = True

    def detect(self, image: Image, min_face: float) -> list[tuple[Box, float]]:
        """The bounding box of each blob of at least `min_face` pixels, largest first.

        Args:
            image: BGR uint8, (height, width, 3).
            min_face: Smallest side, pixels.
        """
        vivid = (image.max(axis=2).astype(np.int16) - image.min(axis=2) > VIVID).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(vivid)
        boxes = [Box(float(x), float(y), float(x + w), float(y + h)) for x, y, w, h, _ in stats[1:]]
        large = [box for box in boxes if min(box.width, box.height) >= min_face]
        return [(box, 1.0) for box in sorted(large, key=lambda box: -box.area)]
