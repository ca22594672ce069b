"""The protocol that a backend meets, and how backends are found: by entry point, ours like any third party's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

from vsafsm.errors import RequirementError, UnavailableBackendError, UnknownBackendError, did_you_mean
from vsafsm.machine import Outputs
from vsafsm.program import Program
from vsafsm.sizing import Requirements

GROUP = "vsafsm.backends"
DEFAULT = "reference"

Description = Mapping[str, int | float | str]


@dataclass(frozen=True)
class Option:
    """An option of a backend, from which the command line makes a flag.

    Attributes
    ----------
    name
        As in Python: ``hold_ms`` becomes ``--hold-ms``.
    type
        ``int``, ``float``, ``str`` or ``bool``.
    default
        Its value where it is not given.
    unit
        Its unit, or an empty string.
    help
        What it does, in a line.
    """

    name: str
    type: type
    default: object
    unit: str
    help: str


class BackendSession(Protocol):
    """A network that stays up from input to input. Holds are in the backend's own unit."""

    def __enter__(self) -> BackendSession:
        """Itself."""

    def __exit__(self, *details: Any) -> None:
        """Close it."""

    def send(self, symbol: str, hold: Any = None) -> str | None:
        """Apply one input: -> the state that the activity then stands for, or None."""

    def wait(self, steps: Any) -> None:
        """Let the network run without input."""

    def reset(self) -> str | None:
        """Back to the initial state, by the reset line."""

    def close(self) -> None:
        """Free what it holds; closing twice does nothing."""

    @property
    def state(self) -> str | None:
        """The state that the activity stands for, or None."""

    @property
    def outputs(self) -> Outputs:
        """Mealy outputs of the last input, then Moore outputs of the state."""

    @property
    def activity(self) -> Any:
        """What each neuron does now."""

    @property
    def counts(self) -> Mapping[str, int]:
        """``steps``, ``spikes``, ``synaptic_operations`` so far."""


class Backend(Protocol):
    """A target that runs programs.

    ``exact`` says whether its lowering is exact, so that a proof of what it returns is a proof of the target, or
    statistical, so that only measurements on many draws speak for it. No backend may consult the machine to find a
    state: states come out of the network's activity.
    """

    name: str
    exact: bool
    options: tuple[Option, ...]

    def unavailable(self) -> str | None:
        """Why it cannot run here and what would change that (an install command), or None."""

    def requirements(self, options: Mapping[str, object]) -> Requirements:
        """What it asks of a network: numbers measured beforehand, never a simulation."""

    def lower(self, program: Program) -> Any:
        """The target's own form of the program."""

    def open(self, program: Program, **options: object) -> BackendSession:
        """Start a session."""

    def emit(self, program: Program, folder: Path) -> None:
        """Write what the target needs into an existing folder."""

    def describe(self, program: Program) -> Description:
        """Resources that the program takes on the target."""


@dataclass(frozen=True)
class Listing:
    """A backend as `backends` lists it: why it cannot run here, or None."""

    name: str
    unavailable: str | None


def backends() -> list[Listing]:
    """All installed backends, by name, with the reason where one cannot run here."""
    return [Listing(name, _reason(point)) for name, point in sorted(_points().items())]


def find(name: str) -> Backend:
    """The backend of this name.

    Raises
    ------
    UnknownBackendError
        If none of this name is installed.
    UnavailableBackendError
        If it cannot run here; the message says what would change that.
    """
    points = _points()
    if name not in points:
        known = ", ".join(sorted(points))
        raise UnknownBackendError(f'unknown backend "{name}"; expected one of: {known}{did_you_mean(name, points)}')
    reason = _reason(points[name])
    if reason:
        raise UnavailableBackendError(f'backend "{name}" cannot run here: {reason}')
    backend: Backend = points[name].load()
    return backend


def open_session(program: Program, backend: str = DEFAULT, **options: object) -> BackendSession:
    """Start a session of a program on a backend (``vsafsm.open``).

    Raises
    ------
    RequirementError
        If the program does not meet what the backend requires; the message has the compile command that would.
    """
    target = find(backend)
    check(program, target, options)
    return target.open(program, **options)


def check(program: Program, backend: Backend, options: Mapping[str, object]) -> None:
    """Raise `RequirementError` where the program does not meet what the backend requires.

    A margin that is required is proven again: the program's own is a claim.
    """
    known = {option.name for option in backend.options}
    for name in options:
        if name not in known:
            raise RequirementError(
                f'backend "{backend.name}" has no option "{name}"; '
                f"expected one of: {', '.join(sorted(known)) or 'none'}"
                f"{did_you_mean(name, known)}"
            )
    requirements = backend.requirements(options)
    margin = program.claim.margin if requirements.least_margin is None else program.prove().margin
    unmet = requirements.unmet(program.network, margin)
    if unmet:
        raise RequirementError(
            f'the program does not fit backend "{backend.name}": {"; ".join(unmet)}; expected a program of '
            f"`vsafsm compile SPEC --for {backend.name} -o PROGRAM`"
        )


def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _reason(point: EntryPoint) -> str | None:
    try:
        backend: Backend = point.load()
    except Exception as error:  # another's import may raise anything, and must not take the other backends down
        return f"{point.value} cannot be imported: {error}"
    return backend.unavailable()
