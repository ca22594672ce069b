"""The closed loop: a session whose recurrent product is read from a rig, step by step."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm.program import Program
from vsafsm.synchronous import Session
from vsafsm.vsa import Bits
from vsafsm_memristor.maps import RigMaps, slackened
from vsafsm_memristor.rig.protocol import Floats


class Readable(Protocol):
    """What of a rig the loop needs."""

    def read(self, tile: int, v_volts: Floats) -> Floats:
        """Currents of the columns of a tile, in amperes."""

    def safe(self) -> None:
        """Ground everything."""


class ClosedLoopSession(Session):
    """A session on a rig that holds the program's maps. Each step reads every tile that has an active row."""

    def __init__(self, program: Program, maps: RigMaps, rig: Readable) -> None:
        self._rig = rig
        network = slackened(program).network

        def step(active: NDArray[np.intp], opened: Bits) -> NDArray[np.intp]:
            activity = np.zeros(network.neurons, np.bool_)
            activity[active] = True
            currents = [(tile, rig.read(tile, volts)) for tile, volts in maps.voltages(activity)]
            return np.flatnonzero((maps.drive(currents) > 0) & opened)

        try:
            super().__init__(network, step)
        except BaseException:
            rig.safe()
            raise

    def __exit__(self, *details: Any) -> None:
        self.close()

    def close(self) -> None:
        """Ground the rig; closing twice does nothing."""
        super().close()
        self._rig.safe()
