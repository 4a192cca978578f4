"""A short film of pictures that are made by the program itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import cv2

from faceswap.errors import writing
from faceswap.types import Image
from faceswap.video.atomic import encoding, replacing


def write_slides(path: Path, images: Iterable[Image], size: tuple[int, int], rate: int) -> None:
    """Write an H.264 film without sound; it appears whole or not at all.

    Args:
        path: The file, ending in `.mp4`.
        images: BGR uint8; those of another size are scaled to it.
        size: Width and height, even numbers of pixels.
        rate: Pictures a second.

    Raises:
        OutputError: It cannot be written.
    """
    with (
        writing(path),
        replacing(path) as temporary,
        encoding(path),
        av.open(f"file:{temporary}", "w", format="mp4") as container,
    ):
        stream = container.add_stream("libx264", rate=rate, options={"crf": "26"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for image in images:
            if image.shape[1::-1] != size:
                image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
        container.mux(stream.encode(None))
