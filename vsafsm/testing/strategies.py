"""Hypothesis strategies for machines, words and noise. What they draw shrinks to what is small and
does little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields, replace
from numbers import Integral, Real
from typing import Any, cast

from hypothesis import strategies as st

from vsafsm.equivalence import classes
from vsafsm.errors import NoiseError, RobustnessError, did_you_mean
from vsafsm.machine import Machine, Outputs, Transition
from vsafsm.noise import MODELS, Composed, Noise
from vsafsm.symbolic import SymbolicMachine

Sizes = int | tuple[int, int]
"""A number, or the least and the most."""
Amounts = float | tuple[float, float]
"""An amount, or the least and the most."""

OUTPUTS: tuple[Outputs, ...] = ((), ("p",), ("q",), ("p", "q"))
USUAL: Mapping[str, Amounts] = {
    "additive": (0, 3),
    "lognormal": (0, 1),
    "missing": (0, 0.3),
    "stuck": (0, 0.1),
    "flips": (0, 0.1),
    "quantised": (2, 8),
    "jitter": (0, 3),
    "correlated": (0, 2),
    "timing:async": (0.1, 1),
    "timing:masks": (0, 5),
    "timing:delays": (1, 4),
}
"""Amounts of each model where none are asked for."""


# ---- machines


def machines(
    states: Sizes = (1, 5),
    inputs: Sizes = (1, 3),
    *,
    mealy: bool = True,
    moore: bool = True,
    partial: bool = False,
    minimal: bool = False,
) -> st.SearchStrategy[Machine]:
    """Machines of which every state is reachable, in any order of the states.

    They shrink to few states and inputs, no outputs, and transitions that stay where they are. Up
    to about 50 states are drawn fast enough for Hypothesis's health checks.

    Parameters
    ----------
    states, inputs
        How many: a number, or the least and the most.
    mealy, moore
        Whether transitions, and whether states may have outputs, of "p" and "q".
    partial
        Whether to leave out about half of the pairs of state and input, as a spec may: there the
        machine stays, without outputs.
    minimal
        Whether all states differ in what some word puts out. States that would not are marked by
        outputs of their own: "mark1", "mark2", ...

    Raises
    ------
    RobustnessError
        If bounds are no whole numbers from 1 or the wrong way round, or several states are to
        differ without outputs.
    """
    size, alphabet = _sizes("states", states, 1), _sizes("inputs", inputs, 1)
    if minimal and not (mealy or moore) and size[1] > 1:
        raise RobustnessError(
            f"up to {size[1]} states are to differ without outputs; expected mealy or moore"
        )
    strategy = _machines(size, alphabet, mealy, moore, partial)
    return strategy.map(lambda machine: _told_apart(machine, moore)) if minimal else strategy


@st.composite
def _machines(
    draw: st.DrawFn,
    states: tuple[int, int],
    inputs: tuple[int, int],
    mealy: bool,
    moore: bool,
    partial: bool,
) -> Machine:
    """A machine drawn at its largest, of which states and inputs are left out.

    So each of them can be left out alone when it shrinks; to draw less instead would change what
    all others are drawn from. Whole numbers one after the other are what Hypothesis shrinks and
    explains fastest.
    """
    most, width, arrows = states[1], inputs[1], states[1] * (len(OUTPUTS) if mealy else 1)
    kept, alphabet = _kept(draw, *states), _kept(draw, *inputs)
    entry, place, output = _below(most * width), _below(most), _below(len(OUTPUTS) if moore else 1)
    arrow = _below(2 * arrows if partial else arrows)
    drawing = [
        (draw(entry), draw(place), draw(output), [draw(arrow) for _ in range(width)])
        for _ in range(most)
    ]
    entries, places, outputs, numbers = zip(*(drawing[x] for x in kept), strict=True)
    unlisted = arrows if partial else 0
    rows = [[divmod(max(row[a] - unlisted, 0), most) for a in alphabet] for row in numbers]
    return _machine(rows, outputs, _tree(entries, len(alphabet)), _order(places))


def _machine(
    rows: list[list[tuple[int, int]]],
    outputs: Sequence[int],
    tree: dict[tuple[int, int], int],
    order: list[int],
) -> Machine:
    """A machine from what its transitions put out and how many states on they lead, counted
    round.
    """
    names = {x: f"s{n}" for n, x in enumerate(order)}
    taken = [
        [
            Transition(names[tree.get((x, a), (x + on) % len(rows))], OUTPUTS[emitted])
            for a, (emitted, on) in enumerate(row)
        ]
        for x, row in enumerate(rows)
    ]
    return Machine(
        name="drawn",
        states=tuple(names[x] for x in order),
        inputs=tuple(f"i{a}" for a in range(len(rows[0]))),
        initial=names[0],
        table=tuple(tuple(taken[x]) for x in order),
        moore=tuple(OUTPUTS[outputs[x]] for x in order),
    )


def _kept(draw: st.DrawFn, least: int, most: int) -> list[int]:
    """Which of `most` are kept, in order; `least` of them at least."""
    flags = [least == most or draw(st.booleans()) for _ in range(most)]
    left_out = [n for n, flag in enumerate(flags) if not flag]
    again = max(least - (most - len(left_out)), 0)
    return [n for n in range(most) if n not in left_out[again:]]


def _below(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


def _tree(entries: Sequence[int], inputs: int) -> dict[tuple[int, int], int]:
    """Transitions that reach every state from state 0: each state is entered from an earlier
    one.
    """
    free: list[tuple[int, int]] = []
    tree = {}
    for x, entry in enumerate(entries):
        if x:
            tree[free.pop(entry % len(free))] = x
        free = [*((x, a) for a in range(inputs)), *free]
    return tree


def _order(places: Sequence[int]) -> list[int]:
    """States in the order in which they are listed; each stands before so many of those before
    it.
    """
    order: list[int] = []
    for x, place in enumerate(places):
        order.insert(max(x - place, 0), x)
    return order


def _told_apart(machine: Machine, moore: bool) -> Machine:
    """The machine with marks put out where states are equivalent: the first of a class has none.

    States of different classes still differ in what they put out besides the marks.
    """
    marks: list[Outputs] = []
    class_of, earlier = classes(machine), Counter[int]()
    for state in machine.states:
        one = class_of[state]
        marks.append((f"mark{earlier[one]}",) if earlier[one] else ())
        earlier[one] += 1
    if moore:
        return replace(
            machine, moore=tuple(m + mark for m, mark in zip(machine.moore, marks, strict=True))
        )
    return replace(
        machine,
        table=tuple(
            (replace(row[0], outputs=row[0].outputs + mark), *row[1:])
            for row, mark in zip(machine.table, marks, strict=True)
        ),
    )


# ---- words


def words(machine: Machine, lengths: Sizes = (0, 12)) -> st.SearchStrategy[tuple[str, ...]]:
    """Words over a machine's inputs, of a length or from the least to the most. They shrink to
    short ones. Inputs of a machine with guards are vectors that guards hold.

    Raises
    ------
    RobustnessError
        If lengths are no whole numbers from 0, or the wrong way round.
    """
    least, most = _sizes("lengths", lengths, 0)
    inputs = st.sampled_from(machine.inputs)
    if isinstance(machine, SymbolicMachine):
        inputs = _vectors(machine)
    return st.lists(inputs, min_size=least, max_size=most).map(tuple)


def _vectors(machine: SymbolicMachine) -> st.SearchStrategy[str]:
    bits = st.integers(0, 2**machine.width - 1)
    return st.builds(
        lambda cube, free: machine.text(cube[1] | free & ~cube[0]),
        st.sampled_from(machine.cubes),
        bits,
    )


# ---- noise


def noises(*, composed: int = 1, **amounts: Amounts) -> st.SearchStrategy[Noise]:
    """Noise models of `vsafsm.noise`. They shrink to few models and little noise.

    Parameters
    ----------
    composed
        Up to so many models act one after the other.
    **amounts
        By model, the amount that its text begins with, or the least and the most:
        ``noises(additive=(0, 2), missing=0.1)``. Drawn are 101 amounts at equal distances. Without
        any, all models are drawn within usual amounts. Units are standard deviations of the
        weights.

    Raises
    ------
    NoiseError
        If there is no such model, or an amount is not one of its.
    RobustnessError
        If `composed` is no whole number from 1.
    """
    _, most = _sizes("composed", composed, 1)
    single = st.one_of([_models(name, asked) for name, asked in (amounts or USUAL).items()])
    return st.lists(single, min_size=1, max_size=most).map(
        lambda some: some[0] if len(some) == 1 else Composed(tuple(some))
    )


def _models(name: str, asked: Amounts) -> st.SearchStrategy[Noise]:
    if name not in MODELS:
        raise NoiseError(
            f'unknown noise "{name}"; expected one of:'
            f" {', '.join(sorted(MODELS))}{did_you_mean(name, MODELS)}"
        )
    model = MODELS[name]
    low, high = asked if isinstance(asked, tuple) and len(asked) == 2 else (asked, asked)
    for bound in (low, high):
        model(bound)
    if low > high:
        raise NoiseError(
            f"amounts of noise {name} are {asked!r}; expected the least, then the most"
        )
    amount, *others = fields(model)
    parameters = {one.name: _values(one) for one in others if one.name != "unit"}
    drawn = _amounts(amount, float(cast(Real, low)), float(cast(Real, high)), model.less_is_more)
    return st.builds(model, drawn, **parameters)


def _amounts(
    amount: Field[Any], low: float, high: float, down: bool = False
) -> st.SearchStrategy[float]:
    """Amounts that shrink to the least, or `down` from the most."""
    if amount.metadata["whole"]:
        first, last = int(low), int(high)
        return st.integers(first, last).map(lambda n: first + last - n if down else n)
    steps = st.integers(0, 100).map(lambda n: 100 - n if down else n)
    return steps.map(lambda n: min(max(round(low + (high - low) * n / 100, 9), low), high))


def _values(one: Field[Any]) -> st.SearchStrategy[Any]:
    if "names" in one.metadata:
        return st.sampled_from(one.metadata["names"])
    return _amounts(one, one.metadata["least"], one.metadata["most"])


# ---- bounds


def _sizes(what: str, asked: Sizes, least: int) -> tuple[int, int]:
    low, high = asked if isinstance(asked, tuple) and len(asked) == 2 else (asked, asked)
    whole = all(isinstance(n, Integral) and not isinstance(n, bool) for n in (low, high))
    if not whole or not least <= low <= high:
        raise RobustnessError(
            f"{what} are {asked!r}; expected a whole number of at least {least}, or the least and"
            " the most"
        )
    return int(low), int(high)
