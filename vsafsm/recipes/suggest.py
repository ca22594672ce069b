"""The next settings to try, by Optuna's Gaussian process over mixed kinds.

The same trials and seed give the same settings. Trials that are not measured yet, and settings that
were just suggested, count as worth the mean of what is known, so that others are suggested.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vsafsm.errors import RecipeError
from vsafsm.recipes.plan import Plan, Setting, Value
from vsafsm.sense.extra import imported, one_thread, optuna_quietly

STARTUP = 2
"""Trials at random per setting, and two more, before the process is used."""


def suggest(
    plan: Plan,
    tried: Sequence[dict[str, Value]],
    worth: Sequence[float | None],
    count: int = 1,
    seed: int = 0,
) -> list[dict[str, Value]]:
    """Settings to try next.

    Parameters
    ----------
    tried, worth
        Settings of the trials so far, and what each is worth; None where that is not known.
    count
        How many to suggest.

    Raises
    ------
    SenseError
        If optuna or torch is not installed.
    RecipeError
        If none are asked for, or there are not as many values as trials.
    """
    if count < 1 or seed < 0:
        raise RecipeError(f"count is {count} and seed {seed}; expected 1 or more, and 0 or more")
    if len(tried) != len(worth):
        raise RecipeError(f"{len(worth)} values for {len(tried)} trials; expected one for each")
    optuna = imported("optuna", "suggesting settings")
    torch = imported("torch", "suggesting settings")
    known = [each for each in worth if each is not None]
    typical = float(np.mean(known)) if known else 0.0
    over = {setting.name: _distribution(optuna, setting) for setting in plan.settings}
    found: list[dict[str, Value]] = []
    with optuna_quietly(optuna), one_thread(torch):
        study = optuna.create_study(direction="maximize" if plan.objective.maximise else "minimize")
        for settings, value in zip(tried, worth, strict=True):
            _add(optuna, study, over, settings, typical if value is None else value)
        for number in range(len(tried), len(tried) + count):
            study.sampler = optuna.samplers.GPSampler(
                seed=int(np.random.default_rng([seed, number]).integers(2**31)),
                n_startup_trials=STARTUP * len(plan.settings) + 2,
            )
            trial = study.ask(over)
            chosen = {s.name: s.rounded(trial.params[s.name]) for s in plan.settings}
            study.tell(trial, state=optuna.trial.TrialState.FAIL)  # told by `_add`
            _add(optuna, study, over, chosen, typical)
            found.append(chosen)
    return found


def _distribution(optuna: Any, setting: Setting) -> Any:
    kinds = optuna.distributions
    if setting.kind == "categorical":
        return kinds.CategoricalDistribution(setting.values)
    if setting.kind == "integer":
        return kinds.IntDistribution(int(setting.low), int(setting.high))
    return kinds.FloatDistribution(setting.low, setting.high, log=setting.kind == "log")


def _add(
    optuna: Any, study: Any, over: dict[str, Any], settings: dict[str, Value], value: float
) -> None:
    study.add_trial(optuna.trial.create_trial(params=settings, distributions=over, value=value))
