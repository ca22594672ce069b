"""Settings: ranges, units, and the warning of the contract. Nothing here imports Brian2."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import fields
from typing import Any

import pytest

from vsafsm.errors import OptionError, VsafsmWarning
from vsafsm_brian2.parameters import (
    GAP_MS,
    HOLD_MS,
    Parameters,
    Realism,
    RunSettings,
    check_contract,
    options,
    taken,
)


@pytest.mark.parametrize("group", [Parameters, Realism, RunSettings])
def test_defaults_are_in_range_and_each_has_a_unit_and_a_meaning(group: type) -> None:
    group()
    for each in fields(group):
        assert each.metadata["help"]
        assert "unit" in each.metadata


def test_realism_is_none_by_default() -> None:
    assert all(getattr(Realism(), each.name) in (0.0, None) for each in fields(Realism))
    assert Realism(mismatch=0.2).spread("bias") == 0.2
    assert Realism(mismatch=0.2, mismatch_bias=0.0).spread("bias") == 0.0


@pytest.mark.parametrize(
    ("group", "wrong"),
    [
        *(
            (Parameters, {name: -1.0})
            for name in ("strength_pa", "inhibition_gain", "bias_pa", "refractory_ms")
        ),
        *((Parameters, {name: 0.0}) for name in ("tau_syn_ms", "tau_mem_ms", "dt_ms")),
        *((Realism, {each.name: -0.1}) for each in fields(Realism)),
        (Realism, {"missing": 1.1}),
        (Realism, {"noise_pa": float("nan")}),
        (Realism, {"delay_ms": float("inf")}),
        (RunSettings, {"hold_ms": 10**400}),
        (RunSettings, {"hold_ms": 0.0}),
        (RunSettings, {"gap_ms": -5.0}),
        (RunSettings, {"codegen": "weave"}),
        (RunSettings, {"codegen": ""}),
    ],
    ids=str,
)
def test_what_is_out_of_range_is_refused_by_name(group: Any, wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(OptionError, match=f"{name} is .*; expected "):
        group(**wrong)


def test_a_whole_limit_is_told_in_full() -> None:
    with pytest.raises(OptionError, match="at least 0, at most 2147483647 "):
        RunSettings(draw_seed=-1)


def test_every_setting_is_an_option_of_the_backend_with_its_default() -> None:
    known = {option.name: option for option in options()}
    for group in (Parameters, Realism, RunSettings):
        for each in fields(group):
            assert known[each.name].default == each.default
            assert known[each.name].unit == each.metadata["unit"]
    given = {"tau_syn_ms": 20.0, "missing": 0.1, "hold_ms": 50.0}
    assert taken(Parameters, given) == Parameters(tau_syn_ms=20.0)
    assert taken(Realism, given) == Realism(missing=0.1)
    assert taken(RunSettings, given) == RunSettings(hold_ms=50.0)


@pytest.mark.parametrize(("hold", "gap"), [(HOLD_MS - 1, GAP_MS), (HOLD_MS, GAP_MS - 1)])
def test_less_than_the_contract_is_warned_about_by_its_name(hold: float, gap: float) -> None:
    with pytest.warns(VsafsmWarning, match=r"contract \(hold 40 ms, gap 100 ms\)"):
        check_contract(hold, gap)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_contract(HOLD_MS, GAP_MS)


@pytest.mark.parametrize(("hold", "speed"), [(10, 4), (15, 4), (25, 2.4), (60, 1), (2000, 1)])
def test_the_speed_follows_from_the_hold(hold: float, speed: float) -> None:
    assert Parameters().for_hold(hold).speed == speed
    assert Parameters(speed=2.0).for_hold(hold).speed == 2.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_contract(hold, GAP_MS, speed)


def test_a_hold_that_no_speed_reaches_takes_a_speed_of_the_users_own() -> None:
    with pytest.raises(OptionError, match=r"hold_ms is 9\.5; expected at least 10 ms"):
        Parameters().for_hold(9.5)
    assert Parameters(speed=4.0).for_hold(9.5).speed == 4.0


def test_listing_the_backends_does_not_import_brian2() -> None:
    code = "import sys, vsafsm; vsafsm.backends(); sys.exit('brian2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
