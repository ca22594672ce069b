"""Errors of the Lava backend."""

from __future__ import annotations

from vsafsm.errors import BackendError


class RuntimeDiedError(BackendError):
    """Lava's runtime, or a model in it, came to an end while it was needed."""
