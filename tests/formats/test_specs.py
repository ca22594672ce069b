"""The example machines: they read, the editors' schema takes them, and they do what they are there
for.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

import vsafsm.formats
from vsafsm.formats import load, read
from vsafsm.formats.yaml import read_chart, read_yaml, write_yaml
from vsafsm.options import OPTION_NAMES, Options

SPECS = Path(__file__).parents[2] / "specs"
NAMES = sorted(path.stem for path in SPECS.glob("*.yaml"))
SCHEMA = json.loads((Path(vsafsm.formats.__file__).parent / "schema.json").read_text())


def as_json(text: str) -> object:
    """What an editor that knows JSON Schema sees: keys are text."""
    return json.loads(json.dumps(yaml.safe_load(text)))


def test_there_are_ten_or_more() -> None:
    assert len(NAMES) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_a_spec_reads_without_warnings_is_small_and_says_what_it_shows(name: str) -> None:
    path = SPECS / f"{name}.yaml"
    reading = read(path)
    assert reading.warnings == ()
    assert reading.machine.name == name
    assert len(reading.machine.states) < 24
    assert len(reading.machine.inputs) <= 8
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize("name", NAMES)
def test_a_spec_fits_the_schema_and_so_does_what_is_written(name: str) -> None:
    text = (SPECS / f"{name}.yaml").read_text()
    jsonschema.validate(as_json(text), SCHEMA)
    machine = load(SPECS / f"{name}.yaml")
    written = write_yaml(machine)
    jsonschema.validate(as_json(written), SCHEMA)
    assert read_yaml(written, name).machine == machine


GOOD = (
    "{machine: m, initial: a, states: {a: {outputs: [o], transitions: {x: a, y: {to: a, outputs:"
    " [p]}}}, b: }}"
)


def test_the_schema_has_every_compile_option_and_no_other() -> None:
    listed = SCHEMA["properties"]["compile"]["properties"]
    assert list(listed) == list(OPTION_NAMES)
    for name, value in Options().items():
        jsonschema.validate(value, listed[name])


@pytest.mark.parametrize(
    "options",
    [
        "rule: small",
        "rule: auto",
        "tolerate: none",
        "tolerate: auto",
        "tolerate: additive:2 missing:0.2",
        "tolerate: [additive:2, missing:0.2]",
        'tolerate: "stuck:0.1,at=minimum+timing:async:0.1", confidence: 0.9',
    ],
)
def test_the_schema_takes_compile_options_that_the_reader_takes(options: str) -> None:
    text = GOOD.replace("initial: a", f"initial: a, compile: {{{options}}}")
    jsonschema.validate(as_json(text), SCHEMA)
    assert read_yaml(text, "m.yaml").machine.compile_options


def test_the_schema_is_a_schema_and_takes_what_the_reader_takes() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(as_json(GOOD), SCHEMA)


TOPS = [
    "any: {transitions: {x: [{to: a, if: n > 0}, b]}}, data: {n: 0..3, t: true, m: [eco, normal]}",
    "networks: separate, clock: 0.5 s, data: {n: {values: -3..3, initial: 0}, m: [eco], t: true}",
]
STATES = [
    "{entry: [o], exit: {outputs: [o], raise: [x], set: {n: n + 1, t: false, m: eco}}, always: }",
    "{always: {to: a, if: true, after: 500 ms}, after: {1 min: a, 2 s: [{to: a, if: in(b)}, b]}}",
    "{initial: c, done: a, states: {h: {history: deep, default: [c]}, c: {final: true}}}",
    "{regions: {r: {initial: p, states: {p: {after: }}}, s: {initial: q, states: {q: }}}}",
    "{transitions: {x: {set: {n: 1}}, y: {raise: [x]}, z: {to: [a], if: t and n == 3}}}",
]


@pytest.mark.parametrize("top", TOPS)
@pytest.mark.parametrize("state", STATES)
def test_the_schema_takes_charts_that_the_reader_takes(top: str, state: str) -> None:
    text = GOOD.replace("machine: m", f"machine: m, {top}").replace("b: }", f"b: {state}}}")
    jsonschema.validate(as_json(text), SCHEMA)
    assert read_chart(text, "m.yaml").data


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("machine: m", "machine: m, extra: 1"),
        ("outputs: [o]", "output: [o]"),
        ("outputs: [o]", "outputs: o"),
        ("outputs: [o]", "outputs: [o, o]"),
        ("to: a", "too: a"),
        ("to: a", "to: a, when: x"),
        ("to: a", "to: a, if: [x]"),
        ("to: a", "to: a, if: in(a), after: 5"),
        ("b: }", "b: {initial: a}}"),
        ("b: }", "b: {states: {c: }}}"),
        ("b: }", "b: {initial: c, states: {c: }, regions: {}}}"),
        ("b: }", "b: {regions: {c: }}}"),
        ("b: }", "b: {regions: {c: {}}}}"),
        ("b: }", "b: {history: deep}}"),
        ("b: }", "b: {history: deepest, default: a}}"),
        ("b: }", "b: {history: deep, default: a, outputs: []}}"),
        ("b: }", "b: {final: maybe}}"),
        ("b: }", "b: {done: a}}"),
        ("b: }", "b: {after: {5 h: a}}}"),
        ("b: }", "b: {always: {if: true}}}"),
        ("b: }", "b: {always: []}}"),
        ("b: }", "b: {entry: lit}}"),
        ("initial: a", "initial: a, any: {always: a}"),
        ("initial: a", "initial: a, clock: 5"),
        ("initial: a", "initial: a, data: {n: 3}"),
        ("initial: a", "initial: a, data: {n: [1, 2]}"),
        ("initial: a", "initial: a, data: {n: {values: 0..3}}"),
        ("initial: a", "initial: a, regions: {r: {initial: b, states: {b: }}}"),
        ("initial: a", "unlisted: stay"),
        ("initial: a", "initial: a, unlisted: sty"),
        ("initial: a", "initial: a, networks: two"),
        ("initial: a", "initial: a, compile: {seed: [1]}"),
        ("initial: a", "initial: a, compile: {bits: 17}"),
        ("initial: a", "initial: a, compile: {bitss: 8}"),
        ("initial: a", "initial: a, compile: {rule: smal}"),
        ("initial: a", "initial: a, compile: {tolerate: additive}"),
        ("initial: a", "initial: a, compile: {tolerate: []}"),
        ("initial: a", "initial: a, compile: {tolerate: [additive]}"),
        ("initial: a", "initial: a, compile: {confidence: 1}"),
        ("initial: a", "initial: a, compile: {confidence: 0.4}"),
        ("b: }", '"*": }'),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(good: str, bad: str) -> None:
    text = GOOD.replace(good, bad)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_json(text), SCHEMA)
    with pytest.raises((vsafsm.errors.SpecError, vsafsm.errors.OptionError)):
        read_yaml(text, "m.yaml")


RUNS = [
    ("turnstile", "coin push push coin", "unlocked locked locked unlocked", "click barrier_closed"),
    (
        "traffic_light",
        "timer request timer timer timer timer timer timer",
        None,
        "car_green walk_green wait_lamp",
    ),
    ("vending_machine", "5 5 5 10 10 refund", "5 10 15 0 10 0", "drink return_5 return_10"),
    ("door_lock", "3 3 1 4 2 1 close 3 1 3 1 4 2", None, "chime"),
    ("door_lock", "3 1 4 4 2", "got_3 got_31 got_314 locked locked", ""),
    (
        "elevator",
        "call_3 call_1 floor_sensor floor_sensor door_timer",
        "up_past_2 up_past_2 up_to_3 open_3 at_3",
        "door_open",
    ),
    ("tcp_connection", "passive_open recv_syn recv_ack recv_fin close recv_ack", None, "fin"),
    (
        "tcp_connection",
        "active_open recv_syn_ack close recv_ack recv_fin timeout",
        None,
        "syn ack fin",
    ),
    ("sequence_detector", "1 0 1 1 0 1 1", None, "detected"),
    ("modulo_counter", "up up up up up down", "one two three four zero four", "carry borrow"),
    ("robot_arbiter", "battery_low bump clear dock_seen docked fault charged", None, "charger"),
    ("keyword_dialogue", "on lamp on lamp off yes", None, "light_on ask_sure light_off"),
    (
        "working_memory",
        "cue_match stimulus_a stimulus_a cue_nonmatch stimulus_a stimulus_a",
        None,
        "press withhold",
    ),
    ("gesture_control", "wave palm fist swipe_right palm wave", None, "play louder"),
    (
        "wake_word",
        "wake_word tick tick wake_word command switch wake_word tick tick tick",
        None,
        "chime sorry voice red_light",
    ),
    (
        "robot_arm",
        "start contact at_height gate_opened gate_closed red_button red_button reset",
        None,
        "brake gripper cut_power amber_light",
    ),
    ("junction", "button tick tick tick tick tick tick night tick day", None, "walk side_green"),
]


@pytest.mark.parametrize(("name", "word", "states", "outputs"), RUNS, ids=[r[0] for r in RUNS])
def test_a_spec_does_what_it_is_there_for(
    name: str, word: str, states: str | None, outputs: str
) -> None:
    trace = load(SPECS / f"{name}.yaml").run(word.split())
    if states:
        assert list(trace.states[1:]) == states.split()
    assert set(outputs.split()) <= {o for group in trace.outputs for o in group}


def active(name: str, word: str) -> list[str]:
    """The configurations that a word visits, without what else tells them apart."""
    states = load(SPECS / f"{name}.yaml").run(word.split()).states
    return [re.split(r"[\[{@]", state)[0] for state in states[1:]]


def test_the_assistant_is_not_woken_while_it_is_muted_and_forgets_in_time() -> None:
    asleep, live = "talk.asleep|microphone.muted", "|microphone.live"
    assert active("wake_word", "switch wake_word switch wake_word command tick tick tick") == [
        *(asleep, asleep, "talk.asleep" + live, "talk.listening" + live),
        *["talk.answering" + live] * 3,
        "talk.asleep" + live,
    ]


def test_the_red_button_stops_the_arm_from_everywhere_and_a_gate_halts_it_where_it_is() -> None:
    machine = load(SPECS / "robot_arm.yaml")
    for state in machine.states:
        assert machine.transition(state, "red_button").to.startswith("stopped")
    word = "start contact at_height gate_opened contact gate_closed red_button start reset"
    assert active("robot_arm", word) == [
        *("working.reaching", "working.holding.lifting", "working.holding.carrying"),
        *("halted", "halted", "working.holding.carrying", "stopped", "stopped", "ready"),
    ]


def test_the_button_of_the_junction_brings_pedestrians_sooner() -> None:
    def seconds_of_green(word: str) -> int:
        inputs = f"{word} tick tick tick tick".split()
        yellow = active("junction", " ".join(inputs)).index("day.main_stops")
        return 4 * inputs[: yellow + 1].count("tick")

    words = ("", "button", "tick button", "tick tick tick button")
    assert [seconds_of_green(word) for word in words] == [16, 8, 8, 12]


def test_the_sequence_detector_finds_overlapping_matches() -> None:
    bits = "1011011101011"
    trace = load(SPECS / "sequence_detector.yaml").run(bits)
    found = [i for i, outputs in enumerate(trace.outputs) if "detected" in outputs]
    assert found == [i for i in range(len(bits)) if bits[: i + 1].endswith("1011")]
