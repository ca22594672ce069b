"""What trials are worth: a column as it stands, or the yield that arrays of such devices have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from vsafsm.errors import RecipeError
from vsafsm.program import Program, load_program
from vsafsm.recipes.plan import Column, Plan, Yield
from vsafsm.recipes.table import Trial


class YieldBackend(Protocol):
    """A backend that predicts the yield of arrays from what was measured of their devices."""

    name: str

    def predicted_yield(self, program: Program, spread: float, on_off: float) -> float:
        """The share of arrays that run a program correctly.

        Parameters
        ----------
        spread
            Standard deviation of the logarithm of a conductance from device to device.
        on_off
            Largest over smallest conductance.
        """


def values(plan: Plan, trials: Sequence[Trial], source: str) -> list[float | None]:
    """What each trial is worth; None where it is not measured yet.

    Raises
    ------
    BackendError, FileError, ProgramError
        If a yield cannot be predicted with the program.
    RecipeError
        If the backend of the program predicts none, or a spread or a ratio cannot be one.
    """
    aim = plan.objective
    if isinstance(aim, Column):
        return [trial.figures[aim.name] for trial in trials]
    predict = _predicting(aim)
    found, seen = list[float | None](), dict[tuple[float, float], float]()
    for trial in trials:
        spread, on_off = trial.figures[aim.spread], trial.figures[aim.on_off]
        if spread is None or on_off is None:
            found.append(None)
            continue
        if spread < 0 or on_off <= 1:
            raise RecipeError(
                f"{source}:{trial.line}: {aim.spread} is {spread:g} and {aim.on_off} {on_off:g};"
                " expected 0 or more, and more than 1"
            )
        if (spread, on_off) not in seen:
            seen[spread, on_off] = predict(spread, on_off)
        found.append(seen[spread, on_off])
    return found


def yield_backend(backend: Any) -> YieldBackend:
    """The backend, if it predicts yields.

    Raises
    ------
    RecipeError
        If it does not.
    """
    if not callable(getattr(backend, "predicted_yield", None)):
        raise RecipeError(
            f'backend "{backend.name}" predicts no yield; expected a program compiled for one with'
            ' "predicted_yield", such as memristor'
        )
    found: YieldBackend = backend
    return found


def _predicting(aim: Yield) -> Callable[[float, float], float]:
    from vsafsm.discovery import find

    program = load_program(aim.program)
    backend = yield_backend(find(program.target))
    return lambda spread, on_off: backend.predicted_yield(program, spread, on_off)
