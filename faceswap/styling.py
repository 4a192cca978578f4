"""The look of a clip's swapped faces: fitted once to a picture, kept with the finished segments."""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from faceswap.blending.look import SIDE, Look, detail_of
from faceswap.canvas import sized, to_floats
from faceswap.errors import writing
from faceswap.finishing import CANVAS, trust
from faceswap.options import ConvertConfig
from faceswap.progress import Progress
from faceswap.swapper import Ensemble, Faces
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
    style = to_floats(read_image(config.style))
    style = sized(style, round(CANVAS * max(style.shape[:2]) / min(style.shape[:2])))
    look = _fitted(config, source, faces, swappers, style, progress)
    if look is not None:
        with writing(kept):
            kept.write_text(look.to_json(), encoding="utf-8")
    return look


def _fitted(
    config: ConvertConfig,
    source: Source,
    faces: Faces,
    swappers: Ensemble,
    style: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    progress: Progress,
) -> Look | None:
    """A look fitted to faces spread evenly over the clip; None where none shows."""
    from faceswap.networks.look import STEPS, fit_look

    shown = [n for n, found in sorted(faces.items()) if any(trust(face, config) > 0 for face in found)]
    count = min(FEW, len(shown))
    chosen = [shown[(2 * place + 1) * len(shown) // (2 * count)] for place in range(count)]
    made, masks = [], []
    for number in chosen:
        face = max(faces[number], key=lambda face: (trust(face, config) > 0, face.face.box.area))
        for frame in source.frames(number, number + 1):
            picture, reach = swappers.of(face).portrait(frame, face)
            made.append(to_floats(picture))
            masks.append(to_floats(reach))
    if not made:
        return None
    fine = np.stack([detail_of(values) for values in made])
    watched = partial(progress, total=STEPS, desc="fitting the look", unit="step")
    colors, kernels, losses = fit_look(np.stack(made), fine, np.stack(masks), style, SIDE, watched)
    log.info("the look's style loss fell from %.3g to %.3g", losses[0], losses[-1])
    return Look(colors, kernels)
