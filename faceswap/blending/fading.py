"""How much of the swap to trust: what is turned far away was learned badly, and is faded out."""

from __future__ import annotations

import math

WIDTH = 20.0  # degrees over which a face fades out


def confidence(yaw: float, pitch: float, begin: float) -> float:
    """How much of the swap shows on a face that is turned away.

    Args:
        yaw: Degrees it is turned to the side.
        pitch: Degrees it is raised.
        begin: Degrees off the front, of both together, from which it fades.

    Returns:
        1 up to `begin`, falling smoothly to 0 at `begin + WIDTH`.
    """
    share = (begin + WIDTH - math.hypot(yaw, pitch)) / WIDTH
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)
