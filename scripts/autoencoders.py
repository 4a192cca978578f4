"""Compare kinds of autoencoder on the faces of one faceset, and draw what each makes of them.

    python scripts/autoencoders.py FACESET -o autoencoders.png

All have a code of the same length. Undercomplete: nothing but that narrow layer. Linear: no bends; at its
best it spans the subspace of principal component analysis (Baldi and Hornik, "Neural networks and principal
component analysis", Neural Networks 2, 1989). Sparse: a loss on the code too. Denoising: shown noisy
pictures, asked for clean ones. Stacked: trained layer by layer first. Every fifth stretch of the faces is
held out and measured: the error (root mean square, grey levels of 255), the share of the code's numbers that
are active (above a tenth of the largest), and the error where the input is noisy (Gaussian, 25 levels).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap import FaceswapError
from faceswap.exporting.material import read_material
from faceswap.types import Image
from faceswap.video.images import write_image

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

KINDS = ("undercomplete", "linear", "sparse", "denoising", "stacked")
SIDE = 32  # pixels
COVERAGE = 1.25
WIDE = 256  # units of the layer between picture and code
BATCH = 32
NOISE = 25 / 255
ACTIVE = 0.1
SPARSITY = 0.001
SHOWN = 8  # faces in the picture
STRETCH = 10  # faces: neighbours in time are alike, so whole stretches are held out

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Figures:
    """What was measured of one kind.

    Attributes:
        error: Root mean square, grey levels.
        noisy: The same where the input was noisy.
        active: Share of the code's numbers, 0 to 1.
        seconds: It was trained.
    """

    error: float
    noisy: float
    active: float
    seconds: float


def main() -> int:
    """Parse, train each kind, print a table and write the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("faceset", type=Path)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("autoencoders.png"), help="picture to write"
    )
    parser.add_argument("--code", type=int, default=32, help="numbers in the code")
    parser.add_argument("--steps", type=int, default=3000, help=f"of {BATCH} faces, for each kind")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    try:
        known, held = faces_of(args.faceset)
        found, rows = {}, [held]
        print(f"{len(known)} faces to learn from, {len(held)} held out, code of {args.code}")
        print(f"{'':14}{'error':>8}{'noisy':>8}{'active':>8}{'seconds':>9}")
        for kind in KINDS:
            encoder, decoder, seconds = learn(kind, known, args.code, args.steps, args.seed)
            found[kind], made = measure(encoder, decoder, held, seconds)
            rows.append(made)
            one = found[kind]
            print(f"{kind:14}{one.error:8.2f}{one.noisy:8.2f}{one.active:8.0%}{one.seconds:9.0f}")
        best = principal(known, held, args.code)
        print(f"{'(PCA)':14}{best:8.2f}")
        write_image(args.output, picture(rows, ["original", *KINDS]))
    except FaceswapError as error:
        print(f"autoencoders: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def faces_of(folder: Path) -> tuple[Floats, Floats]:
    """Faces as rows of float32, 0 to 1: those to learn from, and those held out."""
    faces = read_material(folder, SIDE, COVERAGE).faces
    rows = faces.reshape(len(faces), -1).astype(np.float32) / np.float32(255)
    out = np.arange(len(rows)) // STRETCH % 5 == 4
    return (rows[~out], rows[out]) if out.any() else (rows[:-1], rows[-1:])


def learn(kind: str, faces: Floats, length: int, steps: int, seed: int) -> tuple[Any, Any, float]:
    """Train an autoencoder; returns encoder, decoder and the seconds it took."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    started = time.monotonic()
    bend = None if kind == "linear" else "relu"
    mean = faces.mean(0)
    into = [keras.layers.Dense(WIDE, bend), keras.layers.Dense(length)]
    out = [keras.layers.Dense(WIDE, bend), keras.layers.Dense(faces.shape[1])]
    if kind == "linear":
        into, out = into[1:], out[1:]
    encoder, decoder = keras.Sequential([keras.Input((faces.shape[1],)), *into]), keras.Sequential(out)
    decoder(encoder(faces[:1]))
    draw = np.random.default_rng(seed)

    def fit(come: list[Any], go: list[Any], rows: Floats, count: int, rate: float) -> None:
        """Train layers to give rows back."""
        weights = [one for layer in (*come, *go) for one in layer.trainable_variables]
        optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, count, 0.01))
        optimizer.build(weights)

        @tf.function
        def step(shown: Any, wanted: Any) -> None:
            with tf.GradientTape() as tape:
                code = shown
                for layer in come:
                    code = layer(code)
                made = code
                for layer in go:
                    made = layer(made)
                loss = tf.reduce_mean(tf.square(made - wanted))
                if kind == "sparse":
                    size = tf.sqrt(tf.reduce_mean(tf.square(code), 1, keepdims=True) + 1e-6)
                    loss += SPARSITY * tf.reduce_mean(tf.abs(code) / size)
            optimizer.apply(tape.gradient(loss, weights), weights)

        for _ in range(count):
            wanted = rows[draw.integers(0, len(rows), BATCH)]
            noise = draw.normal(0, NOISE, wanted.shape) if kind == "denoising" else 0
            step((wanted + noise).astype(np.float32), wanted)

    centred = faces - mean
    if kind == "stacked":
        fit(into[:1], out[1:], centred, steps // 4, 1e-3)
        fit(into[1:], out[:1], np.asarray(into[0](centred)), steps // 4, 1e-3)
        fit(into, out, centred, steps - 2 * (steps // 4), 1e-3)
    else:
        fit(into, out, centred, steps, 3e-3 if kind == "linear" else 1e-3)
    seconds = time.monotonic() - started
    return (
        lambda rows: np.asarray(encoder(rows - mean)),
        lambda code: np.asarray(decoder(code)) + mean,
        seconds,
    )


def measure(encoder: Any, decoder: Any, held: Floats, seconds: float) -> tuple[Figures, Floats]:
    """The figures of one kind, and what it makes of the held-out faces."""
    code = encoder(held)
    made = decoder(code)
    noise = np.random.default_rng(1).normal(0, NOISE, held.shape).astype(np.float32)
    active = np.abs(code) > ACTIVE * np.abs(code).max(1, keepdims=True)
    noisy = error_of(decoder(encoder(held + noise)), held)
    return Figures(error_of(made, held), noisy, float(active.mean()), seconds), made


def error_of(made: Floats, wanted: Floats) -> float:
    """Root mean square of the difference, grey levels of 255."""
    return float(255 * np.sqrt(np.mean(np.square(made - wanted))))


def principal(known: Floats, held: Floats, length: int) -> float:
    """The error of principal component analysis with as many components."""
    mean = known.mean(0)
    axes = np.linalg.svd(known - mean, full_matrices=False)[2][:length]
    return error_of((held - mean) @ axes.T @ axes + mean, held)


def picture(rows: list[Floats], names: list[str]) -> Image:
    """A row a kind, enlarged, with its name."""
    places = np.linspace(0, len(rows[0]) - 1, SHOWN).astype(int)
    strips = []
    for row, name in zip(rows, names, strict=True):
        faces = np.clip(np.rint(row[places] * 255), 0, 255).astype(np.uint8).reshape(-1, SIDE, SIDE, 3)
        large = [cv2.resize(face, (96, 96), interpolation=cv2.INTER_CUBIC) for face in faces]
        label = np.full((96, 130, 3), 255, np.uint8)
        cv2.putText(label, name, (6, 52), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        strips.append(np.hstack([label, *large]))
    return np.asarray(np.vstack(strips), np.uint8)


if __name__ == "__main__":
    sys.exit(main())
