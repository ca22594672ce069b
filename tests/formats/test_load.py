"""`load` takes paths, open files and mappings, and says what it expected where it is given
something else.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import errors as e
from vsafsm.formats import SpecWarning, load
from vsafsm.formats.yaml import write_yaml
from vsafsm.machine import Machine

SPECS = Path(__file__).parents[2] / "specs"
TURNSTILE = SPECS / "turnstile.yaml"
SPEC = {"machine": "m", "initial": "a", "states": {"a": {"transitions": {"go": "a"}}}}


# ---- what it takes


def test_one_machine_by_every_way() -> None:
    machine = load(str(TURNSTILE))
    assert load(TURNSTILE) == machine
    with TURNSTILE.open(encoding="utf-8") as file:
        assert load(file) == machine
    with TURNSTILE.open("rb") as file:
        assert load(file) == machine  # type: ignore[arg-type]
    assert load(io.StringIO(TURNSTILE.read_text())) == machine
    assert load(yaml.safe_load(TURNSTILE.read_text())) == machine


def test_the_format_of_an_open_file(tmp_path: Path) -> None:
    text = "digraph g { a -> a [label=x] }"
    (tmp_path / "m.gv").write_text(text)
    with (tmp_path / "m.gv").open() as file:
        assert load(file).name == "g"
    assert load(io.StringIO(text), "dot").name == "g"


def test_a_mapping_says_every_machine(
    machine_strategy: Callable[..., st.SearchStrategy[Machine]],
) -> None:
    @settings(max_examples=100, deadline=None)
    @given(machine_strategy(options=False))
    def check(machine: Machine) -> None:
        spec = yaml.load(write_yaml(machine), yaml.BaseLoader)  # all scalars are texts
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SpecWarning)
            assert load(spec) == machine

    check()


def test_options_and_numbers_in_a_mapping() -> None:
    machine = load({**SPEC, "compile": {"seed": 3, "margin": 0.1, "bits": "4", "rule": "robust"}})
    assert machine.compile_options == (
        ("seed", 3),
        ("margin", 0.1),
        ("bits", "4"),
        ("rule", "robust"),
    )
    assert load({**SPEC, "initial": 1, "states": {1: {"transitions": {2: 1}}}}).states == ("1",)
    assert load({**SPEC, "states": {"a": {"transitions": {"go": "b"}}, "b": None}}).states[1] == "b"


def test_doubts_in_a_mapping_are_warnings() -> None:
    with pytest.warns(SpecWarning, match=r"^mapping\['inputs'\]\[1\]: input \"stop\""):
        load({**SPEC, "inputs": ["go", "stop"]})


# ---- what it says otherwise


@pytest.mark.parametrize(
    ("spec", "error", "told"),
    [
        ({}, e.SpecError, "without keys .* machine, initial and states, or .*Machine.from_dict"),
        ({"transitions": {}}, e.SpecError, "with the keys transitions .*Machine.from_dict"),
        ({"states": {}}, e.SpecError, 'mapping: a spec has no key "machine"'),
        ({**SPEC, "inital": "a"}, e.SpecError, r"mapping\['inital'\]: unknown key"),
        ({**SPEC, "initial": "b"}, e.UnknownStateError, r"mapping\['initial'\]: unknown state"),
        (
            {**SPEC, "states": {"a": {"transitions": {True: "a"}}}},
            e.SpecError,
            r"mapping\['states'\]\['a'\]\['transitions'\]\[True\]: True is no name; .*on, yes",
        ),
        ({**SPEC, "states": ["a"]}, e.SpecError, r"mapping\['states'\]: states is a list"),
        ({**SPEC, "initial": {1, 2}}, e.SpecError, "is a set; expected a text"),
    ],
)
def test_a_mapping_that_is_no_spec(
    spec: dict[str, object], error: type[e.SpecError], told: str
) -> None:
    with pytest.raises(error, match=told):
        load(spec)


def test_a_mapping_without_end() -> None:
    states: dict[str, object] = {}
    states["a"] = states
    with pytest.raises(e.TooLargeError, match="deeper than 32"):
        load({**SPEC, "states": states})


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("machine: m\ninitial: a\n", r"a text of 2 lines; expected vsafsm.load\(io.StringIO"),
        (3, "a path, an open text file or a mapping, and got int"),
        (None, "and got NoneType"),
    ],
)
def test_what_load_does_not_take(source: object, told: str) -> None:
    with pytest.raises(e.ArgumentError, match=told):
        load(source)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        load(source)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lmap.yaml", 'did you mean "lamp.yaml"'),
        ("turnstile.yaml", 'written by "vsafsm examples turnstile"'),
        ("turnstile", 'written by "vsafsm examples turnstile"'),
        ("turnstyle.yaml", 'did you mean "turnstile"'),
        ("zzz", "there is no such file$"),
        ("nowhere/m.yaml", "No such file"),
    ],
)
def test_a_file_that_is_not_there(name: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "lamp.yaml").touch()
    with pytest.raises(e.FileError, match=told):
        load(tmp_path / name)


@pytest.mark.parametrize(
    ("call", "value", "told"),
    [
        (vsafsm.compile, "x.yaml", r'got the text "x.yaml"; .*compile\(vsafsm.load\("x.yaml"\)\)'),
        (vsafsm.compile, SPEC, r"got dict; expected vsafsm.compile\(vsafsm.load\(...\)\)"),
        (vsafsm.compile, 3, "got int; expected what vsafsm.load"),
        (vsafsm.open, "x.npz", r'vsafsm.open\(vsafsm.load_program\("x.npz"\), ...\)'),
        (vsafsm.open, load(SPEC), r"vsafsm.open\(vsafsm.compile\(machine\), ...\)"),
        (lambda it: vsafsm.run(it, ["go"]), load(SPEC), "vsafsm.run takes a Program, and got Mach"),
        (lambda it: vsafsm.run(it, ["go"]), None, "got NoneType; expected what vsafsm.compile"),
    ],
)
def test_other_calls_say_what_they_take(
    call: Callable[[object], object], value: object, told: str
) -> None:
    with pytest.raises(e.ArgumentError, match=told):
        call(value)


def test_compile_of_a_program_names_its_machine() -> None:
    program = vsafsm.compile(load(SPEC))
    with pytest.raises(e.ArgumentError, match=r"program\.machine"):
        vsafsm.compile(program)  # type: ignore[arg-type]
