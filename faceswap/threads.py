"""Work that overlaps: what is made ahead of its use, and jobs side by side.

OpenCV, dlib, libav and TensorFlow let go of Python's lock while they work, so threads are enough. Every queue
is bounded; an error in a thread is raised where the results are taken; to close what is returned stops the
threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from queue import Empty, Full, Queue
from typing import Any, TypeVar

import cv2

T = TypeVar("T")

_PATIENCE = 0.05  # seconds until a waiting thread looks whether it is to stop


def ahead(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """Yield `items`, which a thread makes up to `depth` ahead of their use."""
    return side_by_side([lambda: items], workers=1, depth=depth)


def side_by_side(
    jobs: Iterable[Callable[[], Iterable[T]]], workers: int, depth: int = 16
) -> Generator[T, None, None]:
    """Run jobs in threads, `workers` at a time and begun in order; yield what each of them yields.

    Items of one job keep their order; those of different jobs mix.

    Args:
        jobs: Called in a thread; what is returned is iterated over there.
        workers: How many threads.
        depth: How many items may wait to be taken.
    """
    line = _Line(depth)
    waiting, lock = iter(jobs), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                job = next(waiting, None)
            if job is None:
                line.put("end")
                return
            if not line.fill(job):
                return

    threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield from line.take(workers)
    finally:
        line.leave(threads)


@contextmanager
def opencv_alone() -> Iterator[None]:
    """OpenCV works in one thread meanwhile, in the whole process.

    On small pictures its others only take turns with other work: a batch of faces took 17 ms of both, not 9,
    and a conversion 2% longer.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


class _Line:
    """A bounded queue from threads to their one reader, who may leave."""

    def __init__(self, depth: int) -> None:
        self._queue: Queue[tuple[str, Any]] = Queue(depth)
        self._left = threading.Event()

    def put(self, kind: str, value: Any = None) -> bool:
        """Hand over; False if the reader has left."""
        while not self._left.is_set():
            try:
                self._queue.put((kind, value), timeout=_PATIENCE)
                return True
            except Full:
                continue
        return False

    def fill(self, job: Callable[[], Iterable[Any]]) -> bool:
        """Hand over all that a job yields, or the error that ended it; False where it ended early."""
        try:
            with closing(_results(job)) as items:
                return all(self.put("item", item) for item in items)
        except BaseException as error:
            self.put("error", error)
            return False

    def take(self, ends: int) -> Iterator[Any]:
        """What is handed over, until `ends` threads have come to their end."""
        while ends:
            kind, value = self._queue.get()
            if kind == "error":
                raise value
            if kind == "end":
                ends -= 1
            else:
                yield value

    def leave(self, threads: Iterable[threading.Thread]) -> None:
        """Let the threads go and wait for them."""
        self._left.set()
        for thread in threads:
            while thread.is_alive():
                try:
                    self._queue.get(timeout=_PATIENCE)
                except Empty:
                    continue


def _results(job: Callable[[], Iterable[T]]) -> Generator[T, None, None]:
    """What a job yields; calling it is part of the work."""
    yield from job()
