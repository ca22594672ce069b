"""Which layout is taken: what is asked for, what the target takes, or what costs less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm.errors import CompileError, RequirementError
from vsafsm.layouts import SMALL, choose
from vsafsm.lowering import Lowered, lower
from vsafsm.machine import Machine, Transition
from vsafsm.modules.prediction import predicted_synapses
from vsafsm.options import Options
from vsafsm.prediction import predicted_neurons
from vsafsm.requirements import Requirements
from vsafsm.sizing import HEADROOM


def random_machine(states: int, inputs: int) -> Machine:
    rng = np.random.default_rng(states)
    table = rng.integers(0, states, (states, inputs))
    names = tuple(f"s{x}" for x in range(states))
    rows = tuple(tuple(Transition(names[y]) for y in row) for row in table.tolist())
    symbols = tuple(f"i{a}" for a in range(inputs))
    return Machine("random", names, symbols, "s0", rows, ((),) * states)


@pytest.fixture(scope="module")
def large() -> Lowered:
    return lower(random_machine(1000, 2))


@pytest.fixture(scope="module")
def small() -> Lowered:
    return lower(random_machine(20, 2))


def test_small_machines_are_one_matrix_and_large_ones_modules(
    small: Lowered, large: Lowered
) -> None:
    assert choose(small, Options(), Requirements()) == "dense"
    assert choose(large, Options(), Requirements()) == "modules"


@pytest.mark.parametrize("margin", [0.1, 0.2, 0.3])
@pytest.mark.parametrize("states", [50, 150, 300, 600])
@pytest.mark.parametrize("inputs", [1, 2, 8, 16])
def test_the_layout_with_fewer_synapses_is_taken(margin: float, states: int, inputs: int) -> None:
    lowered = lower(random_machine(states, inputs))
    neurons = HEADROOM * predicted_neurons(lowered, Options())
    fewer = "dense" if neurons**2 <= predicted_synapses(lowered, margin) else "modules"
    expected = "dense" if neurons <= SMALL else fewer
    assert choose(lowered, Options(margin=margin), Requirements()) == expected


@pytest.mark.parametrize(
    ("options", "requirements"),
    [
        ({"layout": "dense"}, {}),
        ({"dimension": 2048}, {}),
        ({"code": "dense"}, {}),
        ({"rule": "one-shot"}, {}),
        ({"trigger": "level"}, {}),
        ({"margin": 0.41}, {}),
        ({}, {"one_matrix": True}),
        ({}, {"folded": True}),
        ({}, {"least_margin": 0.41}),
    ],
    ids=str,
)
def test_what_only_one_matrix_has_is_one_matrix(
    large: Lowered, options: dict[str, Any], requirements: dict[str, Any]
) -> None:
    assert choose(large, Options(**options), Requirements(**requirements)) == "dense"


def test_headroom_counts_in_both_layouts(large: Lowered) -> None:
    """Twice the neurons are four times the synapses of a matrix, and twice those of modules."""
    robust = Options(rule="small")
    for states in (300, 600):
        lowered = lower(random_machine(states, 2))
        matrix = (4 * predicted_neurons(lowered, robust)) ** 2
        modules = predicted_synapses(lowered, 0.4, "small", load=0.5)
        expected = "dense" if matrix <= modules else "modules"
        assert choose(lowered, robust, Requirements(least_margin=0.4, headroom=4.0)) == expected
    assert predicted_synapses(large, 0.4, "small", 0.5) > 1.5 * predicted_synapses(
        large, 0.4, "small"
    )


def test_headroom_makes_no_small_machine_modules() -> None:
    """More neurons are asked for to tolerate more, and modules tolerate less."""
    lowered = lower(random_machine(16, 8))
    wanted = Requirements(least_margin=0.4, headroom=16.0)
    assert 16 * predicted_neurons(lowered, Options()) > SMALL
    assert choose(lowered, Options(rule="small"), wanted) == "dense"


@pytest.mark.parametrize("options", [{"layout": "modules"}, {"module_neurons": 64}], ids=str)
def test_modules_are_had_for_the_asking(small: Lowered, options: dict[str, Any]) -> None:
    assert choose(small, Options(**options), Requirements()) == "modules"
    with pytest.raises(RequirementError, match="one matrix of weights"):
        choose(small, Options(**options), Requirements(one_matrix=True))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"dimension": 100}, "dimension is 100, which modules do not have; expected auto"),
        ({"code": "dense"}, "code is dense"),
        ({"rule": "one-shot"}, "rule is one-shot"),
        ({"trigger": "level"}, "trigger is level"),
    ],
)
def test_what_modules_do_not_have_is_told(
    small: Lowered, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(CompileError, match=told):
        choose(small, Options(layout="modules", **options), Requirements())


def test_machines_with_guards_are_one_matrix(large: Lowered) -> None:
    guarded = replace(large, guarded=True)
    assert choose(guarded, Options(), Requirements()) == "dense"
    with pytest.raises(CompileError, match="a machine with guards has one matrix"):
        choose(guarded, Options(layout="modules"), Requirements())


def test_neurons_of_modules_in_one_matrix_are_told(small: Lowered) -> None:
    with pytest.raises(CompileError, match="module_neurons is an option of modules"):
        choose(small, Options(layout="dense", module_neurons=64), Requirements())


def test_the_prediction_is_near_what_is_built() -> None:
    """Within two fifths, for a machine of its own."""
    machine = random_machine(120, 2)
    for margin in (0.1, 0.3):
        program = vsafsm.compile(machine, layout="modules", margin=margin)
        found, predicted = program.network.synapses, predicted_synapses(lower(machine), margin)
        assert 0.6 < found / predicted < 1.4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"module_neurons": 100}, "module_neurons is 100; expected a multiple of 8"),
        ({"bits": 4}, "at least 5 bits"),
        ({"active": 12}, "active is 12; expected a multiple of 8"),
        ({"module_neurons": 16, "margin": 0.3}, "lack the margin|two codes|more than there are"),
    ],
)
def test_sizes_that_do_not_fit_are_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(vsafsm.VsafsmError, match=told):
        vsafsm.compile(random_machine(40, 2), layout="modules", **options)


def test_memory_is_predicted_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsafsm.memory.most_memory", lambda: 2**27)
    machine = random_machine(3000, 4)
    with pytest.raises(CompileError, match=r'machine "random" needs about .* GiB of memory'):
        vsafsm.compile(machine)
