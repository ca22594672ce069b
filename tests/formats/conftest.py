"""What the tests of formats share: random machines, and when two machines are the same up to their
inputs' names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import strategies as st

from vsafsm.machine import Machine, Transition

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))

MISREAD = """
on off yes No null ~ 1 1.0 1e5 0x1f 1_000 << = - ? : [] {a a: a#b x,y
&a *b !c %d @e `f 'g "h |i >j 12:30
2001-01-01 .inf .nan true TRUE x0 0x|10 ---
"""  # names that YAML, or a hasty reader of it, takes for something else

any_names = st.one_of(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6),
    st.sampled_from(MISREAD.split()),
    st.sampled_from(["two words", "a  b", "a: b", "a #b", "back\\slash", "x" * 1500, "é", "名前"]),
).filter(lambda name: name == name.strip() and name.isprintable() and name != "*")
words = st.from_regex(r"[a-z][a-z0-9_.\-]{0,5}", fullmatch=True)


def option_pairs() -> st.SearchStrategy[tuple[str, str | int | float]]:
    """A compile option and a value of it; numbers may be written as text."""
    whole = st.tuples(
        st.just("bits"), st.integers(2, 16).flatmap(lambda n: st.sampled_from([n, str(n)]))
    )
    seed = st.tuples(st.just("seed"), st.integers(0, 2**63 - 1))
    real = st.tuples(
        st.just("margin"), st.one_of(st.floats(0, 0.45), st.sampled_from(["auto", "0.1", 0]))
    )
    text = st.sampled_from(
        [("rule", "one-shot"), ("code", "dense"), ("dimension", "auto"), ("dimension", 64)]
    )
    return st.one_of(whole, seed, real, text)


@st.composite
def machines(
    draw: st.DrawFn, names: st.SearchStrategy[str] = any_names, options: bool = True
) -> Machine:
    states = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    inputs = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    outputs = st.lists(names, max_size=2, unique=True).map(tuple)
    transitions = st.builds(Transition, st.sampled_from(states), outputs)
    pairs = st.lists(option_pairs(), max_size=3, unique_by=lambda p: p[0])
    return Machine(
        name=draw(names),
        states=tuple(states),
        inputs=tuple(inputs),
        initial=draw(st.sampled_from(states)),
        table=tuple(tuple(draw(transitions) for _ in inputs) for _ in states),
        moore=tuple(draw(outputs) for _ in states),
        compile_options=tuple(draw(pairs)) if options else (),
    )


def same_behaviour(one: Machine, other: Machine, renamed: Mapping[str, str]) -> bool:
    """Whether no word tells the machines apart: an input of `other` stands for ``renamed[input]``
    of `one`.
    """
    if set(renamed.values()) != set(one.inputs) or set(renamed) != set(other.inputs):
        return False
    start = (one.initial, other.initial)
    seen, queue = {start}, [start]
    for a, b in queue:
        for symbol in other.inputs:
            left, right = one.transition(a, renamed[symbol]), other.transition(b, symbol)
            seen_left = {*left.outputs, *one.outputs_of(left.to)}
            if seen_left != {*right.outputs, *other.outputs_of(right.to)}:
                return False
            pair = (left.to, right.to)
            if pair not in seen:
                seen.add(pair)
                queue.append(pair)
    return True


@pytest.fixture(scope="session")
def machine_strategy() -> Callable[..., st.SearchStrategy[Machine]]:
    """Makes a strategy for machines; with ``names=`` for other names than all those that are
    allowed.
    """
    return machines


@pytest.fixture(scope="session")
def word_names() -> st.SearchStrategy[str]:
    """Names that every format can hold."""
    return words


@pytest.fixture(scope="session")
def equivalent() -> Callable[[Machine, Machine, Mapping[str, str]], bool]:
    """The check `same_behaviour`."""
    return same_behaviour


@pytest.fixture(scope="session")
def spec_files() -> list[Path]:
    """The example machines of the project."""
    return SPECS


@pytest.fixture(scope="session")
def option_strategy() -> st.SearchStrategy[tuple[str, str | int | float]]:
    """(name, value) of a compile option."""
    return option_pairs()
