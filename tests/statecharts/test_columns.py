"""Names of configurations taken apart: cells are the states and values that the chart is in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm.statecharts import Assign, State, Statechart, Transition, Variable, explore
from vsafsm.statecharts.columns import MORE, STATE, columns_of, short_names
from vsafsm.statecharts.expressions import Literal

from .charts import drawn

SPECS = Path(__file__).parents[2] / "specs"
ALL = "histories guards data raises eventless finals several internal times"


def test_each_region_has_a_column_with_its_active_state() -> None:
    found = explore(vsafsm.load_chart(SPECS / "wake_word.yaml"))
    columns = columns_of(found.names)
    assert columns.headings == ("talk", "microphone", MORE)
    for name in found.names:
        told = columns.pairs(name)
        assert [f"{r}.{told[r]}" for r in ("talk", "microphone")] == list(found.leaves(name))


def test_each_variable_has_a_column_with_its_value() -> None:
    found = explore(vsafsm.load_chart(SPECS / "junction.yaml"))
    columns = columns_of(found.names)
    assert columns.headings == (STATE, "waiting", MORE)
    for name in found.names:
        told = columns.pairs(name)
        assert (told[STATE],) == found.leaves(name)
        if "waiting" in told:
            assert told["waiting"] == str(found.data(name)["waiting"]).lower()
        else:
            assert sum(found.leaves(other) == found.leaves(name) for other in found.names) == 1


@pytest.mark.parametrize("name", ["wake_word", "junction", "robot_arm", "turnstile"])
def test_short_names_tell_states_apart_as_names_do(name: str) -> None:
    machine = vsafsm.load(SPECS / f"{name}.yaml")
    short = short_names(machine.states)
    assert list(short) == list(machine.states)
    assert len(set(short.values())) == len(short)
    assert all(len(short[state]) <= len(state) + 4 for state in short)
    if name == "turnstile":
        assert list(short.values()) == list(machine.states)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6))
def test_nothing_of_a_name_is_lost(seed: int) -> None:
    try:
        found = explore(drawn(seed, ALL), 2000)
    except vsafsm.VsafsmError:
        return
    columns = columns_of(found.names)
    told = [columns.told(name) for name in found.names]
    assert len(set(told)) == len(found.names)
    for name, cells in zip(found.names, told, strict=True):
        for variable, value in columns.pairs(name).items():
            if variable in found.data(name):
                assert value == str(found.data(name)[variable]).lower()
        assert all(cell.replace(" | ", "|") in name for cell in cells if "=" not in cell)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=5, unique=True))
def test_any_names_have_columns(names: list[str]) -> None:
    columns = columns_of(names)
    assert list(columns.cells) == names
    assert len(set(columns.headings)) == len(columns.headings)
    assert {len(cells) for cells in columns.cells.values()} == {len(columns.headings)}


AWKWARD = ("r|1", "x@2s", "a[b=1]", 'say "no"', '"', "h{i", "C#", "a~b", "p.q", "y]=z", "x")


@given(st.permutations(AWKWARD))
def test_names_with_signs_of_their_own_have_their_cells(names: list[str]) -> None:
    one, other, *inner = names
    regions = tuple(
        State(
            region,
            (
                State(f"{region}{inner[i]}", transitions=(Transition(("go",), (inner[i + 1],)),)),
                State(inner[i + 1], transitions=(Transition(("go",), (f"{region}{inner[i]}",)),)),
            ),
        )
        for i, region in ((0, one), (2, other))
    )
    found = explore(Statechart("awkward", (State("both", regions, kind="parallel"),)))
    columns = columns_of(found.names)
    assert columns.headings == (one, other)
    assert [columns.cells[name] for name in found.names] == list(map(found.leaves, found.names))


TEXTS = ("x", "y, k=3", "y]=z", 'a "b"', '"', "], n=1", "a, b", "]")


@given(st.permutations(TEXTS))
def test_texts_with_signs_of_their_own_have_their_cells(texts: list[str]) -> None:
    states = tuple(
        State(
            f"s{i}",
            transitions=(
                Transition(
                    ("go",), ("s0",) if i else ("s1",), actions=(Assign("m", Literal(texts[i])),)
                ),
                Transition(("set",), actions=(Assign("n", Literal(texts[i + 1])),)),
            ),
        )
        for i in range(2)
    )
    data = (Variable("m", texts[0], tuple(texts)), Variable("n", texts[2], tuple(texts)))
    found = explore(Statechart("awkward", states, data=data))
    columns = columns_of(found.names)
    assert columns.headings[0] == STATE
    for name in found.names:
        told = columns.pairs(name)
        assert (told.pop(STATE),) == found.leaves(name)
        assert told.items() <= found.data(name).items()
    assert len(set(map(columns.told, found.names))) == len(found.names)


def test_states_of_a_flat_chart_are_called_as_in_the_spec() -> None:
    states = tuple(
        State(each, transitions=(Transition((each,), (AWKWARD[0],)),)) for each in AWKWARD
    )
    assert explore(Statechart("flat", states)).names == AWKWARD


def test_a_variable_called_more_keeps_its_name() -> None:
    columns = columns_of(("s[more=1]", "s[more=2]@1s"))
    assert columns.told("s[more=2]@1s") == ("s", "more=2", "@1s")


@pytest.mark.parametrize(
    ("names", "headings", "cells"),
    [
        (("on", "off"), (STATE,), ("on",)),
        (("on@2s", "on"), (STATE,), ("on@2s",)),
        (("a.x|b.y", "a.z|b.y"), ("a", "b"), ("x", "y")),
        (("w.g.shut|w.l", "w.g.open|w.l"), ("w.g", "w"), ("shut", "l")),
        (("off", "on.a|on.b", "on.a|on.b[n=2]"), (STATE, "n"), ("off", "")),
        (("shut|off", "open|on"), ("region 1", "region 2"), ("shut", "off")),
        (("s[m=a, b, n=1]", "s[m=c, n=1]"), (STATE, "m", "n"), ("s", "a, b", "1")),
        (("a.x|b.y{h: p|q}@1s", "a.z|b.y"), ("a", "b", MORE), ("x", "y", "{h: p|q}@1s")),
        (("a|", "|a"), (STATE,), ("a|",)),
        (('s[m="]", n=1]', "s[m=x, n=1]"), (STATE, "m", "n"), ("s", "]", "1")),
        (('"r|1".p|q.a', '"r|1".o|q.b'), ("r|1", "q"), ("p", "a")),
        (("a.p|a.q[a=1]", "a.p|a.r[a=2]"), ("a", "a'", "a''"), ("p", "q", "1")),
    ],
)
def test_columns(names: tuple[str, ...], headings: tuple[str, ...], cells: tuple[str, ...]) -> None:
    columns = columns_of(names)
    assert columns.headings == headings
    assert columns.cells[names[0]] == cells
