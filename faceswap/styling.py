"""The look of a clip's swapped faces: fitted once to a picture, kept with the finished segments."""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from faceswap.blending.look import SIDE, Look, detail_of
from faceswap.canvas import Floats, sized, to_floats
from faceswap.errors import writing
from faceswap.faces.alignment import align, cut, transform
from faceswap.faces.masks import hull
from faceswap.finding import Finder
from faceswap.finishing import CANVAS, trust
from faceswap.options import ConvertConfig, ExtractOptions
from faceswap.progress import Progress
from faceswap.swapper import Ensemble, Faces
from faceswap.types import Image, Pixels
from faceswap.video.images import read_image
from faceswap.video.source import Source

FEW = 3  # faces that the look is fitted to

log = logging.getLogger(__name__)


def digest_of(path: Path) -> str:
    """What a picture shows, as SHA-256 of its pixels.

    Raises:
        InputError: It is missing or damaged.
    """
    return hashlib.sha256(read_image(path).tobytes()).hexdigest()


def clip_look(
    config: ConvertConfig, source: Source, faces: Faces, swappers: Ensemble, parts: Path, progress: Progress
) -> Look | None:
    """The look that the options ask for: the one an earlier run fitted, or one fitted now.

    It depends on the clip, the models and the picture alone, so every segment has the same.

    Raises:
        InputError: The picture is missing or damaged.
        DependencyError: The weights of VGG16 are not installed.
        OutputError: It cannot be kept.
    """
    if config.style is None:
        return None
    kept = parts / "look.json"
    with suppress(OSError, ValueError):
        return Look.from_json(kept.read_text(encoding="utf-8"))
    look = _fitted(config, config.style, source, faces, swappers, progress)
    if look is not None:
        with writing(kept):
            kept.write_text(look.to_json(), encoding="utf-8")
    return look


def _fitted(
    config: ConvertConfig, path: Path, source: Source, faces: Faces, swappers: Ensemble, progress: Progress
) -> Look | None:
    """A look fitted to faces spread evenly over the clip; None where none shows."""
    from faceswap.networks.look import STEPS, fit_look

    shown = [n for n, found in sorted(faces.items()) if any(trust(face, config) > 0 for face in found)]
    count = min(FEW, len(shown))
    chosen = [shown[(2 * place + 1) * len(shown) // (2 * count)] for place in range(count)]
    made, masks, coverage = [], [], 0.0
    for number in chosen:
        face = max(faces[number], key=lambda face: (trust(face, config) > 0, face.face.box.area))
        swapper = swappers.of(face)
        coverage = coverage or swapper.coverage
        for frame in source.frames(number, number + 1):
            picture, reach = swapper.portrait(frame, face)
            made.append(to_floats(picture))
            masks.append(to_floats(reach))
    if not made:
        return None
    fine = np.stack([detail_of(values) for values in made])
    watched = partial(progress, total=STEPS, desc="fitting the look", unit="step")
    style, counts = taken_from(read_image(path), coverage)
    colors, kernels, losses = fit_look(np.stack(made), fine, np.stack(masks), style, counts, SIDE, watched)
    log.info("the look's style loss fell from %.3g to %.3g", losses[0], losses[-1])
    return Look(colors, kernels)


def taken_from(image: Image, coverage: float) -> tuple[Floats, Floats | None]:
    """What the look is taken from: the largest face in a picture that shows one, otherwise all of it.

    Of a film still with its dark corners, or of a portrait in oil, only the face says how a face looks there.

    Args:
        image: BGR uint8 (height, width, 3).
        coverage: Extents that a swapped face's canvas shows, so that strokes and grain compare.

    Returns:
        BGR, float32, 0 to 1, (height, width, 3), and where it counts, (height, width), None: everywhere.
    """
    sight, picture = Finder(ExtractOptions()).sight(), Pixels(image)
    seen = sight.everywhere(picture)
    if not seen:
        style = to_floats(image)
        return sized(style, round(CANVAS * max(style.shape[:2]) / min(style.shape[:2]))), None
    face = sight.face(picture, max(seen, key=lambda one: one.box.area), 0)[0]
    place = align(face.landmarks, CANVAS, coverage)
    return to_floats(cut(picture, place)), to_floats(hull(transform(face.landmarks, place.matrix), CANVAS))
