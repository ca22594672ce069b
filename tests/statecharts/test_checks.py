"""What is no statechart: one clear error each, with its place."""

from __future__ import annotations

from fractions import Fraction

import pytest

from vsafsm.errors import Location, SpecError
from vsafsm.statecharts import (
    Assign,
    Choice,
    History,
    Output,
    Send,
    State,
    Statechart,
    Transition,
    Variable,
    flatten,
    parse_expression,
)
from vsafsm.statecharts.parts import Action

HERE = Location("m", 3, 5)


def to(*targets: str, **parts: object) -> Transition:
    return Transition(("go",), targets, place=HERE, **parts)  # type: ignore[arg-type]


def a(*transitions: Transition, **parts: object) -> State:
    return State("a", transitions=transitions or (to("a"),), **parts)  # type: ignore[arg-type]


def nested(depth: int) -> State:
    state = State("s0", transitions=(to("s0"),), place=HERE)
    for level in range(1, depth):
        state = State(f"s{level}", (state,), place=HERE)
    return state


def doing(*actions: Action) -> tuple[State, ...]:
    return (a(to("a", actions=actions)),)


def parallel(*transitions: Transition) -> tuple[State, ...]:
    left = State("left", (State("l1", transitions=transitions), State("l2")))
    right = State("right", (State("r1"), State("r2")))
    return (State("both", (left, right), kind="parallel"),)


N = Variable("n", 0, range(3), HERE)
S = Fraction(1)


@pytest.mark.parametrize(
    ("states", "more", "told"),
    [
        ((), {}, "there is no state"),
        ((a(), State("a", place=HERE)), {}, 'state "a" is declared twice'),
        ((a(to("b")),), {}, 'unknown state "b"'),
        (
            (a(), State("z", kind="final", transitions=(to("a"),), place=HERE)),
            {},
            "is final and has",
        ),
        ((a(), State("p", kind="parallel", place=HERE)), {}, "parallel without regions"),
        (
            (a(), State("p", (State("z", kind="final", place=HERE),), kind="parallel")),
            {},
            'a region of "p"',
        ),
        ((a(), State("p", (State("q"), History("h", place=HERE)))), {}, "has no default"),
        ((a(), State("p", (State("q"), History("h", ("a",), place=HERE)))), {}, "not inside it"),
        ((a(), State("p", (History("h", ("a",)),), place=HERE)), {}, "no states"),
        ((a(initial=("a",), place=HERE),), {}, "no states to choose from"),
        ((a(), State("b")), {"initial": ("c",)}, 'unknown state "c"'),
        (
            (a(), State("p", (State("q"),), initial=("a",), place=HERE)),
            {},
            'initial state "a" of state "p" is not inside it',
        ),
        ((a(to("a", "b")), State("b")), {}, "not in different regions"),
        (parallel(to("r2")), {}, 'in another region of "both"'),
        (parallel(to("l2", "r2")), {}, 'in another region of "both"'),
        ((nested(65),), {}, "nested deeper than 64"),
        ((a(outputs=(" x",), place=HERE),), {}, "output name ' x'"),
        ((a(),), {"data": (N, N)}, "declared twice"),
        ((a(),), {"data": (Variable("n", 5, range(3), HERE),)}, "is 5 at the start; expected 0..2"),
        ((a(),), {"data": (Variable("n-1", 0, place=HERE),)}, "is no word"),
        ((a(),), {"data": (Variable("m", "a", ("b",), HERE),)}, "expected one of: b"),
        ((a(),), {"data": (Variable("m", "a", (), HERE),)}, "has no values"),
        (doing(Assign("n", parse_expression("1"), HERE)), {}, 'unknown variable "n"'),
        (doing(Assign("n", parse_expression("true"), HERE)), {"data": (N,)}, "is set to a truth"),
        (
            doing(Choice(((parse_expression("n"), (Output("x"),)),), HERE)),
            {"data": (N,)},
            "a guard is a whole number",
        ),
        ((a(to("a", guard=parse_expression("in(b)"))),), {}, 'unknown state "b"'),
        ((a(to("a", after=S * 0)),), {}, "a duration is 0 s; expected more"),
        ((a(to("a", after=S / 3)),), {"clock": S / 2}, "expected a multiple of the clock"),
        (doing(Send("x", -S, place=HERE)), {}, "a duration is -1 s"),
        ((a(Transition(("tick",), ("a",), after=S, place=HERE)),), {}, "by which time passes"),
    ],
)
def test_what_is_no_statechart(
    states: tuple[State, ...], more: dict[str, object], told: str
) -> None:
    with pytest.raises(SpecError) as caught:
        Statechart("m", states, **{"place": HERE, **more})  # type: ignore[arg-type]
    assert told in caught.value.message
    assert caught.value.location == HERE


def test_a_transition_between_regions_enters_the_parallel_state_anew_where_it_may() -> None:
    chart = Statechart("m", parallel(to("r2")), between_regions=True)
    assert flatten(chart).run(["go"]).states == ("left.l1|right.r1", "left.l1|right.r2")


def test_targets_in_two_regions_are_entered_together() -> None:
    out = State("out", transitions=(to("l2", "r2"),))
    assert flatten(Statechart("m", (out, *parallel()))).run(["go"]).states[-1] == (
        "both.left.l2|both.right.r2"
    )


@pytest.mark.parametrize(
    ("leaves", "told"),
    [
        ("state", ("out r", "out l", "out both", "in both", "in l", "in r")),
        ("regions", ("out r", "out l", "in l", "in r")),
        ("region", ("out l", "in l")),
    ],
)
def test_what_a_transition_of_a_region_to_itself_leaves(leaves: str, told: tuple[str, ...]) -> None:
    def noisy(name: str, *children: State, **parts: object) -> State:
        entry, leave = (Output(f"in {name}"),), (Output(f"out {name}"),)
        return State(name, children, entry=entry, exit=leave, **parts)  # type: ignore[arg-type]

    left = noisy("l", transitions=(to("l", leaves=leaves),))
    chart = Statechart("m", (noisy("both", left, noisy("r"), kind="parallel"),))
    machine = flatten(chart)
    assert machine.transition(machine.initial, "go").outputs == told


def test_whether_an_inner_transition_rules_out_an_outer_one() -> None:
    left = State("left", transitions=(to(actions=(Output("inner"),)),))
    outer = to("end", actions=(Output("outer"),))
    both = State("both", (left, State("right")), kind="parallel", transitions=(outer,))
    states = (both, State("end"))
    machine = flatten(Statechart("m", states))
    assert machine.transition(machine.initial, "go").outputs == ("inner", "outer")
    machine = flatten(Statechart("m", states, inner_rules_out=True))
    assert machine.transition(machine.initial, "go").outputs == ("inner",)
