"""Events of errors in SCXML: against python-statemachine, and the rule of who gets what is sent."""

from __future__ import annotations

import pytest
from statemachine.io import load

from vsafsm import errors as e
from vsafsm.formats.scxml import read_scxml, scxml_chart
from vsafsm.statecharts import Block, Fail, Interpreter, State, Statechart, Transition
from vsafsm.systems import system_of

SCXML = "http://www.w3.org/TR/scxml/#SCXMLEventProcessor"
HTTP = "http://www.w3.org/TR/scxml/#BasicHTTPEventProcessor"


def scxml(states: str) -> str:
    return f'<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0">{states}</scxml>'


def errors_of(content: str, more: str = "") -> str:
    """A chart that runs `content` at the start, and goes to a state for the first event."""
    return scxml(
        f"""<datamodel><data id="n" expr="0"/></datamodel>
        <state id="s"><onentry>{content}<assign location="n" expr="n + 1"/>
        <raise event="none"/></onentry>{more}
        <transition event="error.execution" target="execution"/>
        <transition event="error.communication" target="communication"/>
        <transition event="none" target="fine"/><transition event="*" target="other"/></state>
        <state id="execution"><transition cond="n == 0" target="skipped"/></state>
        <state id="communication"><transition cond="n == 0" target="skipped"/></state>
        <state id="skipped"><transition event="go" target="fine"/></state>
        <state id="fine"/><state id="other"/>"""
    )


FAILING = [
    ('<send event="x" target="baz"/>', "skipped"),
    ('<send event="x" target=""/>', "skipped"),
    ('<send event="x" type="27"/>', "skipped"),
    ('<send event="x" namelist="n m"/>', "skipped"),
    ('<assign location="m" expr="1"/>', "skipped"),
    ('<send event="x" target="#_scxml_foo"/>', "communication"),
    ('<send event="x" target="#_door"/>', "communication"),
    (f'<send event="x" type="{SCXML}" target="#_scxml_foo"/>', "communication"),
    ('<if cond="n == 0"><send event="x" target="baz"/></if>', "skipped"),
    ('<if cond="n == 1"><send event="x" target="baz"/></if>', "fine"),
    ('<if cond="n == 1"/>', "fine"),
    ('<send event="x" namelist="n"/>', "fine"),
]


@pytest.mark.parametrize(("content", "end"), FAILING)
def test_python_statemachine_comes_to_the_same_end(content: str, end: str) -> None:
    run = Interpreter(scxml_chart(errors_of(content), "m"))
    assert run.configuration == (end,)
    if 'target=""' not in content:  # which it reads as none
        oracle = load(errors_of(content), format="scxml")()
        assert {state.id for state in oracle.configuration} == {end}


def test_an_error_skips_the_rest_of_its_own_block() -> None:
    text = errors_of(
        '<send event="x" target="baz"/>',
        '<onentry><assign location="n" expr="n + 2"/></onentry>',
    )
    run = Interpreter(scxml_chart(text, "m"))
    oracle = load(text, format="scxml")()
    assert run.configuration == ("execution",)
    assert {state.id for state in oracle.configuration} == {"execution"}
    assert run.data == {"n": 2}


@pytest.mark.parametrize(
    ("sent", "outputs"),
    [
        ('target="#_parent"', ("x",)),
        ('target="http://example.org/door"', ("x",)),
        ("targetexpr=\"'#_parent'\"", ("x",)),
        (f'type="{HTTP}" target="http://example.org/door"', ("x",)),
        ('type="basichttp" target="http://example.org/door"', ("x",)),
        ('type="https://example.org/robots" target="arm 2"', ("x",)),
        (f'type="{SCXML}" target="#_parent"', ("x",)),
        (f'type="{SCXML}"', ("x",)),
        ('targetexpr="_event.origin" typeexpr="_event.origintype"', ("x",)),
        ('target="baz"', ()),
        ('target="#_door"', ()),
        (f'type="{HTTP}"', ()),
        ('type="motor" target="http://example.org/door"', ()),
    ],
)
def test_what_goes_to_another_machine_is_an_output(sent: str, outputs: tuple[str, ...]) -> None:
    text = scxml(
        f'<state id="a"><transition event="go" target="b"><send event="x" {sent}/></transition>'
        '</state><state id="b"/>'
    )
    reading = read_scxml(text, "m")
    assert reading.machine.transition("a", "go").outputs == outputs
    assert reading.machine.inputs == ("go",)
    assert bool(reading.warnings) == (not outputs)


def test_what_always_fails_is_warned_of() -> None:
    text = scxml(
        '\n<state id="a"><onentry><send event="x" target="baz"/></onentry><onexit>\n'
        '<send event="y" target="#_door"/></onexit><transition event="error go" target="b"/>'
        '<transition event="up" target="a">\n<assign location="k" expr="1"/></transition></state>'
        '<state id="b"/>'
    )
    reading = read_scxml(text, "m")
    tail = "and does nothing else"
    assert reading.warnings[:3] == (
        f'm:2:24: <send> with target "baz", which SCXML has not, raises error.execution {tail}',
        f'm:3:1: <send> with target "#_door", which does not run, raises error.communication'
        f" {tail}",
        f'm:4:1: <assign> to "k", which is not declared, raises error.execution {tail}',
    )
    assert reading.machine.inputs == ("go", "up")


def test_a_chart_that_hears_no_errors_is_told_of_data_that_is_not_declared() -> None:
    with pytest.raises(e.SpecError, match='unknown variable "k"'):
        read_scxml(
            scxml(
                '<state id="a"><transition event="*" target="a"/><transition event="up">'
                '<assign location="k" expr="1"/></transition></state>'
            ),
            "m",
        )


def test_errors_are_inputs_of_a_chart_that_raises_none() -> None:
    machine = read_scxml(
        scxml(
            '<state id="a"><transition event="error.platform" target="b"/></state><state id="b"/>'
        ),
        "m",
    ).machine
    assert machine.inputs == ("error.platform",)


REPLY = '<send event="back" targetexpr="_event.origin"/>'


def test_a_reply_goes_to_who_sent_the_event() -> None:
    text = scxml(
        f'<state id="a"><transition event="go" target="b"><send event="own"/></transition></state>'
        f'<state id="b"><transition event="own" target="c">{REPLY}</transition></state>'
        f'<state id="c"><transition event="back" target="a"/></state>'
    )
    assert Interpreter(scxml_chart(text, "m")).send("go") == ()
    machine = read_scxml(text, "m").machine
    assert machine.inputs == ("go",)
    assert machine.run(["go"]).states == ("a", "a")


@pytest.mark.parametrize(
    "states",
    [
        f'<state id="a"><onentry>{REPLY}</onentry><transition event="go"/></state>',
        f'<state id="a"><transition event="go"><send event="own"/></transition>'
        f'<transition event="*">{REPLY}</transition></state>',
        f'<state id="a"><transition event="go"><raise event="own"/></transition>'
        f'<transition event="own">{REPLY}</transition></state>',
        f'<state id="a"><transition event="go"><send event="own"/></transition>'
        f'<transition event="own">{REPLY}</transition><transition event="back">'
        '<send event="again" targetexpr="_event.origin"/></transition></state>',
        '<state id="a"><transition event="go"><send event="x" targetexpr="where"/></transition>'
        "</state>",
        '<state id="a"><transition event="go"><send event="x" typeexpr="what"/></transition>'
        "</state>",
    ],
)
def test_a_receiver_that_is_not_known_is_refused(states: str) -> None:
    with pytest.raises(e.NotImportableError, match="is computed"):
        read_scxml(scxml(states), "m")


def test_an_error_in_a_transition_comes_before_what_is_sent() -> None:
    text = scxml(
        '<state id="a"><transition event="go" target="b"><send event="own"/>'
        '<send event="x" target="baz"/><send event="lost"/></transition></state>'
        '<state id="b"><transition event="own" target="a"/><transition event="error" target="c"/>'
        '</state><state id="c"><transition event="own" target="d"/></state>'
        '<state id="d"><transition event="lost" target="a"/></state>'
    )
    assert read_scxml(text, "m").machine.run(["go"]).states == ("a", "d")


def test_a_failure_needs_a_block() -> None:
    bare = Transition(("go",), ("a",), actions=(Fail("error.execution"),))
    with pytest.raises(e.SpecError, match="outside of a block"):
        Statechart("m", (State("a", transitions=(bare,)),))


def test_an_error_is_put_out_for_regions_of_their_own() -> None:
    fails = Transition(("go",), actions=(Block((Fail("error.execution"),)),))
    one = State("one", (State("a", transitions=(fails,)),))
    other = State("other", (State("b", transitions=(Transition(("error.execution",), ("c",)),)),
                            State("c")))  # fmt: skip
    system = system_of(Statechart("m", (State("m", (one, other), kind="parallel"),)))
    assert system.run(["go"]).states[-1] == ("one.a", "other.c")
