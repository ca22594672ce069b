"""SCXML, transitions and sismic: each against the library that it belongs to, and what is refused,
by line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
import sismic.io
import transitions
from hypothesis import given, settings
from hypothesis import strategies as st
from sismic.interpreter import Interpreter
from statemachine.io import load as load_statechart
from transitions.extensions.markup import MarkupMachine

from vsafsm import errors as e
from vsafsm.formats import Reading
from vsafsm.formats.scxml import read_scxml, write_scxml
from vsafsm.formats.sismic import read_sismic, write_sismic
from vsafsm.formats.transitions import read_transitions, write_transitions
from vsafsm.machine import Machine

from .conftest import machines

Word = tuple[str, ...]
plain = st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True)
few = settings(deadline=None, max_examples=40)


@st.composite
def machines_and_words(draw: st.DrawFn) -> tuple[Machine, Word]:
    machine = draw(machines(plain, options=False))
    return machine, tuple(draw(st.lists(st.sampled_from(machine.inputs), max_size=8)))


# ---- the libraries


def ran_by_statemachine(text: str, word: Word) -> list[str]:
    machine = load_statechart(text, format="scxml")()
    found = [next(iter(machine.configuration)).id]
    for symbol in word:
        machine.send(symbol)
        found.append(next(iter(machine.configuration)).id)
    return found


class _Model:
    """Notes every callback that is called, by its name."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("out_"):
            return lambda: self.called.append(name)
        raise AttributeError(name)


def ran_by_transitions(told: dict[str, object], word: Word) -> tuple[list[str], list[set[str]]]:
    """States and, for each input, the callbacks."""
    model = _Model()
    given_ = {
        key: value for key, value in told.items() if key in ("states", "transitions", "initial")
    }
    machine = transitions.Machine(
        model, **given_, auto_transitions=False, ignore_invalid_triggers=True
    )
    states, called = [model.state], []
    for symbol in word:
        model.called.clear()
        machine.events[symbol].trigger(model) if symbol in machine.events else None
        states.append(model.state)
        called.append(set(model.called))
    return states, called


def ran_by_sismic(text: str, word: Word) -> list[str]:
    machine = Interpreter(sismic.io.import_from_yaml(text))
    machine.execute()
    found = [machine.configuration[-1]]
    for symbol in word:
        machine.queue(symbol).execute()
        found.append(machine.configuration[-1])
    return found


@given(machines_and_words())
@few
def test_python_statemachine_runs_what_is_written_as_scxml(both: tuple[Machine, Word]) -> None:
    machine, word = both
    assert ran_by_statemachine(write_scxml(machine), word) == list(machine.run(word).states)


@given(machines_and_words())
@few
def test_transitions_runs_what_is_written_for_it(both: tuple[Machine, Word]) -> None:
    machine, word = both
    states, _ = ran_by_transitions(json.loads(write_transitions(without_outputs(machine))), word)
    assert states == list(machine.run(word).states)


@given(machines_and_words().filter(lambda both: "root" not in both[0].states))
@few
def test_sismic_runs_what_is_written_for_it(both: tuple[Machine, Word]) -> None:
    machine, word = both
    assert ran_by_sismic(write_sismic(machine), word) == list(machine.run(word).states)


def without_outputs(machine: Machine) -> Machine:
    """Callbacks of any name would have to be there to be called."""
    table = tuple(tuple(replace(taken, outputs=()) for taken in row) for row in machine.table)
    return replace(machine, table=table, moore=((),) * len(machine.states))


@st.composite
def dictionaries(draw: st.DrawFn) -> tuple[dict[str, object], Word]:
    """What users write: several sources, ``*``, ``=``, internal transitions, and callbacks
    everywhere.
    """
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    callbacks = st.lists(st.sampled_from(["out_1", "out_2"]), max_size=2, unique=True)
    several = st.lists(st.sampled_from(names), min_size=1, unique=True)
    told: list[dict[str, object]] = []
    for _ in range(draw(st.integers(1, 5))):
        told.append(
            {
                "trigger": draw(st.sampled_from(["go", "back", "on"])),
                "source": draw(st.one_of(st.just("*"), st.sampled_from(names), several)),
                "dest": draw(st.sampled_from([*names, "=", None])),
                "before": draw(callbacks),
                "after": draw(callbacks),
            }
        )
    states = [
        {"name": name, "on_enter": draw(callbacks), "on_exit": draw(callbacks)} for name in names
    ]
    triggers = sorted({str(each["trigger"]) for each in told})
    word = tuple(draw(st.lists(st.sampled_from(triggers), max_size=6)))
    return {"states": states, "transitions": told, "initial": draw(st.sampled_from(names))}, word


@given(dictionaries())
@settings(deadline=None, max_examples=150)
def test_what_transitions_calls_is_what_the_machine_puts_out(
    both: tuple[dict[str, object], Word],
) -> None:
    told, word = both
    machine = read_transitions(json.dumps(told), "m.json").machine
    trace, (states, called) = machine.run(word), ran_by_transitions(told, word)
    assert list(trace.states) == states
    assert [set(outputs) for outputs in trace.outputs] == called


@given(dictionaries())
@few
def test_the_markup_of_the_library_is_read_as_the_same_machine(
    both: tuple[dict[str, object], Word],
) -> None:
    told, _ = both
    markup = MarkupMachine(_Model(), **told, auto_transitions=False).markup
    markup.pop("models")
    one, other = (read_transitions(json.dumps(each), "m").machine for each in (told, markup))
    assert {*one.inputs} == {*other.inputs}
    for state in one.reachable:
        for symbol in one.inputs:
            assert one.transition(state, symbol) == other.transition(state, symbol)


# ---- SCXML


def scxml(states: str, head: str = "") -> str:
    return (
        f'<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0"{head}>\n{states}\n</scxml>'
    )


def state(name: str, *children: str) -> str:
    return f'<state id="{name}">{"".join(children)}</state>'


def rows(machine: Machine) -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (s, a): (machine.transition(s, a).to, *machine.transition(s, a).outputs)
        for s in machine.states
        for a in machine.inputs
    }


def test_events_are_taken_by_their_beginning_and_the_first_transition_counts() -> None:
    text = scxml(
        state(
            "a", '<transition event="go.fast" target="b"/>', '<transition event="go" target="c"/>'
        )
        + state("b", '<transition event="*" target="a"/>')
        + state("c", '<transition event="stop go.*" target="b"/>')
    )
    assert rows(read_scxml(text, "m").machine) == {
        ("a", "go.fast"): ("b",),
        ("a", "go"): ("c",),
        ("a", "stop"): ("a",),
        **{("b", event): ("a",) for event in ("go.fast", "go", "stop")},
        **{("c", event): ("b",) for event in ("go.fast", "go", "stop")},
    }


def test_what_is_sent_on_the_way_is_an_output() -> None:
    text = scxml(
        state(
            "a",
            '<onexit><send event="left"/></onexit>',
            '<transition event="go" target="b"><raise event="ring"/><log expr="1"/></transition>',
            '<transition event="in"><send event="inside"/></transition>',
        )
        + state(
            "b",
            '<onentry><send event="go" target="#_parent"/></onentry>',
            '<transition event="go" target="z"/>',
        )
        + '<final id="z"/>',
        ' initial="a" name="bell"',
    )
    machine = read_scxml(text, "m").machine
    found = {case: (to, {*outputs}) for case, (to, *outputs) in rows(machine).items()}
    assert machine.name == "bell"
    assert found["a", "go"] == ("b", {"ring", "left", "go"})
    assert found["a", "in"] == ("a", {"inside"})
    assert found["b", "go"] == ("z", {"accept"})
    assert found["z", "go"] == ("z", set())


def test_what_an_editor_notes_is_passed_over() -> None:
    text = scxml(
        '<e:info xmlns:e="http://editor"><e:x/></e:info>'
        + state("a", '<transition event="go" target="a"/>')
    )
    assert read_scxml(text, "m").machine.states == ("a",)


def check_refused(
    read: Callable[[str, str], Reading], text: str, line: int, error: type[e.SpecError], told: str
) -> None:
    with pytest.raises(error) as caught:
        read(text, "m")
    assert caught.value.location is not None
    assert caught.value.location.line == line, str(caught.value)
    assert told in caught.value.message


GO = '<transition event="go" target="a"/>'


@pytest.mark.parametrize(
    ("text", "line", "error", "told"),
    [
        (
            scxml(state("a", "\n<transition event='x' cond='y' target='a'/>")),
            3,
            e.SpecError,
            'unknown variable "y"',
        ),
        (
            scxml(state("a", "<onentry>\n<script>1</script></onentry>")),
            3,
            e.NotImportableError,
            "<script> is code",
        ),
        (
            scxml(state("a", GO, "<onentry>\n<raise event='go.x'/></onentry>")),
            2,
            e.SpecError,
            'without end: those of "a"',
        ),
        (
            scxml("<state id='a' initial='b'/>"),
            2,
            e.SpecError,
            "no states to choose from",
        ),
        (
            scxml(state("a", "\n<transition event='x' target='c'/>")),
            3,
            e.UnknownStateError,
            'unknown state "c"',
        ),
        (scxml(state("a", GO), ' initial="x"'), 1, e.UnknownStateError, 'unknown state "x"'),
        (
            scxml(state("a", GO) + "\n" + state("a", GO)),
            3,
            e.BadNameError,
            "declared twice (first in line 2)",
        ),
        (scxml("<state>\n</state>"), 2, e.SyntaxSpecError, '<state> has no "id"'),
        (
            scxml(state("a", "<onentry><send/></onentry>")),
            2,
            e.SyntaxSpecError,
            '<send> has no "event"',
        ),
        (scxml(state("a")[:-3]), 3, e.SyntaxSpecError, "this is not XML"),
        (scxml("<stat id='a'/>"), 2, e.SyntaxSpecError, "<stat> cannot stand here"),
        (scxml(""), 1, e.SyntaxSpecError, "no <state>"),
        ("<machine/>", 1, e.SyntaxSpecError, "expected <scxml>"),
        ("", 1, e.SyntaxSpecError, "this is not XML"),
        (
            "<!DOCTYPE scxml [<!ENTITY a 'b'>]>" + scxml(state("a", GO)),
            1,
            e.SyntaxSpecError,
            "document type",
        ),
        (scxml("<x>" * 100 + "</x>" * 100), 2, e.TooLargeError, "nested deeper"),
        ("<?xml version='1.0' encoding='no-such'?><scxml/>", 1, e.SyntaxSpecError, "no <state>"),
    ],
)
def test_scxml_that_is_no_flat_machine(
    text: str, line: int, error: type[e.SpecError], told: str
) -> None:
    check_refused(read_scxml, text, line, error, told)


def test_a_transition_behind_another_and_what_the_start_puts_out_are_warned_of() -> None:
    text = scxml(state("a", "<onentry><send event='on'/></onentry>", GO, "\n" + GO))
    assert [told.partition(": ")[0] for told in read_scxml(text, "m").warnings] == [
        "m:2:24",
        "m:3:1",
    ]


# ---- transitions


def told(**changes: object) -> str:
    found = {
        "states": ["a", "b"],
        "initial": "a",
        "transitions": [["go", "a", "b"], ["back", "*", "a"]],
    }
    return json.dumps({**found, **changes}, indent=0)


@pytest.mark.parametrize(
    ("text", "line", "error", "named"),
    [
        (
            told(transitions=[{"trigger": "go", "source": "a", "dest": "b", "conditions": "c"}]),
            12,
            e.NotImportableError,
            '"conditions" of a transition is a guard',
        ),
        (
            told(transitions=[{"trigger": "go", "source": "a", "dest": "b", "unless": ["c"]}]),
            12,
            e.NotImportableError,
            '"unless"',
        ),
        (
            told(transitions=[["go", "a", "b", "guard"]]),
            8,
            e.NotImportableError,
            "more than trigger",
        ),
        (told(on_exception="x"), 19, e.NotImportableError, '"on_exception"'),
        (told(transitions=[["go", "x", "b"]]), 8, e.UnknownStateError, 'unknown state "x"'),
        (told(transitions=[["go", "a", "x"]]), 11, e.UnknownStateError, 'unknown state "x"'),
        (told(initial="x"), 6, e.UnknownStateError, 'unknown state "x"'),
        (told(states=["a", "a"]), 4, e.BadNameError, "declared twice"),
        (told(states=[]), 1, e.SyntaxSpecError, '"states"'),
        (told(states="a"), 2, e.SyntaxSpecError, "states is no list"),
        (told(transitions=[{"source": "a"}]), 8, e.SyntaxSpecError, '"trigger"'),
        (
            told(transitions=[{"trigger": "go", "source": "a", "des": "b"}]),
            11,
            e.SyntaxSpecError,
            'mean "dest"',
        ),
        (told(transitions=[]), 1, e.SpecError, "no transition"),
        ("[1]", 1, e.SyntaxSpecError, "no mapping"),
        ("", 1, e.SyntaxSpecError, "empty"),
        ("{", 1, e.SyntaxSpecError, "not YAML"),
    ],
)
def test_dictionaries_that_are_no_flat_machine(
    text: str, line: int, error: type[e.SpecError], named: str
) -> None:
    check_refused(read_transitions, text, line, error, named)


# ---- sismic

CHART = """\
statechart:
  name: bell
  root state:
    name: root
    initial: a
    states:
    - name: a
      on exit: notify('left')
      transitions:
      - event: go
        target: b
        action: |
          send('ring')
          notify("go")
    - name: b
      on entry: send("entered"); notify('x')
      transitions:
      - event: in
        action: notify('inside')
      - event: end
        target: z
    - name: z
      type: final
"""


def test_actions_are_outputs() -> None:
    machine = read_sismic(CHART, "m").machine
    found = {case: (to, {*outputs}) for case, (to, *outputs) in rows(machine).items()}
    assert machine.name == "bell"
    assert found["a", "go"] == ("b", {"left", "ring", "go", "entered", "x"})
    assert found["a", "end"] == ("a", set())
    assert found["b", "in"] == ("b", {"inside"})
    assert found["b", "end"] == ("z", {"accept"})
    assert found["z", "go"] == ("z", set())


def replaced(pairs: Iterable[tuple[str, str]]) -> str:
    text = CHART
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("old", "new", "error", "told_"),
    [
        ("      type: final", "      type: last", e.SyntaxSpecError, 'type "last" is unknown'),
        ("      type: final", "      contract: [{always: x}]", e.NotImportableError, '"contract"'),
        ("notify('inside')", "x()", e.NotImportableError, '"x()" is code'),
        ("notify('inside')", "x = 1", e.SpecError, 'unknown variable "x"'),
        ("target: z", "target: y", e.UnknownStateError, 'unknown state "y"'),
        ("initial: a", "initial: q", e.UnknownStateError, 'unknown state "q"'),
        ("- name: z", "- name: a", e.BadNameError, "declared twice"),
        ("- event: end", "- event: in", e.NondeterministicError, "in line 18"),
        ("  root state:", "  name: gong\n  root state:", e.SyntaxSpecError, "first in line 2"),
        ("  name: bell", "  nme: bell", e.SyntaxSpecError, 'mean "name"'),
        ("    initial: a\n", "", e.SyntaxSpecError, '"initial"'),
        ("statechart:", "chart:", e.SyntaxSpecError, "statechart"),
    ],
)
def test_statecharts_that_are_no_flat_machine(
    old: str, new: str, error: type[e.SpecError], told_: str
) -> None:
    line = 1 if "initial: a\n" in old else CHART[: CHART.index(old.lstrip())].count("\n") + 1
    check_refused(read_sismic, replaced([(old, new)]), line, error, told_)


def test_an_empty_text_is_no_statechart() -> None:
    check_refused(read_sismic, "", 1, e.SyntaxSpecError, "empty")
