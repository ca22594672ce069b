"""The conformance suite: the simulated rig passes it, and rigs that break a rule are found out."""

from __future__ import annotations

import numpy as np
import pytest

from vsafsm_memristor.rig import errors
from vsafsm_memristor.rig.conformance import (
    check_programming,
    check_read_only,
    check_reading,
    passed,
    pattern,
)
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.scpi import ScpiRig


def everything(rig):
    with GuardedRig(rig) as guarded:
        maps = pattern(guarded.identify())
        guarded.arm(maps, guarded.plan(maps).token)
        return [*check_programming(guarded, maps), *check_reading(guarded)]


def broken(findings):
    return {finding.rule for finding in findings if finding.kept is False}


def test_the_simulated_rig_keeps_every_rule(simulator):
    rig = ScpiRig(simulator("--rows", "32", "--columns", "32", "--stuck", "0.005").address)
    findings = check_read_only(rig) + everything(rig)
    assert passed(findings), broken(findings)
    assert len(findings) > 20


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
    assert "stuck relay" in findings[-1].detail


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


def test_only_an_armed_rig_is_read_or_written(memory_rig):
    guarded = GuardedRig(memory_rig())
    for check in (
        lambda: check_reading(guarded),
        lambda: check_programming(guarded, pattern(guarded.identify())),
    ):
        with pytest.raises(errors.RefusedError, match=r"not armed|was closed|gets no signals"):
            check()
