"""Charts with separate networks: a network per region, and counters where they cost less and
change nothing.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm.errors import UnknownInputError
from vsafsm.statecharts import Statechart
from vsafsm.systems import (
    System,
    compile_system,
    load_system,
    networks_of,
    save_system,
    system_of,
)
from vsafsm.systems.waits import costs, is_counter, timeless

HEAD = "machine: house\nnetworks: separate\nclock: 1 s\n"
LAMP = (
    "initial: off\nstates:\n  off: {transitions: {press: on}}\n"
    "  on: {outputs: [lit], after: {%s: off}, transitions: {press: on}}\n"
)
TWO = (
    HEAD
    + """
regions:
  lamp:
    initial: off
    states:
      off: {transitions: {press: on, closed: on}}
      on: {after: {LAMP: {to: off, raise: [out]}}, outputs: [lit], transitions: {closed: lost}}
      lost: {transitions: {press: on}}
  door:
    initial: shut
    states:
      shut: {transitions: {handle: open}}
      open: {after: {DOOR: {to: shut, raise: [closed]}}, transitions: {out: shut}}
"""
)
APART = TWO.replace("raise: [out]", "outputs: [ring]").replace("raise: [closed]", "outputs: [bang]")


def chart(text: str) -> Statechart:
    return vsafsm.load_chart(io.StringIO(text), "yaml")


def two(lamp: str, door: str, text: str = TWO) -> Statechart:
    return chart(text.replace("LAMP", lamp).replace("DOOR", door))


def counters(system: System) -> list[str]:
    return [machine.name for machine in system.machines if is_counter(machine)]


def check_same(system: System, apart: System, word: list[str]) -> None:
    trace, right = system.run(word), apart.run(word)
    shown = [n for n, machine in enumerate(system.machines) if not is_counter(machine)]
    for n, states in enumerate(right.states):
        found = [timeless(trace.states[n][m]) for m in shown]
        assert found == [timeless(state) for state in states]
        if n:
            assert {*trace.outputs[n - 1]} - system.inner == {*right.outputs[n - 1]}


def test_one_chart_has_counters_where_they_cost_less() -> None:
    short, long = (networks_of(chart(HEAD + LAMP % time)) for time in ("3 s", "1 min"))
    assert counters(short) == []
    assert [machine.name for machine in long.machines] == [
        *("house", "house digit 0", "house digit 1", "house digit 2")
    ]
    assert long.inputs == ("press", "tick")
    assert long.configurations() == 61
    with pytest.raises(UnknownInputError, match="expected one of: press, tick"):
        long.run(["(house stop)"])


def test_each_region_has_counters_of_its_own() -> None:
    made = two("1 min", "2 min", APART)
    system = networks_of(made)
    digits = [f"{region} digit {n}" for region in ("lamp", "door") for n in range(3)]
    assert counters(system) == digits
    check_same(system, system_of(made), ["handle", "press", *["tick"] * 130, "press"])


@lru_cache
def both(text: str) -> tuple[System, System]:
    made = two("60 s", "50 s", text)
    return networks_of(made), system_of(made)


@settings(deadline=None, max_examples=50)
@given(
    word=st.lists(st.sampled_from(["press", "handle", "tick", *["wait"] * 3]), max_size=40),
    seconds=st.lists(st.integers(1, 70), min_size=40, max_size=40),
    text=st.sampled_from([TWO, APART]),
)
def test_counters_make_no_difference(word: list[str], seconds: list[int], text: str) -> None:
    system, apart = both(text)
    assert len(counters(system)) == 6
    ticked = [
        symbol
        for given_, ticks in zip(word, seconds[: len(word)], strict=True)
        for symbol in (["tick"] * ticks if given_ == "wait" else [given_])
    ]
    check_same(system, apart, ticked)


def test_chains_stay_where_counters_would_be_late() -> None:
    made = two("1 min", "5 s")  # a door that closes in the tick in which the lamp goes off
    assert counters(networks_of(made)) == []
    assert counters(networks_of(two("1 min", "5 s", APART))) == [
        f"lamp digit {n}" for n in range(3)
    ]


def test_chains_stay_where_there_is_too_much_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counters(networks_of(two("60 s", "50 s")))
    monkeypatch.setattr("vsafsm.systems.networks.MOST_COMPARED", 1000)
    assert not counters(networks_of(two("60 s", "50 s")))


def test_an_output_that_is_heard_keeps_the_chain() -> None:
    assert counters(networks_of(chart((HEAD + LAMP % "1 min").replace("lit", "press")))) == []


def test_compile_options_hold_for_counters(tmp_path: Path) -> None:
    text = HEAD + "compile: {bits: 6, tolerate: none}\n" + LAMP % "1 min"
    program = compile_system(networks_of(chart(text)))
    assert {each.network.bits for each in program.programs} == {6}
    save_system(program, tmp_path / "lamp")
    assert load_system(tmp_path / "lamp").system == program.system


def test_costs_of_chains_and_counters() -> None:
    found = costs(
        vsafsm.load(io.StringIO((HEAD + LAMP % "1 min").replace("separate", "one")), "yaml")
    )
    assert found is not None
    assert found.counters < found.chains
    assert costs(vsafsm.load("specs/turnstile.yaml")) is None
