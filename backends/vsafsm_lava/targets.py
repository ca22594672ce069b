"""Where a network runs: Lava's simulator, or the chip. The only thing that differs is the run
configuration.
"""

from __future__ import annotations

from typing import Any

from lava.magma.core.model.py.model import AbstractPyProcessModel
from lava.magma.core.run_configs import Loihi2HwCfg, Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.io.extractor import Extractor, PyLoihiExtractorModel
from lava.proc.io.injector import Injector, PyLoihiInjectorModel
from lava.proc.io.utils import ChannelConfig, ReceiveEmpty, ReceiveNotEmpty, SendFull
from lava.proc.lif.process import LIF
from lava.proc.sparse.process import Sparse
from lava.utils import loihi

from vsafsm_lava.attractor.models import FusedModel, StockModel
from vsafsm_lava.attractor.process import AttractorFSM

TARGETS = ("sim", "sim-stock", "loihi2")
"""The simulator with the fused model or with stock parts, and the chip, which has stock parts only.
"""
ON_CHIP = (AttractorFSM, LIF, Dense, Sparse)
"""Processes that have no business on the host when the target is the chip."""


class HardwareError(RuntimeError):
    """The chip is asked for, and something that it takes is missing."""


class ChipConfig(Loihi2HwCfg):  # type: ignore[misc]
    """Lava's configuration for the chip, but for one thing: it never takes a model that runs on the
    host instead.
    """

    def select(self, process: Any, proc_models: list[Any]) -> Any:
        """The model for a Process. Raises `HardwareError` where only the host could run what
        belongs on the chip.
        """
        chosen = super().select(process, proc_models)
        if isinstance(process, ON_CHIP) and issubclass(chosen, AbstractPyProcessModel):
            raise HardwareError(
                f"lava-loihi has no model of {type(process).__name__} for the chip, and"
                f" {chosen.__name__} would run on the host: expected a complete installation of"
                " lava-loihi"
            )
        return chosen


def check_hardware() -> None:
    """Raise `HardwareError` where the chip cannot be reached, saying what is missing."""
    if not loihi.is_installed():
        raise HardwareError(
            "lava-loihi, Intel's extension for the chip, is not installed: expected it from the"
            " Intel Neuromorphic Research Community, or the target sim or sim-stock"
        )
    if loihi.host is None:
        raise HardwareError(
            "no Loihi board is chosen: expected lava.utils.loihi.use_slurm_host(...) or"
            " use_ethernet_host(...) before"
        )


def run_config(target: str) -> Loihi2SimCfg | ChipConfig:
    """Lava's run configuration for a target. Raises `HardwareError`."""
    models = {
        AttractorFSM: FusedModel if target == "sim" else StockModel,
        Injector: PyLoihiInjectorModel,
        Extractor: PyLoihiExtractorModel,
    }
    if target != "loihi2":
        return Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=models)
    check_hardware()
    return ChipConfig(exception_proc_model_map=models)


def connected(fsm: AttractorFSM, target: str, buffered: int) -> tuple[Injector, Extractor]:
    """An Injector of channel spikes and an Extractor of the network's spikes, with adapters where
    the chip needs them.

    The Injector waits for a message in each step: one that is late would count in a later step
    otherwise.

    Parameters
    ----------
    buffered
        Most steps between two times that the Injector is filled, and the Extractor emptied.
    """
    config = ChannelConfig(SendFull.BLOCKING, ReceiveEmpty.BLOCKING, ReceiveNotEmpty.FIFO)
    injector = Injector(shape=fsm.input_in.shape, buffer_size=buffered, channel_config=config)
    extractor = Extractor(shape=fsm.s_out.shape, buffer_size=buffered, channel_config=config)
    if target == "loihi2":
        try:
            from lava.proc.embedded_io.spike import NxToPyAdapter, PyToNxAdapter
        except ImportError as error:
            raise HardwareError(
                f"{error}: expected a complete installation of lava-loihi"
            ) from None

        to_chip, from_chip = (
            PyToNxAdapter(shape=fsm.input_in.shape),
            NxToPyAdapter(shape=fsm.s_out.shape),
        )
        injector.out_port.connect(to_chip.inp)
        to_chip.out.connect(fsm.input_in)
        fsm.s_out.connect(from_chip.inp)
        from_chip.out.connect(extractor.in_port)
    else:
        injector.out_port.connect(fsm.input_in)
        fsm.s_out.connect(extractor.in_port)
    return injector, extractor
