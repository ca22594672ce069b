"""The Process: its ports, its Vars and names, and how it is made of a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import vsafsm
import vsafsm_lava
from vsafsm import errors as e
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_loihi2 import ChipNetwork

pytest.importorskip("lava.magma.core.process.process", reason="Lava is not installed")

VARS = {"weights", "masks", "readout", "u", "v", "vth", "du", "dv"}


def test_ports_have_the_shape_of_the_machine(program: Program) -> None:
    fsm = vsafsm_lava.attractor_fsm(program)
    network = program.network
    assert isinstance(fsm, vsafsm_lava.AttractorFSM)
    assert fsm.input_in.shape == (1 + len(network.inputs),)
    assert fsm.s_out.shape == (network.neurons,)
    assert fsm.state_out.shape == (len(network.states),)


def test_vars_hold_the_chip_s_integers(chip: ChipNetwork) -> None:
    fsm = vsafsm_lava.AttractorFSM(**chip.arrays())
    assert {var.name for var in fsm.vars} == VARS
    given = chip.arrays()
    for name in ("weights", "masks", "readout"):
        var = getattr(fsm, name)
        assert var.shape == np.shape(given[name])
        assert (var.get() == given[name]).all()
    assert fsm.u.shape == fsm.v.shape == chip.bias.shape
    assert [int(getattr(fsm, name).get()[0]) for name in ("vth", "du", "dv")] == [0, 4095, 4095]
    assert all(np.asarray(getattr(fsm, name).init).dtype == np.int32 for name in VARS)


def test_channels_and_states_have_names(program: Program) -> None:
    fsm = vsafsm_lava.attractor_fsm(program)
    assert fsm.channel_names == ("(reset)", "coin", "push")
    assert fsm.state_names == ("locked", "unlocked")
    assert [fsm.channel(name) for name in fsm.channel_names] == [0, 1, 2]
    with pytest.raises(
        KeyError, match=r'no channel "coim"; expected one of: \(reset\), coin, push'
    ):
        fsm.channel("coim")


def test_names_may_be_left_out(chip: ChipNetwork) -> None:
    fsm = vsafsm_lava.AttractorFSM(**chip.arrays(), name="door")
    assert (fsm.name, fsm.channel_names, fsm.state_names) == ("door", (), ())
    with pytest.raises(KeyError):
        fsm.channel("coin")


def test_an_input_may_be_called_like_the_reset(turnstile: Machine) -> None:
    machine = replace(turnstile, inputs=("(reset)", "push"))
    fsm = vsafsm_lava.attractor_fsm(vsafsm.compile(machine, target="lava"))
    assert fsm.channel_names == ("((reset))", "(reset)", "push")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (2, 2, 4095, 4095)),
        ({"hold_steps": 7, "gap_steps": 3}, (7, 3, 4095, 4095)),
        ({"target": "sim-stock"}, (2, 2, 4095, 4095)),
    ],
    ids=str,
)
def test_options_are_the_backend_s(
    program: Program, options: dict[str, Any], expected: tuple[int, ...]
) -> None:
    fsm = vsafsm_lava.attractor_fsm(program, **options)
    assert (fsm.hold_steps, fsm.gap_steps, int(fsm.du.get()[0]), int(fsm.dv.get()[0])) == expected


def test_options_that_cannot_be_are_refused(program: Program, turnstile: Machine) -> None:
    with pytest.raises(e.OptionError, match="hold_steps is 1; expected at least the 2"):
        vsafsm_lava.attractor_fsm(program, hold_steps=1)
    with pytest.raises(e.OptionError, match="du is 5000"):
        vsafsm_lava.attractor_fsm(program, du=5000)
    with pytest.raises(e.RequirementError, match='did you mean "hold_steps"'):
        vsafsm_lava.attractor_fsm(program, hold_step=3)
    with pytest.raises(e.RequirementError, match='target="lava"'):
        vsafsm_lava.attractor_fsm(vsafsm.compile(turnstile, bits=12))


def test_leaky_neurons_keep_their_decays(
    turnstile: Machine, compiled: Callable[..., Program]
) -> None:
    leaky = vsafsm.compile(turnstile, target="lava", target_options={"du": 3000, "dv": 3500})
    fsm = vsafsm_lava.attractor_fsm(leaky, du=3000, dv=3500)
    assert (int(fsm.du.get()[0]), int(fsm.dv.get()[0])) == (3000, 3500)
    assert fsm.hold_steps > leaky.network.contract.hold_steps


def test_the_package_has_no_other_names() -> None:
    assert all(hasattr(vsafsm_lava, name) for name in vsafsm_lava.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Attractor'"):
        vsafsm_lava.Attractor  # noqa: B018
