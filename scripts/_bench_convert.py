"""Conversion against its longest part: reading and writing alone, and the network alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from _bench_extract import back_and_forth, images, on_canvas, write

from faceswap import ExtractConfig, TrainConfig, extract, train

PRESET = "veryfast"
ROUNDS = 3
STEPS = 20  # of training: how well the network swaps hardly changes how fast it is
PHONE = 8_000_000  # bits a second: what telephones write for 1080p in HEVC

# Each part in a process of its own, begun when its libraries and its model are loaded, so that neither its
# memory nor its time is another's.
_COMMON = """
import json, os, sys, time
from contextlib import closing
from functools import partial
from pathlib import Path
from faceswap.video.source import open_source, segments
clip, faceset, model, output, preset = sys.argv[1:]
def tell(seconds):
    # not getrusage, which starts from what the parent had
    peak = [row.split()[1] for row in open('/proc/self/status') if row.startswith('VmHWM')][0]
    print(json.dumps([seconds, int(peak) * 1024 / 1e6]))
"""
_CODEC = """
from faceswap.progress import quiet
from faceswap.threads import ahead, side_by_side
from faceswap.video.encoders import Encoding
from faceswap.video.kinds import open_output
parts = Path(output + '.parts'); parts.mkdir()
with open_source(Path(clip)) as source:
    target = open_output(source, Path(output), parts, Encoding(preset=preset))
    begun = time.perf_counter()
    def job(segment):
        with closing(ahead(source.frames(segment.start, segment.stop), 4)) as frames:
            yield from target.write(segment, ((frame, ()) for frame in frames))
    with closing(side_by_side([partial(job, s) for s in segments(source)], os.cpu_count())) as done:
        for _ in done:
            pass
    target.finish({}, lambda made, path, source: made.replace(path), quiet)
    tell(time.perf_counter() - begun)
"""
_DECODE = """
with open_source(Path(clip)) as source:
    begun = time.perf_counter()
    for _ in source.frames(0, source.count):
        pass
    tell(time.perf_counter() - begun)
"""
_NETWORK = """
import numpy as np
from faceswap.conversion import BATCH
from faceswap.models import open_model
opened = open_model(Path(model), 'b')
swap, shape = opened.swap, (BATCH, opened.size, opened.size, 3)
faces = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
swap(faces)
begun = time.perf_counter()
for _ in range({length} // BATCH):
    swap(faces)
tell(time.perf_counter() - begun)
"""
_LOADING = """
begun = time.perf_counter()
import faceswap.networks
tell(time.perf_counter() - begun)
"""
_WHOLE = """
import faceswap.networks
from faceswap import ConvertConfig, convert
done = convert(ConvertConfig(source=clip, faceset=faceset, model=model, output=output, preset=preset))
assert done.swapped == done.frames, done
tell(done.seconds)
"""
# Of a conversion that finds the faces itself, so that all of the guard's work is in it.
_SHARES = """
from faceswap import ConvertConfig, convert
from faceswap.provenance.guard import Guard
from faceswap.provenance.watermark import Mark
spent = {'guard': [], 'mark': []}
def timed(name, call):
    def measured(*given):
        begun = time.thread_time()
        try:
            return call(*given)
        finally:
            spent[name].append(time.thread_time() - begun)
    return measured
Guard.__init__, Guard.score = timed('guard', Guard.__init__), timed('guard', Guard.score)
Mark.apply = timed('mark', Mark.apply)
begun = time.process_time()
convert(ConvertConfig(source=clip, model=model, output=output, preset=preset))
whole = time.process_time() - begun
print(json.dumps([sum(spent['guard']) / whole, sum(spent['mark']) / whole]))
"""


def measure(clip: Path, folder: Path, network: str, length: int) -> dict[str, dict[str, float]]:
    """Conversion of the clip as it is and on a large canvas."""
    first = next(images(clip))
    small = write(folder / "small.mp4", back_and_forth(clip, length), "libx264")
    large = write(folder / "large.mp4", map(on_canvas, back_and_forth(clip, length)), "libx265", PHONE)
    model = folder / "model"
    for name in (small, large):
        extract(ExtractConfig(sources=name, output=name.with_suffix("")))
    faceset = small.with_suffix("")
    train(TrainConfig(faceset_a=faceset, faceset_b=faceset, model=model, network=network, iterations=STEPS))
    return {
        f"{first.shape[1]}x{first.shape[0]} H.264": compare(small, model, folder, length),
        "1080x1920 HEVC": compare(large, model, folder, length),
    }


def compare(clip: Path, model: Path, folder: Path, length: int) -> dict[str, float]:
    """Frames a second of the whole and of its parts: the fastest of some rounds, taken in turn.

    The machine is now faster and now slower, so the whole is compared with the parts of its own round, and of
    the rounds' answers the median is taken.
    """
    decoded, _ = run(_DECODE, clip, model, clip)
    rounds, ratios = [], []
    for number in range(ROUNDS):
        output = folder / f"{clip.stem}{number}.mp4"
        codec, _ = run(_CODEC, clip, model, output.with_stem(f"{output.stem}_codec"))
        alone, _ = run(_NETWORK.replace("{length}", str(length)), clip, model, output)
        whole, memory = run(_WHOLE, clip, model, output)
        rounds.append((length / codec, length / alone, length / whole, memory))
        ratios.append(whole / max(codec, alone))
        output.unlink()
    loading, _ = run(_LOADING, clip, model, clip)
    guard, mark = run(_SHARES, clip, model, clip.with_stem(f"{clip.stem}_shares"))
    codec, alone, rate, memory = np.max(rounds, axis=0).tolist()
    return {
        "frames": length,
        "decode alone, frames/s": length / decoded,
        "decode and encode alone, frames/s": codec,
        "network alone, faces/s": alone,
        "convert, frames/s": rate,
        "time against the longest part": float(np.median(ratios)),
        "loading TensorFlow before, s": loading,
        "peak memory, MB": memory,
        "content guard, % of processor time": 100 * guard,
        "pixel mark, % of processor time": 100 * mark,
    }


def run(code: str, clip: Path, model: Path, output: Path) -> tuple[float, float]:
    """The two figures that a piece of work prints: mostly its seconds, and its peak memory in MB."""
    arguments = [str(clip), str(clip.with_suffix("")), str(model), str(output), PRESET]
    command = [sys.executable, "-c", _COMMON + code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, second = json.loads(done.stdout.splitlines()[-1])
    return first, second
