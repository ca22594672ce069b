"""``dot:nfa``: recognisers of words, against walking all their edges at once."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm import errors as e
from vsafsm.formats import format_for
from vsafsm.formats.dot import read_dot_nfa
from vsafsm.machine import Machine


def machine_of(text: str) -> Machine:
    return read_dot_nfa(text, "m.dot").machine


def accepts(machine: Machine, word: tuple[str, ...]) -> bool:
    return "accept" in machine.outputs_of(machine.run(word).states[-1])


def test_words_that_end_in_ab() -> None:
    machine = machine_of("""
        digraph ends_in_ab {
          s0 [shape=circle]; s1 [shape=circle]; s2 [shape=doublecircle];
          __start0 [shape=none, label=""]; __start0 -> s0;
          s0 -> s0 [label="a"]; s0 -> s0 [label="b"];
          s0 -> s1 [label="a"]; s1 -> s2 [label="b"];
        }
    """)
    assert (machine.name, machine.initial, machine.inputs) == ("ends_in_ab", "s0", ("a", "b"))
    assert len(machine.states) == 3
    for word in product("ab", repeat=6):
        assert accepts(machine, word) == (word[-2:] == ("a", "b"))


def test_the_reading_is_chosen_by_name() -> None:
    assert format_for("m.dot", "dot:nfa").read is read_dot_nfa


Edge = tuple[int, str, int]
edges = st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", "ε"]), st.integers(0, 3))


@given(
    st.lists(edges, min_size=1, max_size=10),
    st.lists(st.integers(0, 3), min_size=1, max_size=2),
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
)
@settings(deadline=None, max_examples=150)
def test_it_accepts_what_some_walk_along_the_edges_accepts(
    found: list[Edge], starts: list[int], final: list[int]
) -> None:
    found = [*found, (3, "a", 3), (3, "b", 3)]
    text = "digraph m { node [shape=circle]; 0; 1; 2; 3; i, j [shape=point]\n"
    text += "\n".join(f"{tail} -> {head} [label={symbol}]" for tail, symbol, head in found)
    text += "\n".join(f" {mark} -> {to}" for mark, to in zip("ij", starts, strict=False))
    text += "".join(f"; {state} [shape=doublecircle]" for state in final) + "}"
    machine = machine_of(text)

    def walked(now: set[int], symbol: str) -> set[int]:
        return {head for tail, label, head in found if label == symbol and tail in now}

    def closed(now: set[int]) -> set[int]:
        wider = now | walked(now, "ε")
        return now if wider == now else closed(wider)

    for length in range(5):
        for word in product("ab", repeat=length):
            now = closed(set(starts))
            for symbol in word:
                now = closed(walked(now, symbol))
            assert accepts(machine, word) == bool(now & set(final))


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("a -> b [label=x]", e.SpecError, "1:1: no node is a double circle"),
        ("a [peripheries=2]; a -> b [label=ε]", e.SpecError, "1:1: no edge has an input"),
        ("a [peripheries=2]; a -> b [label=x]; b -> a", e.SpecError, "1:48: .*has no input"),
        ('a [peripheries=2]; a -> b [label="x/y"]', e.SpecError, '1:30: .*"x" has outputs'),
    ],
)
def test_what_is_no_recogniser_is_refused(text: str, error: type[e.SpecError], told: str) -> None:
    with pytest.raises(error, match=told):
        machine_of(f"digraph {{ {text} }}".replace("digraph { ", "digraph g{"))


def test_it_grows_no_further_than_memory() -> None:
    ways = "; ".join(f"{i} -> {i + 1} [label=a]; {i} -> {i + 1} [label=b]" for i in range(1, 20))
    text = f"0 -> 0 [label=a]; 0 -> 0 [label=b]; 0 -> 1 [label=a]; {ways}; 20 [peripheries=2]"
    with pytest.raises(e.TooLargeError, match="more than 20000 states"):
        machine_of(f"digraph {{ {text} }}")
