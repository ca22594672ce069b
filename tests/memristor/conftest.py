"""What the tests of the arrays share: small networks, a device without flaws, arrays that were
drawn, the commands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vsafsm.cli import main
from vsafsm.lowering import Code
from vsafsm.machine import Machine
from vsafsm.network import Contract, Network
from vsafsm.program import Program
from vsafsm_memristor.crossbar.array import Plan, faults_of, plan, programmed
from vsafsm_memristor.crossbar.crossbar import Faults, SimulatedCrossbar
from vsafsm_memristor.device.devices import Affine
from vsafsm_memristor.crossbar.parameters import settings


def small_network(
    neurons: int,
    largest: int = 3,
    seed: int = 0,
    codes: int = 2,
    gain: int = 0,
    bits: int = 5,
    steps: int = 2,
) -> Network:
    """Random weights of which some reach the largest; one state, the other codes pending."""
    rng = np.random.default_rng([seed, neurons, largest])
    weights = rng.integers(-largest, largest + 1, (neurons, neurons)).astype(np.int8)
    weights[0, 0], weights[-1, 0] = largest, -largest
    return Network(
        weights=weights,
        gain=gain,
        scale=1.0,
        bits=bits,
        masks=np.ones((2, neurons), np.bool_),
        codes=rng.random((codes, neurons)) < 0.5,
        labels=(Code(0), *(Code(0, True, (f"o{i}",)) for i in range(1, codes))),
        start=0,
        states=("only",),
        inputs=("i",),
        moore=((),),
        contract=Contract(steps, steps),
    )


@pytest.fixture(scope="session")
def networks() -> Callable[..., Network]:
    """Makes a small random network."""
    return small_network


@pytest.fixture(scope="session")
def ideal() -> Affine:
    """A device that takes its targets exactly, keeps them, and is read without noise."""
    return Affine("ideal", "none", 1.0, 40.0, read_noise=0.0)


@pytest.fixture(scope="session")
def program(compiled: Callable[..., Program], turnstile: Machine) -> Program:
    """The turnstile for crossbars."""
    return compiled(turnstile, target="memristor")


@pytest.fixture(scope="session")
def drawn() -> Callable[..., tuple[Plan, Faults, SimulatedCrossbar, np.random.Generator]]:
    """Draws an array of a network: -> (plan, faults, crossbar, the generator that reads go on
    with).
    """

    def draw(network: Network, seed: int = 0, **options: Any) -> Any:
        planned = plan(network, settings(options))
        rng = np.random.default_rng(seed)
        faults = faults_of(planned, rng)
        crossbar = programmed(planned, faults, rng).after(planned.settings.seconds, faults, rng)
        return planned, faults, crossbar, rng

    return draw


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Call the command line: -> (exit code, standard output, standard error)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call
