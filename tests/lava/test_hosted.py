"""The session's variant of the Process: shared memory in, shared memory out, the same steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from vsafsm.machine import Machine
from vsafsm_loihi2 import ChipNetwork, ChipSimulator, Settings

pytest.importorskip("lava.magma.core.process.process", reason="Lava is not installed")
from vsafsm_lava.engine import FusedEngine
from vsafsm_lava.hosted.process import CHUNK, HostedFSM

Fixture = Callable[..., Any]


@pytest.fixture
def opened() -> Iterator[Callable[[ChipNetwork], FusedEngine]]:
    """Makes engines that are closed in the end."""
    engines: list[FusedEngine] = []

    def made(chip: ChipNetwork) -> FusedEngine:
        engines.append(FusedEngine(chip))
        return engines[-1]

    yield made
    for engine in engines:
        engine.close()


def chunk(engine: FusedEngine, channel: int, steps: int) -> np.ndarray[Any, Any]:
    """One chunk, by hand."""
    fsm = engine._fsm
    fsm.orders[:] = channel, steps
    engine._running.run(steps)
    return np.unpackbits(fsm.report, axis=1)[:steps]


def by_steps(simulator: ChipSimulator, channel: int, steps: int) -> np.ndarray[Any, Any]:
    channels = np.zeros((steps, simulator.chip.latch.channels), np.bool_)
    if channel >= 0:
        channels[0, channel] = True
    return np.stack([simulator.step(row) for row in channels])


@pytest.mark.parametrize("dimension", [80, 83])
def test_a_bit_of_the_report_is_a_neuron(
    dimension: int, turnstile: Machine, chip_of: Fixture
) -> None:
    fsm = HostedFSM(**chip_of(turnstile, dimension=dimension).arrays())
    assert fsm.orders.shape == (2,)
    assert fsm.report.shape == (CHUNK, -(-dimension // 8))
    assert fsm.proc_params["orders"] is fsm.orders
    assert {var.name for var in fsm.vars} == {
        "weights",
        "masks",
        "readout",
        "u",
        "v",
        "vth",
        "du",
        "dv",
    }


@pytest.mark.parametrize("dimension", [80, 83])
def test_chunks_of_any_length_are_the_simulator_s_steps(
    dimension: int,
    turnstile: Machine,
    chip_of: Fixture,
    opened: Callable[[ChipNetwork], FusedEngine],
) -> None:
    chip = chip_of(turnstile, dimension=dimension)
    engine, simulator, rng = opened(chip), ChipSimulator(chip), np.random.default_rng(dimension)
    for steps in (1, 2, CHUNK, *rng.integers(1, 12, 40).tolist()):
        channel = int(rng.integers(-1, chip.latch.channels))
        found = chunk(engine, channel, steps)
        assert (found[:, : len(chip.bias)] == by_steps(simulator, channel, steps)).all()
        assert not found[:, len(chip.bias) :].any()


def test_vars_are_there_after_a_chunk(
    chip: ChipNetwork, opened: Callable[[ChipNetwork], FusedEngine]
) -> None:
    engine, simulator = opened(chip), ChipSimulator(chip)
    for channel, steps in ((-1, 4), (1, 5)):
        chunk(engine, channel, steps)
        by_steps(simulator, channel, steps)
    assert (engine._fsm.u.get() == simulator.u).all()
    assert (engine._fsm.v.get() == simulator.v).all()
    assert (engine._fsm.weights.get() == chip.weights).all()


def test_two_do_not_share(
    turnstile: Machine, chip_of: Fixture, opened: Callable[[ChipNetwork], FusedEngine]
) -> None:
    chips = [chip_of(turnstile), chip_of(turnstile, Settings(hold_steps=5))]
    engines, simulators = [opened(each) for each in chips], [ChipSimulator(each) for each in chips]
    for channel in (-1, 1, 2, 1, 0):
        for engine, simulator in zip(engines, simulators, strict=True):
            found = chunk(engine, channel, 9)[:, : len(chips[0].bias)]
            assert (found == by_steps(simulator, channel, 9)).all()
