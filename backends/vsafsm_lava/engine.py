"""Engines of Lava's processes: events go in, spikes of the network come out, in chunks of steps."""

from __future__ import annotations

import numpy as np
from lava.magma.core.run_configs import Loihi2SimCfg

from vsafsm.activities import Activities, from_bits, join
from vsafsm.errors import UnavailableBackendError
from vsafsm.vsa import Bits
from vsafsm_lava.attractor.models import NONE
from vsafsm_lava.attractor.process import AttractorFSM
from vsafsm_lava.hosted.models import HostedModel
from vsafsm_lava.hosted.process import CHUNK, HostedFSM
from vsafsm_lava.runtime import LavaRuntime, unnoticed
from vsafsm_lava.targets import HardwareError, connected, run_config
from vsafsm_loihi2 import ChipNetwork
from vsafsm_loihi2.session import Engine

IN, OUT = 0, 1


def engine(chip: ChipNetwork, target: str) -> Engine:
    """What runs a chip's program on a target. Raises `UnavailableBackendError` where that cannot be
    reached.
    """
    try:
        with unnoticed():
            return FusedEngine(chip) if target == "sim" else StockEngine(chip, target)
    except HardwareError as error:
        raise UnavailableBackendError(str(error)) from None


class FusedEngine:
    """One process of Lava, that shares memory with the session."""

    def __init__(self, chip: ChipNetwork) -> None:
        self._neurons = len(chip.bias)
        self._fsm = HostedFSM(**chip.arrays())
        config = Loihi2SimCfg(
            select_tag="fixed_pt", exception_proc_model_map={HostedFSM: HostedModel}
        )
        self._running = LavaRuntime(self._fsm, config, [])

    def run(self, channel: int | None, steps: int) -> Activities:
        """As `vsafsm_loihi2.session.Engine` says."""
        return join(
            [
                from_bits(self._chunk(channel if n == 0 else None, length))
                for n, length in _chunks(steps)
            ]
        )

    def state(self) -> None:
        """None: only spikes come out."""

    def close(self) -> None:
        """Stop Lava's processes."""
        self._running.close()

    def _chunk(self, channel: int | None, steps: int) -> Bits:
        self._fsm.orders[:] = NONE if channel is None else channel, steps
        self._running.run(steps)
        return np.unpackbits(self._fsm.report[:steps], axis=1, count=self._neurons).astype(np.bool_)


class StockEngine:
    """Lava's own parts, in the simulator or on the chip, with an Injector and an Extractor."""

    def __init__(self, chip: ChipNetwork, target: str) -> None:
        fsm = AttractorFSM(**chip.arrays())
        self._channels = fsm.input_in.shape
        config = run_config(target)
        injector, extractor = connected(fsm, target, CHUNK)
        self._running = LavaRuntime(fsm, config, [injector.in_port, extractor.out_port])

    def run(self, channel: int | None, steps: int) -> Activities:
        """As `vsafsm_loihi2.session.Engine` says."""
        return join(
            [
                from_bits(self._chunk(channel if n == 0 else None, length))
                for n, length in _chunks(steps)
            ]
        )

    def state(self) -> None:
        """None: only spikes come out."""

    def close(self) -> None:
        """Stop Lava's processes."""
        self._running.close()

    def _chunk(self, channel: int | None, steps: int) -> Bits:
        spiking = np.zeros((steps, *self._channels), np.int32)
        if channel is not None:
            spiking[0, channel] = 1
        for (
            each
        ) in spiking:  # one message per step: one that is on its way still would pass for silence
            self._running.send(IN, each)
        self._running.run(steps)
        return np.stack([self._running.receive(OUT) for _ in range(steps)]) > 0


def _chunks(steps: int) -> list[tuple[int, int]]:
    """First step and length of each chunk."""
    return [(start, min(CHUNK, steps - start)) for start in range(0, steps, CHUNK)]
