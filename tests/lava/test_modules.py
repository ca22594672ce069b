"""Programs in modules: both models against the integer simulator and the network written out as one
matrix, sessions, proofs and the emitted package.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm.cli import main
from vsafsm.discovery import find
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_loihi2 import ChipNetwork, Settings, lower

pytest.importorskip("lava.magma.core.process.process", reason="Lava is not installed")
from vsafsm_lava import AttractorFSM, attractor_fsm

Fixture = Callable[..., Any]
SIMULATORS = ("sim", "sim-stock")


@pytest.fixture(scope="module")
def modular(
    random_machines: Callable[[int, int, int], Machine], compiled: Callable[..., Program]
) -> Program:
    """A random machine of 40 states in three modules."""
    return compiled(random_machines(40, 2, 0), target="lava", layout="modules")


@pytest.fixture(scope="module")
def tcp(examples: dict[str, Machine], compiled: Callable[..., Program]) -> Program:
    """A machine with outputs of transitions, in small modules."""
    return compiled(
        examples["tcp_connection"], target="lava", layout="modules", module_neurons=64, margin=0.1
    )


@pytest.fixture(scope="module")
def words(words_machine: Callable[..., Machine], compiled: Callable[..., Program]) -> Program:
    """A machine of nine inputs in modules whose masks differ."""
    return compiled(words_machine(6, 9), target="lava", layout="modules", active=16, margin=0.1)


@pytest.fixture(scope="module")
def chip(modular: Program) -> ChipNetwork:
    return lower(modular.network)


@pytest.mark.parametrize("target", SIMULATORS)
@pytest.mark.parametrize("settings", [Settings(), Settings(hold_steps=5, gap_steps=4)], ids=str)
def test_every_step_is_the_simulator_s(
    modular: Program,
    target: str,
    settings: Settings,
    recorded: Fixture,
    simulated: Fixture,
    train: Fixture,
) -> None:
    chip = lower(modular.network, settings)
    assert chip.network.modules == 3
    channels = train(chip, 100)
    found, expected = recorded(chip, channels, target), simulated(chip, channels)
    assert found.same(expected)
    modules = np.flatnonzero(expected.spikes.any(0)) // chip.network.module_neurons
    assert len(np.unique(modules)) > 1


@pytest.mark.parametrize("name", ["modular", "words"])
def test_every_step_is_that_of_one_matrix(
    name: str, request: pytest.FixtureRequest, recorded: Fixture, train: Fixture
) -> None:
    chip = lower(request.getfixturevalue(name).network)
    channels = train(chip, 100, 1)
    dense = lower(chip.network.to_dense())
    found = [recorded(each, channels, "sim") for each in (chip, dense)]
    assert (found[0].spikes == found[1].spikes).all()
    assert (found[0].scores == found[1].scores).all()


@pytest.mark.parametrize("target", SIMULATORS)
def test_a_session_is_right(
    tcp: Program, target: str, truth: Callable[[Program, list[str]], vsafsm.Run]
) -> None:
    assert tcp.network.modules > 1
    word = list(tcp.machine.demonstration())
    assert vsafsm.run(tcp, word, "lava", target=target) == truth(tcp, word)
    assert any(tcp.machine.run(word).outputs)


def test_it_is_proven_and_described(
    modular: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "modular.npz")
    modular.save(file)
    assert main(["prove", file, "--backend", "lava"]) == 0
    capsys.readouterr()
    assert main(["info", file, "--backend", "lava", "--json"]) == 0
    described = json.loads(capsys.readouterr().out)["backend"]
    assert described == dict(find("loihi2").describe(modular))


def test_the_process_has_the_modules_weights(modular: Program, chip: ChipNetwork) -> None:
    fsm = attractor_fsm(modular)
    assert fsm.s_out.shape == (chip.network.neurons,)
    assert fsm.state_out.shape == (40,)
    assert (fsm.weights.init == chip.blocks).all()
    assert (fsm.readout.init == chip.readout).all()
    assert fsm.channel("i1") == 2


@pytest.mark.parametrize("left_out", ["starts", "targets", "values", "homes", "blocks"])
def test_modules_without_a_part_are_refused(chip: ChipNetwork, left_out: str) -> None:
    arrays = dict(chip.arrays())
    del arrays[left_out]
    with pytest.raises(TypeError, match="expected weights, or blocks, starts"):
        AttractorFSM(**arrays)


def test_modules_beside_one_matrix_are_refused(chip: ChipNetwork) -> None:
    with pytest.raises(TypeError, match="neither one matrix nor modules"):
        AttractorFSM(**chip.arrays(), weights=np.zeros((4, 4), np.int32))


@pytest.mark.parametrize(
    ("name", "target"), [("tcp", "sim"), ("tcp", "sim-stock"), ("words", "sim")]
)
def test_the_package_prints_states_and_outputs(
    name: str, target: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    program: Program = request.getfixturevalue(name)
    find("lava").emit(program, tmp_path)
    word = list(program.machine.demonstration())[:12]
    command = [sys.executable, str(tmp_path / "run.py"), *word, "--target", target]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    cells = [line[16:].strip().split("  ", 1) for line in done.stdout.splitlines()]
    trace = program.machine.run(word)
    assert tuple(cell[0] for cell in cells) == trace.states
    told = [tuple(cell[1].strip().split(", ")) if len(cell) > 1 else () for cell in cells]
    assert told == [trace.initial_outputs, *trace.outputs]


def test_noisy_weights_are_refused(modular: Program) -> None:
    network = modular.network
    noisy = network.with_all_weights(
        network.blocks.astype(np.float64), network.between.values.astype(np.float64)
    )
    with pytest.raises(vsafsm.errors.RequirementError, match="whole numbers"):
        vsafsm.open(replace(modular, network=noisy), backend="lava")
