"""How a face that the network drew becomes a patch of its frame: colour, mask, texture, blend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from faceswap import registry
from faceswap.blending.color import Recolor, toned
from faceswap.blending.detail import Detail
from faceswap.blending.fading import confidence
from faceswap.blending.grain import Grain
from faceswap.blending.look import Look
from faceswap.blending.mask import Shape, combined, soften
from faceswap.blending.palette import Palette, palette
from faceswap.blending.paste import Blend, enlarge, paste
from faceswap.blending.skin import bare_skin
from faceswap.faces.alignment import moved, resized, transform
from faceswap.faces.index import StoredFace
from faceswap.laying import seen, shifted
from faceswap.options import ConvertOptions
from faceswap.provenance.watermark import Mark
from faceswap.types import WHOLE, Alignment, Floats, Frame, Image, Part, Patch, without_mask
from faceswap.warping import scale_of

CANVAS = 256  # pixels: side of the crop in which a face is finished
ROUGH = 128  # pixels: side of the crop in which its mask is shaped
MARGIN = 8  # pixels of it that are drawn around what is seen
EVEN = 4  # of which they begin and end at a multiple


@dataclass(frozen=True)
class Drawn:
    """A face and what the network made of it.

    Attributes:
        picture: Draws a part of the other person's face: BGR float32 (CANVAS, CANVAS, 3), about 0 to 1, of
            which it is the part.
        reach: uint8 (size, size), with the network's pixels: how far it reaches.
        alignment: How `reach` lies in its frame.
        have: The colours of the network's picture.
        want: The colours of the original.
    """

    picture: Callable[[Part], Floats]
    reach: Image
    alignment: Alignment
    have: Palette
    want: Palette


def colors_of(
    face: StoredFace, alignment: Alignment, original: Image, made: Image
) -> tuple[Palette, Palette]:
    """The colours of a swapped face and of the original, where both have a face.

    Args:
        face: Where it was found.
        alignment: How `made` lies in its frame.
        original: BGR uint8 (size, size, 3), the same part of the frame.
        made: uint8 (size, size, 4), as `Autoencoder.predictor` gives it.
    """
    where = np.minimum(made[..., 3], moved(face.mask, face.alignment, alignment))
    return palette(without_mask(made), where), palette(original, where)


def trust(face: StoredFace, config: ConvertOptions) -> float:
    """How much of the swap shows on a face, 0 to 1, by how far it is turned away."""
    yaw, pitch, _ = face.pose
    return confidence(yaw, pitch, config.fade_from)


class Finisher:
    """Puts drawn faces into frames, by the options of the conversion.

    Attributes:
        look: What all faces look like beyond that; None: nothing more.
    """

    def __init__(self, config: ConvertOptions, coverage: float, mark: Mark | None = None) -> None:
        """Load what the options name.

        Args:
            config: The options.
            coverage: What the network was trained with, see `Alignment`.
            mark: What the pixels of each face are marked with.
        """
        self._config, self._coverage, self._mark = config, coverage, mark
        self._color = registry.load(registry.COLORS, config.color)
        self._blend: Blend = registry.load(registry.BLENDS, config.blend)
        self._detail = Detail(config.sharpen, config.match_detail)
        self._extent = ROUGH / coverage
        sides = (config.erode_top, config.erode_bottom, config.erode_left, config.erode_right)
        self._shape = Shape(config.erode, *sides, config.feather).scaled(self._extent)
        self.look: Look | None = None

    def recolor(self, have: Palette, want: Palette) -> Recolor | None:
        """The colour transfer between two palettes; None where they say too little."""
        return None if have.empty or want.empty else toned(want, self._color(have, want))

    def patch(self, frame: Frame, face: StoredFace, own: Drawn, recolor: Recolor | None) -> Patch | None:
        """Blend a face into its frame, as far as both people's faces reach.

        Args:
            frame: The frame.
            face: Where the face is in it.
            own: What was drawn.
            recolor: Its colour transfer.

        Returns:
            None where nothing of it shows.
        """
        shown = self._config.opacity * trust(face, self._config)
        if shown <= 0:
            return None
        alignment = resized(own.alignment, CANVAS)
        opacity = self._opacity(face, own) * np.float32(shown)
        part = _around(opacity)
        if part is None:
            return None
        opacity = opacity[part]
        if self.look:
            swapped = self.look.apply(self.portrait(own.picture(WHOLE), recolor))[part]
        else:
            swapped = self.portrait(own.picture(part), recolor)
        where = (opacity > shown / 2).astype(np.uint8)
        pitch, scale = CANVAS / own.reach.shape[0], 1 / scale_of(alignment.matrix)
        original = frame.picture.warp_grey(alignment.matrix, CANVAS)[part]
        swapped = self._detail.apply(swapped, original, where, pitch, scale)
        if self._mark:
            coverage = self._coverage * self._config.face_scale
            swapped = self._mark.apply(swapped, coverage, frame.seconds, part, CANVAS)
        back = cv2.invertAffineTransform(_scaled(alignment, self._config.face_scale).matrix)
        back = shifted(back, *(back[:, :2] @ [part[1].start, part[0].start]).tolist())
        finish = self._grain(face, alignment, part, shown, frame.index)
        return paste(frame.picture, Patch(swapped, opacity, back, finish), self._blend)

    def _opacity(self, face: StoredFace, own: Drawn) -> Floats:
        """How much of a face shows by the mask, float32 (CANVAS, CANVAS), 0 to 1."""
        alignment = resized(own.alignment, ROUGH)
        faceset = moved(face.mask, face.alignment, alignment)
        mask = combined(faceset, enlarge(own.reach, ROUGH), self._config.mask)
        rough = soften(mask, self._shape)
        return np.asarray(cv2.resize(rough, (CANVAS, CANVAS), interpolation=cv2.INTER_LINEAR), np.float32)

    def portrait(self, picture: Floats, recolor: Recolor | None) -> Image:
        """A drawn face in the frame's colours, BGR uint8, before it gets a look."""
        colors = np.clip(picture, 0, 1)
        return np.asarray(
            cv2.convertScaleAbs(np.maximum(recolor(colors) if recolor else colors, 0), alpha=255)
        )

    def _grain(
        self, face: StoredFace, alignment: Alignment, part: Part, shown: float, seed: int
    ) -> Grain | None:
        """What gives a face the grain of the frame it lies in."""
        if not self._config.match_grain:
            return None
        skin = bare_skin(transform(face.face.landmarks, alignment.matrix), CANVAS)
        return Grain(self._config.match_grain, skin[part], shown, seed)


def _around(opacity: Floats) -> Part | None:
    """The part of a crop in which something is seen, and so much around it that its edges are not."""
    x, y, width, height = seen(opacity)
    if not width:
        return None
    (top, bottom), (left, right) = (
        (max(low - MARGIN, 0) // EVEN * EVEN, min(-(-(low + side + MARGIN) // EVEN) * EVEN, CANVAS))
        for low, side in ((y, height), (x, width))
    )
    return slice(top, bottom), slice(left, right)


def _scaled(alignment: Alignment, factor: float) -> Alignment:
    """The crop laid over `factor` times as wide a part of the frame, about its middle."""
    if factor == 1:
        return alignment
    middle = (alignment.size - 1) / 2
    about = np.array([[1 / factor, 0, middle - middle / factor], [0, 1 / factor, middle - middle / factor]])
    return Alignment(
        about[:, :2] @ alignment.matrix + np.pad(about[:, 2:], ((0, 0), (2, 0))),
        alignment.size,
        alignment.coverage,
    )
