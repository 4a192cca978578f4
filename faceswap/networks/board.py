"""TensorBoard's event files, written without TensorBoard.

`tf.summary.scalar` and `tf.summary.image` live in the package `tensorboard`; what they write is a tensor and
the name of the plug-in that shows it, and the writer itself is TensorFlow's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import tensorflow as tf

from faceswap.errors import OutputError
from faceswap.types import Image

LARGEST = 1024  # pixels: width of a picture


class Board:
    """Event files of one run, in a folder."""

    def __init__(self, folder: Path) -> None:
        """Begin a file.

        Raises:
            OutputError: The folder cannot be written.
        """
        try:
            self._writer = tf.summary.create_file_writer(str(folder))
        except tf.errors.OpError as error:
            raise OutputError(f"cannot write {folder}: {error.message}") from error

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Enter numbers, by name; a / in a name makes a group."""
        with self._writer.as_default():
            for name, value in values.items():
                tf.summary.write(name, tf.constant(value, tf.float32), step, _shown_by("scalars"))
        self._writer.flush()

    def picture(self, step: int, name: str, image: Image) -> None:
        """Enter a BGR picture."""
        if image.shape[1] > LARGEST:
            height = round(image.shape[0] * LARGEST / image.shape[1])
            image = cv2.resize(image, (LARGEST, height), interpolation=cv2.INTER_AREA)
        height, width = image.shape[:2]
        data = cv2.imencode(".png", image)[1].tobytes()
        with self._writer.as_default():
            tensor = tf.constant([str(width).encode(), str(height).encode(), data])
            tf.summary.write(name, tensor, step, _shown_by("images"))
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


def _shown_by(plugin: str) -> tf.compat.v1.SummaryMetadata:
    metadata = tf.compat.v1.SummaryMetadata()
    metadata.plugin_data.plugin_name = plugin
    return metadata
