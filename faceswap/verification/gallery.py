"""Pictures of known people, in a folder: which there are, whom they show, and the face in one."""

from __future__ import annotations

from pathlib import Path

from faceswap.errors import InputError
from faceswap.faces.alignment import align, cut
from faceswap.faces.sight import Sight
from faceswap.recognition import only_face
from faceswap.types import Image, Pixels
from faceswap.video.images import images_in, read_image


def known(folder: Path) -> list[tuple[str, Path]]:
    """The name of a person and a picture, for each picture.

    A person is a picture right inside the folder, or a folder of pictures in it, named after them.

    Raises:
        InputError: There is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give one with a picture, or a folder, for each person")
    pictures = [(path.stem, path) for path in images_in(folder)]
    homes = sorted(path for path in folder.iterdir() if path.is_dir())
    pictures += [(home.name, path) for home in homes for path in images_in(home)]
    if not pictures:
        raise InputError(
            f"there is no picture in {folder}: give it one, or a folder of them, for each person"
        )
    return pictures


def cut_face(path: Path, sight: Sight, size: int, coverage: float) -> Image:
    """The one face of a picture, aligned, BGR uint8 (size, size, 3).

    Raises:
        InputError: The picture is missing or damaged, or shows several people.
        NoFacesError: There is nobody in it.
    """
    image = read_image(path)
    face = only_face(image, path, sight)
    return cut(Pixels(image), align(face.landmarks, size, coverage))
