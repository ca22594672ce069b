"""Processes that a user might connect to an `AttractorFSM`, alone in a folder: Lava runs every file
beside one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Metronome(AbstractProcess):
    """A spike on one channel after the other, one every so many steps."""

    def __init__(self, channels: int, period: int, first: int) -> None:
        super().__init__(period=period, first=first)
        self.out = OutPort(shape=(channels,))


@implements(proc=Metronome, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class MetronomeModel(PyLoihiProcessModel):
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def run_spk(self) -> None:
        spiking = np.zeros(self.out.shape, np.int32)
        since = self.time_step - self.proc_params["first"]
        if since >= 0 and since % self.proc_params["period"] == 0:
            spiking[1 + since // self.proc_params["period"] % (len(spiking) - 1)] = 1
        self.out.send(spiking)


class Teller(AbstractProcess):
    """Tells a change of the best score as a spike on the channel of the new state, and remembers
    what it saw.
    """

    def __init__(self, states: int, channels: int, steps: int) -> None:
        super().__init__()
        self.scores_in = InPort(shape=(states,))
        self.out = OutPort(shape=(channels,))
        self.seen = Var(shape=(steps,), init=np.full(steps, -1, np.int32))


@implements(proc=Teller, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class TellerModel(PyLoihiProcessModel):
    scores_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)
    seen: np.ndarray[Any, Any] = LavaPyType(np.ndarray, np.int32)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.last = 0

    def run_spk(self) -> None:
        scores = self.scores_in.recv()
        best = int(scores.argmax()) if scores.any() else self.last
        spiking = np.zeros(self.out.shape, np.int32)
        if best != self.last:
            spiking[1 + best % (len(spiking) - 1)] = 1
        self.last = best
        self.seen[(self.time_step - 1) % len(self.seen)] = best
        self.out.send(spiking)
