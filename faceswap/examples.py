"""The pictures of each person that a model keeps, for conversion to take detail from.

    MODEL/examples/a/*.jpg, MODEL/examples/b/*.jpg    faces of A and of B, cut as the network's pictures are
    MODEL.onnx.examples/*.jpg                         those of the person whom an exported model draws

One that somebody deletes is not used any more. Nothing is learned from them; what is done with them stands in
`blending.restoring`. They are pictures of people: who gets the model gets them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from faceswap.errors import InputError, ModelError, writing
from faceswap.faces.alignment import align, transform
from faceswap.faces.index import StoredFace
from faceswap.faces.recut import recut
from faceswap.faces.traits import AWAKE, eye_opening, usual_opening
from faceswap.finishing import CANVAS
from faceswap.types import Image

FOLDER = "examples"
SIDE = CANVAS  # pixels of a picture
MOST = 64  # pictures of a person; 30 to 200 serve alike on two pairs of talking heads
FEWEST = 3  # below which there are none
SHARP = 0.7  # of the median sharpness: less sharp faces show little that is worth having
QUALITY = 95  # of JPEG
ABOUT = "faces.json"


def keep_examples(model: Path, side: str, folder: Path, faces: Sequence[StoredFace], coverage: float) -> None:
    """Keep pictures of a person in a model folder, unless those of the same faces are there.

    Args:
        model: The model folder.
        side: 'a' or 'b'.
        folder: The faceset.
        faces: Its faces.
        coverage: What the network is trained with, see `Alignment`.

    Raises:
        InputError: A picture of the faceset cannot be read.
        OutputError: The model folder cannot be written.
    """
    chosen = varied(faces)
    home = _home(model, side)
    about = {"coverage": coverage, "faces": [face.hash for face in chosen]}
    if _about(home) == about:
        return
    draft = home.with_name(f".{side}.part")
    with writing(home):
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for number, face in enumerate(chosen):
            picture = recut(folder, face, align(face.face.landmarks, SIDE, coverage))
            if picture is None:
                raise InputError(f"{folder / face.file} cannot be read: delete it or extract the faces again")
            done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            assert done
            (draft / f"{number:03d}.jpg").write_bytes(data.tobytes())
        (draft / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        shutil.rmtree(home, ignore_errors=True)
        draft.rename(home)


def examples(model: Path, side: str) -> Image | None:
    """The pictures that a model keeps of a person.

    Args:
        model: A model folder, or an exported file with its pictures beside it.
        side: 'a' or 'b'.

    Returns:
        BGR uint8 (N, SIDE, SIDE, 3); None where there are too few.

    Raises:
        ModelError: One of them is damaged.
    """
    pictures = []
    for path in _paths(model, side):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None or picture.shape != (SIDE, SIDE, 3):
            raise ModelError(f"{path} is damaged: delete it")
        pictures.append(picture)
    return np.stack(pictures) if len(pictures) >= FEWEST else None


def hand_on(model: Path, side: str, exported: Path) -> None:
    """Put the pictures that a model keeps of a person beside a file it was exported to; earlier ones go.

    Raises:
        OutputError: They cannot be written.
    """
    home = _home(exported, side)
    draft = home.with_name(f".{home.name}.part")
    with writing(home):
        shutil.rmtree(draft, ignore_errors=True)
        if _paths(model, side):
            shutil.copytree(_home(model, side), draft)
        shutil.rmtree(home, ignore_errors=True)
        if draft.exists():
            draft.rename(home)


def remove(model: Path) -> None:
    """Remove the pictures that a model keeps."""
    with writing(model):
        shutil.rmtree(model / FOLDER, ignore_errors=True)


def examples_digest(model: Path, side: str) -> str:
    """Which pictures there are, so that a deleted one is told from one that is used."""
    digest = hashlib.sha256()
    for path in _paths(model, side):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def varied(faces: Sequence[StoredFace], most: int = MOST) -> list[StoredFace]:
    """Faces that differ as much as may be in pose and expression, none of them blurred or with its eyes shut.

    A network draws shut eyes open, so what it leaves out of them is a lid, which must not lie over open ones.

    The first is the one nearest to all; each that follows is the one least like those before (Gonzalez,
    "Clustering to minimize the maximum intercluster distance", Theoretical Computer Science 38, 1985).

    Args:
        faces: Those there are.
        most: How many are chosen at most.

    Returns:
        Them in the order of `faces`.
    """
    seen = [face for face in faces if not face.face.interpolated]
    least = SHARP * float(np.median([face.traits.sharpness for face in seen] or [0.0]))
    seen = [face for face in seen if face.traits.sharpness >= least]
    wide = AWAKE * usual_opening(face.face.landmarks for face in seen) if seen else 0.0
    seen = [face for face in seen if eye_opening(face.face.landmarks) >= wide]
    if len(seen) <= most:
        return seen
    shapes = np.stack([_shape(face) for face in seen])
    chosen = [int(((shapes - shapes.mean(0)) ** 2).sum(1).argmin())]
    far = np.full(len(seen), np.inf)
    while len(chosen) < most:
        far = np.minimum(far, ((shapes - shapes[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(far.argmax()))
    return [seen[place] for place in sorted(chosen)]


def _shape(face: StoredFace) -> np.ndarray:
    """The landmarks of a face in its picture, shares of its side."""
    return (transform(face.face.landmarks, face.alignment.matrix) / face.alignment.size).ravel()


def _paths(model: Path, side: str) -> list[Path]:
    return sorted(_home(model, side).glob("*.jpg"))


def _home(model: Path, side: str) -> Path:
    return model / FOLDER / side if model.is_dir() else model.with_name(f"{model.name}.{FOLDER}")


def _about(home: Path) -> object:
    try:
        return json.loads((home / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
