"""Kinds of inhibition, signs and synapses that options ask for, and cells that are faster."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm.discovery import find
from vsafsm.errors import OptionError
from vsafsm.machine import Machine
from vsafsm.program import Program

pytest.importorskip("brian2")

from vsafsm_brian2 import Brian2FSM, ContractWarning, Parameters, Realism
from vsafsm_brian2.model import namespace

VARIANTS: tuple[dict[str, Any], ...] = (
    {"inhibitory_cells": 80},
    {"signs": "dale"},
    {"synapses": "conductance"},
    {"inhibitory_cells": 80, "signs": "dale", "synapses": "conductance"},
)
Truth = Callable[[Program, list[str]], vsafsm.Run]


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_each_runs_like_the_interpreter(
    program: Program, truth: Truth, options: dict[str, Any]
) -> None:
    word = ["coin", "push", "push", "coin", "coin", "push"]
    assert vsafsm.run(program, word, "brian2", **options) == truth(program, word)


@pytest.mark.slow
@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_each_runs_a_larger_machine(
    vending: Program, truth: Truth, options: dict[str, Any]
) -> None:
    word = np.random.default_rng(0).choice(vending.machine.inputs, 20).tolist()
    assert vsafsm.run(vending, word, "brian2", **options) == truth(vending, word)


def matrix(joined: Any, step: Any, neurons: int) -> Any:
    found = np.zeros((neurons, neurons))
    found[np.asarray(joined.j), np.asarray(joined.i)] = np.asarray(joined.w / step)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("synapses", ["current", "conductance"])
def test_no_sender_has_both_signs(program: Program, synapses: str) -> None:
    fsm = Brian2FSM(program, Parameters(signs="dale", synapses=synapses))
    step, neurons = fsm.namespace["w_step"], program.network.neurons
    positive = matrix(fsm.recurrent, step, neurons)
    negative = matrix(fsm.recurrent_inhibitory, step, neurons)
    assert fsm.recurrent.source is fsm.cells
    assert fsm.recurrent_inhibitory.source is fsm.partners
    assert positive.min() >= 0
    assert negative.min() >= 0
    assert np.allclose(positive - negative, program.network.weights)


@pytest.mark.slow
def test_a_spiking_pool_inhibits_as_much_as_the_graded_one(program: Program) -> None:
    cells = 50
    fsm = Brian2FSM(program, Parameters(inhibitory_cells=cells))
    assert len(fsm.inhibitory) == cells
    found = fsm.namespace
    # Charge that a spike brings, and that a cell needs to fire.
    arriving = float(found["w_in"] * found["tau_in"])
    needed = float(found["C_inh"] * (found["V_th_inh"] - found["E_L"]))
    spikes = arriving / needed * len(fsm.to_pool) / program.network.neurons
    assert spikes * float(found["share"]) == pytest.approx(1.0, rel=0.1)


@pytest.mark.slow
def test_a_spiking_pool_is_drawn_from_the_seed(program: Program) -> None:
    first, again, other = (
        Brian2FSM(program, Parameters(inhibitory_cells=20), rng=np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first.to_pool.i, again.to_pool.i)
    assert not np.array_equal(np.asarray(first.inhibitory.v), np.asarray(other.inhibitory.v))


@pytest.mark.slow
def test_missing_synapses_are_missing_to_the_spiking_pool(program: Program) -> None:
    whole, half = (
        len(Brian2FSM(program, Parameters(inhibitory_cells=50), Realism(missing=share)).to_pool)
        for share in (0.0, 0.5)
    )
    assert half == pytest.approx(whole / 2, rel=0.1)


def test_conductances_pass_the_currents_at_the_reference_voltage(program: Program) -> None:
    found = namespace(program, Parameters(synapses="conductance"), Realism())
    assert found["E_inh"] < found["V_ref"] < found["E_exc"]


def test_faster_cells_take_shorter_holds(program: Program, truth: Truth) -> None:
    word = ["coin", "push", "push", "coin", "coin", "push"]
    found = vsafsm.run(program, word, "brian2", hold_ms=10.0)
    assert found == truth(program, word)
    assert vsafsm.run(program, word, "brian2", hold_ms=40.0, speed=4.0) == found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ContractWarning)
        slow = vsafsm.run(program, word, "brian2", hold_ms=10.0, speed=1.0)
    assert slow != found


def test_speed_divides_the_time_constants_of_cells() -> None:
    usual, fast = Parameters(), Parameters(speed=2.0).at_speed
    assert (fast.tau_syn_ms, fast.tau_mem_ms) == (usual.tau_syn_ms / 2, usual.tau_mem_ms / 2)
    assert fast.refractory_ms == usual.refractory_ms / 2


def test_the_size_tolerant_takes_more_neurons(turnstile: Machine) -> None:
    usual, tolerant = (
        vsafsm.compile(turnstile, target="brian2", target_options={"size": size})
        for size in ("usual", "tolerant")
    )
    assert tolerant.smallest == usual.smallest
    assert tolerant.network.neurons >= 2 * usual.network.neurons
    find("brian2").open(tolerant).close()


@pytest.mark.parametrize("wrong", [{"synapses": "curent"}, {"signs": "both"}], ids=str)
def test_a_variant_that_is_unknown_is_refused_by_name(
    program: Program, wrong: dict[str, Any]
) -> None:
    (name,) = wrong
    with pytest.raises(OptionError, match=f"{name} is .*; expected one of"):
        vsafsm.run(program, ["coin"], "brian2", **wrong)


def test_a_size_that_is_unknown_is_refused_by_name(program: Program) -> None:
    with pytest.raises(OptionError, match=r"size is .*; expected one of: usual, tolerant"):
        vsafsm.compile(program.machine, target="brian2", target_options={"size": "huge"})


@pytest.mark.parametrize("options", VARIANTS[:3], ids=str)
def test_the_script_has_none_of_them(
    program: Program, tmp_path: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(OptionError, match=r"the script has no .*; expected"):
        find("brian2").emit(program, tmp_path, **options)
