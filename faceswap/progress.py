"""How long work tells that it goes on: a callable handed in by whoever starts the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Wraps an iterable and shows, somewhere, how far it is."""

    def __call__(
        self,
        iterable: Iterable[T],
        *,
        total: float | None = None,
        desc: str = "",
        unit: str = "it",
        note: Callable[[], str] | None = None,
    ) -> Iterable[T]:
        """Return `iterable`, observed.

        Args:
            iterable: What is worked through; an item counts as done when the next one is asked for.
            total: How many items there will be, if known.
            desc: What the work is, in a word or two.
            unit: What one item is.
            note: Called from time to time for a short text to show beside the figures.
        """
        ...


def quiet(
    iterable: Iterable[T],
    *,
    total: float | None = None,
    desc: str = "",
    unit: str = "it",
    note: Callable[[], str] | None = None,
) -> Iterable[T]:
    """A `Progress` that shows nothing."""
    return iterable
