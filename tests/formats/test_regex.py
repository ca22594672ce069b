"""Regular expressions, against Python's own matcher and automata-lib's smallest automaton."""

from __future__ import annotations

import contextlib
import re
import sys
from itertools import product

import pytest
from automata.fa.dfa import DFA
from automata.fa.nfa import NFA
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vsafsm import errors as e
from vsafsm.formats import format_for
from vsafsm.formats.regex import read_regex, write_regex
from vsafsm.machine import Machine


def machine_of(expression: str) -> Machine:
    return read_regex(expression, "--regex").machine


def accepts(machine: Machine, word: tuple[str, ...]) -> bool:
    return machine.outputs_of(machine.run(word).states[-1]) == ("accept",)


atoms = st.sampled_from(["a", "b", "c", "[ab]", "[^a]", "."])
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@given(expressions.filter(lambda text: set(text) & set("abc")))
@settings(deadline=None, max_examples=150)
@example("(ab|c)*d")
@example("a{2,3}.")
@example(r"\*b|[a-c]{2}")
def test_every_short_word_is_accepted_as_python_says(expression: str) -> None:
    machine, pattern = machine_of(expression), re.compile(expression)
    assert len(machine.reachable) == len(machine.states)
    for length in range(5):
        for word in product(machine.inputs, repeat=length):
            assert accepts(machine, word) == bool(pattern.fullmatch("".join(word)))


@given(expressions.filter(lambda text: set(text) & set("abc")))
@settings(deadline=None, max_examples=60)
def test_there_are_as_many_states_as_in_the_smallest_automaton(expression: str) -> None:
    machine = machine_of(expression)
    theirs = DFA.from_nfa(
        NFA.from_regex(expression, input_symbols=set(machine.inputs)), minify=True
    )
    complete = theirs.to_complete(trap_state="trap") if theirs.allow_partial else theirs
    assert len(machine.states) == len(complete.minify().states)


def test_the_alphabet_are_the_characters_that_are_named() -> None:
    assert machine_of("a{2,3}.").inputs == ("a",)
    assert machine_of("[a-c]x").inputs == ("a", "b", "c", "x")
    assert machine_of(r"\d-").inputs == ("-", *"0123456789")
    assert machine_of(r"\(a\)").inputs == ("(", ")", "a")
    assert machine_of("a.*&[a-d]*").inputs == ("a", "b", "c", "d")


def test_the_name_is_the_file_s() -> None:
    assert read_regex("a*\n", "some/word.regex").machine.name == "word"
    assert machine_of("a*").name == "regex"
    assert format_for("word.regex").name == "regex"


@pytest.mark.parametrize(
    ("expression", "error", "told"),
    [
        ("", e.SyntaxSpecError, "--regex:1:1: the expression is empty"),
        ("(a", e.SyntaxSpecError, "--regex:1:1: this is no regular expression"),
        ("*a", e.SyntaxSpecError, "cannot appear at the start"),
        ("a{3", e.SyntaxSpecError, "no regular expression"),
        ("ba{2,1}", e.SyntaxSpecError, '--regex:1:3: "{2,1}" repeats at least 2 times'),
        ("^a", e.SyntaxSpecError, "no anchors"),
        ("ab$", e.SyntaxSpecError, "--regex:1:3"),
        ("a\nb", e.SyntaxSpecError, "--regex:2:1: a second line"),
        ("()", e.SpecError, "names no character"),
        ("a b", e.SyntaxSpecError, "no regular expression"),
        (r"\s", e.BadNameError, "each character is an input"),
        ("(a{1000}){1001}", e.TooLargeError, "multiply"),
        ("(a|b)*a(a|b){15}", e.TooLargeError, "more than 20000 states"),
    ],
)
def test_what_is_refused(expression: str, error: type[e.SpecError], told: str) -> None:
    with pytest.raises(error) as caught:
        machine_of(expression)
    assert told in str(caught.value)


@given(st.text("ab()[]{}|*+?.^&\\-,1 $", max_size=12))
@settings(deadline=None, max_examples=400)
def test_any_text_is_a_machine_or_an_error_of_ours(text: str) -> None:
    with contextlib.suppress(e.SpecError):
        assert machine_of(text).states


def test_it_needs_automata_lib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "automata.fa.nfa", None)
    with pytest.raises(e.FormatError, match=r"pip install 'vsafsm\[formats\]'"):
        machine_of("a")


def test_a_machine_is_not_written_as_one() -> None:
    with pytest.raises(e.NotExpressibleError):
        write_regex(machine_of("a"))
