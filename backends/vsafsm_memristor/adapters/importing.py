"""Importing a simulator that may not be there."""

from __future__ import annotations

import importlib
from typing import Any

from vsafsm_memristor.errors import MissingLibraryError


def imported(module: str, simulator: str, command: str) -> Any:
    """A module of a simulator.

    Parameters
    ----------
    module
        Its full name.
    simulator, command
        What the message says is missing, and what installs it.

    Raises
    ------
    MissingLibraryError
        If it cannot be imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibraryError(f"{simulator} cannot be imported ({error}); expected: {command}") from None
