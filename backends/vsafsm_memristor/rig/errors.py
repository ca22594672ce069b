"""Errors of rigs and of their guard, all under `RigError`."""

from __future__ import annotations

from vsafsm.errors import BackendError


class RigError(BackendError):
    """Base of what can go wrong with a rig, or with what is asked of one."""


# ---- what is asked for: found before anything is sent


class RefusedError(RigError):
    """Base of what the guard refuses before any input or output."""


class LimitsError(RefusedError):
    """Limits that make no sense, alone or together with others."""


class NotFiniteError(RefusedError):
    """A conductance or a voltage is NaN or infinite."""


class ShapeError(RefusedError):
    """An array has not the shape of the rig's tile, the maps have not the rig's number of tiles, or
    the rig has no tile of this number.
    """


class ConductanceError(RefusedError):
    """A conductance is out of the range in force."""


class UnusableCellError(RefusedError):
    """A conductance, or a voltage, is meant for cells that cannot be used."""


class ReadVoltageError(RefusedError):
    """A read voltage is above the limit in force."""


class LineCurrentError(RefusedError):
    """The current predicted for a row, a column or a cell is above the limit in force."""


class BudgetError(RefusedError):
    """More pulses could be needed than the write budget has left."""


class OtherMapsError(RefusedError):
    """The conductances to write are not those that the rig was armed for."""


class CorrectionsError(RefusedError):
    """More cells are to be written again than the rig was armed for, or a number of them that makes
    no sense.
    """


class CannotRestrictError(RefusedError):
    """A limit is asked for that only the rig itself could keep, and it has no way to take it."""


class NoWatchdogError(RefusedError):
    """The rig has no watchdog, and it was not said that this will do."""


class NotArmedError(RefusedError):
    """Something is asked for that only an armed rig can do: this one is not armed, was closed, or
    cannot be armed in this thread.
    """


class TokenError(RefusedError):
    """Base of tokens that do not arm; one that is no token at all."""


class OtherMapsTokenError(TokenError):
    """The token was made for other maps: another program, other options, or maps that have changed
    since.
    """


class OtherRigTokenError(TokenError):
    """The token was made for another rig."""


class OtherLimitsTokenError(TokenError):
    """The token was made under other limits."""


class OtherCorrectionsTokenError(TokenError):
    """The token was made for another number of cells that may be written again."""


# ---- what a rig does


class UnreachableError(RigError):
    """No rig can be opened: the address names none, a package is missing, or nothing is there."""


class FaultError(RigError):
    """Base of faults of a rig that was opened: it is not trusted again until it is reopened."""


class NoAnswerError(FaultError):
    """The rig did not answer in time."""


class DisconnectedError(FaultError):
    """The connection to the rig was lost."""


class ReplyError(FaultError):
    """A reply that cannot be used: damaged, of another length, or to another command than the
    last.
    """


class OverRangeError(FaultError):
    """A reply with a value that the rig's own limits exclude, or with NaN or infinity."""


class WatchdogError(FaultError):
    """The rig's watchdog has grounded the lines."""


class RigRefusedError(FaultError):
    """The rig answered that it will not."""


class DistrustedError(FaultError):
    """The rig has failed before, or was stopped, and has not been reopened since."""


class NotSafeError(FaultError):
    """It could not be confirmed that all lines are grounded."""


class LogError(RigError):
    """The log cannot be written, so nothing is sent."""
