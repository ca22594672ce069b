"""Errors and warnings of the Brian2 backend, each a mistake of its own."""

from __future__ import annotations

from vsafsm.errors import BackendError, VsafsmWarning


class QuantityError(BackendError):
    """A quantity of the wrong unit, or a number without one."""


class UnknownLineError(BackendError):
    """A line of the network is asked for that it does not have."""


class TargetError(BackendError):
    """A code generation target is asked for what it cannot do, or cannot run here."""


class ContractWarning(VsafsmWarning):
    """An input or a gap is shorter than the contract, under which every transition was measured
    right.
    """
