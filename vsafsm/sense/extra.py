"""The libraries of the extra ``vsafsm[sense]``, imported when they are used."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from vsafsm.errors import SenseError


def imported(module: str, what: str) -> Any:
    """A module of torch or of optuna.

    Parameters
    ----------
    what
        What needs it, for the message.

    Raises
    ------
    SenseError
        If it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise SenseError(
            f"{what} needs {module.partition('.')[0]}, which cannot be imported ({error});"
            " expected: pip install 'vsafsm[sense]'"
        ) from None


@contextmanager
def optuna_quietly(optuna: Any) -> Iterator[None]:
    """Without what Optuna says of itself."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of samplers that it calls experimental
            yield
    finally:
        optuna.logging.set_verbosity(before)


@contextmanager
def one_thread(torch: Any) -> Iterator[None]:
    """Sums in one order, whatever the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
