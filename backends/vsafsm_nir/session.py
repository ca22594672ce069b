"""A session whose steps are those of a NIR graph: only its lines enter, the reset's too."""

from __future__ import annotations

import numpy as np

from vsafsm.lowering import REST
from vsafsm.network import Network
from vsafsm.sessions import MOST_STEPS
from vsafsm.synchronous import Session
from vsafsm_nir.simulator import Simulator


class NirSession(Session):
    """A graph that stays up from input to input. Units: time steps.

    Parameters
    ----------
    network
        What the graph holds, for the decoding.
    simulator
        What runs the graph.

    Raises
    ------
    SessionError
        As `vsafsm.synchronous.Session` does.
    """

    def __init__(self, network: Network, simulator: Simulator) -> None:
        self._simulator = simulator
        super().__init__(network)

    def reset(self) -> str | None:
        """Put the reset's line on for one step, then settle at rest: -> the state."""
        self._check_open()
        self._mealy = ()
        self._advance(len(self._network.inputs) + 1, 1)
        self._advance(REST, self._network.contract.gap_steps)
        return self.state

    @property
    def _most(self) -> int:
        """Each step is the simulator's."""
        return MOST_STEPS

    def _advance(self, mask: int, steps: int) -> None:
        lines = np.zeros(len(self._network.inputs) + 2)
        lines[mask] = 1
        for _ in range(steps):
            self._synaptic_operations += int(self._network.fan_out[self._active].sum())
            self._simulator.step(lines)
            self._fire(np.flatnonzero(self._simulator.spikes))
