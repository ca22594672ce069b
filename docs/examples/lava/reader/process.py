"""`Reader`: notes which state leads in each step."""

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Reader(AbstractProcess):
    """Takes the scores of some states; `leading` has the state that leads in each of some steps, -1
    for none.
    """

    def __init__(self, states: int, steps: int) -> None:
        super().__init__()
        self.scores_in = InPort(shape=(states,))
        self.leading = Var(shape=(steps,), init=np.full(steps, -1))


@implements(proc=Reader, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ReaderModel(PyLoihiProcessModel):
    """On the host."""

    scores_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    leading: np.ndarray = LavaPyType(np.ndarray, np.int32)

    def run_spk(self) -> None:
        """One step."""
        scores = self.scores_in.recv()
        self.leading[self.time_step - 1] = scores.argmax() if scores.any() else -1
