"""Suggestions: within the plan, the same for the same trials, and better than chance."""

from __future__ import annotations

import numpy as np
import pytest

from vsafsm.errors import RecipeError
from vsafsm.recipes.plan import Column, Plan, Setting, Value, texts_of
from vsafsm.recipes.suggest import suggest


@pytest.fixture(autouse=True)
def libraries() -> None:
    """Optuna and torch, which its process needs."""
    pytest.importorskip("optuna", reason="optuna is not installed")
    pytest.importorskip("torch", reason="torch is not installed")


def test_suggestions_are_of_the_plan_and_the_seed(plan: Plan) -> None:
    found = suggest(plan, [], [], 14, 3)
    for each in found:
        texts = texts_of(each)
        assert [s.read(texts[s.name]) for s in plan.settings] == list(each.values())
    assert len({tuple(each.values()) for each in found}) == 14
    assert suggest(plan, [], [], 14, 3) == found
    assert suggest(plan, [], [], 14, 4) != found
    worth = [float(each["molar"]) for each in found]
    assert suggest(plan, found, worth, 1, 3) == suggest(plan, found, worth, 1, 3)


@pytest.mark.parametrize("maximise", [True, False])
def test_the_search_goes_to_the_optimum(maximise: bool) -> None:
    plan = Plan(
        (
            Setting("kind", "categorical", values=("a", "b")),
            Setting("x", "continuous", -1, 1),
        ),
        Column("y", maximise),
    )
    sign = 1 if maximise else -1
    tried: list[dict[str, Value]] = []
    worth: list[float | None] = []
    for _ in range(16):
        settings = suggest(plan, tried, worth)[0]
        tried.append(settings)
        worth.append(sign * ((settings["kind"] == "b") - (float(settings["x"]) - 0.3) ** 2))
    best = max(range(16), key=lambda i: sign * (worth[i] or 0.0))
    assert tried[best]["kind"] == "b"
    # At random 14 trials of x come this near with one chance in four.
    assert abs(float(tried[best]["x"]) - 0.3) < 0.02


def test_trials_that_are_not_measured_keep_others_away() -> None:
    plan = Plan((Setting("x", "continuous", 0, 1),), Column("y", True))
    tried: list[dict[str, Value]] = [{"x": x} for x in np.linspace(0, 1, 9).tolist()]
    worth: list[float | None] = [-((float(t["x"]) - 0.55) ** 2) for t in tried]
    first = suggest(plan, tried, worth)[0]
    pending: list[dict[str, Value]] = [first] * 3
    again = suggest(plan, [*tried, *pending], [*worth, None, None, None])[0]
    assert abs(float(first["x"]) - 0.55) < 0.1
    assert abs(float(again["x"]) - float(first["x"])) > 0.01


def test_what_does_not_go_together_is_refused(plan: Plan) -> None:
    with pytest.raises(RecipeError, match="count is 0"):
        suggest(plan, [], [], 0)
    with pytest.raises(RecipeError, match="1 values for 0 trials"):
        suggest(plan, [], [1.0])
