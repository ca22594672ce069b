"""The example machines: they read, the editors' schema takes them, and they do what they are there
for.
"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

import vsafsm.formats
from vsafsm.formats import load, read
from vsafsm.formats.yaml import read_yaml, write_yaml
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
    assert len(reading.machine.states) < 14
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


def test_the_schema_is_a_schema_and_takes_what_the_reader_takes() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(as_json(GOOD), SCHEMA)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("machine: m", "machine: m, extra: 1"),
        ("outputs: [o]", "output: [o]"),
        ("outputs: [o]", "outputs: o"),
        ("outputs: [o]", "outputs: [o, o]"),
        ("to: a", "too: a"),
        ("to: a", "to: a, when: x"),
        ("initial: a", "unlisted: stay"),
        ("initial: a", "initial: a, unlisted: sty"),
        ("initial: a", "initial: a, compile: {seed: [1]}"),
        ("initial: a", "initial: a, compile: {bits: 17}"),
        ("initial: a", "initial: a, compile: {bitss: 8}"),
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
]


@pytest.mark.parametrize(("name", "word", "states", "outputs"), RUNS, ids=[r[0] for r in RUNS])
def test_a_spec_does_what_it_is_there_for(
    name: str, word: str, states: str | None, outputs: str
) -> None:
    trace = load(SPECS / f"{name}.yaml").run(word.split())
    if states:
        assert list(trace.states[1:]) == states.split()
    assert set(outputs.split()) <= {o for group in trace.outputs for o in group}


def test_the_sequence_detector_finds_overlapping_matches() -> None:
    bits = "1011011101011"
    trace = load(SPECS / "sequence_detector.yaml").run(bits)
    found = [i for i, outputs in enumerate(trace.outputs) if "detected" in outputs]
    assert found == [i for i in range(len(bits)) if bits[: i + 1].endswith("1011")]
