"""For test suites: how robust a program is, asserted, and Hypothesis strategies for machines, words
and noise.

``robust`` measures, ``assertion`` fails with what helps, ``strategies`` draws. Only the strategies
need Hypothesis, and they are imported when they are used. The pytest plugin is a module of its own,
``vsafsm_pytest``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vsafsm.testing.assertion import NotRobustError, assert_robust
from vsafsm.testing.robust import Failure, Robustness, default_trials, network_of_trial, robustness

if TYPE_CHECKING:
    from vsafsm.testing.strategies import machines, noises, words

__all__ = [
    "Failure",
    "NotRobustError",
    "Robustness",
    "assert_robust",
    "default_trials",
    "machines",
    "network_of_trial",
    "noises",
    "robustness",
    "words",
]


def __getattr__(name: str) -> Any:
    if name not in ("machines", "noises", "words"):
        raise AttributeError(f"module {__name__} has no attribute {name}")
    try:
        return getattr(import_module("vsafsm.testing.strategies"), name)
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        reason = (
            f"hypothesis, which vsafsm.testing.{name} needs, is not installed; expected: pip"
            " install 'vsafsm[testing]'"
        )
        raise ImportError(reason) from None
