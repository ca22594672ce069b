"""SCXML with a tree of states, regions, history, guards, data and time: what it means, and what is
refused.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from vsafsm import errors as e
from vsafsm.formats.scxml import read_scxml, scxml_chart
from vsafsm.machine import Machine
from vsafsm.statecharts import flatten

from ..statecharts.charts import as_scxml, drawn


def scxml(states: str, head: str = "") -> str:
    return (
        f'<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0"{head}>\n{states}\n</scxml>'
    )


def read(states: str, head: str = "") -> Machine:
    return read_scxml(scxml(states, head), "m").machine


LAMP = """
<state id="off"><transition event="power" target="{target}"/></state>
<state id="on" initial="dim">
  {history}
  <transition event="power" target="off"/>
  <state id="dim"><transition event="more" target="bright"/></state>
  <state id="bright"><transition event="less" target="dim"/></state>
</state>
"""


def test_nested_states() -> None:
    machine = read(LAMP.format(target="on", history=""), ' initial="off" name="lamp"')
    assert machine.name == "lamp"
    assert machine.states == ("off", "on.dim", "on.bright")
    assert machine.run(["power", "more", "power", "power"]).states[-1] == "on.dim"


@pytest.mark.parametrize("kind", ["shallow", "deep"])
def test_history(kind: str) -> None:
    history = f'<history id="last" type="{kind}"><transition target="dim"/></history>'
    machine = read(LAMP.format(target="last", history=history), ' initial="off"')
    assert machine.run(["power", "more", "power", "power"]).states[-1] == "on.bright"
    assert len(machine.states) == 4


def test_regions() -> None:
    machine = read(
        """<parallel id="room">
        <state id="door" initial="open">
          <state id="open">
            <transition event="toggle" target="closed"/><transition event="lock" target="closed"/>
          </state>
          <state id="closed"><transition event="toggle" target="open"/></state>
        </state>
        <state id="light" initial="dark">
          <state id="dark"><transition event="toggle" target="lit"/></state>
          <state id="lit"><transition event="toggle" target="dark"/></state>
        </state>
        </parallel>"""
    )
    assert machine.initial == "door.open|light.dark"
    assert len(machine.states) == 4
    assert machine.transition(machine.initial, "toggle").to == "door.closed|light.lit"
    assert machine.transition(machine.initial, "lock").to == "door.closed|light.dark"


def test_the_inner_state_comes_first() -> None:
    machine = read(
        """<state id="a" initial="a1"><transition event="go" target="b"/>
        <state id="a1"><transition event="go" target="a2"/></state><state id="a2"/></state>
        <state id="b"><transition event="go" target="a"/></state>"""
    )
    assert machine.run(["go", "go", "go"]).states == ("a.a1", "a.a2", "b", "a.a1")


def test_an_inner_machine_that_is_done() -> None:
    machine = read(
        """<state id="work" initial="first">
        <transition event="done.state.work" target="idle"/>
        <state id="first"><transition event="next" target="second"/></state>
        <state id="second"><transition event="next" target="end"/></state>
        <final id="end"/></state>
        <state id="idle"><transition event="next" target="work"/></state>"""
    )
    assert machine.inputs == ("next",)
    assert machine.run(["next", "next", "next"]).states[1:] == ("work.second", "idle", "work.first")


def test_events_that_are_raised_and_guards_over_the_configuration() -> None:
    machine = read(
        """<parallel id="oven">
        <state id="door" initial="closed">
          <state id="closed"><transition event="door.open" target="opened"/></state>
          <state id="opened"><transition event="door.close" target="closed"/></state>
        </state>
        <state id="heat" initial="ready">
          <state id="ready"><transition event="press" cond="In('closed')" target="run">
            <raise event="beep"/></transition></state>
          <state id="run"><transition event="door.open" target="ready"/></state>
        </state>
        <state id="sound" initial="silent">
          <state id="silent"><transition event="beep" target="rung"/></state><state id="rung"/>
        </state></parallel>"""
    )
    assert machine.inputs == ("door.open", "door.close", "press")
    trace = machine.run(["door.open", "press", "door.close", "press"])
    assert trace.states[2] == "door.opened|heat.ready|sound.silent"
    assert trace.states[4] == "door.closed|heat.run|sound.rung"
    assert trace.outputs[3] == ()


def test_data_choices_and_initial_actions() -> None:
    machine = read(
        """<datamodel><data id="n" expr="0"/><data id="mode">'eco'</data></datamodel>
        <state id="a"><initial><transition target="a1"><send event="x" target="#_parent"/>
        </transition></initial>
        <transition event="up" cond="n &lt; 2"><assign location="n" expr="n + 1"/></transition>
        <transition event="set"><if cond="n == 1 &amp;&amp; mode == 'eco'">
            <assign location="mode" expr="'full'"/><send event="one" target="#_parent"/>
            <elseif cond="n == 2"/><send event="two" target="#_parent"/>
            <assign location="n">0</assign>
            <else/><log expr="n"/><send event="none" target="#_parent"/></if></transition>
        <transition event="again" target="a"/>
        <state id="a1"/></state>"""
    )
    assert machine.initial == "a.a1[n=0, mode=eco]"
    trace = machine.run(["set", "up", "set", "up", "set", "again"])
    assert trace.outputs == (("none",), (), ("one",), (), ("two",), ("x",))
    assert trace.states[-1] == "a.a1[n=0, mode=full]"


def test_delays_are_ticks() -> None:
    machine = read(
        """<state id="a"><transition event="go" target="b"/></state>
        <state id="b"><onentry><send event="late" delay="1s" id="x"/></onentry>
        <onexit><cancel sendid="x"/></onexit>
        <transition event="late" target="c"/><transition event="go" target="a"/></state>
        <state id="c"><onentry><send event="back" delayexpr="'500ms'"/></onentry>
        <transition event="back" target="a"/></state>"""
    )
    assert machine.inputs == ("go", "tick")
    assert machine.states == ("a", "b~late@1s", "b~late@500ms", "c")
    assert machine.run(["tick", "go", "tick", "tick", "tick"]).states[-3:] == (
        "b~late@500ms",
        "c",
        "a",
    )
    assert machine.run(["go", "tick", "go", "go", "tick"]).states[-1] == "b~late@500ms"


def test_what_the_chart_sends_itself_comes_after_what_it_raises() -> None:
    machine = read(
        """<state id="a"><transition event="go" target="b">
        <send event="sent"/><raise event="raised"/></transition></state>
        <state id="b"><transition event="sent" target="c"/><transition event="raised" target="d"/>
        </state><state id="c"/><state id="d"><transition event="*" target="e"/></state>
        <state id="e"/>"""
    )
    assert machine.run(["go"]).states[-1] == "e"


def test_a_random_chart_is_read_as_it_is() -> None:
    compared = 0
    for seed in range(60):
        chart = drawn(seed, "histories guards data raises eventless finals several internal", 3)
        data = tuple(replace(each, values=None) for each in chart.data)
        try:
            found = read_scxml(as_scxml(chart), "drawn").machine
        except e.SpecError:
            with pytest.raises(e.SpecError):
                flatten(replace(chart, data=data, inputs=None))
            continue
        assert found == flatten(replace(chart, data=data, inputs=found.inputs))
        compared += 1
    assert compared > 30


def test_states_that_are_never_entered_are_warned_of() -> None:
    text = scxml(
        "<state id='a'><transition event='go' target='a'/></state>\n<state id='b'>"
        "<state id='c'/></state>"
    )
    assert read_scxml(text, "m").warnings == ('m:3:1: state "b" is never reached from "a"',)
    passed = scxml(
        "<state id='a'><state id='b'><transition event='go' target='c'/></state><final id='c'/>"
        "<transition event='done.state.a' target='a'/></state>"
    )
    assert read_scxml(passed, "m").warnings == ()


@pytest.mark.parametrize(
    ("states", "line", "error", "told"),
    [
        ("\n<parallel id='p'/>", 3, e.SpecError, "parallel without regions"),
        ("<state id='p'>\n<history id='h'/></state>", 3, e.SyntaxSpecError, "0 transitions"),
        (
            "<state id='p'><state id='q'/>\n<history id='h'><transition target='p'/></history>"
            "</state>",
            3,
            e.SpecError,
            "not inside it",
        ),
        (
            "<state id='p'><state id='q'/>\n<history id='h' type='x'/></state>",
            3,
            e.SyntaxSpecError,
            "expected shallow or deep",
        ),
        (
            "<state id='a'>\n<transition event='x' target='a b'/></state><state id='b'/>",
            3,
            e.SpecError,
            "not in different regions",
        ),
        ("<datamodel>\n<data id='x'/></datamodel>", 3, e.NotImportableError, '"x" has no value'),
        ("<datamodel>\n<data id='x' expr='[]'/></datamodel>", 3, e.NotImportableError, '"["'),
        (
            "<datamodel>\n<data id='x' expr='1 + 1'/></datamodel>",
            3,
            e.NotImportableError,
            "computed",
        ),
        (
            "<datamodel>\n<data id='x' src='f'/></datamodel>",
            3,
            e.NotImportableError,
            "another file",
        ),
        ("<script>1</script>", 2, e.NotImportableError, "<script> is code"),
        (
            "<state id='a'>\n<invoke src='x'/></state>",
            3,
            e.NotImportableError,
            "runs another machine",
        ),
        (
            "<state id='a'>\n<transition event='x' cond='_event.data'/></state>",
            3,
            e.NotImportableError,
            'has "."',
        ),
        (
            "<state id='a'>\n<transition event='x' cond='1'/></state>",
            3,
            e.SpecError,
            "a guard is a whole number",
        ),
        (
            "<state id='a'><onentry>\n<send event='x' delay='soon'/></onentry></state>",
            3,
            e.SyntaxSpecError,
            "expected a number of s or ms",
        ),
        (
            "<state id='a'><onentry>\n<send eventexpr='x'/></onentry></state>",
            3,
            e.NotImportableError,
            "is code",
        ),
        (
            "<state id='a'><onexit>\n<send event='x' target='a:b' delay='1s'/></onexit></state>",
            3,
            e.NotImportableError,
            "output later",
        ),
        (
            "<state id='a'><onentry>\n<assign location='n' expr='1'/></onentry></state>",
            3,
            e.SpecError,
            'unknown variable "n"',
        ),
        (
            "<state id='a'><onentry><if cond='true'><else/>\n<else/></if></onentry></state>",
            3,
            e.SyntaxSpecError,
            "follows <else>",
        ),
        (
            "<final id='a'>\n<donedata/></final>",
            3,
            e.NotImportableError,
            "data that is sent",
        ),
        (
            "<state id='a'>\n<transition event='' target='a'/></state>",
            3,
            e.SyntaxSpecError,
            "empty",
        ),
        (
            "<state id='a'>\n<transition target='b'/></state><state id='b'>"
            "<transition target='a'/><transition event='x'/></state>",
            3,
            e.SpecError,
            "without end",
        ),
        ("<state id='a'>" * 70 + "</state>" * 70, 2, e.TooLargeError, "nested deeper"),
        (
            "<datamodel>\n<data id='n' expr='0'/></datamodel><state id='a'><transition event='x'>"
            "<assign location='n' expr='n + 1'/></transition></state>",
            3,
            e.TooLargeError,
            'variable "n" has more than',
        ),
    ],
)
def test_charts_that_are_refused(
    states: str, line: int, error: type[e.SpecError], told: str
) -> None:
    with pytest.raises(error) as caught:
        read_scxml(scxml(states), "m")
    assert caught.value.location is not None
    assert (caught.value.location.line, told in caught.value.message) == (line, True), caught.value


def test_the_chart_itself_can_be_had() -> None:
    chart = scxml_chart(scxml("<state id='a'><transition event='x' type='internal'/></state>"), "m")
    assert chart.states[0].transitions[0].internal  # type: ignore[union-attr]
