"""Errors of the NIR backend, each a mistake of its own."""

from __future__ import annotations

from vsafsm.errors import BackendError


class PrecisionError(BackendError):
    """A network whose weights or sums single precision does not hold exactly."""
