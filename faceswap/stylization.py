"""Neural style transfer and dreaming: a picture in, a painted or dreamt one out."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import faceswap
from faceswap import registry
from faceswap.canvas import Canvas, Floats, fitted, to_floats
from faceswap.errors import OutputError
from faceswap.marking import warn_beside, warn_unmarked
from faceswap.options import StylizeConfig
from faceswap.progress import Progress, quiet
from faceswap.provenance.certificates import credentials
from faceswap.provenance.formats import beside
from faceswap.provenance.signing import Provenance, mark_file
from faceswap.types import Image
from faceswap.video.atomic import check_output
from faceswap.video.images import FORMATS, read_image, write_image

SMALLEST = 192  # pixels: the longer side is halved as long as it stays above
SKETCHED = 0.3  # of the steps, where it begins with noise
EASE = 0.1  # share of style's weight in these
FALLING = 1.5  # each size gets so many times the steps of the next larger one


@dataclass(frozen=True)
class StylizeResult:
    """What was painted.

    Attributes:
        output: The picture.
        steps: Taken in this run.
        before: Losses at the beginning of the largest size reached, by name.
        after: The same at the end.
        seconds: Wall-clock time.
        interrupted: Stopped by Ctrl-C; the output is the best picture up to then.
        snapshots: Pictures of the way.
    """

    output: Path
    steps: int
    before: dict[str, float]
    after: dict[str, float]
    seconds: float
    interrupted: bool
    snapshots: tuple[Path, ...] = ()

    def __str__(self) -> str:
        """A few lines for people."""
        losses = ", ".join(
            f"{name} {self.before[name]:.3g} to {value:.3g}" for name, value in self.after.items()
        )
        text = f"{self.steps} steps: {self.output} ({self.seconds:.1f} s)\n{losses}"
        return text + ("\nstopped: this is the best so far" if self.interrupted else "")


def stylize(config: StylizeConfig, progress: Progress = quiet) -> StylizeResult:
    """Paint a picture in the style of another, or dream into it.

    Raises:
        InputError: A picture is missing or damaged.
        NoFacesError: --mask, and nobody is in the picture.
        DependencyError: The weights of VGG16, or SciPy, are not installed.
        OutputError: The output exists, or cannot be written.
        SigningError: There is no certificate that can sign today.
    """
    started = time.monotonic()
    for path in (config.content, *([config.style] if config.style else [])):
        for output in (config.output, *_snapshots(config).values()):
            check_output(output, path, config.overwrite)
    if config.output.suffix.lower() not in FORMATS:
        raise OutputError(f"cannot write {config.output}: name it with one of {', '.join(FORMATS)}")
    if config.no_provenance:
        warn_unmarked(config)
    else:
        credentials(config.certificate, config.certificate_key)  # now, and not after minutes of work
    canvas = Canvas(read_image(config.content), config)
    style = to_floats(read_image(config.style)) if config.style else None
    work = _Work(config, canvas)
    with work.shown(progress):
        if style is not None:
            _paint(config, canvas, style, work)
        else:
            _dream(config, canvas, work)
    _write(config.output, canvas.finished(work.picture), config)
    seconds = time.monotonic() - started
    return StylizeResult(
        config.output, work.steps, work.before, work.after, seconds, work.interrupted, tuple(work.snapshots)
    )


def _snapshots(config: StylizeConfig) -> dict[int, Path]:
    """The pictures of the way, by the step after which each is written."""
    steps = {-(-config.steps * number // config.snapshots) for number in range(1, config.snapshots + 1)}
    output = config.output
    return {step: output.with_name(f"{output.stem}_{step:05d}{output.suffix}") for step in sorted(steps)}


def _write(path: Path, image: Image, config: StylizeConfig) -> None:
    """Write a picture that says of itself how it was made."""
    if config.no_provenance:
        write_image(path, image)
        return beside(path).unlink(missing_ok=True)  # of what stood there before
    from faceswap.networks.vgg16 import CHECKSUM

    made = path.with_name(f".{path.stem}.made{path.suffix}")
    write_image(made, image)
    settings = {"style": config.style.name} if config.style else {"dream": config.dream}
    provenance = Provenance(
        config.content,
        (("VGG16", CHECKSUM),),
        faceswap.__version__,
        secrets.randbits(32),
        config.consent,
        config.consent_date,
        settings,
        config.certificate,
        config.certificate_key,
        "painted in another picture's style" if config.style else "dreamt into by a network",
    )
    if sidecar := mark_file(made, path, provenance):
        warn_beside(path, sidecar)


class _Work:
    """How far it is: the picture as it is now, its losses, the bar and the snapshots."""

    def __init__(self, config: StylizeConfig, canvas: Canvas) -> None:
        self._config, self._canvas = config, canvas
        self.picture, self.steps, self.interrupted = canvas.content, 0, False
        self.before: dict[str, float] = {}
        self.after: dict[str, float] = {}
        self.snapshots: list[Path] = []
        self._planned = _snapshots(config)
        self._bar: Iterator[int] = iter(())

    @contextmanager
    def shown(self, progress: Progress) -> Iterator[None]:
        """Show a bar; Ctrl-C ends the work and keeps what there is."""
        total = self._config.steps
        name = f"painting {self._config.content.name}" if self._config.style else "dreaming"
        self._bar = iter(progress(range(total), total=total, desc=name, unit="step", note=self._note))
        next(self._bar, None)
        try:
            yield
            next(self._bar, None)
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            self._bar = iter(())  # lets go of the bar, so that what went wrong stands below it

    def begin(self, losses: dict[str, float]) -> None:
        """Note the losses at the beginning of a size."""
        self.before = self.after = losses

    def step(self, losses: dict[str, float], picture: Floats) -> None:
        """Note a step."""
        self.picture, self.after, self.steps = picture, losses, self.steps + 1
        if path := self._planned.get(self.steps):
            _write(path, self._canvas.finished(picture), self._config)
            self.snapshots.append(path)
        if self.steps < self._config.steps:
            next(self._bar, None)

    def _note(self) -> str:
        return ", ".join(f"{name} {value:.3f}" for name, value in self.after.items())


def _paint(config: StylizeConfig, canvas: Canvas, style: Floats, work: _Work) -> None:
    """Optimise at growing sizes, each beginning with what the one before it made."""
    from faceswap.networks.style import Extractor, Losses, Objective, Recipe

    descend = registry.load(registry.DESCENTS, config.optimizer)
    recipe = Recipe(config.content_layer, config.style_weights, config.ratio, config.smoothness)
    extractor = Extractor(recipe)
    picture = canvas.start(config.start, config.seed)
    for size, ease, steps in _stages(config):
        content, weight = canvas.at(size)
        painting = canvas.painting(style, round(size * config.style_scale))
        measured = Objective(extractor, content, painting, weight, ease)
        if not work.before or picture.shape != content.shape:
            picture = fitted(picture, content.shape)
            work.begin(_named(measured(picture)[0]))

        def seen(losses: Losses, picture: Floats) -> None:
            work.step(_named(losses), picture)

        descend(measured, picture, steps, seen)
        picture = work.picture


def _stages(config: StylizeConfig) -> list[tuple[int, float, int]]:
    """What is done in turn: the longer side, how much style counts of what it may, and the steps.

    Out of noise the content is sketched first: where style has all its weight from the beginning, strokes are
    laid where no face is yet, and none comes.
    """
    sizes = _sizes(config.size)
    sketched = 0 if config.start == "content" else round(config.steps * SKETCHED)
    left = config.steps - sketched
    ends = [round(left * _share(place, len(sizes))) for place in range(len(sizes) + 1)]
    stages = [(size, 1.0, end - begin) for size, begin, end in zip(sizes, ends, ends[1:], strict=False)]
    return ([(sizes[0], EASE, sketched)] if sketched else []) + stages


def _named(losses: tuple[float, ...]) -> dict[str, float]:
    """The losses that people are shown."""
    return {"content": losses[1], "style": losses[2]}


def _sizes(size: int) -> list[int]:
    """Longer sides, the smallest first: strokes are laid out coarsely, where a step is cheap."""
    sizes = [size]
    while sizes[0] / 2 >= SMALLEST:
        sizes.insert(0, sizes[0] // 2)
    return sizes


def _share(done: int, sizes: int) -> float:
    """The share of the steps after so many of the sizes."""
    weights = [FALLING**power for power in range(sizes, 0, -1)]
    return sum(weights[:done]) / sum(weights)


def _dream(config: StylizeConfig, canvas: Canvas, work: _Work) -> None:
    from faceswap.networks.dream import Dream, dream

    assert config.dream is not None
    how = Dream(
        config.dream,
        config.octaves,
        config.octave_scale,
        config.jitter,
        config.dream_step,
        config.steps,
        config.seed,
    )

    def seen(activation: float, picture: Floats) -> None:
        if picture.shape[:2] != seen_size[-1]:
            seen_size.append(picture.shape[:2])
            work.begin({"activation": activation})
        work.step({"activation": activation}, picture)

    seen_size: list[tuple[int, ...]] = [(0, 0)]
    dream(canvas.content, how, seen)
