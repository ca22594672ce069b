"""What newcomers write by mistake is told at the line where it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vsafsm import errors as e
from vsafsm.formats.yaml import read_yaml

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))
TEXTS = [path.read_text() for path in SPECS]
HEAD = "machine: m\ninitial: a\n"
STATES = "states:\n  a:\n    transitions: {go: a}\n"


def told(text: str) -> str:
    with pytest.raises(e.SpecError) as caught:
        read_yaml(text, "m.yaml")
    return str(caught.value)


def broken(text: str, old: str, new: str) -> list[tuple[int, int, str]]:
    """The text with one key's colon changed: line, column of the colon, text; for every line that
    begins with a key.
    """
    lines = text.splitlines()
    found = []
    for i, line in enumerate(lines):
        key = re.match(rf' *("[^"]*"|[\w ]+){re.escape(old)}', line)
        if key:
            changed = line[: key.end() - len(old)] + new + line[key.end() :]
            there = "\n".join([*lines[:i], changed, *lines[i + 1 :]])
            found.append((i + 1, key.end() - len(old) + 1, there + "\n"))
    return found


@pytest.mark.parametrize("text", TEXTS, ids=[path.stem for path in SPECS])
def test_a_colon_left_out_is_told_where_it_is_missing(text: str) -> None:
    cases = broken(text, ":", "")
    assert len(cases) > 8
    for line, _, changed in cases:
        message = told(changed)
        assert message.startswith(f"m.yaml:{line}:"), changed
        assert "colon" in message


@pytest.mark.parametrize("text", TEXTS, ids=[path.stem for path in SPECS])
def test_a_space_left_out_is_told_where_it_is_missing(text: str) -> None:
    cases = broken(text, ": ", ":")
    assert len(cases) > 5
    for line, column, changed in cases:
        message = told(changed)
        assert message.startswith(f"m.yaml:{line}:{column}: a space is missing after the colon")


@pytest.mark.parametrize(
    ("text", "place", "useful"),
    [
        ("# a machine\nmachine coffee\ninitial: a\n" + STATES, "2:1", ["no colon"]),
        (HEAD + "states:\n  a:\n    transitions:\n      done:a\n", "6:11", ['"done: a"']),
        (HEAD + "states:\n  a:\n    transitions:\n      d:a\n      e:a\n", "6:8", ['"d: a"']),
        (HEAD + STATES.replace("go: a", "go:a, stop: a"), "5:21", ['"go: a"']),
        (HEAD + STATES.replace(": {", ":{"), "5:16", ["a space is missing"]),
        (HEAD + STATES.replace("{go: a}", "{to:a}"), "5:21", ["a space is missing"]),
        ("machine: m\n  initial a\n" + STATES, "2:1", ["no colon", "line 1"]),
        ("machine = m\ninitial: a\n" + STATES, "1:1", ['":" in place of "="']),
        ("// a lamp\n" + HEAD + STATES, "1:1", ['"#" before a comment']),
        (HEAD + "states:\n  a:\n    transitions:\n      go -> a\n", "6:7", ["a colon"]),
        (HEAD + "states:\n\ta:\n", "4:1", ["tab", "spaces"]),
        (HEAD + "states:\n  - a\n  - b\n", "4:3", ["a list", 'without "-"']),
        (
            HEAD + "states:\n  a:\n    transitions:\n      - go: a\n",
            "6:7",
            ["a list", "each input", 'without "-"'],
        ),
        (HEAD + "inputs: {go: , stop: }\n" + STATES, "3:9", ["a mapping", "[first, second]"]),
        (HEAD + "inputs: go, stop\n" + STATES, "3:9", ['"go, stop"', "[first, second]"]),
        (HEAD + "states:\na:\n  transitions: {go: a}\n", "4:1", ['"a"', '"states", indented']),
        (HEAD + "states:\n  a: {go: a}\n", "4:7", ['"go"', 'inputs stand under "transitions"']),
        (HEAD + STATES.replace("go: a", "go: {to: a, when: x > 3}"), "5:31", ['mean "if"']),
        (HEAD + "states:\n  a:\n    timeout: {30 s: a}\n", "5:5", ['mean "after"']),
        (HEAD + "states:\n  a:\n    after: {30 s:a}\n", "5:17", ["a space is missing"]),
        (HEAD + STATES + "    outputs: [x, y, x]\n", "6:21", ['"x"', "twice"]),
        (HEAD + STATES.replace("{go: a}", "{go: {to: a, outputs: [x, x]}}"), "5:44", ["twice"]),
        (HEAD + STATES + "    transitions: {stop: a}\n", "6:5", ['"transitions"', "line 5"]),
        (HEAD + STATES.replace("a}", "a\n  b: {}"), "6:4", ["not closed", "line 5"]),
        ("machine: 'm\ninitial: a\n" + STATES, "6:1", ["closing quote", "line 1"]),
    ],
)
def test_a_slip_is_told_where_it_stands(text: str, place: str, useful: list[str]) -> None:
    message = told(text)
    assert message.startswith(f"m.yaml:{place}: ")
    for words in useful:
        assert words in message


def test_words_that_other_readers_of_yaml_take_for_something_else_are_names() -> None:
    text = (
        "machine: 1\ninitial: off\nstates:\n  off:\n    transitions: {yes: on}\n  on:\n"
        "    transitions: {no: off, 12:30: off, null: on}\n"
    )
    machine = read_yaml(text, "m.yaml").machine
    assert (machine.states, machine.inputs) == (("off", "on"), ("yes", "no", "12:30", "null"))


def test_what_is_no_slip_is_not_blamed() -> None:
    text = HEAD + 'states:\n  "two: words":  # a: note\n    transitions: {go: a: b}\n'
    assert told(text).startswith("m.yaml:5:")


# ---- warnings


def test_an_input_that_no_transition_uses_is_a_warning() -> None:
    text = HEAD + "inputs: [go, stop]\n" + STATES
    assert read_yaml(text, "m.yaml").warnings == (
        'm.yaml:3:14: input "stop" is used by no transition',
    )
    assert not read_yaml(text.replace("{go: a}", '{go: a, "*": a}'), "m.yaml").warnings


def test_many_states_that_are_never_reached_are_one_warning() -> None:
    def warnings(count: int) -> tuple[str, ...]:
        more = "".join(f"  s{i}:\n" for i in range(count))
        return read_yaml(HEAD + STATES + more, "m.yaml").warnings

    assert len(warnings(5)) == 5
    assert warnings(31) == (
        'm.yaml:6:3: 31 states are never reached from "a": "s0", "s1", "s2", "s3", "s4", ...',
    )


def test_a_name_of_braces_is_warned_about_like_any_other() -> None:
    text = 'machine: m\ninitial: "{x"\nstates:\n  "{x": {transitions: {go: "{x"}}\n  "}{0}":\n'
    assert read_yaml(text, "m.yaml").warnings == (
        'm.yaml:5:3: state "}{0}" is never reached from "{x"',
    )
