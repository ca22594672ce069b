"""Errors of the memristor backend. Those of a rig are in
`vsafsm_memristor.rig.errors`.
"""

from __future__ import annotations

from vsafsm.errors import BackendError, VsafsmWarning


class DeviceError(BackendError):
    """A device that is unknown, or numbers of devices, in code or in a file, that make no sense."""


class DeviceWarning(VsafsmWarning):
    """Another device than was asked for is simulated, since a model's data end before its range."""


class MappingError(BackendError):
    """A network that cannot be put on the tiles as asked."""


class MissingLibraryError(BackendError):
    """A library is missing that a part of the backend needs."""
