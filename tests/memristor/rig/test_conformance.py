"""The conformance suite: the simulated rig passes it, and rigs that break a rule are found out."""

from __future__ import annotations

import time

import numpy as np
import pytest

from vsafsm_memristor.rig import errors
from vsafsm_memristor.rig.conformance import (
    check_programming,
    check_read_only,
    check_reading,
    few_cells,
    passed,
    pattern,
)
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.protocol import ProgramReply, Status
from vsafsm_memristor.rig.scpi import ScpiRig


def everything(rig):
    with GuardedRig(rig) as guarded:
        maps = pattern(guarded.identify())
        guarded.arm(maps, guarded.plan(maps).token)
        return [*check_programming(guarded, maps), *check_reading(guarded)]


def broken(findings):
    return {finding.rule for finding in findings if finding.kept is False}


def test_the_simulated_rig_keeps_every_rule(simulator):
    address = simulator("--rows", "32", "--columns", "32", "--stuck", "0.005").address
    rig = ScpiRig(address)
    findings = check_read_only(rig, lambda: ScpiRig(address)) + everything(rig)
    assert passed(findings), broken(findings)
    assert not [finding for finding in findings if finding.kept is None]
    assert len(findings) > 35


def test_the_rig_in_memory_keeps_every_rule(memory_rig):
    rig = memory_rig()
    assert passed(check_read_only(rig))
    assert "read" not in rig.calls
    assert broken(everything(rig)) == set()


def test_no_watchdog_is_no_broken_rule_but_is_told(memory_rig):
    (finding,) = [f for f in check_read_only(memory_rig(watchdog_s=None)) if "watchdog" in f.rule]
    assert finding.kept is None


def test_an_error_is_a_finding(memory_rig):
    rig = memory_rig(failing={"safe": errors.NotSafeError("stuck relay")})
    findings = check_read_only(rig)
    assert broken(findings) == {"safe works"}
    assert any("stuck relay" in finding.detail for finding in findings)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"v_read_max_v": 3.0}, "its read voltage is below its programming voltage"),
        ({"i_line_max_a": 1e-6}, "a cell can be read within the line current"),
        ({"i_line_max_a": 100e-6}, "a cell can be written within the line current"),
    ],
)
def test_limits_that_make_no_sense_together(memory_rig, limits, changed, change, rule):
    assert rule in broken(check_read_only(memory_rig(changed(limits, **change))))


def test_a_rig_with_nothing_to_use_or_that_changes_its_word(memory_rig):
    assert broken(check_read_only(memory_rig(usable=np.zeros((2, 4, 3), bool)))) == {
        "it has cells to use"
    }
    rig = memory_rig()
    real, count = rig.identify, iter(range(9))
    rig.identify = lambda: real() if next(count) else memory_rig(watchdog_s=2.0).identify()
    assert broken(check_read_only(rig)) == {"it says the same twice"}


READS = {
    "an offset": (lambda i, v: i + 20e-6, "no current without voltage"),
    "a wrong sign": (lambda i, v: np.abs(i), "the sign of the voltage is that of the current"),
    "a diode": (lambda i, v: np.sign(i) * i * i * 1e4, "half the voltage, half the current"),
    "dead": (lambda i, v: 0 * i, "a read shows something"),
    "other columns": (lambda i, v: i[::-1] * [1, 2, 0.1], "reads show what was written"),
}


@pytest.mark.parametrize("name", READS)
def test_reads_that_break_a_rule(memory_rig, name):
    wrong, rule = READS[name]
    rig = memory_rig()
    real = rig.read
    rig.read = lambda tile, v: wrong(real(tile, v), v)
    assert rule in broken(everything(rig))


def test_noise_and_writes_that_break_a_rule(memory_rig, changed):
    rig, rng = memory_rig(), np.random.default_rng(0)
    real = rig.read
    rig.read = lambda tile, v: real(tile, v) * rng.uniform(0.5, 1.5, 3)
    assert "two reads agree" in broken(everything(rig))
    rig = memory_rig()
    write = rig.program
    rig.program = lambda tile, g: changed(write(tile, g), ok=np.zeros((4, 3), bool))
    assert "cells reach what is asked" in broken(everything(rig))


def tried(rig):
    """What `vsafsm rig check --arm` does."""
    with GuardedRig(rig) as guarded:
        cells = few_cells(guarded.identify())
        count = int((cells.siemens[0] != 0).sum())
        plan = guarded.plan(cells, corrections=count)
        guarded.arm(cells, plan.token, corrections=count)
        return check_programming(guarded, cells)


def stick(rig, real):
    """Cells stay as they are once written, and the rig says otherwise."""

    def program(tile, g):
        reply, before = real.program(tile, g), rig.first
        rig.first = rig.g[tile].copy() if before is None else before
        rig.g[tile][:] = rig.first
        return reply

    rig.first, rig.program = None, program


def late(rig, real):
    """Each read shows what the one before it would have shown."""
    held = [np.zeros(3)]

    def read(tile, v):
        held.append(real.read(tile, v))
        return held.pop(0)

    rig.read = read


def cached(rig, real):
    """A read shows what the same read showed first."""
    seen = {}
    rig.read = lambda tile, v: seen.setdefault(v.tobytes(), real.read(tile, v))


def scaled(share):
    def change(rig, real):
        rig.read = lambda tile, v: share * real.read(tile, v)

    return change


def dead(rig, real):
    rig.program = lambda tile, g: ProgramReply(
        np.where(g == 0, rig.g[tile], g), np.ones(g.shape, bool), (g != 0).astype(np.int64)
    )


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (stick, "cells follow when they are written again"),
        (cached, "cells follow when they are written again"),
        (late, "each cell reads as it was written"),
        (dead, "each cell reads as it was written"),
        (scaled(1.1), "readings have the scale of what was written"),
        (scaled(0.9), "readings have the scale of what was written"),
        (scaled(2.0), "each cell reads as it was written"),
    ],
)
def test_a_rig_whose_cells_or_readings_lie_is_found_out(memory_rig, change, rule):
    rig, real = memory_rig(), memory_rig()
    assert broken(tried(memory_rig())) == set()
    real.g = rig.g
    change(rig, real)
    assert rule in broken(tried(rig))


# ---- its owner


class Shared:
    """One rig in memory with several connections; `lax` names a rule that it breaks."""

    def __init__(self, memory_rig, lax=""):
        self.rig, self.lax, self.owner, self.heard = memory_rig(), lax, None, 0.0

    def connect(self):
        return Connection(self)


class Connection:
    def __init__(self, shared):
        self.shared = shared

    def _check(self, what):
        if self.shared.owner not in (self, None) and self.shared.lax != what:
            raise errors.BusyError("busy, owned by another")
        self._hear()

    def _hear(self):
        if self.shared.owner is self or self.shared.lax == "hear":
            self.shared.heard = time.monotonic()

    def identify(self):
        self._hear()
        return self.shared.rig.identify()

    def take(self, limits):
        self._check("take")
        if self.shared.lax != "limits":
            self.shared.rig.take(limits)
        self.shared.owner, self.shared.heard = self, time.monotonic()

    def release(self):
        if self.shared.owner is self and self.shared.lax != "release":
            self.shared.owner = None

    def status(self):
        owner = self.shared.owner
        silent = time.monotonic() - self.shared.heard
        if self.shared.lax == "look":
            return Status(None, False, 0.0)
        return Status(owner and "one", owner is self, silent)

    def beat(self):
        self._check("beat")

    def read(self, tile, v):
        self._check("read")
        return self.shared.rig.read(tile, v)

    def program(self, tile, g):
        self._check("write")
        return self.shared.rig.program(tile, g)

    def safe(self):
        self._check("safe")
        self.shared.rig.safe()


@pytest.mark.parametrize(
    ("lax", "rule"),
    [
        ("take", "others cannot take it"),
        ("read", "others cannot read"),
        ("write", "others cannot write"),
        ("safe", "others cannot ground its lines"),
        ("beat", "others cannot keep it alive"),
        ("hear", "what others say is no sign of life of the owner"),
        ("look", "others may look"),
        ("limits", "it takes no wider limits"),
        ("release", "it is free once it is released"),
    ],
)
def test_a_rig_that_lets_others_in_is_found_out(memory_rig, lax, rule):
    sound = Shared(memory_rig)
    findings = check_read_only(sound.connect(), sound.connect)
    assert broken(findings) == set()
    assert len(findings) == 23
    assert sound.owner is None
    shared = Shared(memory_rig, lax)
    assert rule in broken(check_read_only(shared.connect(), shared.connect))
    assert not any(shared.rig.commanded)


def test_a_rig_that_another_owns_is_only_asked(memory_rig):
    shared = Shared(memory_rig)
    shared.connect().take(shared.rig.limits)
    calls = list(shared.rig.calls)
    findings = check_read_only(shared.connect(), shared.connect)
    assert broken(findings) == set()
    assert [f.detail for f in findings if f.kept is None] == ["busy, owned by one"] * 2
    assert shared.rig.calls == calls


def test_a_rig_without_owners_is_told(memory_rig):
    class Plain:
        def __init__(self, rig):
            self.identify, self.read, self.program = rig.identify, rig.read, rig.program
            self.safe = rig.safe

    last = check_read_only(Plain(memory_rig()))[-1]
    assert (last.rule, last.kept) == ("it keeps other clients out", None)


def test_only_an_armed_rig_is_read_or_written(memory_rig):
    guarded = GuardedRig(memory_rig())
    for check in (
        lambda: check_reading(guarded),
        lambda: check_programming(guarded, pattern(guarded.identify())),
    ):
        with pytest.raises(errors.RefusedError, match=r"not armed|was closed|gets no signals"):
            check()
