"""The process behind pictures: what it says of known functions, and far from all trials."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsafsm.errors import PlotError, RecipeError
from vsafsm.recipes.learnt import learn
from vsafsm.recipes.picture import draw_learnt
from vsafsm.recipes.plan import Plan, Setting, Value

pytest.importorskip("sklearn", reason="scikit-learn is not installed")


def drawn(plan: Plan, count: int, seed: int = 0) -> list[dict[str, Value]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "salt": str(rng.choice(["iodide", "bromide"])),
            "length": int(rng.integers(20, 101)),
            "minutes": float(10 ** rng.uniform(0, 2)),
            "molar": float(rng.uniform(0.1, 2)),
        }
        for _ in range(count)
    ]


def worth(settings: dict[str, Value]) -> float:
    peak = (np.log10(float(settings["minutes"])) - 1.2) ** 2
    return float(np.exp(-4 * peak)) + 0.5 * (settings["salt"] == "iodide")


def test_what_is_learnt_is_the_function(plan: Plan) -> None:
    tried = drawn(plan, 60)
    learnt = learn(plan.settings, tried, [worth(each) for each in tried])
    asked = drawn(plan, 200, 1)
    mean, apart = learnt.at(asked)
    truth = np.array([worth(each) for each in asked])
    assert np.sqrt(np.mean((mean - truth) ** 2)) < 0.1 * truth.std()
    # What has no say gets a long scale: two inputs of salts, length, minutes, molar.
    scales = learnt.process.kernel_.k1.length_scale
    assert min(scales[2], scales[4]) > 1.6 > 1 > scales[3]
    assert (apart >= 0).all()


def test_far_from_trials_it_is_as_unsure_as_they_are_apart() -> None:
    setting = Setting("x", "continuous", 0, 1)
    tried: list[dict[str, Value]] = [{"x": x} for x in np.linspace(0, 0.3, 13).tolist()]
    values = np.sin(np.linspace(0, 4 * np.pi, 13)).tolist()
    learnt = learn((setting,), tried, values)
    mean, apart = learnt.at([{"x": 1.0}, {"x": 0.15}])
    assert mean[0] == pytest.approx(np.mean(values), abs=0.3 * np.std(values))
    assert apart[0] == pytest.approx(np.std(values), rel=0.1)
    assert apart[1] < 0.4 * apart[0]


def test_trials_that_are_all_alike_are_learnt(plan: Plan) -> None:
    tried = drawn(plan, 5)
    mean, _ = learn(plan.settings, tried, [3.0] * 5).at(tried)
    assert mean == pytest.approx(np.full(5, 3.0))


def test_a_picture_is_the_same_for_the_same_trials(plan: Plan, tmp_path: Path) -> None:
    tried = drawn(plan, 8)
    values: list[float | None] = [worth(each) for each in tried[:-1]]
    for name in ("a.png", "b.png"):
        draw_learnt(plan, tried, [*values, None], tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_too_few_trials_and_other_files_are_refused(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="1 trials are measured"):
        draw_learnt(plan, drawn(plan, 2), [1.0, None], tmp_path / "a.png")
    with pytest.raises(PlotError, match="ends in"):
        draw_learnt(plan, drawn(plan, 2), [1.0, 2.0], tmp_path / "a.txt")
