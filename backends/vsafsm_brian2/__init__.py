"""Brian2 simulations of a compiled machine: leaky integrate-and-fire cells in continuous time.

``vsafsm.open(program, backend="brian2")`` runs a program; `AttractorFSM` gives its Brian2 objects.
Brian2 is imported when one of these is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsafsm_brian2.errors import ContractWarning
from vsafsm_brian2.parameters import Parameters, Realism, Running

if TYPE_CHECKING:
    from vsafsm_brian2.model import AttractorFSM

__all__ = [
    "AttractorFSM",
    "ContractWarning",
    "Parameters",
    "Realism",
    "Running",
]


def __getattr__(name: str) -> Any:
    if name == "AttractorFSM":
        from vsafsm_brian2.model import AttractorFSM

        return AttractorFSM
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
