"""The network and what follows it: frames and their faces in, patches out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from faceswap import registry
from faceswap.blending.crispen import crisp
from faceswap.blending.look import Look
from faceswap.blending.paste import enlarge
from faceswap.blending.restoring import Restorer
from faceswap.blinking import Blinks
from faceswap.examples import examples
from faceswap.faces.alignment import align, cut
from faceswap.faces.faceset import Faceset
from faceswap.faces.index import StoredFace
from faceswap.faces.sight import Landmarker
from faceswap.finishing import CANVAS, Drawn, Finisher, colors_of
from faceswap.fitting import Fit, fits
from faceswap.models import open_model
from faceswap.options import ConvertConfig
from faceswap.provenance.label import label_of, label_patch
from faceswap.provenance.watermark import Mark
from faceswap.steadying import Palettes, Steadier
from faceswap.types import WHOLE, Alignment, Floats, Frame, Image, Part, Patch, without_mask

Faces = dict[int, list[StoredFace]]
BATCH = 16  # pictures that go through the network together


class Swapper:
    """Makes the patches that put the other face into a frame."""

    def __init__(self, config: ConvertConfig, mark: Mark | None = None, model: Path | None = None) -> None:
        """Load the model.

        Args:
            config: The options.
            mark: What the pixels of each face are marked with.
            model: Which of the models in the options; None: the first.

        Raises:
            ModelError: It is missing or damaged, or has not been trained.
        """
        side = "a" if config.swap_direction else "b"
        opened = open_model(model or config.models[0], side, config.use)
        self._swap, self._size, self.coverage = opened.swap, opened.size, opened.coverage
        self._finisher = Finisher(config, opened.coverage, mark)
        steadied = config.steady_frames if config.color != "none" else 0.0
        self._steadier = Steadier(steadied, opened.size, opened.coverage)
        self._fits: dict[int, Fit] = {}
        self._config = config
        kept = examples(model or config.models[0], side) if config.restore or config.blinks else None
        self._examples = None if kept is None else (kept, self._rendered(kept))
        restored = self._examples if config.restore else None
        self._restorer = Restorer(*restored, config.crisp) if restored else None
        self._blinks: Blinks | None = None

    def follow(self, faces: Sequence[StoredFace], folder: Path, landmarker: Landmarker | None) -> None:
        """Get to know what is to be drawn.

        Args:
            faces: All faces that are.
            folder: The faceset whose pictures of them steady the colours through time.
            landmarker: Finds the features by which they are fitted to the frame's and blink with it; None:
                they do neither.
        """
        self._steadier.follow(faces, folder)
        if landmarker and self._config.fit:
            self._fits = fits(faces, folder, self._swap, self._size, self.coverage, landmarker)
        if landmarker and self._config.blinks and self._examples:
            self._blinks = Blinks(faces, *self._examples, landmarker, self.coverage)

    def afresh(self) -> Self:
        """The same for another thread: what it remembers of the frames before is its own."""
        twin = copy(self)
        twin._steadier = self._steadier.afresh()
        return twin

    def patches(self, frames: Sequence[Frame], faces: Sequence[Sequence[StoredFace]]) -> list[list[Patch]]:
        """The patches of each frame; `faces` are those found in each."""
        made = iter(self.draw(frames, faces))
        return [
            [patch for face in found if (patch := self._patch(frame, face, next(made)))]
            for frame, found in zip(frames, faces, strict=True)
        ]

    def draw(self, frames: Sequence[Frame], faces: Sequence[Sequence[StoredFace]]) -> list[Drawn]:
        """What the network makes of the faces of each frame, one after the other."""
        pairs = [(frame, face) for frame, found in zip(frames, faces, strict=True) for face in found]
        places = [align(face.face.landmarks, self._size, self.coverage) for _, face in pairs]
        crops = [cut(frame.picture, place) for (frame, _), place in zip(pairs, places, strict=True)]
        anchors = self._steadier.fresh(face for _, face in pairs)  # drawn with them, for few take long
        made = iter(self._swap(np.stack([*crops, *(crop for _, crop in anchors)])) if crops else ())
        drawn = [
            self._drawn(face, place, crop, next(made))
            for (_, face), place, crop in zip(pairs, places, crops, strict=True)
        ]
        for anchor, crop in anchors:
            self._steadier.learn(anchor, crop, next(made))
        return drawn

    def study(self, frame: Frame, face: StoredFace) -> tuple[Drawn, Palettes]:
        """What the network makes of one face, and the steadied colours of that and of the original."""
        (own,) = self.draw([frame], [[face]])
        return own, self._steadier.palettes(face, own)

    def portrait(self, frame: Frame, face: StoredFace) -> tuple[Image, Image]:
        """One swapped face before it gets a look, and how far it reaches, as `Finisher.portrait` has them."""
        own, palettes = self.study(frame, face)
        picture = self._finisher.portrait(own.picture(WHOLE), self._finisher.recolor(*palettes))
        return picture, enlarge(own.reach, CANVAS)

    def wear(self, look: Look | None) -> None:
        """Give all faces from now on a look."""
        self._finisher.look = look

    def _drawn(self, face: StoredFace, place: Alignment, original: Image, made: Image) -> Drawn:
        """A face as the network made it of the original, and where it belongs."""
        fit = self._fits.get(face.person)
        fitted = fit.partly(self._config.fit).on(place) if fit else place
        picture = partial(self._picture, face, made)
        return Drawn(picture, made[..., 3], fitted, *colors_of(face, place, original, made))

    def _picture(self, face: StoredFace, made: Image, part: Part) -> Floats:
        """A part of a face as the network made it, with detail, its eyes shut where the frame's are."""
        if self._blinks and (closed := self._blinks.closed(face)):  # lids are sought in the whole of it
            return self._blinks.follow(closed, made, self._detailed(made, WHOLE))[part]
        return self._detailed(made, part)

    def _detailed(self, made: Image, part: Part) -> Floats:
        if self._restorer:
            return self._restorer.restore(made, part)
        return crisp(without_mask(made), CANVAS, self._config.crisp, part)

    def _rendered(self, pictures: Image) -> Image:
        """What the network makes of pictures of who it draws."""
        parts = (pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH))
        return np.concatenate(
            [self._swap(np.stack([enlarge(one, self._size) for one in part])) for part in parts]
        )

    def _patch(self, frame: Frame, face: StoredFace, own: Drawn) -> Patch | None:
        recolor = self._finisher.recolor(*self._steadier.palettes(face, own))
        return self._finisher.patch(frame, face, own, recolor)


class Ensemble:
    """A swapper for each model; every face goes to the one that draws its person."""

    def __init__(self, config: ConvertConfig, mark: Mark | None = None) -> None:
        """Load the models.

        Args:
            config: The options.
            mark: What the pixels of each face are marked with.

        Raises:
            ModelError: One is missing or damaged, or has not been trained.
        """
        self._config = config
        self._swappers = {model: Swapper(config, mark, model) for model in config.models}
        self._roles: Mapping[int, Path] = {}

    def follow(self, faces: Faces, folder: Path, roles: Mapping[int, Path]) -> None:
        """Take the faces that are swapped, the faceset they are in, and the model of each track.

        Raises:
            DependencyError: A weight file is not installed.
        """
        self._roles = roles
        landmarker = _landmarker(folder) if self._config.fit or self._config.blinks else None
        known = [face for found in faces.values() for face in found]
        for swapper in self._swappers.values():
            swapper.follow([face for face in known if self.of(face) is swapper], folder, landmarker)

    def afresh(self) -> Self:
        """The same for another thread, as `Swapper.afresh` has it."""
        twin = copy(self)
        twin._swappers = {model: swapper.afresh() for model, swapper in self._swappers.items()}
        return twin

    def of(self, face: StoredFace) -> Swapper:
        """The swapper of a face that is swapped."""
        return self._swappers[self._roles[face.face.track_id]]

    def wear(self, look: Look | None) -> None:
        """Give all faces from now on a look."""
        for swapper in self._swappers.values():
            swapper.wear(look)

    def patches(self, frames: Sequence[Frame], faces: Sequence[Sequence[StoredFace]]) -> list[list[Patch]]:
        """The patches of each frame; `faces` are those found in each. Last is the label, if there is one."""
        put: list[list[Patch]] = [[] for _ in frames]
        for swapper in self._swappers.values():
            own = [[face for face in found if self.of(face) is swapper] for found in faces]
            for patches, more in zip(put, swapper.patches(frames, own), strict=True):
                patches += more
        if label := label_of(self._config):
            for frame, patches in zip(frames, put, strict=True):
                size = frame.picture.width, frame.picture.height
                patches += [label_patch(*size, label)] if patches else []
        return put


def _landmarker(folder: Path) -> Landmarker:
    """The landmarker that a faceset was made with."""
    with Faceset.open(folder) as faceset:
        name = str(faceset.settings["landmarker"])
    landmarker: Landmarker = registry.load(registry.LANDMARKERS, name)()
    return landmarker
