"""Machines of XState: what XState 5.33.3 did with random ones (``xstate_charts``), a hand-written
one, and what is refused, by line.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from vsafsm import errors as e
from vsafsm.formats.xstate import read_chart, read_xstate, write_xstate
from vsafsm.machine import Machine

from .conftest import machines
from .xstate_charts import compared

DATA = Path(__file__).parents[1] / "data"
KETTLE = (DATA / "charts" / "kettle.xstate").read_text()


def test_random_machines_do_what_xstate_did() -> None:
    recorded = [json.loads(line) for line in (DATA / "xstate.jsonl").read_text().splitlines()]
    counts = [compared(each, each["steps"]) for each in recorded]
    assert min(counts) >= 0
    assert sum(counts) > 1000


def test_a_kettle() -> None:
    word = "press boils quiet tick quiet press press tick empty"
    trace = read_xstate(KETTLE, "m").machine.run(word.split())
    assert [each.partition("{")[0] for each in trace.states] == [
        *("off", "on.heating", "on.keeping.heat.pause|on.keeping.sound.loud"),
        "on.keeping.heat.pause|on.keeping.sound.soft",
        *["on.keeping.heat.pulse|on.keeping.sound.soft"] * 2,
        "off",
        "on.keeping.heat.pulse|on.keeping.sound.soft",
        "on.keeping.heat.pause|on.keeping.sound.soft",
        "off",
    ]
    told = [{*each} - {"warm"} for each in trace.outputs]
    assert told[0] == {"click", "lamp"}
    assert told[4:7] == [{"hum"}, {"dark"}, {"click", "lamp"}]
    assert "warm" in trace.outputs[0]


def machine(states: object, **more: object) -> str:
    return json.dumps({"id": "m", "initial": "a", "states": states, **more}, indent=0)


def states(text: str, word: str) -> list[str]:
    return list(read_xstate(text, "m").machine.run(word.split()).states)[1:]


def test_descriptors_and_forbidden_events() -> None:
    text = machine(
        {
            "a": {"on": {"*": "b", "mouse.*": "c", "mouse.up": {}}},
            "b": {"on": {"key": "a"}},
            "c": {"on": {"mouse.down": "a"}},
        }
    )
    assert states(text, "mouse.up mouse.down mouse.down key") == ["a", "c", "a", "b"]


def test_a_target_with_dots_and_one_by_id_with_a_path() -> None:
    text = machine(
        {
            "a": {"on": {"go": "b\\.c", "in": "#x.d"}},
            "b.c": {"on": {"go": "#m.a"}},
            "x": {"id": "x", "initial": "c", "states": {"c": {}, "d": {}}},
        }
    )
    assert states(text, "go go in") == ["b.c", "a", "x.d"]


def test_a_parallel_machine_is_done_when_all_regions_are() -> None:
    region = {"initial": "a", "states": {"a": {"on": {"end": "z"}}, "z": {"type": "final"}}}
    other = {"initial": "a", "states": {"a": {"on": {"stop": "z"}}, "z": {"type": "final"}}}
    text = json.dumps({"id": "m", "type": "parallel", "states": {"p": region, "q": other}})
    trace = read_xstate(text, "m").machine.run(["end", "stop"])
    assert trace.states[-1] == "done"
    assert trace.outputs == ((), ("accept",))


@given(machines(options=False))
@settings(deadline=None, max_examples=40)
def test_what_is_written_is_read_as_the_same_machine(written: Machine) -> None:
    try:
        text = write_xstate(written)
    except e.NotExpressibleError:
        return
    found = read_xstate(text, "m").machine
    for state in found.states:
        assert found.outputs_of(state) == written.outputs_of(state)
        for symbol in written.inputs:
            assert found.transition(state, symbol) == written.transition(state, symbol)


def replaced(old: str, new: str) -> str:
    assert old in KETTLE
    return KETTLE.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "line", "error", "told"),
    [
        (replaced('"off", "lifted"', '"of", "lifted"'), 14, e.UnknownStateError, 'mean "off"'),
        (replaced('"#gone"', '"#gon"'), 14, e.UnknownStateError, 'mean "#gone"'),
        (replaced('"on.back"', '"on.bak"'), 7, e.UnknownStateError, 'mean "back"'),
        (
            replaced('"actions": "click"', '"guard": "full"'),
            7,
            e.NotImportableError,
            "calls a function",
        ),
        (replaced('"actions": "click"', '"cond": "full"'), 7, e.NotImportableError, "XState 4"),
        (replaced('"actions": "click"', '"action": "x"'), 7, e.SyntaxSpecError, 'mean "actions"'),
        (
            replaced('"actions": "click"', '"source": "#kettle.off"'),
            7,
            e.NotImportableError,
            "JSON.stringify(machine.config)",
        ),
        (replaced('"60000"', '"long"'), 19, e.NotImportableError, 'the delay "long"'),
        (replaced('"60000"', '"0"'), 19, e.SpecError, "more than 0 s"),
        (
            replaced('"tags": ["warm"]', '"invoke": {"src": "x"}'),
            13,
            e.NotImportableError,
            "another",
        ),
        (replaced('"initial": "heating"', '"initial": "dim"'), 10, e.UnknownStateError, '"dim"'),
        (replaced('      "initial": "heating",\n', ""), 9, e.SyntaxSpecError, 'no "initial"'),
        (replaced('"dry": {', '"heating": {'), 41, e.BadNameError, "first in line 17"),
        (replaced('"id": "gone"', '"id": "kettle"'), 45, e.BadNameError, "twice"),
        (replaced('"always": "away"', '"always": "gone"'), 45, e.SpecError, "without end"),
        (replaced('"always": "away"', '"on": {"": "away"}'), 45, e.NotImportableError, "own"),
        (replaced('"always": "away"', '"on": {"x": null}'), 45, e.SyntaxSpecError, "null"),
        (
            replaced('"history": "deep"', '"history": "deep", "on": {"x": "dry"}'),
            42,
            e.SpecError,
            "on",
        ),
        (replaced('"type": "final" },', '"type": "end" },'), 41, e.SyntaxSpecError, 'type "end"'),
        ("[]", 1, e.SyntaxSpecError, "no mapping"),
        ("", 1, e.SyntaxSpecError, "empty"),
        ('{"id": "m"}', 1, e.SyntaxSpecError, '"states"'),
        (machine({"a": {"on": {"go": "x"}}}), 7, e.UnknownStateError, 'unknown state "x"'),
        (machine({"a": {}}, on={"go": "a"}), 8, e.UnknownStateError, 'expected ".a"'),
        (machine({"a": {}}, after={"10": ".a"}), 8, e.NotImportableError, "delay of the root"),
    ],
)
def test_what_is_refused(text: str, line: int, error: type[e.SpecError], told: str) -> None:
    with pytest.raises(error) as caught:
        read_xstate(text, "m")
    assert told in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.line == line


def test_a_chart() -> None:
    chart = read_chart(KETTLE, "m")
    assert chart.name == "kettle"
    assert chart.events == (
        *("press", "lifted", "boils", "empty", "quiet", "returned", "broken", "tick"),
    )
    assert chart.period == 30
