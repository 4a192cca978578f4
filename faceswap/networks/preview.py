"""The sheet that shows how far a training is."""

from __future__ import annotations

import cv2
import numpy as np

from faceswap.networks.autoencoder import Autoencoder, to_float, to_image
from faceswap.types import Image

TILE = 128  # pixels
GAP = 6
HEADINGS = ("original", "rebuilt", "swapped")


def sheet(network: Autoencoder, faces_a: Image, faces_b: Image, title: str) -> Image:
    """Originals, reconstructions and swaps of both sides.

    Args:
        network: What is being trained.
        faces_a: BGR uint8 (N, size, size, 3), faces of A.
        faces_b: The same of B; as many.
        title: A line above it all.

    Returns:
        BGR uint8: a row a face pair; on the left A's original, rebuilt as A, swapped to B; on the right B's.
    """
    blocks = []
    for faces, own, other in (
        (faces_a, network.decoder_a, network.decoder_b),
        (faces_b, network.decoder_b, network.decoder_a),
    ):
        code = network.encoder(to_float(faces), training=False)
        made = [to_image(decoder(code, training=False).numpy()[..., :3]) for decoder in (own, other)]
        blocks.append([faces, *made])
    rows = []
    for index in range(len(faces_a)):
        tiles = [_tile(pictures[index]) for block in blocks for pictures in block]
        rows.append(np.hstack([_pad(tile, GAP if column == 2 else 0) for column, tile in enumerate(tiles)]))
    body = np.vstack(rows)
    headings = [f"{side}: {word}" for side in "AB" for word in HEADINGS]
    return np.vstack([_header(body.shape[1], title, headings), body])


def _tile(image: Image) -> Image:
    way = cv2.INTER_AREA if image.shape[0] > TILE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (TILE, TILE), interpolation=way), np.uint8)


def _pad(image: Image, right: int) -> Image:
    return np.pad(image, ((0, 0), (0, right), (0, 0)), constant_values=255)


def _header(width: int, title: str, headings: list[str]) -> Image:
    strip = np.full((44, width, 3), 255, np.uint8)
    font, black = cv2.FONT_HERSHEY_SIMPLEX, (0, 0, 0)
    cv2.putText(strip, title, (6, 16), font, 0.45, black, 1, cv2.LINE_AA)
    for column, text in enumerate(headings):
        left = column * TILE + (GAP if column > 2 else 0)
        cv2.putText(strip, text, (left + 6, 37), font, 0.42, black, 1, cv2.LINE_AA)
    return strip
