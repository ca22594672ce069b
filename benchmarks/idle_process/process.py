"""A Lava Process that does nothing: what a step of Lava costs by itself."""

from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Idle(AbstractProcess):
    """Nothing."""


@implements(proc=Idle, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class IdleModel(PyLoihiProcessModel):
    """Nothing, a step at a time."""

    def run_spk(self) -> None:
        """Nothing."""
