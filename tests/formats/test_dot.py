"""DOT: what learners and people write, against machines spelt out; what is written comes back;
errors have places.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm import errors as e
from vsafsm.formats import load
from vsafsm.formats.dot import read_dot, write_dot
from vsafsm.machine import Machine, Transition


def read(text: str) -> Machine:
    return read_dot(dedent(text), "m.dot").machine


# ---- what others write


def test_a_mealy_machine_as_aalpy_saves_it() -> None:
    machine = read("""
        digraph coffee {
        s0 [label="s0"];
        s1 [label=s1];
        s0 -> s1  [label="coin/ beep"];
        s0 -> s0  [label="button/ init"];
        s1 -> s0  [label="button/coffee"];
        __start0 [label="", shape=none];
        __start0 -> s1  [label=""];
        }
    """)
    assert (machine.name, machine.states, machine.inputs) == (
        "coffee",
        ("s0", "s1"),
        ("coin", "button"),
    )
    assert machine.initial == "s1"
    assert machine.transition("s0", "coin") == Transition("s1", ("beep",))
    assert machine.transition("s1", "button") == Transition("s0", ("coffee",))
    assert machine.transition("s1", "coin") == Transition("s1")


def test_a_dfa_accepts_in_double_circles() -> None:
    machine = read("""
        digraph "tomita" {
        s0 [label=s0, shape=doublecircle];
        s1 [label=s1];
        s0 -> s1 [label=0]; s0 -> s0 [label=1]; s1 -> s1 [label=0]; s1 -> s0 [label=1];
        __start0 [shape=none, label=""]; __start0 -> s0;
        }
    """)
    assert [machine.outputs_of(state) for state in machine.states] == [("accept",), ()]
    assert machine.inputs == ("0", "1")


@pytest.mark.parametrize("label", ['"s0|on"', '"{s0|on}"', '"s0 | on"'])
def test_moore_outputs_stand_behind_a_bar(label: str) -> None:
    edges = "s0 -> s1 [label=a]; s1 -> s0 [label=a]"
    machine = read(
        f'digraph m {{ s0 [label={label}, shape=record]; s1 [label="s1|off"]; {edges} }}'
    )
    assert machine.states == ("s0", "s1")
    assert [machine.outputs_of(state) for state in machine.states] == [("on",), ("off",)]


def test_labels_that_are_no_names_are_outputs() -> None:
    machine = read("""
        digraph m {
        q1 [label="N"]; q2 [label="A"]; q3 [label="A"];
        q1->q2 [label=d]; q2->q3 [label=d]; q3->q1 [label=d]
        }
    """)
    assert machine.states == ("q1", "q2", "q3")
    assert [machine.outputs_of(state) for state in machine.states] == [("N",), ("A",), ("A",)]


def test_a_graph_as_people_write_it() -> None:
    machine = read("""
        // a lamp
        strict digraph {  /* nothing
            more */
            rankdir=LR; graph [fontsize=10]
            node [shape=circle] edge [color=red]
            # as the preprocessor writes
            point [shape=point]
            subgraph cluster_0 { label="all"; off; on }
            point -> off
            off:e -> on:w:n [label="press / light, click", weight=2]
            on -> off [label="press\\nhold"]
        }
    """)
    assert (machine.name, machine.initial, machine.states) == ("m", "off", ("off", "on"))
    assert machine.transition("off", "press") == Transition("on", ("light", "click"))
    assert machine.transition("on", "hold") == Transition("off")
    assert machine.transition("off", "hold") == Transition("off")


def test_the_start_is_marked_or_first() -> None:
    text = "digraph m {{ a -> b [label=x]; b {} ; b -> a [label=x] }}"
    assert read(text.format("")).initial == "a"
    assert read(text.format("[initial=true]")).initial == "b"


def test_chains_and_defaults_and_joined_texts() -> None:
    machine = read('digraph m { edge [label="x/" + "y"]; a -> b -> c; edge [label=z]; c -> a }')
    assert machine.transition("a", "x") == Transition("b", ("y",))
    assert machine.transition("b", "x") == Transition("c", ("y",))
    assert machine.transition("c", "z") == Transition("a")


def test_a_pair_may_be_told_twice_alike() -> None:
    machine = read("digraph m { a -> b [label=x]; a -> b [label=x]; b -> a [label=x] }")
    assert machine.transition("a", "x").to == "b"


# ---- what is written comes back


def fits(machine: Machine) -> bool:
    outputs = {o for row in machine.table for t in row for o in t.outputs} | {
        o for m in machine.moore for o in m
    }
    return not any("/" in name for name in machine.inputs) and not any(
        o in ("-", "ε") or ", " in o for o in outputs
    )


def test_what_is_written_comes_back(
    machine_strategy: Callable[..., st.SearchStrategy[Machine]],
) -> None:
    @settings(deadline=None, max_examples=300)
    @given(machine=machine_strategy(options=False))
    def check(machine: Machine) -> None:
        if not fits(machine):
            with pytest.raises(e.NotExpressibleError):
                write_dot(machine)
            return
        found = read_dot(write_dot(machine), "m.dot").machine
        assert (found.name, found.states, found.inputs) == (
            machine.name,
            machine.states,
            machine.inputs,
        )
        assert (found.initial, found.moore) == (machine.initial, tuple(map(once, machine.moore)))
        for one, other in zip(found.table, machine.table, strict=True):
            assert [(t.to, t.outputs) for t in one] == [(t.to, once(t.outputs)) for t in other]

    check()


def once(outputs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(outputs))


@pytest.mark.parametrize(
    "name", ["turnstile", "tcp_connection", "vending_machine", "traffic_light"]
)
def test_examples_come_back(name: str, equivalent: Callable[..., bool]) -> None:
    machine = load(f"specs/{name}.yaml")
    found = read_dot(write_dot(machine), "m.dot").machine
    assert equivalent(machine, found, {symbol: symbol for symbol in machine.inputs})


@pytest.mark.parametrize("change", ["input", "output"])
def test_names_that_labels_cannot_tell_are_refused(change: str) -> None:
    name = {"input": "a/b", "output": "-"}[change]
    outputs = (name,) if change == "output" else ()
    machine = Machine(
        "m",
        ("s",),
        (name if change == "input" else "a",),
        "s",
        ((Transition("s", outputs),),),
        ((),),
    )
    with pytest.raises(e.NotExpressibleError, match=name):
        write_dot(machine)


# ---- what is wrong is told, with its place


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        (
            "",
            e.SyntaxSpecError,
            "m.dot:1:1: the end of the text cannot stand here; expected digraph",
        ),
        ("graph g { a -- b }", e.SyntaxSpecError, "m.dot:1:1: the graph is undirected"),
        (
            "digraph g { a -- b [label=x] }",
            e.SyntaxSpecError,
            "m.dot:1:15: .*a transition has a direction",
        ),
        ("digraph g {\n a -> b [label=x]", e.SyntaxSpecError, "m.dot:2:18: .*the graph is cut off"),
        ("digraph g {\n a -> b [label=x\n}", e.SyntaxSpecError, "m.dot:3:1: "),
        (
            'digraph g {\n a -> b [label="x] }',
            e.SyntaxSpecError,
            "m.dot:2:16: a quoted text is not closed",
        ),
        ("digraph g { a [label=<b] }", e.SyntaxSpecError, "m.dot:1:22: an HTML text is not closed"),
        ("digraph g { /* a -> b }", e.SyntaxSpecError, "m.dot:1:13: a comment is not closed"),
        ("digraph g { a -> b }", e.SyntaxSpecError, "m.dot:1:13: a transition has no input"),
        (
            "digraph g { a -> {b c} [label=x] }",
            e.NondeterministicError,
            'm.dot:1:13: "a" has another transition on "x" in line 1; .*--format dot:nfa',
        ),
        ("digraph g { a -> a [label=x/y] }", e.SyntaxSpecError, "1:28: the character '/'"),
        ("digraph g { 0a -> b [label=x] }", e.SyntaxSpecError, '1:13: "0a" is neither .* quotes'),
        ("digraph g { a -> node [label=x] }", e.SyntaxSpecError, '1:18: .*"node" is a keyword'),
        ("digraph g { node; a -> a [label=x] }", e.SyntaxSpecError, "1:17: .*attributes"),
        ("digraph g " + "{" * 100, e.TooLargeError, "1:76: .*deeper than 64"),
        (
            "digraph g { a -> b [label=x] } digraph h {}",
            e.SyntaxSpecError,
            "m.dot:1:32: .*one machine per file",
        ),
        ("digraph g { a; b }", e.SyntaxSpecError, "no transitions"),
        ("digraph g { }", e.SyntaxSpecError, "no transitions"),
        (
            "digraph g {\n a -> b [label=x];\n b -> a [label=x];\n a -> a [label=x] }",
            e.NondeterministicError,
            'm.dot:4:2: "a" has another transition on "x" in line 2',
        ),
        (
            (
                'digraph g {\n i [label="", shape=none]; i -> a;\n j [label="", shape=none]; j ->'
                " b;\n a -> b [label=x] }"
            ),
            e.NondeterministicError,
            'm.dot:3:28: an arrow from no state points to "b", and to "a" in line 2',
        ),
        (
            "digraph g {\n a [initial=true];\n b [initial=true];\n a -> b [label=x] }",
            e.NondeterministicError,
            "m.dot:3:2: initial=true is on",
        ),
        ("PK\x03\x04 not text", e.SyntaxSpecError, "m.dot:1:1: .*expected digraph"),
        ("digraph g { a -> b [label=x] ! }", e.SyntaxSpecError, "m.dot:1:30: the character '!'"),
        ('digraph g { a -> b [label="x\x07"] }', e.BadNameError, "m.dot:1:13: input name"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    text: str, error: type[e.VsafsmError], told: str
) -> None:
    with pytest.raises(error, match=told):
        read_dot(text, "m.dot")


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_a_file_that_is_cut_off_is_refused_or_another_machine(data: st.DataObject) -> None:
    text = write_dot(load("specs/turnstile.yaml"))
    cut = text[: data.draw(st.integers(0, len(text) - 3))]
    with pytest.raises(e.SpecError):
        read_dot(cut, "m.dot")


def test_a_graph_whose_name_no_machine_can_have_takes_the_file_s() -> None:
    assert read_dot('digraph "a\tb" { x -> x [label="go"]; }', "door.dot").machine.name == "door"
