"""Other names: they fit, no two become one, and the way back is the machine itself."""

from __future__ import annotations

import csv
import doctest
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm import errors as e
from vsafsm.cubes import parse_cube
from vsafsm.formats import NameRule, formats
from vsafsm.formats import renaming as module
from vsafsm.formats.renaming import HEAD, Renaming, is_table, names_of, renaming
from vsafsm.machine import Machine, Transition
from vsafsm.symbolic import symbolic_machine

from .conftest import any_names, machines


def one_letter(kind: str, name: str) -> bool:
    return kind != "input" or len(name) == 1


RULES: list[NameRule] = [each.fits for each in formats().values()]
tricky = st.sampled_from(["a b", "a_b", "a_b_2", "a#b", "-", "ε", "a, b", "*", "=", "root", "a/b"])


@pytest.mark.parametrize("fits", RULES, ids=list(formats()))
def test_every_name_fits_and_the_way_back_is_the_machine(fits: NameRule) -> None:
    @given(machines(st.one_of(any_names, tricky)))
    @settings(deadline=None, max_examples=15)
    def check(machine: Machine) -> None:
        found = renaming(machine, fits)
        renamed = found.applied(machine)
        for kind, names in names_of(renamed).items():
            assert all(fits(kind, name) for name in names)
            assert len({*names}) == len(names_of(machine)[kind])
        assert found.inverse().applied(renamed) == machine
        assert renaming(machine, fits) == found
        assert renaming(renamed, fits).size == 0

    check()


def machine_with(inputs: tuple[str, ...]) -> Machine:
    row = tuple(Transition("s") for _ in inputs)
    return Machine("m", ("s",), inputs, "s", (row,), ((),))


@pytest.mark.parametrize(
    ("fits", "inputs", "expected"),
    [
        (one_letter, ("coin", "push", "pull"), {"coin": "c", "push": "p", "pull": "u"}),
        (one_letter, ("c", "cc", "ccc"), {"cc": "a", "ccc": "b"}),
        (one_letter, ("a b", "a", "b"), {"a b": "c"}),
        (
            lambda kind, name: " " not in name,
            ("a b", "a_b", "a  b"),
            {"a b": "a_b_2", "a  b": "a__b"},
        ),
        (lambda kind, name: name != "root", ("root",), {"root": "root_2"}),
        (lambda kind, name: ", " not in name, ("x, y", "x,y"), {"x, y": "x__y"}),
    ],
)
def test_new_names_are_like_the_old(
    fits: NameRule, inputs: tuple[str, ...], expected: dict[str, str]
) -> None:
    assert renaming(machine_with(inputs), fits).inputs == expected


def test_many_names_of_one_kind_take_no_long_time() -> None:
    machine = machine_with(tuple("·" * n for n in range(1, 601)))
    found = renaming(machine, lambda kind, name: name.isalnum() or "_" in name)
    assert len({*found.inputs.values()}) == 600
    letters = renaming(machine, one_letter).inputs
    assert [*letters.values()][:3] == ["a", "b", "c"]
    assert all(letter.isprintable() and letter.strip() for letter in letters.values())


def test_more_names_than_fit_are_refused() -> None:
    with pytest.raises(e.NotExpressibleError, match='no name left for the input "zz"'):
        renaming(machine_with(("xx", "yy", "zz")), lambda kind, name: name in "sa")


def test_guards_go_along() -> None:
    on, off = parse_cube("1-"), parse_cube("0-")
    row = [([on], Transition("b c", ("o p",))), ([off], Transition("a"))]
    machine = symbolic_machine("m", 2, ("a", "b c"), "a", [row, row])
    found = renaming(machine, formats()["kiss2"].fits)
    assert found.applied(machine).run(["10", "01"]).outputs == (("o_p",), ())
    assert found.inverse().applied(found.applied(machine)) == machine


def test_the_table_has_a_row_for_each_name_that_changes(tmp_path: Path) -> None:
    found = Renaming({'a "b"': "a_b"}, {"x,y": "x"}, {})
    rows = [*csv.reader(io.StringIO(found.table()))]
    assert rows == [[*HEAD], ["state", 'a "b"', "a_b"], ["input", "x,y", "x"]]
    assert found.size == 2
    assert Renaming({}, {}, {}).table() == ""
    for text, expected in ((found.table(), True), ("a,b\n1,2\n", False), ("", False)):
        (tmp_path / "t.csv").write_text(text)
        assert is_table(str(tmp_path / "t.csv")) is expected


def test_the_examples_of_its_pages_run() -> None:
    found = doctest.testmod(module)
    assert (found.failed, found.attempted) == (0, 4)
