"""Plans: what is read, and what is refused, with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.errors import FileError, RecipeError, VsafsmError
from vsafsm.recipes.plan import Column, Plan, Setting, Yield, load_plan, read_plan, texts_of

from .conftest import TEXT


def test_every_kind_is_read(plan: Plan) -> None:
    assert plan.settings == (
        Setting("salt", "categorical", values=("iodide", "bromide")),
        Setting("length", "integer", 20, 100),
        Setting("minutes", "log", 1, 100),
        Setting("molar", "continuous", 0.1, 2),
    )
    assert plan.objective == Column("on_off", True)
    assert plan.measured == ("on_off",)


def test_a_yield_names_a_program_beside_the_plan(tmp_path: Path) -> None:
    text = TEXT.replace(
        "{column: on_off, goal: maximise}", "{yield: lock.npz, spread: sigma, on_off: ratio}"
    )
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    plan = load_plan(tmp_path / "p.yaml")
    assert plan.objective == Yield(tmp_path / "lock.npz", "sigma", "ratio")
    assert plan.measured == ("sigma", "ratio")
    assert plan.objective.maximise


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: log", "kind: logarithm", 'p.yaml:4:.*kind is "logarithm".*log'),
        ("kind: integer", "kind: intger", 'did you mean "integer"'),
        ("low: 1,", "low: 0,", "p.yaml:4:.*more than 0"),
        ("low: 20", "low: 200", "p.yaml:3:.*low < high"),
        ("low: 20", "low: 20.5", "p.yaml:3:.*whole numbers"),
        ("low: 20", "low: nan", 'p.yaml:3:.*low is "nan"'),
        ("low: 20", "low: 1_0", 'low is "1_0"'),
        ("low: 20, ", "", 'p.yaml:3:.*has no "low"'),
        ("low: 20", "lwo: 20", 'p.yaml:3:.*unknown key "lwo".*did you mean "low"'),
        ("low: 20", "values: [a, b]", 'p.yaml:3:.*has "values"'),
        ("[iodide, bromide]", "[iodide]", "p.yaml:2:.*two or more"),
        ("[iodide, bromide]", "[iodide, iodide]", "p.yaml:2:.*each once"),
        ("[iodide, bromide]", "iodide", "p.yaml:2:.*no list"),
        ("  minutes:", "  length:", 'p.yaml:4:.*"length" stands twice'),
        ("goal: maximise", "goal: maximize", 'p.yaml:6:.*did you mean "maximise"'),
        ("column: on_off", "column: molar", 'p.yaml:6:.*"molar" is a setting'),
        ("objective:", "objectiv:", 'p.yaml:6:.*did you mean "objective"'),
        (TEXT, "", "is empty"),
        (TEXT[: TEXT.index("obj")], "settings: {}\n", "there are 0 settings"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(VsafsmError) as caught:
        read_plan(TEXT.replace(old, new, 1), "p.yaml")
    assert re.search(message, str(caught.value))


def test_a_plan_that_is_not_there_is_told() -> None:
    with pytest.raises(FileError, match="cannot read"):
        load_plan("none.yaml")


SETTINGS = (
    Setting("a", "continuous", -1.5, 1e-3),
    Setting("b", "log", 1e-7, 3.0),
    Setting("c", "integer", -5, 1000),
)


@given(st.sampled_from(SETTINGS), st.floats(0, 1))
def test_what_is_suggested_is_read_back(setting: Setting, share: float) -> None:
    value: float | int = setting.low + share * (setting.high - setting.low)
    if setting.kind == "integer":
        value = round(value)
    rounded = setting.rounded(min(setting.high, max(setting.low, value)))
    assert setting.read(texts_of({"x": rounded})["x"]) == rounded


@pytest.mark.parametrize("text", ["", "x", "inf", "nan", "1001", "-6", "1.5", "1_0"])
def test_what_is_no_whole_number_in_bounds_is_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="expected a whole number from -5 to 1000"):
        SETTINGS[2].read(text)


def test_a_logarithmic_setting_has_its_middle_at_the_geometric_mean() -> None:
    assert Setting("m", "log", 1, 100).unit(10) == pytest.approx(0.5)
    assert Setting("m", "continuous", 0, 100).unit(10) == pytest.approx(0.1)
