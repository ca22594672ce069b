"""Errors of the Lava backend, each a mistake of its own."""

from __future__ import annotations

from vsafsm.errors import BackendError


class TargetError(BackendError):
    """A target is asked for that is unknown or cannot be reached."""


class RuntimeDiedError(BackendError):
    """Lava's runtime, or a model in it, came to an end while it was needed."""
