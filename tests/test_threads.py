import threading
import time
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswap.threads import ahead, side_by_side


def alive():
    return threading.active_count()


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.integers(), max_size=8), max_size=6), st.integers(1, 4), st.integers(1, 5))
def test_everything_arrives_and_each_job_in_order(jobs, workers, depth):
    made = [lambda job=job, name=name: ((name, item) for item in job) for name, job in enumerate(jobs)]
    taken = list(side_by_side(made, workers, depth))
    for name, job in enumerate(jobs):
        assert [item for who, item in taken if who == name] == job
    assert len(taken) == sum(map(len, jobs))


def test_ahead_keeps_the_order_and_is_bounded():
    made = []

    def items():
        for number in range(50):
            made.append(number)
            yield number

    taken = ahead(items(), 4)
    assert next(taken) == 0
    time.sleep(0.2)
    assert len(made) <= 7, "no further ahead than it may"
    assert list(taken) == list(range(1, 50))


def test_whoever_leaves_stops_the_threads():
    before, closed = alive(), []

    def endless():
        try:
            yield from count()
        finally:
            closed.append(True)

    taken = side_by_side([endless, endless], 2)
    assert next(taken) == 0
    taken.close()
    assert alive() == before and closed == [True, True]


def test_errors_are_raised_where_results_are_taken():
    before = alive()

    def broken():
        yield 1
        raise ValueError("in the thread")

    with pytest.raises(ValueError, match="in the thread"):
        list(side_by_side([broken, broken, broken], 2))
    assert alive() == before
    with pytest.raises(ValueError, match="at once"):
        list(ahead((_ for _ in ()).throw(ValueError("at once")), 2))


def test_jobs_run_side_by_side():
    meeting = threading.Barrier(2, timeout=10)

    def job():
        yield meeting.wait()

    assert sorted(side_by_side([job, job], 2)) == [0, 1]
