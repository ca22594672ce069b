"""The machine and its interpreter, held against answers worked out by hand."""

from __future__ import annotations

import dataclasses
import doctest
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vsafsm.formats
from vsafsm import errors as e
from vsafsm.machine import Machine, Trace, Transition, check_name, listed

T = Transition
TURNSTILE = Machine(
    name="turnstile",
    states=("locked", "unlocked"),
    inputs=("coin", "push"),
    initial="locked",
    table=((T("unlocked"), T("locked")), (T("unlocked"), T("locked", ("click",)))),
    moore=(("closed",), ("open",)),
)


def changed(**parts: object) -> Machine:
    return dataclasses.replace(TURNSTILE, **parts)


def test_the_trace_of_a_word() -> None:
    assert TURNSTILE.run(["coin", "coin", "push", "push"]) == Trace(
        inputs=("coin", "coin", "push", "push"),
        states=("locked", "unlocked", "unlocked", "locked", "locked"),
        initial_outputs=("closed",),
        outputs=(("open",), ("open",), ("click", "closed"), ("closed",)),
    )


def test_the_empty_word_shows_the_initial_state() -> None:
    assert TURNSTILE.run([]) == Trace((), ("locked",), ("closed",), ())


def test_a_word_may_be_any_iterable() -> None:
    assert TURNSTILE.run(iter(["coin"])).states == ("locked", "unlocked")


def test_mealy_outputs_come_before_the_moore_outputs_of_the_state_reached() -> None:
    machine = Machine("m", ("a",), ("go",), "a", ((T("a", ("x", "y")),),), (("z",),))
    assert machine.run(["go"]).outputs == (("x", "y", "z"),)


def test_lookups() -> None:
    assert TURNSTILE.state_index("unlocked") == 1
    assert TURNSTILE.input_index("push") == 1
    assert TURNSTILE.transition("unlocked", "push") == T("locked", ("click",))
    assert TURNSTILE.outputs_of("unlocked") == ("open",)


def test_reachable_states_by_discovery_and_the_counts_over_them() -> None:
    states = ("island", "c", "b", "a")
    table = ((T("a"), T("island")), (T("c"), T("c")), (T("c"), T("a")), (T("b"), T("a")))
    machine = Machine("m", states, ("x", "y"), "a", table, ((),) * 4)
    assert machine.reachable == ("a", "b", "c")
    assert machine.unreachable == ("island",)
    assert machine.reachable_transitions == 6
    assert machine.self_loops == 3


def test_a_demonstration_by_hand() -> None:
    assert TURNSTILE.demonstration(5) == ("coin", "push", "coin", "push", "coin")
    assert len(TURNSTILE.demonstration()) == 8
    assert TURNSTILE.demonstration(0) == ()
    stuck = Machine("m", ("a",), ("x", "y"), "a", ((T("a"), T("a")),), ((),))
    assert stuck.demonstration(3) == ("x", "y", "x")


@given(data=st.data(), length=st.integers(0, 40))
def test_a_demonstration_leaves_each_state_where_it_can_by_each_of_its_inputs_in_turn(
    data: st.DataObject, length: int, small_machine_strategy: Any
) -> None:
    machine = data.draw(small_machine_strategy())
    turns = {}
    for state, row in zip(machine.states, machine.table, strict=True):
        away = [
            symbol for symbol, taken in zip(machine.inputs, row, strict=True) if taken.to != state
        ]
        turns[state] = cycle(away or machine.inputs)
    word = machine.demonstration(length)
    assert len(word) == length
    assert word == tuple(next(turns[state]) for state in machine.run(word).states[:-1])


def test_a_machine_is_frozen_hashable_and_equal_by_content() -> None:
    assert hash(changed()) == hash(TURNSTILE)
    assert changed() == TURNSTILE
    assert changed(name="other") != TURNSTILE
    with pytest.raises(dataclasses.FrozenInstanceError):
        TURNSTILE.name = "other"  # type: ignore[misc]


WRONG = {
    "state twice": (
        {"states": ("locked", "locked")},
        e.BadNameError,
        '"locked" is declared twice',
    ),
    "input twice": (
        {"inputs": ("coin", "coin")},
        e.BadNameError,
        '"coin" is declared twice',
    ),
    "no inputs": ({"inputs": (), "table": ((), ())}, e.SpecError, "at least one"),
    "unknown initial": ({"initial": "lockd"}, e.UnknownStateError, 'did you mean "locked"'),
    "unknown target": (
        {"table": ((T("unlock"), T("locked")),) * 2},
        e.UnknownStateError,
        'did you mean "unlocked"',
    ),
    "no states": (
        {"states": (), "table": (), "moore": ()},
        e.UnknownStateError,
        "none is declared",
    ),
    "row missing": ({"table": TURNSTILE.table[:1]}, e.SpecError, "each state"),
    "outputs missing": ({"moore": ((),)}, e.SpecError, "each state"),
    "transition missing": (
        {"table": (TURNSTILE.table[0], (T("locked"),))},
        e.SpecError,
        "has 1 transitions, expected 2",
    ),
    "empty name": ({"name": ""}, e.BadNameError, "machine name"),
    "state with spaces": ({"states": ("locked", " unlocked")}, e.BadNameError, "state name"),
    "input that does not print": ({"inputs": ("coin", "pu\nsh")}, e.BadNameError, "input name"),
    "output that is no text": ({"moore": ((1,), ())}, e.BadNameError, "output name 1 is not text"),
    "Mealy output": ({"table": ((T("locked", ("",)),) * 2,) * 2}, e.BadNameError, "output name"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_a_machine_that_does_not_fit_together_is_refused(
    case: tuple[dict[str, object], type[e.SpecError], str],
) -> None:
    parts, error, useful = case
    with pytest.raises(error) as caught:
        changed(**parts)
    assert type(caught.value) is error
    assert useful in str(caught.value)
    assert caught.value.location is None


def test_an_unknown_input_or_state_names_the_nearest() -> None:
    with pytest.raises(
        e.UnknownInputError,
        match='unknown input "psh"; expected one of: coin, push; did you mean "push"',
    ):
        TURNSTILE.run(["coin", "psh"])
    with pytest.raises(e.UnknownStateError, match='did you mean "unlocked"'):
        TURNSTILE.outputs_of("unlockd")


def test_names_and_lists_in_messages() -> None:
    assert check_name("state", "two words") == "two words"
    assert listed(["a", "b"]) == "one of: a, b"
    assert listed([str(i) for i in range(9)], most=2) == "one of: 0, 1, ... (9 in all)"
    assert listed([]) == "none is declared"


def test_errors_carry_their_place_and_all_are_of_one_family() -> None:
    place = e.Location("m.yaml", 3, 7)
    error = e.UnknownStateError("no such state", place)
    assert str(error) == "m.yaml:3:7: no such state"
    assert (error.message, error.location) == ("no such state", place)
    family = [c for c in vars(e).values() if isinstance(c, type) and issubclass(c, Exception)]
    assert all(issubclass(c, e.VsafsmError | e.VsafsmWarning) and c.__doc__ for c in family)
    assert e.did_you_mean("zzz", ["coin"]) == ""


@pytest.mark.parametrize(
    ("options", "error", "useful"),
    [
        ((("bitss", 8),), e.OptionError, '"bits"'),
        ((("bits", 99),), e.OptionError, "2 to 16"),
        ((("bits", 8), ("bits", 8)), e.SpecError, "twice"),
        ((("bits", np.int64(8)),), e.SpecError, "expected a text or a number"),
        ([("bits", 8)], e.SpecError, "expected a tuple"),
    ],
)
def test_compile_options_are_checked(
    options: tuple[tuple[str, int], ...], error: type[Exception], useful: str
) -> None:
    with pytest.raises(error, match=useful):
        Machine("m", ("a",), ("go",), "a", ((T("a"),),), ((),), options)


# ---- from a dictionary


def test_the_examples_in_the_docstrings_run() -> None:
    for module in (vsafsm.machine, vsafsm.formats):
        found = doctest.testmod(module)
        assert found.attempted > 1
        assert found.failed == 0


def test_a_machine_from_a_dictionary() -> None:
    assert (
        Machine.from_dict(
            {
                "name": "turnstile",
                "initial": "locked",
                "transitions": {
                    "locked": {"coin": "unlocked"},
                    "unlocked": {"*": "unlocked", "push": ("locked", "click")},
                },
                "outputs": {"locked": "closed", "unlocked": ["open"]},
            }
        )
        == TURNSTILE
    )


def test_the_least_that_a_dictionary_says() -> None:
    machine = Machine.from_dict({"transitions": {0: {"go": 1}, 1: None}})
    assert machine == Machine("machine", ("0", "1"), ("go",), "0", ((T("1"),), (T("1"),)), ((), ()))


@given(data=st.data())
def test_every_machine_is_its_dictionary(data: st.DataObject, small_machine_strategy: Any) -> None:
    machine: Machine = data.draw(small_machine_strategy())
    transitions = {
        state: {a: [t.to, *t.outputs] for a, t in zip(machine.inputs, row, strict=True)}
        for state, row in zip(machine.states, machine.table, strict=True)
    }
    found = Machine.from_dict(
        {
            "name": machine.name,
            "initial": machine.initial,
            "inputs": list(machine.inputs),
            "transitions": transitions,
            "outputs": dict(zip(machine.states, machine.moore, strict=True)),
        }
    )
    assert found == dataclasses.replace(machine, compile_options=())


@pytest.mark.parametrize(
    ("parts", "error", "told"),
    [
        ([], e.SpecError, r"a machine is \[\]; expected a mapping"),
        ({}, e.SpecError, "no transitions"),
        ({"transitions": {}}, e.SpecError, "no transitions"),
        ({"transitions": {"a": {}}}, e.SpecError, "no inputs"),
        ({"states": {"a": {}}}, e.SpecError, r"expected vsafsm.load\(mapping\)"),
        ({"transition": {}}, e.SpecError, 'unknown key "transition" .* did you mean "transitions"'),
        ({"transitions": {"a": "b"}}, e.SpecError, "state \"a\" is 'b'; .* each input"),
        ({"transitions": {"a": {"go": "b"}}}, e.UnknownStateError, '"b": {} among the transitions'),
        ({"transitions": {"a": {"go": None}}}, e.BadNameError, '"a" on "go" is None'),
        ({"transitions": {"a": {"go": []}}}, e.BadNameError, r'"a" on "go" is \[\]'),
        ({"transitions": {"a": {"go": ["a", 1.5]}}}, e.BadNameError, "an output of .* is 1.5"),
        ({"transitions": {True: {"go": True}}}, e.BadNameError, "key of transitions is True"),
        (
            {"transitions": {"ab": {"go": "ab"}}, "outputs": {"abc": "x"}},
            e.UnknownStateError,
            'unknown state "abc"; .* did you mean "ab"',
        ),
        (
            {"transitions": {"a": {"go": "a"}}, "inputs": ["stop"]},
            e.UnknownInputError,
            'unknown input "go"; expected one of: stop',
        ),
        ({"transitions": {"a": {"go": "a"}}, "initial": "b"}, e.UnknownStateError, '"b"'),
    ],
)
def test_a_dictionary_that_is_no_machine(parts: Any, error: type[e.SpecError], told: str) -> None:
    with pytest.raises(error, match=told):
        Machine.from_dict(parts)


def test_outputs_are_tuples_of_different_names() -> None:
    with pytest.raises(e.BadNameError, match='output "x" is declared twice'):
        changed(moore=(("x", "x"), ()))
    with pytest.raises(e.SpecError, match="expected a tuple of names"):
        changed(moore=(["x"], ()))
