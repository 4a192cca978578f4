"""Images as a source of frames, and images as what comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from faceswap import png
from faceswap.errors import InputError, OutputError, writing
from faceswap.types import Frame, Image, Pixels
from faceswap.video.atomic import replacing
from faceswap.video.base import Source, digest

# Suffix: what cv2 is told when it writes one.
FORMATS: dict[str, list[int]] = {
    ".png": [],
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".webp": [],
    ".bmp": [],
    ".tif": [],
    ".tiff": [],
}


def is_image(path: Path) -> bool:
    """Whether the file begins like an image, whatever its name; animated ones (GIF) count as clips."""
    try:
        with path.open("rb") as file:
            head = file.read(6)
    except OSError:
        return False
    return not head.startswith(b"GIF8") and bool(cv2.haveImageReader(str(path)))


def images_in(folder: Path) -> list[Path]:
    """The images right inside `folder`, by name; hidden files are left out.

    What is only named like an image is among them, so that whoever reads it says that it is damaged.
    """
    files = (path for path in folder.iterdir() if path.is_file() and path.name[0] != ".")
    return sorted(path for path in files if path.suffix.lower() in FORMATS or is_image(path))


def read_image(path: Path) -> Image:
    """Read an image upright (by its EXIF orientation) as BGR uint8 (height, width, 3).

    Grey, 16-bit, CMYK and transparent images are converted; transparency is dropped.

    Raises:
        InputError: It is missing or damaged.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; check the path") from error
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:
        image = None
    if image is None:
        raise InputError(f"{path} is not an image, or a damaged one; export it again as PNG or JPEG")
    return np.asarray(image, np.uint8)


class ImageSource(Source):
    """One image, or the images of a folder by name.

    A frame's `index` is the image's place among them, its `name` the file's. An image that turns out to be
    damaged is left out of `frames` and named in `problems`. Images may differ in size.
    """

    is_video = False
    rate = Fraction(25)

    def __init__(self, path: Path) -> None:
        """List the images.

        Args:
            path: An image file or a folder.

        Raises:
            InputError: There is no readable image.
        """
        self.path = path
        self.files = images_in(path) if path.is_dir() else [path]
        self.count = len(self.files)
        self._unreadable: dict[Path, str] = {}
        first = next(self.frames(), None)
        if first is None:
            if self._unreadable and not path.is_dir():
                raise InputError(self._unreadable[path])
            raise InputError(f"there is no readable image in {path}; give a folder of PNG or JPEG files")
        self.width, self.height = first.picture.width, first.picture.height

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Yield the readable images from `start` up to but without `stop`; indices may have gaps."""
        for index, file in list(enumerate(self.files))[start:stop]:
            try:
                image = read_image(file)
            except InputError as error:
                self._unreadable[file] = str(error)
                continue
            yield Frame(index, index, 1 / self.rate, Pixels(image), file.name)

    @cached_property
    def _digest(self) -> str:
        whole = hashlib.sha256()
        for path in self.files:
            whole.update(f"{path.name}\0{path.stat().st_size}\0".encode())
            whole.update(digest(path))
        return whole.hexdigest()

    def fingerprint(self) -> str:
        """SHA-256 over the images' names, sizes and contents, 64 hexadecimal digits."""
        return self._digest

    @property
    def problems(self) -> list[str]:
        """The images that could not be read so far, and why."""
        return [self._unreadable[path] for path in sorted(self._unreadable)]


def write_image(path: Path, image: Image) -> None:
    """Write a BGR image, in the format of the file name's suffix; the file appears whole or not at all.

    Raises:
        OutputError: The suffix is none of `FORMATS`, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise OutputError(f"cannot write {path}: name it with one of {', '.join(FORMATS)}")
    content = png.encode(image) if suffix == ".png" else _encoded(path, image)
    with writing(path), replacing(path) as temporary:
        temporary.write_bytes(content)


def _encoded(path: Path, image: Image) -> bytes:
    suffix = path.suffix.lower()
    done, data = cv2.imencode(suffix, image, FORMATS[suffix])
    if not done:
        raise OutputError(f"cannot write {path}: the image does not fit the format {suffix}")
    return data.tobytes()
