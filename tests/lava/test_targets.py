"""Run configurations: the simulator's, and the chip's with a stand-in for Intel's extension."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import vsafsm
from vsafsm.cli import main
from vsafsm.errors import UnavailableBackendError
from vsafsm.program import Program
from vsafsm_loihi2 import ChipNetwork

pytest.importorskip("lava.magma.core.process.process", reason="Lava is not installed")
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.model import AbstractProcessModel
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import Loihi2NeuroCore
from lava.magma.core.run_configs import Loihi2HwCfg, Loihi2SimCfg
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.dense.models import PyDenseModelBitAcc
from lava.proc.dense.process import Dense
from lava.proc.io.extractor import PyLoihiExtractorModel
from lava.proc.io.injector import PyLoihiInjectorModel
from lava.proc.io.sink import PyReceiveModelFixed
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.lif.models import PyLifModelBitAcc
from lava.proc.lif.process import LIF
from lava.utils import loihi

import vsafsm_lava
from vsafsm_lava import AttractorFSM, check_hardware, run_config
from vsafsm_lava.attractor.models import FusedModel, StockModel
from vsafsm_lava.targets import TARGETS, ChipConfig, HardwareError, connected

Patch = pytest.MonkeyPatch
SPECS = Path(__file__).parents[2] / "specs"
NOT_INSTALLED = "lava-loihi, Intel's extension for the chip, is not installed"


class NcModel(AbstractProcessModel):
    """What Intel's extension derives models for neurocores from."""

    def run(self) -> None:
        raise NotImplementedError


class CModel:
    """What Intel's extension derives models for embedded processors from."""


@implements(proc=LIF, protocol=LoihiProtocol)
@requires(Loihi2NeuroCore)
class NcLif(NcModel):
    pass


@implements(proc=Dense, protocol=LoihiProtocol)
@requires(Loihi2NeuroCore)
class NcDense(NcModel):
    pass


@pytest.fixture
def installed(monkeypatch: Patch) -> None:
    """Intel's extension is there, as far as Lava's run configurations look."""
    monkeypatch.setattr(loihi, "is_installed", lambda *name: True)
    monkeypatch.setattr(loihi, "host", None)
    monkeypatch.setattr("lava.magma.core.run_configs.CLoihiProcessModel", CModel, raising=False)
    monkeypatch.setattr(
        "lava.magma.core.run_configs.AbstractNcProcessModel", NcModel, raising=False
    )


@pytest.fixture
def board(installed: None, monkeypatch: Patch) -> None:
    """A board is chosen too."""
    monkeypatch.setattr(loihi, "host", "SLURM")


@pytest.fixture
def fsm(chip: ChipNetwork) -> AttractorFSM:
    return AttractorFSM(**chip.arrays())


# ---- the simulator


def test_a_target_of_the_simulator_is_a_choice_of_model(fsm: AttractorFSM) -> None:
    for target, model in (("sim", FusedModel), ("sim-stock", StockModel)):
        config = run_config(target)
        assert isinstance(config, Loihi2SimCfg)
        assert config.select(fsm, [FusedModel, StockModel]) is model
        assert config.select(LIF(shape=(1,)), [PyLifModelBitAcc]) is PyLifModelBitAcc
        injector, extractor = connected(AttractorFSM(**_given(fsm)), target, 8)
        assert config.select(injector, [PyLoihiInjectorModel]) is PyLoihiInjectorModel
        assert config.select(extractor, [PyLoihiExtractorModel]) is PyLoihiExtractorModel


def test_injector_and_extractor_are_at_the_ports(fsm: AttractorFSM) -> None:
    injector, extractor = connected(fsm, "sim-stock", 8)
    assert injector.out_port.get_dst_ports() == [fsm.input_in]
    assert extractor.in_port.get_src_ports() == [fsm.s_out]
    assert (injector.out_port.shape, extractor.in_port.shape) == (
        fsm.input_in.shape,
        fsm.s_out.shape,
    )


# ---- without the extension


def test_without_the_extension_the_chip_is_refused() -> None:
    assert TARGETS == ("sim", "sim-stock", "loihi2")
    for asked in (
        check_hardware,
        lambda: run_config("loihi2"),
        lambda: vsafsm_lava.run_config("loihi2"),
    ):
        with pytest.raises(
            HardwareError, match=f"{NOT_INSTALLED}: expected it from the Intel Neuromorphic"
        ):
            asked()


def test_a_session_on_the_chip_is_refused_by_name(program: Program) -> None:
    with pytest.raises(UnavailableBackendError, match=NOT_INSTALLED):
        vsafsm.open(program, backend="lava", target="loihi2")
    with pytest.raises(UnavailableBackendError, match=NOT_INSTALLED):
        vsafsm.run(program, ["coin"], "lava", target="loihi2")


def test_the_command_line_refuses_the_chip_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            [
                "run",
                str(SPECS / "turnstile.yaml"),
                "coin",
                "--backend",
                "lava",
                "--target",
                "loihi2",
            ]
        )
        == 2
    )
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"vsafsm: error: {NOT_INSTALLED}")
    assert captured.err.count("\n") == 1


# ---- with a stand-in for the extension


def test_without_a_board_the_chip_is_refused(installed: None, program: Program) -> None:
    with pytest.raises(
        HardwareError,
        match=r"no Loihi board is chosen: expected lava\.utils\.loihi\.use_slurm_host",
    ):
        run_config("loihi2")
    with pytest.raises(UnavailableBackendError, match="no Loihi board is chosen"):
        vsafsm.open(program, backend="lava", target="loihi2")


def test_with_a_board_the_chip_gets_stock_parts(board: None, fsm: AttractorFSM) -> None:
    check_hardware()
    config = run_config("loihi2")
    assert isinstance(config, ChipConfig)
    assert isinstance(config, Loihi2HwCfg)
    assert config.select(fsm, [FusedModel, StockModel]) is StockModel
    assert config.select(LIF(shape=(1,)), [PyLifModelBitAcc, NcLif]) is NcLif
    assert config.select(Dense(weights=_ones()), [PyDenseModelBitAcc, NcDense]) is NcDense
    assert config.select(LIF(shape=(1,)), [NcLif]) is NcLif


@pytest.mark.parametrize(
    ("process", "model"),
    [
        (lambda: LIF(shape=(1,)), PyLifModelBitAcc),
        (lambda: Dense(weights=_ones()), PyDenseModelBitAcc),
    ],
    ids=["LIF", "Dense"],
)
def test_nothing_of_the_network_falls_back_to_the_host(
    board: None, process: Callable[[], Any], model: type
) -> None:
    made = process()
    told = (
        f"no model of {type(made).__name__} for the chip, and {model.__name__} would run on the"
        " host"
    )
    for models in ([model], [model, model]):
        with pytest.raises(HardwareError, match=told):
            run_config("loihi2").select(made, models)


def test_not_even_the_machine_itself_does(board: None, fsm: AttractorFSM) -> None:
    config = ChipConfig(exception_proc_model_map={AttractorFSM: FusedModel})
    with pytest.raises(HardwareError, match="FusedModel would run on the host"):
        config.select(fsm, [FusedModel, StockModel])


def test_a_user_s_own_processes_may_run_on_the_host(board: None, fsm: AttractorFSM) -> None:
    config = run_config("loihi2")
    assert config.select(Sink(shape=(1,), buffer=1), [PyReceiveModelFixed]) is PyReceiveModelFixed
    injector, extractor = connected(fsm, "sim-stock", 8)
    assert config.select(injector, [PyLoihiInjectorModel]) is PyLoihiInjectorModel
    assert config.select(extractor, [PyLoihiExtractorModel]) is PyLoihiExtractorModel


class Adapter(AbstractProcess):
    """A stand-in for the spike adapters between host and chip."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(shape=shape)
        self.inp, self.out = InPort(shape=shape), OutPort(shape=shape)


class PyToNxAdapter(Adapter):
    pass


class NxToPyAdapter(Adapter):
    pass


def test_on_the_chip_spikes_pass_adapters(
    board: None, fsm: AttractorFSM, monkeypatch: Patch
) -> None:
    spike = ModuleType("lava.proc.embedded_io.spike")
    spike.PyToNxAdapter, spike.NxToPyAdapter = PyToNxAdapter, NxToPyAdapter
    monkeypatch.setitem(sys.modules, "lava.proc.embedded_io", ModuleType("lava.proc.embedded_io"))
    monkeypatch.setitem(sys.modules, "lava.proc.embedded_io.spike", spike)
    injector, extractor = connected(fsm, "loihi2", 8)
    (to_chip,), (from_chip,) = injector.out_port.out_connections, extractor.in_port.in_connections
    assert isinstance(to_chip.process, PyToNxAdapter)
    assert isinstance(from_chip.process, NxToPyAdapter)
    assert to_chip.process.out.out_connections == [fsm.input_in]
    assert from_chip.process.inp.in_connections == [fsm.s_out]
    assert to_chip.process.inp.shape == fsm.input_in.shape
    assert from_chip.process.out.shape == fsm.s_out.shape


def test_an_extension_without_adapters_is_refused(
    board: None, program: Program, children: Callable[[], set[int]]
) -> None:
    before = children()
    with pytest.raises(UnavailableBackendError, match="embedded_io"):
        vsafsm.open(program, backend="lava", target="loihi2")
    assert children() == before


def _ones() -> Any:
    import numpy as np

    return np.ones((1, 1), np.int32)


def _given(fsm: AttractorFSM) -> dict[str, Any]:
    """What a Process like this one is made of."""
    params = fsm.proc_params
    names = (
        "mask_exp",
        "bias",
        "bias_exp",
        "arrivals",
        "recurrent",
        "membrane",
        "hold_steps",
        "gap_steps",
    )
    made = {name: params[name] for name in names}
    return (
        made
        | {name: getattr(fsm, name).init for name in ("weights", "masks", "readout")}
        | {"du": 4095, "dv": 4095}
    )
