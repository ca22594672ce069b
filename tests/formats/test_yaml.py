from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given, settings

from vsafsm import errors as e
from vsafsm.formats.yaml import read_yaml, write_yaml
from vsafsm.machine import Machine, Transition

TURNSTILE = """\
machine: turnstile
initial: locked
inputs: [coin, push]
states:
  locked:
    outputs: [barrier_closed]
    transitions: {coin: unlocked}
  unlocked:
    outputs: [barrier_open]
    transitions:
      push: {to: locked, outputs: [click]}
      "*": unlocked
unlisted: stay
compile: {}
"""


def spec(states: str = "{a: {transitions: {go: a}}}", rest: str = "") -> str:
    return f"machine: m\ninitial: a\nstates: {states}\n{rest}"


def machine_of(text: str) -> Machine:
    return read_yaml(text, "m.yaml").machine


def test_the_turnstile_reads_as_its_table() -> None:
    reading = read_yaml(TURNSTILE, "turnstile.yaml")
    assert reading.warnings == ()
    assert reading.machine == Machine(
        name="turnstile",
        states=("locked", "unlocked"),
        inputs=("coin", "push"),
        initial="locked",
        table=(
            (Transition("unlocked"), Transition("locked")),
            (Transition("unlocked"), Transition("locked", ("click",))),
        ),
        moore=(("barrier_closed",), ("barrier_open",)),
    )


@pytest.mark.parametrize(
    "name", ["on", "off", "yes", "no", "1", "1.0", "null", "~", "0x1F", "1e3", "TRUE", "2001-01-01"]
)
def test_names_stay_text_as_written(name: str) -> None:
    machine = machine_of(
        f"machine: {name}\ninitial: {name}\nstates:\n  {name}:\n    transitions: {{{name}:"
        f" {name}}}\n"
    )
    assert (machine.name, machine.states, machine.inputs) == (name, (name,), (name,))


def test_inputs_come_in_order_of_first_appearance() -> None:
    text = spec("{a: {transitions: {z: b, y: a}}, b: {transitions: {x: a, z: b}}}")
    assert machine_of(text).inputs == ("z", "y", "x")


@pytest.mark.parametrize(
    "empty", ["", " {}", " {transitions: }", " {transitions: {}}", " {outputs: []}"]
)
def test_an_empty_state_is_absorbing(empty: str) -> None:
    machine = machine_of(
        f"machine: m\ninitial: a\nstates:\n  a:\n    transitions: {{go: done}}\n  done:{empty}\n"
    )
    assert machine.transition("done", "go") == Transition("done")


def test_the_star_takes_every_other_declared_input_with_outputs() -> None:
    text = spec(
        '{a: {transitions: {x: a, "*": {to: b, outputs: [o]}}}, b: {}}', "inputs: [x, y, z]"
    )
    assert machine_of(text).table[0] == (
        Transition("a"),
        Transition("b", ("o",)),
        Transition("b", ("o",)),
    )


def test_compile_options_are_numbers_where_they_look_like_numbers() -> None:
    options = 'compile: {seed: 1, margin: 1e-1, bits: "4", code: sparse, dimension: auto}'
    assert machine_of(spec(rest=options)).compile_options == (
        *(("seed", 1), ("margin", 0.1), ("bits", "4"), ("code", "sparse"), ("dimension", "auto")),
    )
    assert type(machine_of(spec(rest=options)).compile_options[0][1]) is int


def test_unreachable_states_are_warned_about_with_their_place() -> None:
    reading = read_yaml(spec("\n  a: {transitions: {go: a}}\n  island: {}"), "m.yaml")
    assert reading.warnings == ('m.yaml:5:3: state "island" is never reached from "a"',)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert machine_of("\ufeff" + TURNSTILE).name == "turnstile"


HEAD = "machine: m\ninitial: a\n"
BAD = {
    "unknown key": (
        "machine: m\ninital: a\nstates: {a: }",
        e.SyntaxSpecError,
        "2:1",
        ["inital", "did you mean", '"initial"', "unlisted"],
    ),
    "unknown key of a state": (
        spec("\n  a: {transition: {go: a}}"),
        e.SyntaxSpecError,
        "4:7",
        ['state "a"', '"transitions"'],
    ),
    "unknown key of a transition": (
        spec("{a: {transitions: {go: {too: a}}}}"),
        e.SyntaxSpecError,
        "3:33",
        ["too", '"to"'],
    ),
    "unknown target": (
        spec("{a: {transitions: {go: unlockd}}, unlocked: {}}"),
        e.UnknownStateError,
        "3:32",
        ["unlockd", 'mean "unlocked"'],
    ),
    "unknown target under star": (
        spec('{a: {transitions: {x: a, "*": b}}}'),
        e.UnknownStateError,
        "3:39",
        ['"b"', "one of: a"],
    ),
    "unknown initial": (
        "machine: m\ninitial: lockd\nstates: {locked: {transitions: {go: locked}}}",
        e.UnknownStateError,
        "2:10",
        ["lockd", '"locked"'],
    ),
    "missing machine": ("initial: a\nstates: {a: }", e.SyntaxSpecError, "1:1", ['"machine"']),
    "missing initial": ("machine: m\nstates: {a: }", e.SyntaxSpecError, "1:1", ['"initial"']),
    "missing states": (HEAD, e.SyntaxSpecError, "1:1", ['"states"']),
    "missing to": (
        spec("{a: {transitions: {go: {outputs: [x]}}}}"),
        e.SyntaxSpecError,
        "3:32",
        ['"to"'],
    ),
    "duplicate key": ("machine: m\nmachine: n", e.SyntaxSpecError, "2:1", ["machine", "line 1"]),
    "duplicate key of a state": (
        spec("{a: {outputs: [], outputs: []}}"),
        e.SyntaxSpecError,
        "3:27",
        ["outputs"],
    ),
    "duplicate option": (
        spec(rest="compile: {seed: 1, seed: 2}"),
        e.SyntaxSpecError,
        "4:20",
        ["seed"],
    ),
    "duplicate state": (
        spec("\n  a:\n  b:\n  a:\n"),
        e.BadNameError,
        "6:3",
        ['"a"', "line 4"],
    ),
    "duplicate input": (spec(rest="inputs: [go, go]"), e.BadNameError, "4:14", ['"go"']),
    "non-deterministic": (
        spec("{a: {transitions: {go: a, go: a}}}"),
        e.NondeterministicError,
        "3:35",
        ['"a"', '"go"', "line 3"],
    ),
    "two stars": (
        spec('{a: {transitions: {go: a, "*": a, "*": a}}}'),
        e.NondeterministicError,
        "3:43",
        ['"*"'],
    ),
    "list for a spec": ("- a", e.SyntaxSpecError, "1:1", ["a list", "mapping", "machine"]),
    "text for a spec": ("hello", e.SyntaxSpecError, "1:1", ['the text "hello"']),
    "list for a name": (
        "machine: [m]\ninitial: a\nstates: {}",
        e.SyntaxSpecError,
        "1:10",
        ["a list", "name"],
    ),
    "no name": ("machine:\ninitial: a\nstates: {}", e.SyntaxSpecError, "1:9", ["empty", "name"]),
    "list for states": (spec("[a, b]"), e.SyntaxSpecError, "3:9", ["a list", "mapping"]),
    "text for a state": (spec("{a: null}"), e.SyntaxSpecError, "3:13", ['"null"', "mapping"]),
    "list for transitions": (
        spec("{a: {transitions: [go]}}"),
        e.SyntaxSpecError,
        "3:27",
        ["a list", "mapping"],
    ),
    "list for a target": (
        spec("{a: {transitions: {go: [a]}}}"),
        e.SyntaxSpecError,
        "3:32",
        ["a list", "name of a state"],
    ),
    "no target": (spec("{a: {transitions: {go: }}}"), e.SyntaxSpecError, "3:31", ["empty"]),
    "text for outputs": (
        spec("{a: {outputs: lamp}}"),
        e.SyntaxSpecError,
        "3:23",
        ['"lamp"', "a list of names", "[first, second]"],
    ),
    "mapping for inputs": (
        spec(rest="inputs: {go: 1}"),
        e.SyntaxSpecError,
        "4:9",
        ["a mapping", "list"],
    ),
    "list for a key": ("? [a]\n: b", e.SyntaxSpecError, "1:3", ["key"]),
    "other unlisted": (
        spec(rest="unlisted: sty"),
        e.SyntaxSpecError,
        "4:11",
        ['"sty"', "stay, error", 'mean "stay"'],
    ),
    "list for an option": (
        spec(rest="compile: {seed: [1]}"),
        e.SyntaxSpecError,
        "4:17",
        ["seed", "number"],
    ),
    "unknown option": (
        spec(rest="compile: {bitss: 8}"),
        e.OptionError,
        "4:11",
        ["bitss", '"bits"'],
    ),
    "option out of range": (
        spec(rest="compile: {bits: 99}"),
        e.OptionError,
        "4:17",
        ["99", "2 to 16"],
    ),
    "unknown value of an option": (
        spec(rest="compile: {rule: refind}"),
        e.OptionError,
        "4:17",
        ['"refined"'],
    ),
    "whole option with a point": (
        spec(rest="compile: {seed: 1.5}"),
        e.OptionError,
        "4:17",
        ["seed", "whole"],
    ),
    "list for compile": (spec(rest="compile: [seed]"), e.SyntaxSpecError, "4:10", ["mapping"]),
    "state called star": (spec('{a: , "*": }'), e.BadNameError, "3:15", ["every other input"]),
    "input called star": (
        spec(rest='inputs: [go, "*"]'),
        e.BadNameError,
        "4:14",
        ["every other input"],
    ),
    "empty name": (spec('{"": }'), e.BadNameError, "3:10", ["empty"]),
    "spaces around a name": (spec('{" a": }'), e.BadNameError, "3:10", ["spaces"]),
    "escape in a name": (spec('{"a\\nb": }'), e.BadNameError, "3:10", ["print"]),
    "input not in the alphabet": (
        spec("{a: {transitions: {psh: a}}}", "inputs: [coin, push]"),
        e.UnknownInputError,
        "3:28",
        ['"psh"', '"a"', 'mean "push"'],
    ),
    "no input": (spec("{a: }"), e.SpecError, "1:1", ["input"]),
    "only a star": (spec('{a: {transitions: {"*": a}}}'), e.SpecError, "1:1", ["input"]),
    "empty inputs": (spec(rest="inputs: []"), e.SpecError, "4:9", ["at least one"]),
    "unlisted pair": (
        spec("\n  a: {transitions: {x: b}}\n  b: {transitions: {y: a}}", "unlisted: error"),
        e.SpecError,
        "4:3",
        ['"a"', '"y"', '"*"'],
    ),
    "no states": (spec("{}"), e.SyntaxSpecError, "3:9", ["at least one state"]),
    "empty": ("", e.SyntaxSpecError, "1:1", ["empty"]),
    "comments only": ("# hello\n\n", e.SyntaxSpecError, "1:1", ["empty"]),
    "empty document": ("---\n...\n", e.SyntaxSpecError, "1:1", ["empty"]),
    "tab": (
        HEAD + "states:\n\ta: {}\n",
        e.SyntaxSpecError,
        "4:1",
        ["tabs are not allowed", "spaces"],
    ),
    "alias": (HEAD + "states: *x\n", e.SyntaxSpecError, "3:9", ["*x", "not allowed"]),
    "anchor": (HEAD + "states: &x {a: }\n", e.SyntaxSpecError, "3:9", ["&x"]),
    "bare star": (
        HEAD + "states:\n  a:\n    transitions:\n      *: a\n",
        e.SyntaxSpecError,
        "6:7",
        ['"*" with quotes'],
    ),
    "tag": (
        HEAD + "states: !!python/object:os.system {}\n",
        e.SyntaxSpecError,
        "3:9",
        ["python/object"],
    ),
    "merge key": (spec("{a: {<<: {}}}"), e.SyntaxSpecError, "3:14", ["merge"]),
    "two documents": (
        TURNSTILE + "---\nmachine: b\n",
        e.SyntaxSpecError,
        "15:1",
        ["second YAML document"],
    ),
    "open bracket": ("machine: [m\n", e.SyntaxSpecError, "2:1", ["not closed"]),
    "open quote": ('machine: "m\n', e.SyntaxSpecError, "2:1", ["quote"]),
    "two colons": ("machine: m: n\n", e.SyntaxSpecError, "1:11", ['":"']),
    "indentation": ("machine: m\n  initial: a\n", e.SyntaxSpecError, "2:10", ["indentation"]),
    "nul": ("machine: m\ninitial: \x00", e.SyntaxSpecError, "2:10", ["U+0000"]),
    "control character": ("machine: \x1b[0m", e.SyntaxSpecError, "1:10", ["U+001B"]),
    "absurd escape": ('machine: "\\UFFFFFFFF"', e.SyntaxSpecError, None, ["escape"]),
    "absurd version": ("%YAML 1." + "9" * 5000 + "\n---\na", e.SyntaxSpecError, None, ["version"]),
    "columns are characters": (
        "machine: é名\ninitial: a\nstates: {名é: , b: 1}",
        e.SyntaxSpecError,
        "3:19",
        [],
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_a_bad_spec_is_refused_where_it_is_wrong(
    case: tuple[str, type[e.SpecError], str | None, list[str]],
) -> None:
    text, error, place, useful = case
    with pytest.raises(error) as caught:
        read_yaml(text, "m.yaml")
    assert type(caught.value) is error
    assert caught.value.location is not None
    if place:
        assert str(caught.value).startswith(f"m.yaml:{place}: ")
    for words in useful:
        assert words in caught.value.message


BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(97 + i)}: &{chr(97 + i)} [*{chr(96 + i)}, *{chr(96 + i)}]\n" for i in range(1, 26)
)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (BOMB, e.SyntaxSpecError),
        ("[" * 100_000_000, e.TooLargeError),
        ("[" * 4_000_000, e.TooLargeError),
        ("{" * 4_000_000, e.TooLargeError),
        ("- " * 2_000_000, e.TooLargeError),
        ("? " * 2_000_000, e.TooLargeError),
        ("[\n" * 2_000_000, e.TooLargeError),
        ("{a: " * 500_000, e.TooLargeError),
        ("".join(" " * i + "a:\n" for i in range(1000)), e.TooLargeError),
    ],
    ids=[
        "aliases",
        "100 MB",
        "brackets",
        "braces",
        "dashes",
        "keys",
        "lines",
        "mappings",
        "indents",
    ],
)
def test_what_unfolds_or_nests_without_end_is_given_up_early(
    text: str, error: type[e.SpecError]
) -> None:
    tracemalloc.start()
    before = time.perf_counter()
    try:
        with pytest.raises(error):
            read_yaml(text, "bomb.yaml")
        assert tracemalloc.get_traced_memory()[1] < 10 * len(text) + 20_000_000
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - before < 5


def test_more_transitions_than_memory_holds_are_refused() -> None:
    states = "{a: , " + ", ".join(f"s{i}: " for i in range(3000)) + "}"
    text = spec(states, f"inputs: [{', '.join(f'i{i}' for i in range(2000))}]")
    with pytest.raises(e.TooLargeError, match="transitions"):
        read_yaml(text, "m.yaml")


# ---- writing


def test_the_writer_is_short_and_readable() -> None:
    assert (
        write_yaml(machine_of(TURNSTILE))
        == "machine: turnstile\ninitial: locked\ninputs: [coin, push]\nstates:\n  locked:\n   "
        " outputs: [barrier_closed]\n    transitions: {coin: unlocked}\n  unlocked:\n   "
        " outputs: [barrier_open]\n    transitions:\n      push: {to: locked, outputs:"
        " [click]}\n"
    )


def test_many_equal_transitions_are_written_as_a_star() -> None:
    inputs = tuple(f"i{n}" for n in range(8))
    table = (
        tuple(Transition("b" if n else "a") for n in range(8)),
        tuple(Transition("b") for _ in range(8)),
    )
    machine = Machine("m", ("a", "b"), inputs, "a", table, ((), ()))
    assert 'transitions: {i0: a, "*": b}' in write_yaml(machine)
    assert machine_of(write_yaml(machine)) == machine


@pytest.mark.parametrize("name", ["on", "1", "null", "1e5", "~", "<<", "a: b", "#", "- a", "é"])
def test_names_that_yaml_would_misread_are_quoted(name: str) -> None:
    machine = Machine(name, (name,), (name,), name, ((Transition(name, (name,)),),), ((name,),))
    assert machine_of(write_yaml(machine)) == machine
    assert (f'"{name}"' in write_yaml(machine)) == (name != "é")


def test_every_machine_reads_back_equal(machine_strategy) -> None:
    @settings(max_examples=150, deadline=None)
    @given(machine_strategy())
    def check(machine: Machine) -> None:
        assert machine_of(write_yaml(machine)) == machine

    check()


def test_every_compile_option_reads_back_equal_and_of_its_type(option_strategy) -> None:
    @settings(max_examples=100, deadline=None)
    @given(option_strategy)
    def check(option: tuple[str, str | int | float]) -> None:
        machine = Machine("m", ("a",), ("go",), "a", ((Transition("a"),),), ((),), (option,))
        read_back = machine_of(write_yaml(machine)).compile_options[0][1]
        assert (read_back, type(read_back)) == (option[1], type(option[1]))

    check()


@pytest.mark.parametrize(
    ("change", "useful"),
    [
        ({"states": ("*",), "initial": "*", "table": ((Transition("*"),),)}, '^the state "'),
        ({"inputs": ("*",)}, '^the input "'),
    ],
)
def test_what_a_spec_cannot_say_is_refused(change: dict[str, object], useful: str) -> None:
    parts = {
        "name": "m",
        "states": ("a",),
        "inputs": ("go",),
        "initial": "a",
        "table": ((Transition("a"),),),
        "moore": ((),),
    }
    with pytest.raises(e.NotExpressibleError, match=useful):
        write_yaml(Machine(**(parts | change)))


@pytest.mark.parametrize("length", [60, 500, 20_000])
@pytest.mark.parametrize("end", ["!", "-", " -x!", ".."])
def test_long_names_are_written_at_once(length: int, end: str) -> None:
    name = ("word_" * length)[:length] + end
    machine = Machine(name, (name,), ("a",), name, ((Transition(name),),), ((),))
    began = time.perf_counter()
    text = write_yaml(machine)
    assert time.perf_counter() - began < 20
    assert read_yaml(text, "long.yaml").machine == machine
