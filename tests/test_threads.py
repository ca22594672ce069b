"""Threads: what they work out, how many there are, and how they end."""

from __future__ import annotations

import os
import time
from threading import Event, current_thread, main_thread

import pytest
from threadpoolctl import threadpool_info

from vsafsm.threads import cores, go_on, shared_by


def test_results_are_in_order() -> None:
    with shared_by(3) as each:
        assert list(each(lambda x: x * x, range(50))) == [x * x for x in range(50)]


def test_several_work_at_once() -> None:
    met = Event()

    def work(first: bool) -> bool:
        if first:
            return met.wait(10)
        met.set()
        return True

    with shared_by(2) as each:
        assert list(each(work, [True, False])) == [True, True]


def test_one_thread_is_the_one_that_asks() -> None:
    with shared_by(1) as each:
        assert list(each(lambda _: current_thread(), [0])) == [main_thread()]


def test_products_have_one_thread_meanwhile() -> None:
    before = [each["num_threads"] for each in threadpool_info()]
    with shared_by(2):
        assert {each["num_threads"] for each in threadpool_info()} == {1}
    assert [each["num_threads"] for each in threadpool_info()] == before


def test_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(6)), raising=False)
    assert cores() == 6
    for asked, found in (("4", 4), ("99", 6), ("0", 1), ("many", 6), ("", 6)):
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
        assert cores() == found
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1


def test_what_nobody_waits_for_ends() -> None:
    def endless(_: int) -> None:
        while True:
            go_on()
            time.sleep(0.01)

    def interrupted() -> None:
        with shared_by(2) as each:
            each(endless, range(5))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()


def test_errors_arrive() -> None:
    with pytest.raises(ZeroDivisionError), shared_by(2) as each:
        list(each(lambda x: 1 // x, [1, 0, 1]))


def test_going_on_outside_of_threads_is_nothing() -> None:
    go_on()
