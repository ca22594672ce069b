"""Engines against the integer engine: the same spikes, in runs of any length."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from vsafsm.errors import UnavailableBackendError
from vsafsm.machine import Machine
from vsafsm_loihi2 import ChipNetwork, Settings
from vsafsm_loihi2.session import IntegerEngine

pytest.importorskip("lava.magma.core.process.process", reason="Lava is not installed")
from lava.magma.compiler.channels.pypychannel import CspRecvPort
from lava.magma.core.process.process import ProcessServer
from lava.magma.core.process.variable import VarServer

from vsafsm_lava.engine import FusedEngine, StockEngine, engine
from vsafsm_lava.hosted.process import CHUNK

Fixture = Callable[..., Any]
SIMULATORS = ("sim", "sim-stock")


@pytest.mark.slow
@pytest.mark.parametrize("target", SIMULATORS)
@pytest.mark.parametrize(
    "settings",
    [Settings(), Settings(hold_steps=6, gap_steps=3), Settings(du=3000, dv=3500)],
    ids=str,
)
def test_runs_of_any_length_are_the_integer_engine_s(
    target: str, settings: Settings, examples: dict[str, Machine], chip_of: Fixture
) -> None:
    chip = chip_of(examples["vending_machine"], settings)
    oracle, rng = IntegerEngine(chip), np.random.default_rng(5)
    with closing(engine(chip, target)) as ours:
        for steps in (
            1,
            CHUNK - 1,
            CHUNK,
            CHUNK + 1,
            2 * CHUNK,
            3 * CHUNK + 7,
            *rng.integers(1, 15, 30).tolist(),
        ):
            channel = None if rng.random() < 0.2 else int(rng.integers(chip.latch.channels))
            found = ours.run(channel, steps)
            assert len(found) == steps
            assert found.keys == oracle.run(channel, steps).keys


@pytest.mark.parametrize("target", SIMULATORS)
def test_an_event_is_not_late_on_a_busy_machine(
    target: str, late: str, chip: ChipNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CspRecvPort, "start", CspRecvPort.start)  # put back in the end
    exec(late, {})
    oracle = IntegerEngine(chip)
    with closing(engine(chip, target)) as ours:
        for channel in (None, 1, 2, 2, 1, 0):
            assert ours.run(channel, 7).keys == oracle.run(channel, 7).keys


@pytest.mark.parametrize(("target", "kind"), [("sim", FusedEngine), ("sim-stock", StockEngine)])
def test_each_target_has_its_engine_and_closes_twice(
    target: str, kind: type, chip: ChipNetwork, children: Callable[[], set[int]]
) -> None:
    before = children()
    ours = engine(chip, target)
    assert isinstance(ours, kind)
    assert len(children() - before) >= 3
    ours.close()
    ours.close()
    assert children() == before


def test_several_are_open_at_a_time(chip: ChipNetwork) -> None:
    oracles = [IntegerEngine(chip) for _ in range(3)]
    with (
        closing(engine(chip, "sim")) as a,
        closing(engine(chip, "sim-stock")) as b,
        closing(engine(chip, "sim")) as c,
    ):
        for n in range(12):
            for engine_, oracle, channel in zip(
                (a, b, c), oracles, (n % 3, (n + 1) % 3, None), strict=True
            ):
                assert engine_.run(channel, 7).keys == oracle.run(channel, 7).keys


@pytest.mark.parametrize("target", SIMULATORS)
def test_an_engine_that_is_lost_is_closed(
    target: str, chip: ChipNetwork, children: Callable[[], set[int]]
) -> None:
    before = children()
    ours = engine(chip, target)
    ours.run(None, 3)
    del ours
    assert children() == before


@pytest.mark.parametrize("target", SIMULATORS)
def test_neither_logging_nor_lava_remember_it(target: str, chip: ChipNetwork) -> None:
    loggers = [logging.getLogger(), logging.getLogger("lava.magma.compiler.compiler")]
    before = [list(logger.handlers) for logger in loggers]
    known = len(ProcessServer().processes), VarServer().num_vars
    with closing(engine(chip, target)):
        assert [list(logger.handlers) for logger in loggers] == before
        assert (len(ProcessServer().processes), VarServer().num_vars) == known


def test_its_memory_is_free_once_it_is_closed(chip: ChipNetwork) -> None:
    ours = engine(chip, "sim")
    fsm = weakref.ref(ours._fsm)
    ours.close()
    del ours
    gc.collect()
    assert fsm() is None


def test_the_chip_is_not_here(chip: ChipNetwork, children: Callable[[], set[int]]) -> None:
    known = len(ProcessServer().processes)
    with pytest.raises(UnavailableBackendError, match="lava-loihi"):
        engine(chip, "loihi2")
    assert len(ProcessServer().processes) == known
