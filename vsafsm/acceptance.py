"""What a target whose hardware is statistical tries on a network that is proven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from vsafsm.lowering import Lowered
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.tolerance import Tolerated


class Acceptance(Protocol):
    """Trials of a target that tell whether it accepts a network.

    A backend whose method ``acceptance(options)`` gives one lets a search for a size end at the
    smallest network that is accepted.
    """

    @property
    def share(self) -> float | None:
        """Share of correct trials to be shown, at the lower end of its 95 % interval; None where
        nothing is tried.
        """

    @property
    def remedy(self) -> str:
        """What would help where no network is accepted."""

    def room(self, neurons: int) -> str:
        """What so many neurons take, in words."""

    def predicted(self, machine: Machine, network: Network) -> float:
        """Share of correct trials that is expected, at less cost than trials have."""

    def tried(
        self,
        machine: Machine,
        lowered: Lowered,
        network: Network,
        progress: Callable[[float], None],
    ) -> Tolerated:
        """What trials show, as many as tell whether the share is reached."""
