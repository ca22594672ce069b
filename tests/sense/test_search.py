"""The search: what it finds, and that it goes on where it was."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from vsafsm.errors import PlotError, SenseError
from vsafsm.sense import search as searching
from vsafsm.sense.data import Frames
from vsafsm.sense.model import Model
from vsafsm.sense.search import (
    Space,
    Trial,
    best,
    identity,
    random_search,
    search,
)
from vsafsm.sense.search_picture import draw_search
from vsafsm.sense.train import Recipe

needs_optuna = pytest.mark.skipif(
    find_spec("optuna") is None or find_spec("torch") is None, reason="optuna is not installed"
)
RECIPE = Recipe(hidden=(4,), epochs=1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, ...]]:
    """A training that only tells what noise was asked for, as the margin of a model."""
    found: list[tuple[float, ...]] = []

    def train(frames: Frames, recipe: Recipe, rng: np.random.Generator) -> tuple[float, ...]:
        found.append(recipe.noise)
        return recipe.noise

    monkeypatch.setattr(searching, "train", train)
    return found


def peak(model: Model, rng: np.random.Generator) -> float:
    """Best at 0.3 and 0.1, with noise of 0.02 from draw to draw."""
    first, second = model  # type: ignore[misc]
    return float(1 - (first - 0.3) ** 2 - (second - 0.1) ** 2 + 0.02 * rng.standard_normal())


@needs_optuna
def test_the_search_nears_the_best_noise(asked: list[tuple[float, ...]], frames: Frames) -> None:
    trials = search(frames, RECIPE, Space(trials=25), peak)
    assert [trial.noise for trial in trials] == asked
    assert all(len(trial.scores) == 20 for trial in trials)
    assert best(trials).noise == pytest.approx((0.3, 0.1), abs=0.06)
    # The same draws for every trial: what is left is the noise's own effect.
    apart = {round(t.mean - peak_alone(t.noise), 9) for t in trials}
    assert len(apart) == 1


def peak_alone(noise: tuple[float, ...]) -> float:
    return 1 - (noise[0] - 0.3) ** 2 - (noise[1] - 0.1) ** 2


@needs_optuna
def test_no_noise_is_tried_twice(asked: list[tuple[float, ...]], frames: Frames) -> None:
    """Not even where the best is in a corner, to which the process returns."""

    def corner(model: Model, rng: np.random.Generator) -> float:
        first, second = model  # type: ignore[misc]
        return float(1 - first - second)

    search(frames, RECIPE, Space(trials=25), corner)
    assert len(set(asked)) == 25


@needs_optuna
def test_an_interrupted_search_gives_the_same(
    asked: list[tuple[float, ...]], frames: Frames, tmp_path: Path
) -> None:
    journal = tmp_path / "search.json"
    whole = search(frames, RECIPE, Space(trials=14), peak)
    search(frames, RECIPE, Space(trials=12), peak, journal)
    with journal.open("a") as file:
        file.write('{"noise": [0.1')
    before = len(asked)
    resumed = search(frames, RECIPE, Space(trials=14), peak, journal)
    assert len(asked) == before + 2
    assert resumed == whole
    assert search(frames, RECIPE, Space(trials=14), peak, journal) == whole
    assert len(asked) == before + 2


@pytest.fixture
def asked_recipes(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """A training that only tells its recipe."""
    found: list[Recipe] = []

    def train(frames: Frames, recipe: Recipe, rng: np.random.Generator) -> Recipe:
        found.append(recipe)
        return recipe

    monkeypatch.setattr(searching, "train", train)
    return found


def dropped(model: Model, rng: np.random.Generator) -> float:
    """Best where a share of 0.4 before layer 1 is multiplied by 0, and none by 1/2."""
    recipe: Recipe = model  # type: ignore[assignment]
    zero, half = recipe.dropout[0]
    return 1 - (zero - 0.4) ** 2 - half**2


@needs_optuna
def test_the_search_nears_the_best_dropout(asked_recipes: list[Recipe], frames: Frames) -> None:
    trials = search(frames, RECIPE, Space(trials=40, most_dropout=0.5), dropped)
    assert [trial.dropout for trial in trials] == [each.dropout for each in asked_recipes]
    assert all(len(trial.dropout) == 2 and len(trial.noise) == 2 for trial in trials)
    assert max(share for t in trials for pair in t.dropout for share in pair) <= 0.5
    assert best(trials).dropout[0] == pytest.approx((0.4, 0.0), abs=0.1)
    assert best(trials).recipe(RECIPE) in asked_recipes


@needs_optuna
def test_a_search_over_dropout_goes_on_from_its_journal(
    asked_recipes: list[Recipe], frames: Frames, tmp_path: Path
) -> None:
    journal, space = tmp_path / "search.json", Space(trials=14, most_dropout=0.3)
    whole = search(frames, RECIPE, space, dropped)
    search(frames, RECIPE, Space(trials=12, most_dropout=0.3), dropped, journal)
    assert search(frames, RECIPE, space, dropped, journal) == whole
    with pytest.raises(SenseError, match="another search"):
        search(frames, RECIPE, Space(trials=14), dropped, journal)


def test_dropout_that_is_given_is_not_searched(frames: Frames) -> None:
    recipe = Recipe(hidden=(4,), epochs=1, dropout=((0.1, 0.1),))
    with pytest.raises(SenseError, match="both given and searched"):
        search(frames, recipe, Space(trials=1, most_dropout=0.1), dropped)


@needs_optuna
def test_random_search_scores_the_same_draws_at_numbers_of_its_own(
    asked: list[tuple[float, ...]], frames: Frames
) -> None:
    trials = random_search(frames, RECIPE, Space(0.1, 0.4, trials=200), peak)
    noise = np.array([trial.noise for trial in trials])
    assert len(trials) == 200
    assert 0.1 <= noise.min() < 0.12
    assert 0.38 < noise.max() <= 0.4
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.2
    searched = search(frames, RECIPE, Space(0.1, 0.4, trials=2), peak)
    apart = {round(t.mean - peak_alone(t.noise), 9) for t in (*trials, *searched)}
    assert len(apart) == 1
    assert random_search(frames, RECIPE, Space(0.1, 0.4, trials=3), peak) == trials[:3]


@needs_optuna
@pytest.mark.parametrize("other", ["seed", "about", "recipe"])
def test_a_journal_of_another_search_is_refused(
    other: str, asked: list[tuple[float, ...]], frames: Frames, tmp_path: Path
) -> None:
    journal = tmp_path / "search.json"
    search(frames, RECIPE, Space(trials=1), peak, journal, {"device": "a"})
    before = journal.read_bytes()
    with pytest.raises(SenseError, match="another search"):
        search(
            frames,
            Recipe(hidden=(5,)) if other == "recipe" else RECIPE,
            Space(trials=1, seed=int(other == "seed")),
            peak,
            journal,
            {"device": "b" if other == "about" else "a"},
        )
    assert journal.read_bytes() == before


def test_frames_are_told_apart_by_values_order_shape_and_labels(frames: Frames) -> None:
    def described(values: np.ndarray, labels: tuple[str, ...]) -> object:
        given = Frames(values, frames.names, labels)
        kept = searching._described(given, RECIPE, Space(), {})
        assert kept["frames"] == identity(given)
        return kept

    values, labels = frames.values, frames.labels
    turned = np.swapaxes(values, 1, 2)
    flat = values.reshape(len(values), -1)
    others = [(values[::-1], labels), (values, labels[::-1]), (turned, labels), (flat, labels)]
    kept = described(values, labels)
    assert described(values.copy(), tuple(labels)) == kept
    assert all(described(*other) != kept for other in [*others, (values, ())])


@needs_optuna
@pytest.mark.parametrize(
    "text", ["hello\n", "[]\n1\n", "[" * 10**5 + "\n", "hello", json.dumps({"search": 1})]
)
def test_what_is_no_journal_is_refused(text: str, frames: Frames, tmp_path: Path) -> None:
    journal = tmp_path / "search.json"
    journal.write_text(text)
    with pytest.raises(SenseError, match="search"):
        search(frames, RECIPE, Space(trials=1), peak, journal)
    assert journal.read_text() == text


@needs_optuna
def test_real_trainings_are_searched(frames: Frames) -> None:
    def score(model: Model, rng: np.random.Generator) -> float:
        return float((model.scores(frames).argmax(1) == model.truth(frames)).mean())

    trials = search(frames, Recipe(hidden=(8,), epochs=4), Space(trials=2), score)
    assert len({trial.noise for trial in trials}) == 2
    assert 0.3 < best(trials).mean <= 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"draws": 19}, "at least 20"),
        ({"low": 0.5}, "low < high"),
        ({"trials": 0}, "at least 1"),
        ({"most_dropout": 0.6}, "dropout up to 0.6"),
    ],
)
def test_a_space_that_cannot_be_is_refused(options: dict[str, int], words: str) -> None:
    with pytest.raises(SenseError, match=words):
        Space(**options)  # type: ignore[arg-type]


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
    rng = np.random.default_rng(0)
    trials = [Trial((float(rng.random()), 0.1), (0.5, float(rng.random()))) for _ in range(6)]
    for name in ("a.svg", "b.svg"):
        draw_search(trials, tmp_path / name)
    draw_search([Trial((0.1,), (0.5,), ((0.2, 0.3),))], tmp_path / "dropout.svg")
    assert (tmp_path / "dropout.svg").stat().st_size > (tmp_path / "a.svg").stat().st_size
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text()
    assert "<svg" in text
    with pytest.raises(PlotError, match="ends in"):
        draw_search(trials, tmp_path / "a.txt")
    assert not (tmp_path / "a.txt").exists()
