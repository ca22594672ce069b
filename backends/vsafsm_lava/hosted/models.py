"""The model of `HostedFSM`: the fused one, a chunk of steps at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from vsafsm_lava.attractor.models import NONE, AbstractFused
from vsafsm_lava.hosted.process import HostedFSM


@implements(proc=HostedFSM, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class HostedModel(AbstractFused):
    """The steps of `AbstractFused`, a chunk at a time.

    Nothing can reach the network within a chunk, so its steps are computed together in the last of
    them: that spares the runtime a wait in each.
    """

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._orders, self._report = proc_params["orders"], proc_params["report"]
        self._passed = 0

    def run_spk(self) -> None:
        """One step of a chunk."""
        self._passed += 1
        channel, steps = self._orders.tolist()
        if self._passed < steps:
            return
        self._passed = 0
        channels = np.zeros((steps, *self.input_in.shape), np.int32)
        if channel != NONE:
            channels[0, channel] = 1
        for n, spiking in enumerate(channels):
            self._report[n] = np.packbits(self.step(spiking))
        self.show()
