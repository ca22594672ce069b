"""What trials are worth: columns, and predicted yields."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import vsafsm
from vsafsm.errors import FileError, RecipeError
from vsafsm.program import Program
from vsafsm.recipes.plan import Plan, Setting, Yield
from vsafsm.recipes.table import Table, read_table
from vsafsm.recipes.values import values
from vsafsm.reference import ReferenceBackend

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A turnstile for arrays."""
    path = tmp_path_factory.mktemp("recipes") / "turnstile.npz"
    machine = vsafsm.load(ROOT / "specs" / "turnstile.yaml")
    vsafsm.compile(machine, target="memristor").save(path)
    return path


def plan_of(program: Path) -> Plan:
    setting = Setting("minutes", "log", 1, 100)
    return Plan((setting,), Yield(program, "sigma", "ratio"))


def table_of(plan: Plan, *rows: str) -> Table:
    return read_table("\n".join(("minutes,sigma,ratio", *rows)), "t.csv", plan)


def test_a_column_is_worth_what_it_says(plan: Plan) -> None:
    text = "salt,length,minutes,molar,on_off\niodide,40,10,1,5\niodide,40,10,1,\n"
    assert values(plan, read_table(text, "t.csv", plan).trials, "t.csv") == [5.0, None]


def test_yield_falls_with_spread_and_rises_with_the_ratio(program: Path) -> None:
    plan = plan_of(program)
    rows = ("1,0.05,100", "1,1,10", "1,3,10", "1,0.5,1.2", "1,,10", "1,0.05,100")
    found = values(plan, table_of(plan, *rows).trials, "t.csv")
    assert found[0] == found[5] == 1
    assert found[4] is None
    assert found[1] is not None
    assert 0 < found[1] < 1
    assert found[2] == found[3] == 0


@pytest.mark.parametrize("row", ["1,-0.1,10", "1,0.1,1"])
def test_what_is_no_spread_or_ratio_is_told_with_its_line(row: str, program: Path) -> None:
    plan = plan_of(program)
    with pytest.raises(RecipeError, match=r"t\.csv:3: sigma is"):
        values(plan, table_of(plan, "1,0.1,10", row).trials, "t.csv")


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "none.npz")
    with pytest.raises(FileError, match="cannot be read"):
        values(plan, table_of(plan, "1,0.1,10").trials, "t.csv")


def test_the_backend_of_the_program_predicts_the_yield(
    tmp_path: Path, install: Callable[..., None]
) -> None:
    class Arrays(ReferenceBackend):
        name = "arrays"

        def predicted_yield(self, program: Program, spread: float, on_off: float) -> float:
            return spread / on_off

    install("arrays", backend=Arrays())
    path = tmp_path / "own.npz"
    machine = vsafsm.load(ROOT / "specs" / "turnstile.yaml")
    vsafsm.compile(machine, dimension=64, target="arrays").save(path)
    plan = plan_of(path)
    assert values(plan, table_of(plan, "1,0.5,4", "1,0,4").trials, "t.csv") == [0.125, 0]


def test_a_program_for_a_backend_that_predicts_no_yield_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.npz"
    vsafsm.compile(vsafsm.load(ROOT / "specs" / "turnstile.yaml"), dimension=64).save(path)
    plan = plan_of(path)
    with pytest.raises(RecipeError, match='backend "reference" predicts no yield; expected'):
        values(plan, table_of(plan, "1,0.1,10").trials, "t.csv")
