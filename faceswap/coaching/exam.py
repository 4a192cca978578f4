"""What the faces that were held out say of a training: A's, swapped and looked at as a viewer would.

How well a network rebuilds a face misleads: with the warp off it rises while the swap gets worse. So what
counts is the swap: whom it is taken for, and whether it does what A's face does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.coaching.people import Person
from faceswap.faces.landmarkers.dlib68 import Dlib68
from faceswap.faces.template import DETECTED
from faceswap.faces.traits import between_eyes, mouth_opening
from faceswap.networks.feed import Album
from faceswap.networks.model_folder import ModelConfig
from faceswap.quality import identity
from faceswap.quality.fidelity import grey_of, ssim
from faceswap.recognizer import Recognizer
from faceswap.types import Box, Image, Pixels, Points

FACES = 16  # of A that are looked at each time: a fifth of a second on two cores
REBUILT = 8  # of each side whose rebuilding is looked at
KNOWN = 24  # faces that stand for a person
SEEN = 256  # pixels: side of the picture in which landmarks are sought
FEATHER = 0.06  # of the picture's side: how softly the swap is put into A's picture
LEAK = 0.5  # what it costs if all are nearer to A than to B, in distances of the identity network
BLUR = 0.5  # what it costs if there is no detail
FEATURES = np.r_[17:68]  # of the 68 landmarks: without the jaw, which is B's and not A's

Draw = Callable[[Image], Image]


@dataclass(frozen=True)
class Scores:
    """What was seen in faces that were not trained on.

    Attributes:
        distance: Of A's swapped faces to B in the identity network, the mean; two pictures of one person are
            within 0.6.
        nearer: Share of them that is nearer to B than to A, 0 to 1.
        landmarks: How far brows, eyes, nose and lips are from where A's are, in distances between the eyes.
        mouth: How far the mouth is more or less open than A's, in the same unit.
        sharpness: How much fine detail the swapped faces have, as a share of what A's have.
        rebuilt_a: SSIM of A's faces rebuilt, inside the mask.
        rebuilt_b: The same of B's.
    """

    distance: float
    nearer: float
    landmarks: float
    mouth: float
    sharpness: float
    rebuilt_a: float
    rebuilt_b: float

    @property
    def error(self) -> float:
        """All that counts of the swap in one figure, 0 being the best: identity and expression together.

        The expression counts twice, which gives both as much to say over a training; rebuilding nothing.
        Sharpness is in it because the mean of all faces, a blur, has B's features about where A's are.
        """
        leaked, blurred = 1 - self.nearer, 1 - min(self.sharpness, 1)
        return self.distance + 2 * (self.landmarks + self.mouth) + LEAK * leaked + BLUR * blurred

    def row(self) -> dict[str, float]:
        """The figures by name, rounded, `error` among them."""
        return {name: round(value, 4) for name, value in {**asdict(self), "error": self.error}.items()}

    def __str__(self) -> str:
        """The most important ones, in a few words."""
        return f"held out: B {self.distance:.2f}, {self.nearer:.0%} nearer, mouth {self.mouth:.3f}"


class Exam:
    """The same faces each time, and the networks that look at them."""

    def __init__(
        self, model: ModelConfig, people: tuple[Person, Person], albums: tuple[Album, Album]
    ) -> None:
        """Choose the faces, and look at them as they are.

        Args:
            model: What is trained.
            people: A and B.
            albums: Their faces.

        Raises:
            DependencyError: Weights are not installed.
        """
        self._size, self._albums = model.size, albums
        extent = SEEN * model.size / people[0].side / model.coverage  # pixels
        self._box = Box(*(np.array(DETECTED) * extent + (SEEN - 1) / 2).tolist())
        self._recognizer, self._landmarker = _eyes()
        self._chosen = tuple(chosen(album, FACES) for album in albums)
        a = self._chosen[0]
        self._chips = [people[0].points(index) for index in a]
        self._pictures = [np.asarray(albums[0].images[index]) for index in a]
        self._soft = [_soft(albums[0].masks[index], model.size) for index in a]
        self._landmarks = [self._locate(picture) for picture in self._pictures]
        self._who = [self._mean(person, album) for person, album in zip(people, albums, strict=True)]

    def mark(self, draw_a: Draw, draw_b: Draw) -> Scores:
        """Score a network.

        Args:
            draw_a: Its path to A, from uint8 (N, size, size, 3) to uint8 (N, size, size, 4).
            draw_b: Its path to B.
        """
        drawn = self._drawn(draw_b, 0)
        swapped = [self._put(*parts) for parts in zip(self._pictures, self._soft, drawn, strict=True)]
        chips = [self._recognizer.chip(Pixels(p), at) for p, at in zip(swapped, self._chips, strict=True)]
        described = self._recognizer.describe(chips)
        to_a, to_b = (identity.distances(described, who) for who in self._who)
        found = [self._locate(picture) for picture in swapped]
        pairs = list(zip(self._landmarks, found, strict=True))
        return Scores(
            distance=float(to_b.mean()),
            nearer=float((to_b < to_a).mean()),
            landmarks=float(np.mean([apart(old, new) for old, new in pairs])),
            mouth=float(np.mean([abs(mouth_opening(old) - mouth_opening(new)) for old, new in pairs])),
            sharpness=self._sharpness(drawn),
            rebuilt_a=self._rebuilt(draw_a, 0),
            rebuilt_b=self._rebuilt(draw_b, 1),
        )

    def _drawn(self, draw: Draw, side: int, count: int = FACES) -> Image:
        """What a path makes of the chosen faces of a side: uint8 (n, size, size, 4)."""
        middles = self._albums[side].middles(self._size)
        return draw(np.ascontiguousarray(middles[self._chosen[side][:count]]))

    def _put(self, picture: Image, soft: NDArray[np.float32], drawn: Image) -> Image:
        """A's picture with the swap in it."""
        edge = (picture.shape[0] - self._size) // 2
        inner = slice(edge, edge + self._size)
        mixed = picture.copy()
        mixed[inner, inner] = np.rint(soft * drawn[..., :3] + (1 - soft) * picture[inner, inner])
        return mixed

    def _locate(self, picture: Image) -> Points:
        """The 68 points of the face in the middle of an album's picture, in pixels of `SEEN`."""
        scaled = cv2.resize(picture, (SEEN, SEEN), interpolation=cv2.INTER_CUBIC)
        return self._landmarker.locate(Pixels(np.asarray(scaled)), self._box)

    def _mean(self, person: Person, album: Album) -> NDArray[np.float32]:
        """A person's mean descriptor, from pictures as small as those that are swapped."""
        places = [album.place(number) for number in identity.spread(album.taught, KNOWN)]
        chips = [self._recognizer.chip(Pixels(album.images[i]), person.points(i)) for i in places]
        return np.asarray(self._recognizer.describe(chips).mean(0))

    def _sharpness(self, drawn: Image) -> float:
        """The fine detail of drawn faces against that of A's own, each the deviation of the Laplacian."""
        edge = (self._pictures[0].shape[0] - self._size) // 2
        inner, found = slice(edge, edge + self._size), []
        for made, picture, soft in zip(drawn, self._pictures, self._soft, strict=True):
            greys = [grey_of(np.ascontiguousarray(x[..., :3])) for x in (made, picture[inner, inner])]
            where = soft[..., 0] > 0.99
            if where.any():
                new, old = (float(cv2.Laplacian(grey, cv2.CV_32F)[where].std()) for grey in greys)
                found.append(new / max(old, 1e-6))
        return float(np.mean(found)) if found else 0.0

    def _rebuilt(self, draw: Draw, side: int) -> float:
        """The mean SSIM of rebuilt faces inside the mask."""
        drawn, album = self._drawn(draw, side, REBUILT), self._albums[side]
        edge = (album.images.shape[1] - self._size) // 2
        inner, found = slice(edge, edge + self._size), []
        for made, index in zip(drawn, self._chosen[side][:REBUILT], strict=True):
            real, copy = np.asarray(album.images[index][inner, inner]), np.ascontiguousarray(made[..., :3])
            value = ssim(grey_of(real), grey_of(copy), album.masks[index][inner, inner] > 127)
            found += [] if value is None else [value]
        return float(np.mean(found)) if found else 0.0


def chosen(album: Album, count: int) -> list[int]:
    """Held-out faces of an album, at most `count`, evenly; where none are held out, faces trained on."""
    there = album.held or range(len(album.images))
    return [there[place] for place in identity.spread(len(there), count)]


def apart(first: Points, second: Points) -> float:
    """The mean distance of the features' points, in distances between the eyes of the first."""
    away = np.linalg.norm((first - second)[FEATURES], axis=1).mean()
    return float(away / between_eyes(first))


def _soft(mask: Image, size: int) -> NDArray[np.float32]:
    """The middle of a mask, softened inwards: float32 (size, size, 1), 0 to 1."""
    edge, reach = (mask.shape[0] - size) // 2, max(round(FEATHER * size), 1)
    inner = np.ascontiguousarray(mask[edge : edge + size, edge : edge + size])
    inner[[0, -1]] = inner[:, [0, -1]] = 0
    eroded = cv2.erode(inner, np.ones((reach, reach), np.uint8))
    return np.asarray(cv2.blur(eroded.astype(np.float32) / 255, (reach, reach)), np.float32)[..., None]


@cache
def _eyes() -> tuple[Recognizer, Dlib68]:
    """The networks that look; they are the same for every training of a process, and take seconds to load."""
    return Recognizer(), Dlib68()
