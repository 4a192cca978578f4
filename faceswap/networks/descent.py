"""How a picture is changed so that its losses fall; it stays within 0 and 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import DependencyError
from faceswap.networks.style import Floats, Losses

Measured = Callable[[Floats], tuple[Losses, Floats]]
MEMORY = 20  # steps that L-BFGS knows the curvature from
RATE = 0.05  # Adam's first step, of a range of 1; it falls to nothing over the run
DECAYS = (0.9, 0.999)  # of Adam's running means


class Descent(Protocol):
    """Changes a picture step by step."""

    def __call__(
        self, measured: Measured, picture: Floats, steps: int, seen: Callable[[Losses, Floats], None]
    ) -> None:
        """Take some steps from `picture`.

        Args:
            measured: The losses of a picture and their gradient.
            picture: float32, 0 to 1, of any shape.
            steps: How many.
            seen: Called after each step, with the losses of the picture and the picture, which the
                callee may keep.
        """
        ...


def lbfgs(measured: Measured, picture: Floats, steps: int, seen: Callable[[Losses, Floats], None]) -> None:
    """L-BFGS-B (Byrd, Lu, Nocedal and Zhu, SIAM J. Scientific Computing 16, 1995), as SciPy has it.

    Raises:
        DependencyError: SciPy is not installed.
    """
    try:
        from scipy.optimize import Bounds, minimize
    except ImportError as error:
        raise DependencyError(
            "L-BFGS needs SciPy: run 'pip install scipy', or use --optimizer adam"
        ) from error
    tried: dict[str, tuple[Losses, Floats]] = {}

    def function(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        now = flat.astype(np.float32).reshape(picture.shape)
        losses, gradient = measured(now)
        if "best" not in tried or losses.total <= tried["best"][0].total:
            tried["best"] = losses, now
        return losses.total * scale, gradient.ravel().astype(np.float64) * scale

    # SciPy's first step is as long as the gradient, which here is tiny: a pixel is one of a million.
    scale = picture.size / 10
    options = {"maxiter": steps, "maxfun": 2 * steps + 20, "maxcor": MEMORY, "ftol": 0, "gtol": 0}
    minimize(
        function,
        picture.ravel().astype(np.float64),
        method="L-BFGS-B",
        jac=True,
        bounds=Bounds(np.zeros(picture.size), np.ones(picture.size)),
        callback=lambda _: seen(*tried["best"]),
        options=options,
    )


def adam(measured: Measured, picture: Floats, steps: int, seen: Callable[[Losses, Floats], None]) -> None:
    """Adam (Kingma and Ba, ICLR 2015) with a rate that falls along a cosine."""
    now = picture.copy()
    first, second = np.zeros_like(now), np.zeros_like(now)
    for step in range(steps):
        losses, gradient = measured(now)
        seen(losses, now.copy())
        first += (1 - DECAYS[0]) * (gradient - first)
        second += (1 - DECAYS[1]) * (np.square(gradient) - second)
        mean, spread = (m / (1 - d ** (step + 1)) for m, d in zip((first, second), DECAYS, strict=True))
        rate = RATE * (1 + np.cos(np.pi * step / steps)) / 2
        now = np.clip(now - rate * mean / (np.sqrt(spread) + 1e-12), 0, 1).astype(np.float32)
