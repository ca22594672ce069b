"""The closed loop: a session whose recurrent product is read from a rig, step by step."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from vsafsm.program import Program
from vsafsm.synchronous import Session
from vsafsm_memristor.crossbar.array import stepper, with_slack
from vsafsm_memristor.crossbar.protocol import Crossbar
from vsafsm_memristor.deploy.maps import RigMaps
from vsafsm_memristor.deploy.rig_array import Readable, RigCrossbar


class Groundable(Readable, Protocol):
    """What of a rig the loop needs."""

    def safe(self) -> None:
        """Ground everything."""


class ClosedLoopSession(Session):
    """A session on a rig that holds the program's maps. Each step reads every tile that has an
    active row.

    Parameters
    ----------
    crossbar
        What makes drives of reads of this rig, such as what
        `vsafsm_memristor.deploy.rig_calibration.trim_on` gives; by default they are taken as they
        are read.
    """

    def __init__(
        self, program: Program, maps: RigMaps, rig: Groundable, crossbar: Crossbar | None = None
    ) -> None:
        self._rig = rig
        network = with_slack(program.network)
        drives = RigCrossbar(maps, rig) if crossbar is None else crossbar
        try:
            super().__init__(network, stepper(network, drives, np.random.default_rng(0)))
        except BaseException:
            rig.safe()
            raise

    def __exit__(self, *details: Any) -> None:
        self.close()

    def close(self) -> None:
        """Ground the rig; closing twice does nothing."""
        super().close()
        self._rig.safe()
