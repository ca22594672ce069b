"""Backends are found by entry point, ours like those of other packages."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from vsafsm.backend import Backend
from vsafsm.backend_options import option_flaw
from vsafsm.errors import BackendError, UnavailableBackendError, did_you_mean

GROUP = "vsafsm.backends"


DEFAULT = "reference"


@dataclass(frozen=True)
class Listing:
    """A backend as `backends` lists it: why it cannot run here, or None."""

    name: str
    unavailable: str | None


def backends() -> list[Listing]:
    """All installed backends, by name, with the reason where one cannot run here.

    Examples
    --------
    >>> import vsafsm
    >>> {each.name: each.unavailable for each in vsafsm.backends()}["reference"] is None
    True
    """
    return [Listing(name, _reason(point)) for name, point in sorted(_points().items())]


def find(name: str) -> Backend:
    """The backend of this name.

    Raises
    ------
    BackendError
        If none of this name is installed.
    UnavailableBackendError
        If it cannot run here, or has an option that it may not have; the message says what would
        change that.
    """
    points = _points()
    if name not in points:
        known = ", ".join(sorted(points))
        raise BackendError(
            f'unknown backend "{name}"; expected one of: {known}{did_you_mean(name, points)}'
        )
    reason = _reason(points[name])
    if reason:
        raise UnavailableBackendError(f'backend "{name}" cannot run here: {reason}')
    backend: Backend = points[name].load()
    return backend


def packages() -> set[str]:
    """Names of the packages that the installed backends are in, imported or not."""
    return {point.module.partition(".")[0] for point in _points().values()}


def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _reason(point: EntryPoint) -> str | None:
    """Why a backend cannot be used here, in a line, or None."""
    # Another's code may raise anything, and must not take the other backends down.
    try:
        backend: Backend = point.load()
    except Exception as error:
        return _line(f"{point.value} cannot be imported: {error}")
    try:
        found = option_flaw(backend) or backend.unavailable()
    except Exception as error:
        found = (
            f"{point.value} fails when asked whether it can run: {type(error).__name__}: {error}"
        )
    return _line(found) if found else None


def _line(text: object) -> str:
    return " ".join(str(text).split())
