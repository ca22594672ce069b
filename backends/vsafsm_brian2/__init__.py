"""Brian2 simulations of a compiled machine: leaky integrate-and-fire cells in continuous time.

``vsafsm.open(program, backend="brian2")`` runs a program; `Brian2FSM` gives its Brian2 objects.
Brian2 is imported when one of these is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsafsm_brian2.errors import ContractWarning
from vsafsm_brian2.parameters import Parameters, Realism, RunSettings

if TYPE_CHECKING:
    from vsafsm_brian2.model import Brian2FSM

__all__ = [
    "Brian2FSM",
    "ContractWarning",
    "Parameters",
    "Realism",
    "RunSettings",
]


def __getattr__(name: str) -> Any:
    if name == "Brian2FSM":
        from vsafsm_brian2.model import Brian2FSM

        return Brian2FSM
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
