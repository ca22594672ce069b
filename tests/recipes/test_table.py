"""Tables: what is read, what is refused, and lines that are added whole."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vsafsm.errors import FileError, RecipeError
from vsafsm.recipes.plan import Plan
from vsafsm.recipes.table import append, load_table, read_table

from .conftest import TABLE

GIVEN = {"salt": "iodide", "length": "50", "minutes": "3", "molar": "0.7", "on_off": "9"}


def test_trials_are_read_with_their_lines(plan: Plan) -> None:
    table = read_table(TABLE, "t.csv", plan)
    assert [trial.line for trial in table.trials] == [2, 3]
    assert table.trials[0].settings == {
        "salt": "iodide",
        "length": 40,
        "minutes": 10.0,
        "molar": 1.0,
    }
    assert [trial.figures["on_off"] for trial in table.trials] == [5.0, None]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("length,", "lenght,", 't.csv:1: there is no column "length".*did you mean "lenght"'),
        ("note", "salt", 't.csv:1: column "salt" stands twice'),
        ("note", "", "t.csv:1: a column has no name"),
        ("iodide,first", "iodid,first", 't.csv:2: salt is "iodid".*did you mean "iodide"'),
        ("40", "400", 't.csv:2: length is "400"; expected a whole number from 20 to 100'),
        (",5\n", ",five\n", 't.csv:2: on_off is "five"'),
        (",5\n", ",inf\n", 't.csv:2: on_off is "inf"'),
        ("first,", "", "t.csv:2: there are 5 cells; expected 6"),
        ("first", '"fir\nst"', "t.csv:2: a cell goes on"),
        ("first", '"first', "t.csv:2: this is no CSV|t.csv:2: a cell goes on"),
        (TABLE, "", "t.csv:1: the table is empty"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, message: str, plan: Plan) -> None:
    with pytest.raises(RecipeError) as caught:
        read_table(TABLE.replace(old, new, 1), "t.csv", plan)
    assert re.search(message, str(caught.value))


def test_a_table_that_is_not_there_is_empty(plan: Plan, tmp_path: Path) -> None:
    assert load_table(tmp_path / "t.csv", plan).trials == ()


def test_bytes_that_are_no_text_are_refused(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="cannot read"):
        load_table(tmp_path / "t.csv", plan)


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_trial_is_added_below_what_is_there(end: str, plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(TABLE.rstrip("\n") + end, encoding="utf-8")
    after = append(path, plan, {**GIVEN, "note": 'with "quotes", and a comma'})
    text = path.read_text(encoding="utf-8")
    assert text.startswith(TABLE.rstrip("\n"))
    assert load_table(path, plan) == after
    assert after.trials[2].settings["length"] == 50
    assert after.trials[2].figures == {"on_off": 9.0}


def test_the_first_trial_brings_the_columns(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    append(path, plan, {**GIVEN, "operator": "ann"})
    append(path, plan, GIVEN)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "salt,length,minutes,molar,on_off,operator"
    assert lines[1:] == ["iodide,50,3,0.7,9,ann", "iodide,50,3,0.7,9,"]


def test_trials_that_are_told_at_the_same_moment_are_all_there(plan: Plan, tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="the system has no locks of files")
    path = tmp_path / "t.csv"

    def tell(person: int) -> None:
        for number in range(5):
            append(path, plan, {**GIVEN, "on_off": str(100 * person + number)})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tell, range(4)))
    found = [trial.figures["on_off"] for trial in load_table(path, plan).trials]
    assert sorted(each for each in found if each is not None) == [
        100 * person + number for person in range(4) for number in range(5)
    ]
    assert [each.name for each in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lenght": "4"}, 'has no column "lenght".*did you mean "length"'),
        ({"length": "4"}, 'length is "4"'),
        ({"length": None}, "length is not given; expected a whole number"),
        ({"on_off": "many"}, 'on_off is "many"'),
        ({"note": "two\nlines"}, "a cell goes on"),
    ],
)
def test_a_trial_that_does_not_fit_leaves_the_table_as_it_was(
    change: dict[str, str | None], message: str, plan: Plan, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(TABLE, encoding="utf-8")
    cells = {name: text for name, text in {**GIVEN, **change}.items() if text is not None}
    with pytest.raises(RecipeError, match=message):
        append(path, plan, cells)
    assert path.read_text(encoding="utf-8") == TABLE
    assert [each.name for each in tmp_path.iterdir()] == ["t.csv"]
