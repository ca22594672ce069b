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


class RigRefusedError(FaultError):
    """The rig answered that it will not; its line is in step.

    Parameters
    ----------
    message
        What was asked, and why not.
    code
        The first word of the rig's reply.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class BusyError(FaultError):
    """The rig is owned by another client."""


class NotSafeError(FaultError):
    """It could not be confirmed that all lines are grounded."""
