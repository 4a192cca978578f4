"""How fast a network is trained here, and how good the swap of held-out faces is after how many minutes.

The speed is that of the steps after the first row of the CSV: before that, TensorFlow builds its graph. The
peak is that of the best of a few 3x3 convolutions, forward, counting as the training does, measured in the
same run; a training step counts three times the operations of the network forward. Each training runs in a
process of its own, for its memory. Quality is that of the program's own exam of the 5% of the faces that are
held out, but for 1 - SSIM, which is measured here at `SIDE` pixels for all networks, so that a small one has
no easier task.
"""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from faceswap import ExtractConfig, extract
from faceswap.faces.faceset import INDEX

SIDE = 128  # pixels at which all networks are compared
SPEED_MINUTES = 2.0  # of training, for the speed alone
LARGE_STEP = 32  # faces of each person in a large step: more a second than in the usual ones, and fewer steps
LARGE = f"swift {LARGE_STEP}+{LARGE_STEP}"
SPEEDS: dict[str, dict[str, Any]] = {  # what is trained for the speed alone
    "swift": {},
    LARGE: {"batch_size": LARGE_STEP},
    "swift in float32": {"precision": "float32"},
    f"{LARGE} in float32": {"batch_size": LARGE_STEP, "precision": "float32"},
}
QUALITIES: dict[str, dict[str, Any]] = {"swift": {}, "original": {"network": "original"}}
SHAPES = ((64, 64, 64), (32, 96, 96), (16, 192, 192), (48, 64, 64))  # side, channels in and out
BATCH = 16
SECONDS = 1.0  # that each of them is run
CHILD = """
import json, resource, sys
from faceswap import TrainConfig, train
a, b, model, minutes, options = sys.argv[1:]
options = json.loads(options) | {"minutes": float(minutes)}
result = train(TrainConfig(faceset_a=a, faceset_b=b, model=model, **options))
print(json.dumps({"waiting": result.waiting, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""
Figures = dict[str, dict[str, float]]


def measure(clips: tuple[Path, Path], folder: Path, minutes: float, picture: Path | None) -> Figures:
    """Speed of `swift`, or quality of it and of `original`, if `minutes` is given.

    Args:
        clips: A's and B's.
        folder: Where facesets and models are kept.
        minutes: How long each network is trained; 0 for the speed alone, as `SPEEDS` has it.
        picture: Where quality over minutes is drawn.
    """
    facesets = tuple(_faceset(clip, folder / side) for clip, side in zip(clips, "ab", strict=True))
    trainings = QUALITIES if minutes else SPEEDS
    peaks = {name: conv_peak(name) for name in ("float32", "bfloat16")}
    figures: Figures = {"conv3x3 peak": {f"GFLOP/s in {name}": peak / 1e9 for name, peak in peaks.items()}}
    curves = {}
    for name, options in trainings.items():
        model = folder / f"{name.replace(' ', '-')}-{minutes or SPEED_MINUTES:g}"
        figures[name] = _trained(facesets, model, minutes or SPEED_MINUTES, options, peaks)
        curves[name] = _rows(model)
        if minutes:
            figures[name] |= _quality(facesets, model, curves[name])
    if minutes:
        ours, theirs = (figures[name]["1 - SSIM of B rebuilt"] for name in trainings)
        figures["swift against original"] = {"1 - SSIM, ratio (0.5 or less is wanted)": ours / theirs}
        figures |= _table(curves)
        if picture:
            _draw(curves, picture)
    return figures


def conv_peak(counted_in: str) -> float:
    """The most floating point operations a second that a 3x3 convolution of this type does here, forward."""
    import faceswap.networks  # noqa: F401  first, for it loads TensorFlow quietly

    import tensorflow as tf  # isort: skip

    best = 0.0
    for side, before, after in SHAPES:
        picture, kernel = (
            tf.cast(tf.random.normal(shape), counted_in)
            for shape in ((BATCH, side, side, before), (3, 3, before, after))
        )
        run = tf.function(lambda x, k: tf.reduce_sum(tf.nn.conv2d(x, k, 1, "SAME")))
        run(picture, kernel)
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            run(picture, kernel).numpy()
            count += 1
        operations = 2 * 9 * BATCH * side * side * before * after * count
        best = max(best, operations / (time.perf_counter() - began))
    return best


def operations(network: Any) -> int:
    """Floating point operations of one face's way forward, in convolutions and dense layers."""
    import keras

    total = 0
    for part in (network.encoder, network.decoder_a):
        for layer in part._flatten_layers():
            if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
                places = math.prod(layer.output.shape[1:-1])
                total += 2 * places * math.prod(layer.kernel.shape)
    return total


def _faceset(clip: Path, folder: Path) -> Path:
    if not (folder / INDEX).exists():
        extract(ExtractConfig(sources=(clip,), output=folder))
    return folder


def _trained(
    facesets: tuple[Path, ...],
    model: Path,
    minutes: float,
    options: dict[str, Any],
    peaks: dict[str, float],
) -> dict[str, float]:
    """Train in a process of its own; speed, share of the peak, waiting, memory."""
    from faceswap.networks import model_folder

    arguments = [*map(str, facesets), str(model), str(minutes), json.dumps(options)]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    told = json.loads(done.stdout.splitlines()[-1])
    state = json.loads((max((model / "checkpoints").glob("[0-9]*")) / "state.json").read_text())
    rows = _rows(model)
    first, last = rows[0], rows[-1]
    steps = int(last["iterations"]) - int(first["iterations"])
    seconds = float(last["seconds"]) - float(first["seconds"])
    speed = steps * 2 * state["batch_size"] / seconds if seconds else 0.0
    forward = operations(model_folder.build(model_folder.read_config(model)))
    return {
        "faces/s": speed,
        "GFLOP a face forward": forward / 1e9,
        "share of the conv3x3 peak": 3 * forward * speed / peaks[state["about"]["counted_in"]],
        "share of the time waiting for faces": told["waiting"],
        "peak memory, MB": told["memory"] / 1024,
        "iterations": int(last["iterations"]),
    }


def _quality(facesets: tuple[Path, ...], model: Path, rows: list[dict[str, str]]) -> dict[str, float]:
    """What the last exam said, and 1 - SSIM at the common size."""
    exams = [row for row in rows if row["distance"]]
    names = ("distance", "nearer", "landmarks", "mouth", "sharpness")
    return {
        "1 - SSIM of A rebuilt": _dissimilarity(facesets[0], model, "a"),
        "1 - SSIM of B rebuilt": _dissimilarity(facesets[1], model, "b"),
        **{f"held out, {name}": float(exams[-1][name]) for name in names if exams},
    }


def _dissimilarity(folder: Path, model: Path, side: str) -> float:
    """1 - SSIM inside the mask of the held-out faces, rebuilt."""
    from faceswap.coaching.people import album_of, read_person
    from faceswap.networks import checkpoint, model_folder
    from faceswap.progress import quiet
    from faceswap.quality.fidelity import grey_of, ssim

    config = model_folder.read_config(model)
    network = model_folder.build(config)
    checkpoint.load(model, network)
    large = model_folder.ModelConfig(config.network, SIDE, config.coverage)
    person = read_person(folder, large)
    album = album_of(person, quiet)
    edge = (person.side - SIDE) // 2
    held = slice(album.held.start, album.held.stop)
    wanted = album.middles(SIDE)[held]
    masks = album.masks[held, edge : edge + SIDE, edge : edge + SIDE] > 127
    small = [cv2.resize(face, (config.size,) * 2, interpolation=cv2.INTER_AREA) for face in wanted]
    found = []
    for made, real, mask in zip(network.predictor(side)(np.stack(small)), wanted, masks, strict=True):
        shown = cv2.resize(np.ascontiguousarray(made[..., :3]), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        found.append(ssim(grey_of(np.ascontiguousarray(real)), grey_of(shown), mask) or 0.0)
    return 1 - float(np.mean(found))


def _rows(model: Path) -> list[dict[str, str]]:
    with (model / "losses.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _table(curves: dict[str, list[dict[str, str]]]) -> Figures:
    """What the held-out faces showed, by minutes."""
    names = ("distance", "nearer", "landmarks", "mouth", "sharpness", "rebuilt_b")
    return {
        f"{network} after {float(row['seconds']) / 60:.1f} min": {name: float(row[name]) for name in names}
        for network, rows in curves.items()
        for row in rows
        if row["distance"]
    }


def _draw(curves: dict[str, list[dict[str, str]]], path: Path) -> None:
    """Distance to B, mouth and SSIM of both networks over the minutes."""
    figure = Figure(figsize=(12, 4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    titles = {"distance": "distance to B", "mouth": "error of the mouth", "rebuilt_b": "SSIM of B rebuilt"}
    for axes, (name, title) in zip(figure.subplots(1, 3), titles.items(), strict=True):
        for network, rows in curves.items():
            points = [(float(row["seconds"]) / 60, float(row[name])) for row in rows if row[name]]
            axes.plot(*zip(*points, strict=True) if points else ([], []), ".-", label=network)
        axes.set(title=title, xlabel="minutes trained")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path)
