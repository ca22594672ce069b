"""From an address to a rig: a VISA resource name, or ``KIND::REST`` of a kind that is found by
entry point.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from vsafsm.errors import VsafsmError
from vsafsm_memristor.rig.errors import UnreachableError
from vsafsm_memristor.rig.protocol import Rig
from vsafsm_memristor.rig.scpi import ScpiRig

GROUP = "vsafsm_memristor.rigs"
Opener = Callable[[str, float], Rig]
"""Called with what stands behind ``KIND::`` and the seconds that an answer may take."""


def open_rig(address: str, timeout_s: float = 2.0) -> Rig:
    """Open the rig at an address.

    Raises
    ------
    UnreachableError
        If the address, or the entry point that it names, is broken.
    RigError
        If the rig cannot be opened, or does not answer as one does.
    """
    if not timeout_s > 0:
        raise UnreachableError(
            f"the time limit for an answer is {timeout_s:g} s; expected seconds above 0"
        )
    kind, mark, rest = address.partition("::")
    if not mark:
        raise UnreachableError(
            f'"{address}" is no address of a rig; expected a VISA resource name, such as '
            "TCPIP0::192.168.0.7::5025::SOCKET, or ARC2::FILE"
        )
    found = {point.name.upper(): point for point in entry_points(group=GROUP)}
    if kind.upper() not in found:
        return ScpiRig(address, timeout_s=timeout_s)
    try:
        opener: Opener = found[kind.upper()].load()
        return opener(rest, timeout_s)
    except VsafsmError:
        raise
    except Exception as error:  # what a lab wrote may raise anything
        raise UnreachableError(
            f'no rig could be opened at "{address}": {type(error).__name__}: {error}'
        ) from error
