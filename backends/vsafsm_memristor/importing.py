"""Importing a library that may not be there."""

from __future__ import annotations

import importlib
from typing import Any

from vsafsm_memristor.errors import MissingLibraryError

INSTALL = "pip install 'vsafsm[memristor]'"


def import_optional(module: str, library: str, command: str = INSTALL) -> Any:
    """A module of a library.

    Parameters
    ----------
    module
        Its full name.
    library, command
        What the message says is missing, and what installs it.

    Raises
    ------
    MissingLibraryError
        If it cannot be imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibraryError(
            f"{library} cannot be imported ({error}); expected: {command}"
        ) from None
