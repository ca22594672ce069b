"""Writes in slices: every cell once, none longer than a third of the watchdog's time, and those of
a write that was cut off are known.
"""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm_memristor.rig import errors
from vsafsm_memristor.rig.currents import WorstCase
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.log import RigLog
from vsafsm_memristor.rig.slices import cells_of_a_slice, described, runs_of, slices

TILES = st.lists(
    st.lists(st.sampled_from([0.0, 1e-6, 2e-6]), min_size=5, max_size=5), min_size=1, max_size=6
)


@given(TILES, st.integers(1, 40) | st.none())
def test_slices_are_the_tile(rows, cells):
    g = np.array(rows)
    parts = list(slices(g, cells))
    np.testing.assert_array_equal(sum(parts), g)
    assert sum((part != 0).sum() for part in parts) == (g != 0).sum()
    assert all((part != 0).sum() <= (cells or g.size) for part in parts)


@given(TILES)
def test_runs_are_the_cells(rows):
    cells, again = np.array(rows) != 0, np.zeros((len(rows), 5), bool)
    for row, first, last in runs_of(cells):
        assert not again[row, first : last + 1].any()
        again[row, first : last + 1] = True
    np.testing.assert_array_equal(cells, again)
    assert bool(described(cells)) == bool(cells.any())


@given(data=st.data())
def test_a_slice_takes_at_most_a_third_of_the_watchdogs_time(memory_rig, limits, changed, data):
    pulse_s, watchdog_s = data.draw(st.floats(1e-7, 1e-2)), data.draw(st.floats(0.01, 10.0))
    own = changed(limits, pulses_per_cell=data.draw(st.integers(1, 64)))
    identity = memory_rig(own, watchdog_s=watchdog_s, pulse_s=pulse_s).identify()
    cell_s = pulse_s * own.pulses_per_cell
    if cell_s > watchdog_s / 3 * (1 + 1e-9):
        with pytest.raises(errors.RefusedError, match="a third of the watchdog's time"):
            cells_of_a_slice(identity, own)
    elif cell_s < watchdog_s / 3 * (1 - 1e-9):
        assert cells_of_a_slice(identity, own) * cell_s <= watchdog_s / 3 * (1 + 1e-9)


def test_without_a_watchdog_or_a_time_nothing_bounds_them(memory_rig, limits):
    for change in ({"watchdog_s": None, "pulse_s": 1.0}, {"pulse_s": None}, {"pulse_s": 0.0}):
        assert cells_of_a_slice(memory_rig(**change).identify(), limits) is None


def sliced(memory_rig, limits, cells):
    """A rig in memory of which so many cells are written at once."""
    return memory_rig(pulse_s=1.0 / 3 / limits.pulses_per_cell / (cells + 0.5))


def test_a_tile_is_written_slice_by_slice(memory_rig, limits, maps, tmp_path):
    rig = sliced(memory_rig, limits, 5)
    with RigLog(tmp_path / "log") as log, GuardedRig(rig, log=log) as guarded:
        guarded.arm(maps(), guarded.plan(maps()).token)
        reply = guarded.program(0, maps().siemens[0])
        assert rig.calls == ["take", "program", "program", "program"]
        assert guarded.unverified == {}
    np.testing.assert_array_equal(reply.g_siemens, maps().siemens[0])
    assert (reply.pulses == 2).all()
    assert reply.ok.all()
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [e["slice"] for e in events if e["event"] == "slice"] == [1, 2, 3]
    assert [e["command"] for e in events if e["event"] == "reply"] == [*["slice"] * 3, "program"]


def test_cells_of_a_write_that_was_cut_off_are_listed(memory_rig, limits, maps, tmp_path):
    rig = sliced(memory_rig, limits, 5)
    real, count = rig.program, iter(range(9))

    def program(tile, g):
        if next(count) == 1:
            raise errors.NoAnswerError("no answer")
        return real(tile, g)

    rig.program = program
    with RigLog(tmp_path / "log") as log, GuardedRig(rig, log=log) as guarded:
        guarded.arm(maps(), guarded.plan(maps()).token)
        with pytest.raises(errors.NoAnswerError):
            guarded.program(0, maps().siemens[0])
        assert guarded.unverified[0].ravel().tolist() == [False] * 5 + [True] * 7
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    (entry,) = [e for e in events if e["event"] == "unverified"]
    assert (entry["tile"], entry["count"]) == (0, 7)
    assert entry["cells"] == [[1, 2, 2], [2, 0, 2], [3, 0, 2]]


def test_what_was_cut_off_counts_as_the_largest_conductance(limits, maps, changed):
    low, v = np.full((4, 3), 1e-6), np.full(4, 0.3)
    worst = WorstCase((1, 4, 3), limits.g_max_s, limits)
    with pytest.raises(errors.RefusedError, match="could carry"):
        worst.check_read(0, v * 4)
    worst.learn_maps(changed(maps(), siemens=(low,)), 0)
    worst.check_read(0, v * 4)
    worst.forget(0, low)
    with pytest.raises(errors.RefusedError, match="could carry"):
        worst.check_read(0, v * 4)


def test_after_a_signal_no_further_slice_is_sent(memory_rig, limits, maps, tmp_path, monkeypatch):
    before = signal.signal(signal.SIGTERM, lambda *_: None)  # and the program goes on
    rig = sliced(memory_rig, limits, 5)
    try:
        with RigLog(tmp_path / "log") as log, GuardedRig(rig, log=log) as guarded:
            guarded.arm(maps(), guarded.plan(maps()).token)
            real = log.write

            def write(event, **fields):
                real(event, **fields)
                if event == "slice" and fields["slice"] == 2:
                    os.kill(os.getpid(), signal.SIGTERM)

            monkeypatch.setattr(log, "write", write)
            with pytest.raises(errors.FaultError, match="stopped by SIGTERM"):
                guarded.program(0, maps().siemens[0])
            assert rig.calls == ["take", "program", "safe"]
            assert guarded.unverified[0].sum() == 7
    finally:
        signal.signal(signal.SIGTERM, before)
