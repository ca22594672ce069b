"""Errors of rigs and of their guard, all under `RigError`: a class for what somebody catches. What
was wrong is in the message.
"""

from __future__ import annotations

from vsafsm.errors import BackendError


class RigError(BackendError):
    """Base of what can go wrong with a rig, or with what is asked of one."""


class RefusedError(RigError):
    """What is asked for is refused before anything is sent: limits, shapes, conductances, voltages,
    currents, budgets, tokens, consent, or a rig that cannot be had safely.
    """


class UnreachableError(RigError):
    """No rig can be opened: the address names none, a package is missing, or nothing is there."""


class LogError(RigError):
    """The log cannot be written or read; where it cannot be written, nothing is sent."""


class FaultError(RigError):
    """A rig that was opened failed: it is not trusted again until it is reopened."""


class NoAnswerError(FaultError):
    """The rig did not answer in time."""


class DisconnectedError(FaultError):
    """The connection to the rig was lost."""


class BusyError(FaultError):
    """The rig is owned by another client."""


class NotSafeError(FaultError):
    """It could not be confirmed that all lines are grounded."""
