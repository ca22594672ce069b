"""An array held by a rig: what is read, what is written again and what is known of its cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm_memristor.crossbar.cells import Places
from vsafsm_memristor.crossbar.mapping import SCHEMES
from vsafsm_memristor.deploy.loop import ClosedLoopSession
from vsafsm_memristor.deploy.maps import RigMaps, maps_of
from vsafsm_memristor.deploy.rig_array import RigCrossbar, array_of, bad_cells
from vsafsm_memristor.deploy.rig_calibration import (
    check_correctable,
    correct_on,
    corrections_of,
    trim_on,
)
from vsafsm_memristor.errors import MappingError
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.protocol import Identity, Limits, ProgramReply

LAW = settings(deadline=None, max_examples=25)
LIMITS = Limits(60, 64, 64, 1e-6, 40e-6, 0.3, 3.0, 1e-2, 10, 10_000_000)
WORD = ("coin", "push", "push", "coin", "coin", "push", "coin")


@dataclass
class Flawed:
    """Cells of which some are stuck, and columns that leak in proportion to the rows that are
    active.
    """

    usable: Any
    stuck: Any
    leak_s: Any = 0.0
    asked: list[Any] = field(default_factory=list)
    reads: int = 0

    def __post_init__(self) -> None:
        self.g = np.where(self.stuck, 44e-6, 0.0)

    def identify(self) -> Identity:
        return Identity("flawed", "F-1", LIMITS, self.usable, 1.0)

    def program(self, tile: int, g_siemens: Any) -> ProgramReply:
        self.asked.append((tile, g_siemens.copy()))
        touched = (g_siemens != 0) & ~self.stuck[tile]
        self.g[tile][touched] = g_siemens[touched]
        reached = (g_siemens == 0) | (self.g[tile] == g_siemens)
        return ProgramReply(self.g[tile].copy(), reached, (g_siemens != 0).astype(np.int64))

    def read(self, tile: int, v_volts: Any) -> Any:
        self.reads += 1
        return v_volts @ self.g[tile] + self.leak_s * v_volts.sum() * (np.arange(64) % 4 == 0)

    def safe(self) -> None:
        pass


def flawed(seed: int = 0, unusable: float = 0.0, stuck: float = 0.0, leak_s: float = 0.0) -> Flawed:
    rng, shape = np.random.default_rng(seed), (60, 64, 64)
    return Flawed(rng.random(shape) >= unusable, rng.random(shape) < stuck, leak_s)


def written(program: Any, rig: Any, **options: Any) -> tuple[RigMaps, dict[int, ProgramReply]]:
    maps = maps_of(program, rig.identify(), **options)
    return maps, {tile: rig.program(tile, g) for tile, g in enumerate(maps.siemens) if g.any()}


def ran(program: Any, maps: RigMaps, rig: Any, crossbar: Any = None) -> list[str | None]:
    with ClosedLoopSession(program, maps, rig, crossbar) as session:
        return [session.send(symbol) for symbol in WORD]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_drive_is_that_of_the_weights(program, scheme):
    rig, rng = flawed(), np.random.default_rng(0)
    maps, replies = written(program, rig, scheme=scheme)
    activity = rng.random((5, program.network.neurons)) < 0.2
    activity[0] = False
    exact = activity.astype(np.int64) @ program.network.weights.T.astype(np.int64)
    for crossbar in (RigCrossbar(maps, rig), array_of(maps, rig, rig.identify(), replies)):
        assert crossbar.drive(activity, rng) == pytest.approx(exact, abs=1e-2)


def test_a_read_is_a_read_a_tile_with_an_active_row(program):
    rig = flawed()
    maps, _ = written(program, rig)
    activity = np.zeros((3, program.network.neurons), bool)
    activity[1, 3] = activity[2, 3] = activity[2, 70] = True
    RigCrossbar(maps, rig).drive(activity, np.random.default_rng(0))
    assert rig.reads == 3 * maps.layout.grid[1]


def test_the_cells_are_those_that_programming_reported(program):
    rig = flawed(1, unusable=0.02, stuck=0.02)
    maps, replies = written(program, rig)
    array, bad = (
        array_of(maps, rig, rig.identify(), replies),
        bad_cells(maps, rig.identify(), replies),
    )
    rng = np.random.default_rng(0)
    for post, pre in rng.integers(0, program.network.neurons, (300, 2)).tolist():
        for polarity, cell in enumerate(maps.layout.cells_of(post, pre)):
            place = (cell.tile, cell.row, cell.column)
            assert array.cells[polarity][post, pre] == pytest.approx(rig.g[place] * 1e6)
            reached = rig.g[place] == maps.siemens[cell.tile][cell.row, cell.column]
            assert bad[polarity, post, pre] == (not rig.usable[place] or not reached)
    assert 0.03 < bad.mean() < 0.05


@pytest.mark.slow
@LAW
@given(data=st.data())
def test_only_what_changes_is_written_again(program, data):
    rig = flawed(2, stuck=0.05)
    maps, replies = written(program, rig)
    array = array_of(maps, rig, rig.identify(), replies)
    neurons = st.integers(0, program.network.neurons - 1)
    places = sorted(data.draw(st.sets(st.tuples(st.integers(0, 1), neurons, neurons), max_size=20)))
    targets = data.draw(
        st.lists(st.floats(1, 40, width=32), min_size=len(places), max_size=len(places))
    )
    before, siemens, cells = rig.g.copy(), [g.copy() for g in array.siemens], array.cells
    rig.asked.clear()
    columns = np.array(places, np.intp).reshape(-1, 3).T
    found = array.rewrite(Places(*columns), np.array(targets, np.float32), np.random.default_rng(0))
    expected: dict[int, Any] = {}
    for (polarity, post, pre), target in zip(places, targets, strict=True):
        cell = maps.layout.cells_of(post, pre)[polarity]
        expected.setdefault(cell.tile, np.zeros((64, 64)))[cell.row, cell.column] = target * 1e-6
    assert [tile for tile, _ in rig.asked] == sorted(expected)
    for tile, g in rig.asked:
        assert g == pytest.approx(expected[tile], rel=1e-6)
        before[tile] = np.where((g != 0) & ~rig.stuck[tile], g, before[tile])
    assert (rig.g == before).all()
    assert all((a == b).all() for a, b in zip(array.siemens, siemens, strict=True))
    assert all((a == b).all() for a, b in zip(array.cells, cells, strict=True))
    for polarity, post, pre in places:
        cell = maps.layout.cells_of(post, pre)[polarity]
        assert found.cells[polarity][post, pre] == pytest.approx(
            rig.g[cell.tile, cell.row, cell.column] * 1e6
        )


def test_a_shared_reference_is_not_corrected(program):
    rig = flawed()
    maps, replies = written(program, rig, scheme="offset")
    with pytest.raises(MappingError, match="differential"):
        check_correctable(maps)
    with pytest.raises(MappingError, match="differential"):
        correct_on(program, maps, rig, rig.identify(), replies, 100)
    assert rig.reads == 0


@pytest.mark.slow
@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 99), share=st.sampled_from([0.0, 1e-4, 0.003, 0.02, 0.05]))
def test_a_correction_behind_the_guard_stays_within_what_was_consented_to(program, seed, share):
    rig = flawed(seed, unusable=0.01, stuck=0.25)
    with GuardedRig(rig, allow_shared=True) as guarded:
        maps = maps_of(program, guarded.identify())
        corrections = corrections_of(maps, share)
        guarded.arm(
            maps, guarded.plan(maps, corrections=corrections).token, corrections=corrections
        )
        replies = {tile: guarded.program(tile, g) for tile, g in enumerate(maps.siemens) if g.any()}
        before = rig.g.copy()
        rig.asked.clear()
        found = correct_on(
            program, maps, guarded, guarded.identify(), replies, corrections
        ).correction
        cells = sum(int((g != 0).sum()) for _, g in rig.asked)
        assert found.writes == cells == corrections - guarded.corrections_left <= corrections
        assert found.rewritten == len(
            {(t, *c) for t, g in rig.asked for c in np.argwhere(g).tolist()}
        )
        assert not (rig.g != before)[~rig.usable].any()
        assert (found.short_after < found.short_before) or corrections < 100
        assert (found.writes == 0) == (corrections < 2)


def test_chip_in_the_loop_makes_a_wrong_word_right(program):
    rig = flawed(3, stuck=0.2)
    with GuardedRig(rig, allow_shared=True) as guarded:
        maps = maps_of(program, guarded.identify())
        corrections = corrections_of(maps, 0.1)
        guarded.arm(
            maps, guarded.plan(maps, corrections=corrections).token, corrections=corrections
        )
        replies = {tile: guarded.program(tile, g) for tile, g in enumerate(maps.siemens) if g.any()}
        expected = list(program.machine.run(WORD).states[1:])
        assert ran(program, maps, guarded) != expected
        outcome = correct_on(program, maps, guarded, guarded.identify(), replies, corrections)
        assert outcome.correction.short_after < outcome.correction.short_before / 2
        assert outcome.wrong <= outcome.correction.short_after
        assert ran(program, maps, guarded) == expected


def test_a_trim_makes_a_wrong_word_right(program):
    rig = flawed(leak_s=20e-6)
    maps, _ = written(program, rig)
    expected = list(program.machine.run(WORD).states[1:])
    assert ran(program, maps, rig) != expected
    trimmed = trim_on(program, maps, rig)
    assert 0 < np.abs(trimmed.offset).max() < 1.2 * 20e-6 / (maps.scale.us_per_lsb * 1e-6)
    assert ran(program, maps, rig, trimmed) == expected
