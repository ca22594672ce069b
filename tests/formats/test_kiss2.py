from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm import errors as e
from vsafsm.cubes import merge, parse_cube, split
from vsafsm.formats import format_for, load
from vsafsm.formats.kiss2 import read_kiss2, write_kiss2
from vsafsm.machine import Machine, Transition
from vsafsm.symbolic import SymbolicMachine

GATE = """\
# a gate: opens on a coin, whatever else is said
.i 2
.o 2
.p 4
.s 2
.ob open bell
1- shut wide 11
0- shut shut 0-
-1 wide shut 00   # push
-0 wide wide 10
.e
"""


def rows(*lines: str, head: str = ".i 2\n.o 1\n") -> str:
    return head + "\n".join(lines) + "\n"


def machine_of(text: str) -> Machine:
    return read_kiss2(text, "m.kiss2").machine


def arrows(machine: Machine, state: str) -> dict[str, tuple[str, ...]]:
    return {
        a: (t.to, *t.outputs)
        for a, t in zip(machine.inputs, machine.table[machine.state_index(state)], strict=True)
    }


# ---- reading


def test_cubes_become_classes_and_output_bits_become_names() -> None:
    reading = read_kiss2(GATE, "some/gate.kiss2")
    machine = reading.machine
    assert reading.warnings == ()
    assert (machine.name, machine.states, machine.initial) == ("gate", ("shut", "wide"), "shut")
    assert machine.inputs == ("10", "11", "00", "01")
    opened = ("wide", "open", "bell")
    assert arrows(machine, "shut") == {"10": opened, "11": opened, "00": ("shut",), "01": ("shut",)}
    assert arrows(machine, "wide") == {
        "10": ("wide", "open"),
        "11": ("shut",),
        "00": ("wide", "open"),
        "01": ("shut",),
    }


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems(end: str) -> None:
    assert machine_of(GATE.replace("\n", end)) == machine_of(GATE)


def test_dont_care_is_written_x_and_outputs_have_numbers() -> None:
    machine = machine_of(rows("-0 a a 01", "-1 a b 10", "-- b b 11", head=".i 2\n.o 2\n"))
    assert machine.inputs == ("x0", "x1")
    assert arrows(machine, "a") == {"x0": ("a", "o1"), "x1": ("b", "o0")}


def test_a_class_of_several_cubes_joins_them() -> None:
    assert set(machine_of(rows("11 a b 1", "-- b a 0")).inputs) in (
        {"11", "0x|10"},
        {"11", "00|01|10"},
        {"11", "01|x0"},
    )


def test_vectors_that_no_cube_covers_are_no_input() -> None:
    assert machine_of(rows("01 a a 1")).inputs == ("01",)


def test_no_final_e_no_counts_and_a_reset_line() -> None:
    machine = machine_of(rows("-- a b 0", "-- b a 0", head=".i 2\n.o 1\n.r b\n.ilb x y\n"))
    assert (machine.initial, machine.states) == ("b", ("a", "b"))


def test_without_a_reset_line_it_starts_in_the_first_row_with_a_state() -> None:
    assert machine_of(rows("11 * z 0", "0- b z 0", "0- z b 0")).initial == "b"


@pytest.mark.parametrize("star", ["*", "ANY"])
def test_a_star_row_holds_where_a_state_has_no_row_of_its_own(star: str) -> None:
    machine = machine_of(rows(f"1- {star} home 1", "11 a b 0", "0- a a 0", "-- b a 0"))
    assert machine.transition("a", "11") == Transition("b")
    assert machine.transition("a", "10") == Transition("home", ("o0",))
    assert machine.transition("b", "10") == Transition("a")
    assert machine.transition("home", "11") == Transition("home", ("o0",))


@pytest.mark.parametrize("star", ["*", "ANY"])
def test_an_unspecified_next_state_and_an_unlisted_case_hold(star: str) -> None:
    text = rows(f"00 a {star} 1", "01 a b 1", "10 b a 0")
    machine = machine_of(text)
    assert arrows(machine, "a") == {"00": ("a",), "01": ("b", "o0"), "10": ("a",)}
    with pytest.raises(e.SpecError) as caught:
        read_kiss2(text, "m.kiss2", unlisted="error")
    assert str(caught.value).startswith("m.kiss2:3:1: ")
    assert '"a"' in caught.value.message
    assert '"00"' in caught.value.message


PARTIAL = rows(
    "000 a b 0",
    "001 a b 0",
    "010 a c 1",
    "011 a a 1",
    "1-- b a 0",
    "--- c c 0",
    head=".i 3\n.o 1\n",
)


@pytest.mark.parametrize(
    ("reading", "found"),
    [
        ("hold", ("a",)),
        ("sink", ("sink",)),
        ("free-state", ("b",)),
        ("free-output", ("a", "o0")),
    ],
)
def test_the_readings_of_an_unlisted_case(
    tmp_path: Path, reading: str, found: tuple[str, ...]
) -> None:
    path = tmp_path / "m.kiss2"
    path.write_text(PARTIAL)
    machine = load(path, f"kiss2:{reading}")
    unlisted = [symbol for symbol in machine.inputs if symbol.startswith("1")]
    assert unlisted
    assert {arrows(machine, "a")[symbol] for symbol in unlisted} == {found}
    assert arrows(machine, "a")["001"] == ("b",)
    assert ("sink" in machine.states) == (reading == "sink")
    if reading == "sink":
        assert set(arrows(machine, "sink").values()) == {("sink",)}


def test_the_sink_is_there_only_where_it_is_needed_and_has_a_name_of_its_own() -> None:
    complete = rows("-- sink sink 0")
    assert read_kiss2(complete, "m.kiss2", unlisted="sink").machine.states == ("sink",)
    machine = read_kiss2(rows("1- sink b 0", "-- b b 0"), "m.kiss2", unlisted="sink").machine
    assert machine.states == ("sink", "b", "sink_")


def test_every_case_listed_passes_unlisted_error() -> None:
    assert (
        read_kiss2(GATE, "gate.kiss2", unlisted="error").machine
        == read_kiss2(GATE, "gate.kiss2").machine
    )


def test_the_same_row_twice_is_fine_and_the_specified_bit_wins() -> None:
    machine = machine_of(
        rows("-- a b -1-", "1- a b 1--", "-- a b -1-", "-- b b 000", head=".i 2\n.o 3\n")
    )
    assert machine.inputs == ("0x", "1x")
    assert arrows(machine, "a") == {"0x": ("b", "o1"), "1x": ("b", "o0", "o1")}


def test_no_outputs_at_all() -> None:
    assert arrows(machine_of(rows("0 a b", "1 a a", head=".i 1\n.o 0\n")), "a") == {
        "0": ("b",),
        "1": ("a",),
    }


# ---- warnings


@pytest.mark.parametrize(
    ("change", "place", "useful"),
    [
        ((".p 4", ".p 7"), "4:4", [".p says 7", "there are 4", "truncated"]),
        ((".p 4", ".p 3"), "4:4", [".p says 3", "there are 4"]),
        ((".s 2", ".s 3"), "5:4", [".s says 3", "name 2"]),
        ((".e\n", ".e\n-- shut shut 00\n"), "12:1", [".e", "not read"]),
        (("-1 wide", "-1 lost"), "9:1", ['"lost" is never reached from "shut"']),
    ],
)
def test_what_is_tolerated_is_warned_about(
    change: tuple[str, str], place: str, useful: list[str]
) -> None:
    warnings = read_kiss2(GATE.replace(*change), "m.kiss2").warnings
    told = [w for w in warnings if w.startswith(f"m.kiss2:{place}: ")]
    assert len(told) == 1
    assert all(words in told[0] for words in useful)


def test_only_missing_rows_are_called_truncated() -> None:
    assert "truncated" not in " ".join(read_kiss2(GATE.replace(".p 4", ".p 3"), "m").warnings)


# ---- errors

BAD = {
    "empty": ("", e.SyntaxSpecError, "1:1", ["empty"]),
    "comments only": ("# nothing\n", e.SyntaxSpecError, "1:1", []),
    "no rows": (".i 1\n.o 1\n.e\n", e.SyntaxSpecError, "1:1", ["no rows"]),
    "only stars": (rows("-- * * 0"), e.SyntaxSpecError, "3:1", ["state"]),
    "no .i": (".o 1\n1 a a 1\n", e.SyntaxSpecError, "1:1", [".i"]),
    "no .o": (".i 1\n1 a a 1\n", e.SyntaxSpecError, "1:1", [".o"]),
    "no input bits": (".i 0\n.o 1\na a 1\n", e.SpecError, "1:4", ["without inputs"]),
    "too many bits": (".i 99999\n.o 1\n1 a a 1\n", e.TooLargeError, "1:4", ["99999", "1024"]),
    "count is no number": (".i two\n.o 1\n", e.SyntaxSpecError, "1:4", ['"two"', "whole number"]),
    "negative count": (".i -1\n.o 1\n", e.SyntaxSpecError, "1:4", ["whole number"]),
    "count without end": (f".i {'9' * 5000}\n.o 1\n", e.SyntaxSpecError, "1:4", ["whole number"]),
    "no value": (".i\n.o 1\n", e.SyntaxSpecError, "1:1", ["one number"]),
    "unknown directive": (".i 2\n .output 1\n", e.SyntaxSpecError, "2:2", [".output", ".ilb"]),
    "misspelt directive": (".i 2\n.olb 1\n", e.SyntaxSpecError, "2:1", ["did you mean"]),
    "directive twice": (".i 2\n.o 1\n.i 2\n", e.SyntaxSpecError, "3:1", [".i", "line 1"]),
    "truncated row": (
        rows("00 a a 1", "  01 a"),
        e.SyntaxSpecError,
        "4:7",
        ["ends after 2 of 4", "next state"],
    ),
    "long row": (rows("00 a a 1 0"), e.SyntaxSpecError, "3:10", ["more than 4"]),
    "narrow cube": (
        rows("00 a a 1", "0 a a 1"),
        e.SyntaxSpecError,
        "4:1",
        ["1 characters", "expected 2"],
    ),
    "wide output": (rows("00 a a 11"), e.SyntaxSpecError, "3:8", ["2 characters", "expected 1"]),
    "bad cube character": (rows(" 0z a a 1"), e.SyntaxSpecError, "3:3", ["'z'", "0, 1 or -"]),
    "bad output character": (rows("00 a a ?"), e.SyntaxSpecError, "3:8", ["'?'"]),
    "bad state name": (rows("00 a \x00b 1"), e.BadNameError, "3:6", ["print"]),
    "unknown reset": (
        rows("00 locked b 1", head=".i 2\n.o 1\n.r lockd\n"),
        e.UnknownStateError,
        "3:4",
        ["lockd", 'mean "locked"'],
    ),
    "star as reset": (
        rows("00 a b 1", head=".i 2\n.o 1\n.r *\n"),
        e.UnknownStateError,
        "3:4",
        ['"*"'],
    ),
    "wrong number of labels": (
        rows("00 a b 1", head=".i 2\n.o 1\n.ilb x\n"),
        e.SyntaxSpecError,
        "3:1",
        ["1 names", "expected 2"],
    ),
    "same label twice": (
        rows("00 a b 11", head=".i 2\n.o 2\n.ob x x\n"),
        e.SyntaxSpecError,
        "3:7",
        ['"x"'],
    ),
    "other target": (
        rows("0- a a 1", "-- b b 0", "-1 a b 1"),
        e.NondeterministicError,
        "5:1",
        ["line 3", '"a"', '"01"', '"b 1"', '"a 1"'],
    ),
    "other output": (rows("00 a a 1", "00 a a 0"), e.NondeterministicError, "4:1", ["line 3"]),
    "stars that contradict": (
        rows("00 * a 1", "00 * b 1"),
        e.NondeterministicError,
        "4:1",
        ["line 3"],
    ),
    "contradiction by way of -": (
        rows("00 a a 1", "00 a a -", "00 a a 0"),
        e.NondeterministicError,
        "5:1",
        ["line 3"],
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_refused_where_it_is_wrong(
    case: tuple[str, type[e.SpecError], str, list[str]],
) -> None:
    text, error, place, useful = case
    with pytest.raises(error) as caught:
        read_kiss2(text, "m.kiss2")
    assert type(caught.value) is error
    assert str(caught.value).startswith(f"m.kiss2:{place}: ")
    for words in useful:
        assert words in caught.value.message


def test_every_place_to_cut_a_file_gives_a_machine_or_an_error_of_ours() -> None:
    for end in range(len(GATE)):
        try:
            reading = read_kiss2(GATE[:end], "m.kiss2")
        except e.SpecError:
            continue
        assert GATE[:end].count(" shut ") >= 1
        assert len(reading.machine.inputs) >= 1


# ---- input classes


def cubes(width: int) -> st.SearchStrategy[list[str]]:
    return st.lists(
        st.text("01-", min_size=width, max_size=width), min_size=1, max_size=9, unique=True
    )


@given(st.integers(1, 6).flatmap(cubes))
@settings(max_examples=300, deadline=None)
def test_classes_are_those_of_a_count_through_all_vectors(texts: list[str]) -> None:
    width, parsed = len(texts[0]), [parse_cube(t) for t in texts]
    expected: dict[tuple[int, ...], set[int]] = {}
    for vector in range(2**width):
        members = tuple(i for i, (care, value) in enumerate(parsed) if vector & care == value)
        if members:
            expected.setdefault(members, set()).add(vector)
    classes = split(parsed, width)
    assert {c.members: set(vectors(c.cubes, width)) for c in classes} == expected
    for one in classes:
        assert len(set(vectors(one.cubes, width))) == len(vectors(one.cubes, width)), (
            "cubes of a class are disjoint"
        )
        assert tuple(parse_cube(t) for t in one.name.split("|")) == one.cubes
    assert [c.members[0] for c in classes] == sorted(c.members[0] for c in classes)
    assert len({c.name for c in classes}) == len(classes)


def vectors(found: tuple[tuple[int, int], ...], width: int) -> list[int]:
    return [v for v in range(2**width) for care, value in found if v & care == value]


def test_merging_keeps_the_vectors_in_fewer_cubes() -> None:
    assert merge([parse_cube(f"{i:03b}") for i in range(8)]) == ((0, 0),)


def test_a_hundred_input_bits_are_no_harder_than_three() -> None:
    wide = "-" * 98
    machine = machine_of(
        rows(f"0-{wide} a b 1", f"10{wide} a a 0", f"-1{wide} b a 0", head=".i 100\n.o 1\n")
    )
    assert [name.rstrip("x") for name in machine.inputs] == ["00", "01", "10", "11"]


def bit_each(count: int, width: int = 0) -> list[str]:
    """Rows of as many states, each of which looks at a bit of its own."""
    return [f"{'-' * (width + i)}1{'-' * (count - i - 1)} s{i} s{i} 1" for i in range(count)]


@pytest.mark.parametrize("count", [13, 30])
def test_states_with_a_bit_each_are_read_as_guards(count: int) -> None:
    machine = machine_of(rows(*bit_each(count), head=f".i {count}\n.o 1\n"))
    assert isinstance(machine, SymbolicMachine)
    assert len(machine.inputs) < 4 * count
    one = "0" * (count - 1) + "1"
    assert machine.transition(f"s{count - 1}", one) == Transition(f"s{count - 1}", ("o0",))
    assert machine.transition("s0", one) == Transition("s0")
    with pytest.raises(e.UnknownInputError, match="that a row covers"):
        machine.transition("s0", "0" * count)


def test_too_many_guards_are_refused_in_good_time() -> None:
    before = time.perf_counter()
    with pytest.raises(e.TooLargeError, match="too many ways") as caught:
        machine_of(rows(*bit_each(1000), head=".i 1000\n.o 1\n"))
    assert str(caught.value).startswith("m.kiss2:3:1: ")
    assert time.perf_counter() - before < 20


def interpreted(
    lines: list[str], states: list[str], vector: str, state: str
) -> tuple[str, ...] | None:
    """What the rows say, read character by character: next state and outputs, or nothing."""
    for present in ([state], ["*"]):
        found = [
            line.split()[2:]
            for line in lines
            if line.split()[1] in present
            and all(c in ("-", v) for c, v in zip(line.split()[0], vector, strict=True))
        ]
        if found:
            named = {to for to, _ in found if to != "*"}
            assert len(named) <= 1
            if not named:
                return None
            bits = [bits for to, bits in found if to != "*"]
            ones = {i for each in bits for i, bit in enumerate(each) if bit == "1"}
            return (named.pop(), *(f"o{i}" for i in sorted(ones)))
    return None


@pytest.mark.parametrize("unlisted", ["hold", "sink", "free-output", "free-state"])
@pytest.mark.parametrize("seed", range(4))
def test_guards_do_what_the_rows_say(seed: int, unlisted: str) -> None:
    rng = np.random.default_rng(seed)
    states = ["a", "b", "c"]
    lines = []
    for state in [*states, "*"]:
        # Cubes of one state that fix the same two bits do not contradict each other.
        first, second = sorted(rng.choice(5, 2, replace=False).tolist())
        for low, high in ((0, 0), (0, 1), (1, 0)):
            cube = ["-"] * 18
            cube[first], cube[second] = str(low), str(high)
            to = ["a", "b", "c", "*"][int(rng.integers(4))]
            bits = "".join(rng.choice(["0", "1", "-"], 2))
            lines.append(f"{''.join(cube)} {state} {to} {bits}")
    fillers = [line + "0" for line in bit_each(13, width=5)]
    text = rows(*lines, *fillers, head=".i 18\n.o 2\n.r a\n")
    machine = read_kiss2(text, "m.kiss2", unlisted).machine  # type: ignore[arg-type]
    assert isinstance(machine, SymbolicMachine)
    for _ in range(300):
        vector = "".join(rng.choice(["0", "1"], 18))
        for state in [*states, "s3"]:
            found = machine.transition(state, vector)
            expected = interpreted([*lines, *fillers], states, vector, state)
            if expected is not None:
                assert (found.to, *found.outputs) == expected
            elif unlisted == "hold":
                assert found == Transition(state)
            elif unlisted == "sink":
                assert found == Transition("sink")
                assert machine.transition("sink", vector) == Transition("sink")
            elif unlisted == "free-output":
                assert found.to == state
            else:
                assert not found.outputs


def test_what_is_free_is_what_the_state_does_on_most_vectors() -> None:
    text = rows(
        f"11---{'-' * 13} a a 0",
        f"101--{'-' * 13} a b 0",
        f"1001-{'-' * 13} a b 0",
        f"10001{'-' * 13} a b 0",
        *bit_each(13, width=5),
        head=".i 18\n.o 1\n",
    )
    machine = read_kiss2(text, "m.kiss2", "free-state").machine
    assert isinstance(machine, SymbolicMachine)
    assert machine.transition("a", "0" * 17 + "1") == Transition("a")


def test_guards_that_contradict_or_leave_cases_open_are_told_with_their_line() -> None:
    extra = [f"1----{'-' * 13} a b 0", f"-1---{'-' * 13} a a 0"]
    text = rows(*bit_each(13, width=5), *extra, head=".i 18\n.o 1\n")
    with pytest.raises(e.NondeterministicError, match="contradicts line 16") as caught:
        read_kiss2(text, "m.kiss2")
    assert str(caught.value).startswith("m.kiss2:17:1: ")
    text = rows(*bit_each(13, width=5), head=".i 18\n.o 1\n")
    with pytest.raises(e.SpecError, match='"s0" has no next state on input') as caught:
        read_kiss2(text, "m.kiss2", "error")
    assert str(caught.value).startswith("m.kiss2:3:1: ")


def test_a_hundred_thousand_rows() -> None:
    names = [f"s{i}" for i in range(12_500)]
    lines = [
        f"{c:03b} {name} {names[(i * 7 + c) % 12_500]} {c % 2}"
        for i, name in enumerate(names)
        for c in range(8)
    ]
    text = rows(*lines, head=".i 3\n.o 1\n")
    before = time.perf_counter()
    assert len(machine_of(text).states) == 12_500
    assert time.perf_counter() - before < 10


# ---- writing


def test_the_writer_keeps_cubes_and_reads_back_equal() -> None:
    machine = machine_of(GATE)
    text = write_kiss2(machine)
    assert "10 shut wide 11\n" in text
    assert ".ob open bell\n" in text
    assert machine_of(text) == Machine(**{**parts(machine), "name": "m"})


def parts(machine: Machine) -> dict[str, object]:
    return {name: getattr(machine, name) for name in machine.__dataclass_fields__}


def test_a_class_of_several_cubes_is_read_as_an_input_per_cube() -> None:
    machine = Machine("m", ("a",), ("00|01",), "a", ((Transition("a"),),), ((),))
    assert machine_of(write_kiss2(machine)).inputs == ("00", "01")


def test_other_inputs_are_numbered_and_explained() -> None:
    machine = Machine(
        "m", ("a",), ("coin", "push", "kick it"), "a", ((Transition("a"),) * 3,), ((),)
    )
    text = write_kiss2(machine)
    assert "# input 00 is coin\n# input 01 is push\n# input 10 is kick it\n" in text
    assert ".i 2\n.o 1\n.p 3\n.s 1\n.r a\n" in text
    assert machine_of(text).inputs == ("00", "01", "10")


def test_moore_outputs_become_mealy_outputs_and_a_comment_says_so() -> None:
    machine = Machine(
        "m",
        ("a", "b"),
        ("0", "1"),
        "a",
        ((Transition("a"), Transition("b", ("x",))),) * 2,
        (("on",), ("up",)),
    )
    text = write_kiss2(machine)
    assert "# Moore outputs became Mealy outputs" in text
    assert "# Before the first input, state a has the outputs: on\n" in text
    assert machine_of(text).transition("a", "1") == Transition("b", ("x", "up"))


@pytest.mark.parametrize("bad", ["two words", "a#b", "*", "ANY"])
def test_names_that_kiss2_cannot_hold_are_refused(bad: str) -> None:
    with pytest.raises(e.NotExpressibleError, match="state"):
        write_kiss2(Machine("m", (bad,), ("go",), bad, ((Transition(bad),),), ((),)))
    if bad not in ("*", "ANY"):
        with pytest.raises(e.NotExpressibleError, match="output"):
            write_kiss2(Machine("m", ("a",), ("go",), "a", ((Transition("a", (bad,)),),), ((),)))


def covering(read_back: Machine, original: Machine) -> dict[str, str]:
    """Which input of the original a class that was read back stands for."""
    if all(set(name) <= set("01x|") for name in original.inputs) and not {*read_back.inputs} - {
        *original.inputs
    }:
        return {name: name for name in read_back.inputs}
    return dict(zip(read_back.inputs, original.inputs, strict=True))


def test_every_machine_reads_back_equivalent(
    machine_strategy: Callable[..., st.SearchStrategy[Machine]],
    word_names: st.SearchStrategy[str],
    equivalent: Callable[..., bool],
) -> None:
    @settings(max_examples=150, deadline=None)
    @given(machine_strategy(word_names))
    def check(machine: Machine) -> None:
        read_back = machine_of(write_kiss2(machine))
        assert equivalent(machine, read_back, covering(read_back, machine))

    check()


@st.composite
def kiss2_files(draw: st.DrawFn) -> str:
    width = draw(st.integers(1, 3))
    cube = st.text("01-", min_size=width, max_size=width)
    state = st.sampled_from("abc")
    table = draw(
        st.dictionaries(
            st.tuples(cube, state),
            st.tuples(state, st.text("01-", min_size=2, max_size=2)),
            min_size=1,
        )
    )
    return rows(
        *(f"{c} {s} {to} {o}" for (c, s), (to, o) in table.items()), head=f".i {width}\n.o 2\n"
    )


def test_files_read_written_and_read_again_are_equivalent(equivalent: Callable[..., bool]) -> None:
    @settings(max_examples=200, deadline=None)
    @given(kiss2_files())
    def check(text: str) -> None:
        try:
            machine = machine_of(text)
        except e.NondeterministicError:
            return
        read_back = machine_of(write_kiss2(machine))
        holders = {cube: name for name in machine.inputs for cube in name.split("|")}
        assert equivalent(machine, read_back, {name: holders[name] for name in read_back.inputs})

    check()


def test_the_equivalence_check_tells_machines_apart(equivalent: Callable[..., bool]) -> None:
    machine, other = (
        machine_of(GATE),
        machine_of(GATE.replace("-0 wide wide 10", "-0 wide wide 00")),
    )
    same = {name: name for name in machine.inputs}
    assert equivalent(machine, machine, same)
    assert not equivalent(machine, other, same)
    assert not equivalent(machine, machine_of(GATE.replace("-1 wide shut", "-1 wide wide")), same)


# ---- the MCNC benchmarks, which are not part of this project

STATES = {
    "bbara": 10,
    "bbtas": 6,
    "dk15": 4,
    "dk16": 27,
    "dk27": 7,
    "lion": 4,
    "mc": 4,
    "modulo12": 12,
    "shiftreg": 8,
    "train4": 4,
}
FOLDER = os.environ.get("VSAFSM_BENCHMARKS")


@pytest.mark.skipif(not FOLDER, reason="VSAFSM_BENCHMARKS names no folder with MCNC files")
@pytest.mark.parametrize("name", STATES)
def test_the_mcnc_benchmarks_read_and_read_back(name: str) -> None:
    path = next(Path(str(FOLDER)).rglob(f"{name}.kiss2"))
    reading = read_kiss2(path.read_text(), str(path))
    assert reading.warnings == ()
    assert len(reading.machine.states) == STATES[name]
    assert read_kiss2(write_kiss2(reading.machine), str(path)).machine == reading.machine


# ---- unspecified states, continued lines, and BLIF


def test_a_dash_is_no_state() -> None:
    machine = machine_of(rows("0 a a 0", "1 a b 1", "1 b - -", "0 - a 0", head=".i 1\n.o 1\n"))
    assert machine.states == ("a", "b")
    assert arrows(machine, "b") == {"0": ("a",), "1": ("b",)}
    named = Machine("m", ("-",), ("0",), "-", ((Transition("-"),),), ((),))
    with pytest.raises(e.NotExpressibleError, match='state "-"'):
        write_kiss2(named)


def test_a_backslash_continues_a_line() -> None:
    text = GATE.replace(".ob open bell", ".ob open \\  # more\n bell").replace(
        "1- shut", "1- \\\nshut"
    )
    assert machine_of(text) == machine_of(GATE)
    with pytest.raises(e.SyntaxSpecError) as caught:
        machine_of(GATE.replace(".ob open bell", ".ob open \\\n\\\n  open"))
    assert str(caught.value).startswith("m.kiss2:8:3: ")


LAMP = """\
.model lamp   # a lamp
.inputs \\
  press
.outputs lit
.start_kiss
.i 1
.o 1
.p 4
.s 2
.r dark
0 dark dark 0
1 dark bright 1
1 bright dark 0
0 bright bright 1
.end_kiss
.latch_order s0
.code dark 0
.latch n1 s0 re clk 0
.names press s0 n1
10 1
01 1
.end
"""


def test_the_machine_inside_blif() -> None:
    reading = read_kiss2(LAMP, "in.blif")
    machine = reading.machine
    assert reading.warnings == ()
    assert (machine.name, machine.states, machine.initial) == ("lamp", ("dark", "bright"), "dark")
    assert arrows(machine, "dark") == {"0": ("dark",), "1": ("bright", "lit")}
    assert format_for("in.blif").name == "blif"
    assert format_for("in.blif", "blif:sink").read(LAMP, "in.blif").machine == machine


def test_names_of_the_table_hold_before_those_of_the_model() -> None:
    text = LAMP.replace(".r dark", ".r dark\n.ob glow")
    assert arrows(read_kiss2(text, "in.blif").machine, "dark")["1"] == ("bright", "glow")


def test_the_one_model_with_a_state_table_is_read() -> None:
    around = ".model {}\n.inputs x y\n.outputs z\n.names x y z\n11 1\n.end\n"
    text = around.format("before") + LAMP + around.format("after")
    assert read_kiss2(text, "in.blif").machine == read_kiss2(LAMP, "in.blif").machine


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        (".model m\n.inputs a\n.end\n", e.SpecError, "1:1: BLIF without .start_kiss"),
        (LAMP + LAMP, e.SpecError, "27:1: a second .start_kiss"),
        (LAMP[: LAMP.index(".end_kiss")], e.SpecError, "5:1: .* not closed; expected .end_kiss"),
        (LAMP.replace(".outputs lit", ".outputs a b"), e.SpecError, "4:1: .outputs gives 2 names"),
        (LAMP.replace("1 dark", "2 dark"), e.SpecError, "12:1: the input cube"),
    ],
)
def test_what_is_wrong_in_blif(text: str, error: type[e.SpecError], told: str) -> None:
    with pytest.raises(error, match=f"^m.blif:{told}"):
        read_kiss2(text, "m.blif")
