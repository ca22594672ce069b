"""JFLAP files against JFLAP's own way to run them, written down here on the text itself."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm import errors as e
from vsafsm.equivalence import distinguishing_word
from vsafsm.formats import Reading, format_for
from vsafsm.formats.jflap import read_jflap, read_jflap_nfa, write_jflap
from vsafsm.machine import Machine, Transition

from .conftest import any_names, machines

ENDS_IN_AB = """<?xml version="1.0" encoding="UTF-8" standalone="no"?><!--Created with JFLAP 7.1.-->
<structure>&#13;
	<type>fa</type>&#13;
	<automaton>&#13;
		<!--The list of states.-->&#13;
		<state id="0" name="start">&#13;
			<x>75.0</x>&#13;
			<y>119.0</y>&#13;
			<label>nothing yet</label>&#13;
			<initial/>&#13;
		</state>&#13;
		<state id="1" name="q1">&#13;
			<x>170.0</x>&#13;
			<y>119.0</y>&#13;
		</state>&#13;
		<state id="4">&#13;
			<x>260.0</x>&#13;
			<y>119.0</y>&#13;
			<final/>&#13;
		</state>&#13;
		<!--The list of transitions.-->&#13;
		<transition>&#13;
			<from>0</from>&#13;
			<to>1</to>&#13;
			<read>a</read>&#13;
			<controlx>120</controlx>&#13;
			<controly>90</controly>&#13;
		</transition>&#13;
		<transition><from>0</from><to>0</to><read>b</read></transition>&#13;
		<transition><from>1</from><to>1</to><read>a</read></transition>&#13;
		<transition><from>1</from><to>4</to><read>b</read></transition>&#13;
		<transition><from>4</from><to>1</to><read>a</read></transition>&#13;
		<transition><from>4</from><to>0</to><read>b</read></transition>&#13;
		<note><text>words that end in ab</text><x>20.0</x><y>30.0</y></note>&#13;
	</automaton>&#13;
</structure>
"""
HALVES = """<structure><type>mealy</type><automaton>
<state id="0" name="even"><initial/></state><state id="1" name="odd"/>
<transition><from>0</from><to>1</to><read>1</read><transout/></transition>
<transition><from>1</from><to>0</to><read>1</read><transout>pulse</transout></transition>
<transition><from>0</from><to>0</to><read>0</read><transout>low, rest</transout></transition>
<transition><from>1</from><to>1</to><read>0</read><transout>low</transout></transition>
</automaton></structure>"""
LAMP = """<structure><type>moore</type><automaton>
<state id="0" name="off"><initial/><output/></state>
<state id="1" name="on"><output>light</output></state>
<transition><from>0</from><to>1</to><read>p</read><transout>light</transout></transition>
<transition><from>1</from><to>0</to><read>p</read><transout/></transition>
</automaton></structure>"""


def machine_of(text: str) -> Machine:
    return read_jflap(text, "m.jff").machine


def accepts(machine: Machine, word: str) -> bool:
    return "accept" in machine.outputs_of(machine.run(word).states[-1])


def jff(*parts: str, kind: str = "fa", automaton: bool = True) -> str:
    """A file with a part per line, from line 2."""
    inside = "\n".join(parts)
    inside = f"<automaton>\n{inside}\n</automaton>" if automaton else f"\n{inside}\n"
    return f"<structure><type>{kind}</type>{inside}</structure>"


def arrow(source: object, to: object, read: str = "", out: str | None = None) -> str:
    told = "" if out is None else f"<transout>{out}</transout>"
    label = f"<read>{read}</read>" if read else "<read/>"
    return f"<transition><from>{source}</from><to>{to}</to>{label}{told}</transition>"


STATES = ('<state id="0"><initial/></state>', '<state id="1"><final/></state>')


# ---- what is read


def test_a_finite_automaton() -> None:
    machine = machine_of(ENDS_IN_AB)
    assert machine.states == ("start", "q1", "q4")
    assert (machine.name, machine.initial, machine.inputs) == ("m", "start", ("a", "b"))
    for word in product("ab", repeat=5):
        assert accepts(machine, "".join(word)) == (word[-2:] == ("a", "b"))
    assert read_jflap(ENDS_IN_AB, "m").warnings == ()


def test_a_mealy_machine() -> None:
    machine = machine_of(HALVES)
    assert machine.run("1101").outputs == ((), ("pulse",), ("low", "rest"), ())
    assert machine.states == ("even", "odd")


def test_a_moore_machine() -> None:
    trace = machine_of(LAMP).run("pp")
    assert (trace.initial_outputs, trace.outputs) == ((), (("light",), ()))


def test_a_file_of_jflap_4_has_no_element_for_the_automaton() -> None:
    old = ENDS_IN_AB.replace("<automaton>", "").replace("</automaton>", "")
    assert machine_of(old) == machine_of(ENDS_IN_AB)


def test_a_missing_transition_leads_to_a_trap() -> None:
    machine = machine_of(jff(*STATES, arrow(0, 1, "a"), arrow(1, 1, "b")))
    assert machine.states == ("q0", "q1", "trap")
    assert [word for n in range(4) for word in map("".join, product("ab", repeat=n)) if
            accepts(machine, word)] == ["a", "ab", "abb"]  # fmt: skip
    assert not read_jflap(jff(*STATES, arrow(0, 1, "a")), "m").warnings
    told = read_jflap(jff(STATES[0], arrow(0, 0, "ab", "x"), kind="mealy"), "m").warnings
    assert told[0].startswith('m:2:1: state "q0" has no transition on some input (2 states in all)')


def test_a_state_of_the_name_of_the_trap_keeps_it() -> None:
    states = ('<state id="0" name="trap"><initial/><final/></state>', '<state id="1"/>')
    machine = machine_of(jff(*states, arrow(0, 1, "a")))
    assert machine.states == ("trap", "q1", "trap 2")


def test_a_label_of_several_characters_is_a_word() -> None:
    machine = machine_of(jff(*STATES, arrow(0, 1, "abc"), arrow(0, 0, "abd")))
    assert machine.states == ("q0", "q1", "q0.a", "q0.ab", "trap")
    assert machine.inputs == ("a", "b", "c", "d")
    assert accepts(machine, "abdabc")
    assert not accepts(machine, "abcabc")


def test_the_output_of_a_word_comes_with_its_last_character() -> None:
    machine = machine_of(jff(STATES[0], arrow(0, 0, "go", "left"), kind="mealy"))
    assert machine.run("gogg").outputs == ((), ("left",), (), ())


def test_a_range_is_each_of_its_characters() -> None:
    machine = machine_of(jff(*STATES, arrow(0, 1, "[a-d]"), arrow(1, 1, "x")))
    assert machine.inputs == ("a", "b", "c", "d", "x")
    assert accepts(machine, "cx")
    assert machine_of(jff(STATES[0], arrow(0, 0, "[a", "o"), kind="mealy")).inputs == ("[", "a")


def test_the_same_transition_twice_is_one() -> None:
    assert machine_of(jff(*STATES, *[arrow(0, 1, "ab")] * 3).replace("ab", "a")).states == (
        "q0",
        "q1",
        "trap",
    )


def test_entities_and_letters_of_any_script() -> None:
    machine = machine_of(jff(*STATES, arrow(0, 1, "&lt;&#233;名"), arrow(1, 1, "ε")))
    assert machine.inputs == ("<", "é", "名", "ε")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (jff(STATES[0], arrow(0, 0, "a")), "m:1:27: no state has <final/>: no word is accepted"),
        (
            jff(*STATES, arrow(0, 1, "a", "x"), arrow(1, 1, "a", "x"), kind="mealy"),
            'm:3:1: state "q1" has <final/>, which means nothing in a machine of the type "mealy"',
        ),
        (
            jff(*STATES, '<state id="7"/>', arrow(0, 1, "a"), arrow(1, 1, "a"), arrow(7, 1, "a")),
            'm:4:1: state "q7" is never reached from "q0"',
        ),
    ],
)
def test_what_is_doubtful_is_a_warning(text: str, told: str) -> None:
    assert read_jflap(text, "m").warnings == (told,)


# ---- against JFLAP


def ran_by_jflap(text: str, word: str) -> Iterator[tuple[str, str]]:
    """(state, output) of every way in which JFLAP reads the whole word: it takes the label of a
    transition off the beginning of what is left.
    """
    automaton = ElementTree.fromstring(text).find("automaton")
    assert automaton is not None
    starts = [s for s in automaton.findall("state") if s.find("initial") is not None]
    told = {s.get("id"): s.findtext("output") or "" for s in automaton.findall("state")}
    queue = [(starts[0].get("id"), word, told[starts[0].get("id")])]
    seen = set(queue)
    for state, left, output in queue:
        if not left:
            yield str(state), output
        for each in automaton.findall("transition"):
            label = each.findtext("read") or ""
            if each.findtext("from") == state and left.startswith(label):
                to = each.findtext("to")
                told_on_the_way = each.findtext("transout") or told[to]
                found = (to, left[len(label) :], output + told_on_the_way)
                if found not in seen:
                    seen.add(found)
                    queue.append(found)


def words(symbols: str, longest: int) -> Iterator[str]:
    for length in range(longest + 1):
        yield from map("".join, product(symbols, repeat=length))


few = st.integers(0, 3)
labels = st.text("ab", max_size=3)


@given(st.lists(st.tuples(few, few, labels), min_size=1, max_size=8), st.sets(few, min_size=1))
@settings(deadline=None, max_examples=150)
def test_it_accepts_what_jflap_accepts(arrows: list[tuple[int, int, str]], final: set[int]) -> None:
    states = [
        f'<state id="{i}">{"<initial/>" * (i == 1)}{"<final/>" * (i in final)}</state>'
        for i in range(4)
    ]
    text = jff(*states, *(arrow(*each) for each in [*arrows, (3, 3, "a"), (3, 3, "b")]))
    found = [read_jflap_nfa(text, "m").machine]
    try:
        found.append(read_jflap(text, "m").machine)
    except e.NondeterministicError:
        by_state = [
            [w for s, _, w in (*arrows, (3, 3, "a"), (3, 3, "b")) if s == q] for q in range(4)
        ]
        assert any(
            v.startswith(w)
            for row in by_state
            for i, v in enumerate(row)
            for w in row[:i] + row[i + 1 :]
        ) or any("" in row for row in by_state)
    for word in words("ab", 5):
        accepted = any(int(state) in final for state, _ in ran_by_jflap(text, word))
        assert [accepts(machine, word) for machine in found] == [accepted] * len(found)


codes = st.sampled_from([["a", "b"], ["a", "ba", "bb"], ["ab", "aa", "b"], ["aba", "abb"], ["b"]])


@given(st.lists(codes, min_size=1, max_size=3), st.sampled_from(["mealy", "moore"]), st.data())
@settings(deadline=None, max_examples=100)
def test_it_puts_out_what_jflap_puts_out(
    rows: list[list[str]], kind: str, data: st.DataObject
) -> None:
    outputs = st.sampled_from(["", "x", "yz"])
    of_states = [data.draw(outputs) for _ in rows]
    states = [
        f'<state id="{i}">{"<initial/>" * (i == 0)}'
        + (f"<output>{told}</output></state>" if kind == "moore" else "</state>")
        for i, told in enumerate(of_states)
    ]
    arrows = []
    for i, label in ((i, label) for i, row in enumerate(rows) for label in row):
        to = data.draw(st.integers(0, len(rows) - 1))
        arrows.append(arrow(i, to, label, of_states[to] if kind == "moore" else data.draw(outputs)))
    text = jff(*states, *arrows, kind=kind)
    machine = machine_of(text)
    for word in words("".join(machine.inputs), 5):
        for state, output in ran_by_jflap(text, word):
            trace = machine.run(word)
            assert trace.states[-1] == f"q{state}"
            told = [*trace.initial_outputs, *(name for each in trace.outputs for name in each)]
            assert "".join(told) == output


# ---- there and back


single = any_names.map(lambda name: name[0])
plain = any_names.filter(lambda name: ", " not in name)


@st.composite
def writable(draw: st.DrawFn) -> Machine:
    machine = draw(machines(plain, options=False))
    inputs = draw(
        st.lists(single, min_size=len(machine.inputs), max_size=len(machine.inputs), unique=True)
    )
    return replace(machine, inputs=tuple(inputs))


def without_mealy(machine: Machine) -> Machine:
    table = tuple(tuple(Transition(taken.to) for taken in row) for row in machine.table)
    return replace(machine, table=table)


def without_moore(machine: Machine) -> Machine:
    return replace(machine, moore=((),) * len(machine.states))


def recognising(machine: Machine) -> Machine:
    moore = tuple(("accept",) if outputs else () for outputs in machine.moore)
    return replace(without_mealy(machine), moore=moore)


@pytest.mark.parametrize("kept", [without_mealy, without_moore, recognising])
def test_a_machine_of_one_kind_comes_back_equal(kept: Callable[[Machine], Machine]) -> None:
    @given(writable())
    @settings(deadline=None, max_examples=60)
    def check(drawn: Machine) -> None:
        machine = kept(drawn)
        text = write_jflap(machine)
        assert text == write_jflap(machine)
        found = read_jflap(text, "m.jff").machine
        assert replace(found, name=machine.name) == machine

    check()


@given(writable())
@settings(deadline=None, max_examples=60)
def test_a_machine_of_both_kinds_comes_back_equivalent(machine: Machine) -> None:
    found = machine_of(write_jflap(machine))
    assert (found.states, found.inputs) == (machine.states, machine.inputs)
    assert distinguishing_word(machine, found) is None


@pytest.mark.parametrize("text", [ENDS_IN_AB, HALVES, LAMP])
def test_what_is_written_is_run_by_jflap_as_what_is_read(text: str) -> None:
    again = write_jflap(machine_of(text))
    numbers = {s: str(i) for i, s in enumerate(machine_of(text).states)}
    for word in words("".join(machine_of(text).inputs), 4):
        ran, reran = (list(ran_by_jflap(each, word)) for each in (text, again))
        names = [machine_of(text).run(word).states[-1]]
        assert [state for state, _ in reran] == [numbers[name] for name in names]
        assert [output for _, output in ran] == [output for _, output in reran]


def test_a_bracket_is_no_label_of_a_finite_automaton() -> None:
    table = ((Transition("b"), Transition("a")), (Transition("b"), Transition("b")))
    machine = Machine("m", ("a", "b"), ("[", "x"), "a", table, ((), ("accept",)))
    assert "<type>moore</type>" in write_jflap(machine)
    assert replace(machine_of(write_jflap(machine)), name="m") == machine


@pytest.mark.parametrize(("symbol", "output"), [("ab", "x"), ("a", "x, y")])
def test_names_that_a_file_cannot_hold(symbol: str, output: str) -> None:
    machine = Machine("m", ("s",), (symbol,), "s", ((Transition("s", (output,)),),), ((),))
    with pytest.raises(
        e.NotExpressibleError, match=r"JFLAP has no way.*, or vsafsm convert --rename"
    ):
        write_jflap(machine)


# ---- what is refused


A = arrow(0, 1, "a")


@pytest.mark.parametrize(
    ("text", "line", "error", "told"),
    [
        (
            jff(*STATES, A, arrow(0, 0, "a")),
            5,
            e.NondeterministicError,
            '"q0" has another transition on "a" in line 4; expected one for each input, or'
            " --format jflap:nfa for a recogniser of words",
        ),
        (
            jff(*STATES, A, arrow(0, 0, "ab")),
            5,
            e.NondeterministicError,
            '"q0" has a transition on "ab", and one on "a" in line 4: one label begins with the',
        ),
        (
            jff(*STATES, arrow(0, 1, "ab"), A),
            5,
            e.NondeterministicError,
            '"q0" has a transition on "a", and one on "ab" in line 4',
        ),
        (
            jff(*STATES, arrow(0, 1, "[a-c]"), arrow(0, 0, "b")),
            5,
            e.NondeterministicError,
            '"q0" has another transition on "b" in line 4',
        ),
        (
            jff(STATES[0], arrow(0, 0, "a", "x"), arrow(0, 0, "a", "y"), kind="mealy"),
            4,
            e.NondeterministicError,
            '"q0" has another transition on "a" in line 3; expected one for each input',
        ),
        (
            jff(*STATES, A, arrow(0, 1)),
            5,
            e.NondeterministicError,
            'a transition of "q0" takes no input; expected a label, or --format jflap:nfa',
        ),
        (
            jff(STATES[0], arrow(0, 0, "", "x"), arrow(0, 0, "a"), kind="mealy"),
            3,
            e.NondeterministicError,
            'a transition of "q0" takes no input; expected a label',
        ),
        (jff(STATES[1], arrow(1, 1, "a")), 1, e.SyntaxSpecError, "no state has <initial/>"),
        (
            jff(*STATES, '<state id="2" name="b"><initial/></state>', A),
            4,
            e.NondeterministicError,
            'state "b" is initial, and so is "q0" in line 2; expected one initial state',
        ),
        (
            jff(*STATES, '<state id="1"/>'),
            4,
            e.BadNameError,
            'id "1" stands twice (first in line 3)',
        ),
        (
            jff(*STATES, '<state id="2" name="q1"/>', A),
            4,
            e.BadNameError,
            'state "q1" is declared twice (first in line 3)',
        ),
        (
            jff(*STATES, '<state id="q2"/>'),
            4,
            e.SyntaxSpecError,
            'is "q2"; expected a whole number',
        ),
        (jff(*STATES, "<state/>"), 4, e.SyntaxSpecError, '<state> has no "id"'),
        (jff(*STATES, '<state id="2" name="&#9;"/>', A), 4, e.BadNameError, "state name"),
        (jff(*STATES, arrow(0, 7, "a")), 4, e.UnknownStateError, '<to> is "7"; expected the id'),
        (jff(*STATES, arrow(9, 0, "a")), 4, e.UnknownStateError, '<from> is "9"'),
        (jff(*STATES, arrow("x", 0, "a")), 4, e.SyntaxSpecError, '<from> is "x"; expected a whole'),
        (
            jff(*STATES, "<transition><to>1</to></transition>"),
            4,
            e.SyntaxSpecError,
            "has no <from>",
        ),
        (jff(*STATES, arrow(0, 1, " a")), 4, e.BadNameError, "input name ' '"),
        (
            jff(*STATES, arrow(0, 1, "[a-]")),
            4,
            e.SyntaxSpecError,
            'expected a range such as "[a-z]"',
        ),
        (jff(*STATES, arrow(0, 1, "[z-a]")), 4, e.SyntaxSpecError, 'the label is "[z-a]"'),
        (jff(*STATES, arrow(0, 1, "a" * 257)), 4, e.TooLargeError, "257 characters"),
        (jff(*STATES), 1, e.SpecError, "no transition has a label"),
        (jff(), 1, e.SyntaxSpecError, "there is no <state>"),
        (
            jff(*STATES, "<transition>\n<frm>0</frm></transition>"),
            5,
            e.SyntaxSpecError,
            "<frm> cannot stand here; expected one of: <from>, <to>, <read>, <controlx>,"
            ' <controly>; did you mean "from"?',
        ),
        (
            jff('<state id="0">\n<initial/>\n<initial/></state>'),
            4,
            e.SyntaxSpecError,
            "<initial> stands twice (first in line 3)",
        ),
        (
            jff(*STATES, "<transition><from>0</from><to>\n<b/></to></transition>"),
            5,
            e.SyntaxSpecError,
            "<b> cannot stand in <to>",
        ),
        (
            jff(STATES[0], arrow(0, 0, "a", "x")),
            3,
            e.SyntaxSpecError,
            "<transout> cannot stand here",
        ),
        (
            jff(
                '<state id="0"><initial/><output>x</output></state>',
                arrow(0, 0, "a", "y"),
                kind="moore",
            ),
            3,
            e.SyntaxSpecError,
            '<transout> is "y" and state "q0", where the transition leads, puts out "x" (line 2)',
        ),
        (jff(*STATES, '<block id="2"/>'), 4, e.NotImportableError, "<block> is a machine inside"),
        (jff(kind="pda"), 1, e.NotImportableError, '<type> is "pda", a pushdown automaton'),
        (jff(kind="turing"), 1, e.NotImportableError, "a Turing machine"),
        (jff(kind="grammar"), 1, e.NotImportableError, "a grammar"),
        (jff(kind="re"), 1, e.NotImportableError, "a regular expression; expected one of: fa"),
        (jff(kind="lsystem"), 1, e.NotImportableError, "an L-system"),
        (jff(kind="meally"), 1, e.SyntaxSpecError, 'did you mean "mealy"?'),
        ("<structure>\n<automaton/></structure>", 1, e.SyntaxSpecError, "has no <type>"),
        (
            "<structure><type>fa</type>\n<automaton/>\n<automaton/></structure>",
            3,
            e.SyntaxSpecError,
            "<automaton> stands twice (first in line 2)",
        ),
        (
            "<structure><type>fa</type>\n<tapes/></structure>",
            2,
            e.SyntaxSpecError,
            "<tapes> cannot",
        ),
        ("<scxml/>", 1, e.SyntaxSpecError, "the root is <scxml>; expected <structure>"),
        (ENDS_IN_AB[:-20], 35, e.SyntaxSpecError, "this is not XML"),
        ("", 1, e.SyntaxSpecError, "this is not XML"),
    ],
)
def test_files_that_are_no_machine(
    text: str, line: int, error: type[e.SpecError], told: str
) -> None:
    with pytest.raises(error) as caught:
        read_jflap(text, "m")
    assert caught.value.location is not None
    assert (caught.value.location.line, told in caught.value.message) == (line, True), caught.value


def test_a_hint_at_recognisers_is_for_finite_automata_alone() -> None:
    with pytest.raises(e.NondeterministicError) as caught:
        read_jflap(jff(STATES[0], arrow(0, 0, "", "x"), arrow(0, 0, "a"), kind="mealy"), "m")
    assert "jflap:nfa" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HALVES, 'is "mealy"; expected "fa"'),
        (jff(STATES[0], arrow(0, 0, "a")), "no state has <final/>"),
    ],
)
def test_what_is_no_recogniser(text: str, told: str) -> None:
    with pytest.raises(e.SyntaxSpecError) as caught:
        read_jflap_nfa(text, "m")
    assert told in caught.value.message


def test_a_recogniser_that_needs_too_many_states_is_refused() -> None:
    arrows = [arrow(i, i + 1, symbol) for i in range(1, 20) for symbol in "ab"]
    states = [f'<state id="{i}">{"<final/>" * (i == 20)}</state>' for i in range(1, 21)]
    text = jff(STATES[0], *states, arrow(0, 0, "a"), arrow(0, 0, "b"), arrow(0, 1, "a"), *arrows)
    with pytest.raises(e.TooLargeError, match="more than 20000 states"):
        read_jflap_nfa(text, "m")


def test_labels_that_add_up_to_too_much_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsafsm.formats._jflap_file.MAX_TRANSITIONS", 100)
    with pytest.raises(e.TooLargeError, match="more than 100 characters"):
        machine_of(jff(*STATES, *[arrow(0, 1, "[a-z]")] * 4))
    monkeypatch.setattr("vsafsm.formats.jflap.MAX_TRANSITIONS", 50)
    with pytest.raises(e.TooLargeError, match="more than 50 transitions"):
        machine_of(jff(*STATES, arrow(0, 1, "abcdefghij")))


def test_the_format_is_found_by_its_suffix() -> None:
    assert format_for("m.jff").name == "jflap"
    assert format_for("m.jff", "jflap:nfa").read is read_jflap_nfa


# ---- files with mistakes in them


TEXTS = (
    ENDS_IN_AB,
    HALVES,
    LAMP,
    jff(*STATES, arrow(0, 1, "ab"), arrow(1, 0), arrow(0, 0, "[a-z]")),
)
PIECES = [
    "<initial/>", "<final/>", "<state id='1'>", "</state>", "<read>", "<read/>", "<from>7</from>",
    "<!DOCTYPE structure [<!ENTITY a 'b'>]>", "&a;", "&#0;", "&lt;", "<", ">", "]]>", "<![CDATA[",
    "<block/>", "[", "[a-", "mealy", "fa", "99999999999999999999", "-1",
    " ", "\n", "é", "\ud800", "\x00",
]  # fmt: skip


_LEAF = re.compile(r"<(\w+)[^<>]*>[^<]*</\1>|<[^<>]*/>|[^<>\s]+(?=[<\"])")


def mutated(rng: random.Random) -> str:
    """One of the texts with some parts deleted, repeated, turned round, taken from elsewhere or put
    in; in half of the texts the parts are elements without children, and single words.
    """
    text = rng.choice(TEXTS)
    of_leaves = rng.random() < 0.5
    for _ in range(rng.randint(1, 4)):
        leaves = [found.span() for found in _LEAF.finditer(text)]
        if of_leaves and leaves:
            (i, j), (k, m) = rng.choices(leaves, k=2)
        else:
            i, k = (rng.randrange(len(text) + 1) for _ in range(2))
            j, m = (at + rng.choice((1, 3, 30, 300)) for at in (i, k))
        part = text[i:j]
        new = rng.choice(("", part * 2, part[::-1], text[k:m], rng.choice(PIECES)))
        text = text[:i] + new + text[j:]
    return text


def survive(read: Callable[[str, str], Reading], text: str) -> str:
    """The kind of outcome; own errors only, with a place, in less than two seconds."""
    began = time.perf_counter()
    outcome: Reading | e.SpecError
    try:
        outcome = read(text, "fuzz")
    except e.SpecError as error:
        outcome = error
    assert time.perf_counter() - began < 20
    if isinstance(outcome, e.SpecError):
        assert outcome.location is not None
        assert 1 <= outcome.location.line <= 1 + text.count("\n") + text.count("\r")
    return type(outcome).__name__


@pytest.mark.parametrize("read", [read_jflap, read_jflap_nfa])
@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_files_with_mistakes_in_them(read: Callable[[str, str], Reading], count: int) -> None:
    rng = random.Random(count)
    outcomes = {survive(read, mutated(rng)) for _ in range(count)}
    assert {"Reading", "SyntaxSpecError", "BadNameError"} <= outcomes


def test_a_long_chain_without_input_takes_no_long_time() -> None:
    states = [f'<state id="{i}">{"<final/>" * (i == 3000)}</state>' for i in range(1, 3001)]
    arrows = [arrow(i, to, symbol) for i in range(3000) for to, symbol in ((i + 1, ""), (0, "a"))]
    text = jff(STATES[0], *states, *arrows)
    began = time.perf_counter()
    assert accepts(read_jflap_nfa(text, "m").machine, "a")
    assert time.perf_counter() - began < 20
