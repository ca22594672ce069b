"""Programs in modules: the same spikes as of the network written out as one matrix, the states of
the interpreter, and nothing of codes x cells.
"""

from __future__ import annotations

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
from vsafsm.lowering import REST
from vsafsm.program import Program
from vsafsm_brian2 import Brian2FSM, Parameters, Realism
from vsafsm_brian2.reading import Event, Recording, active
from vsafsm_brian2.surroundings import target

BRIAN2: Any = find("brian2")
WORD = ["i1", "i0", "i0", "i1", "i1", "i0"]


def built(program: Program, **realism: float) -> Brian2FSM:
    with target("numpy"):
        return Brian2FSM(program, Parameters(), Realism(**realism), np.random.default_rng(0))


def weights_of(fsm: Brian2FSM) -> np.ndarray:
    found = np.zeros((fsm.network.neurons, fsm.network.neurons))
    found[np.asarray(fsm.recurrent.j), np.asarray(fsm.recurrent.i)] = np.asarray(
        fsm.recurrent.w / fsm.namespace["w_step"]
    )
    return found


def test_the_default_meets_what_the_backend_asks_for(modular: Program) -> None:
    assert modular.network.modules == 3
    assert modular.claim.margin >= 0.4
    assert modular.options.rule == "small"
    requirements = BRIAN2.requirements({})
    assert not requirements.unmet(modular.network, modular.claim.margin)
    assert requirements.noise_tolerance_ratio(modular.network, modular.claim.margin) >= 1


def test_states_are_the_interpreter_s(
    modular: Program, truth: Callable[[Program, list[str]], vsafsm.Run]
) -> None:
    found = vsafsm.run(modular, WORD, "brian2")
    assert found == truth(modular, WORD)
    network = modular.network
    homes = {int(network.homes[network.states.index(state)]) for state in found.states if state}
    assert len(homes) > 1


@pytest.mark.parametrize("name", ["modular", "words"])
def test_spikes_are_those_of_one_matrix(name: str, request: pytest.FixtureRequest) -> None:
    """Also where masks differ between modules."""
    program: Program = request.getfixturevalue(name)
    dense = replace(program, network=program.network.to_dense())
    word = program.machine.inputs[:2]
    spikes = [BRIAN2.record(each, word)[0] for each in (program, dense)]
    assert spikes[0].cells.tolist() == spikes[1].cells.tolist()
    assert spikes[0].times_ms.tolist() == spikes[1].times_ms.tolist()


def test_objects_are_those_of_one_matrix(modular: Program) -> None:
    network = modular.network
    dense = network.to_dense()
    fsm = built(modular)
    assert np.allclose(weights_of(fsm), dense.weights)
    for line, mask in enumerate(dense.masks):
        closed = np.asarray(fsm.masks.j)[np.asarray(fsm.masks.i) == line]
        assert (np.sort(closed) == np.flatnonzero(~mask)).all()
    start = np.flatnonzero(dense.codes[network.start])
    assert (np.sort(np.asarray(fsm.reset.j)) == start).all()
    for state in network.states:
        code = dense.codes[network.states.index(state)]
        assert (fsm.code(state) == np.flatnonzero(code)).all()


def test_damage_is_drawn_for_the_weights_that_are_held(modular: Program) -> None:
    network = modular.network
    dense = network.to_dense().weights
    module = np.arange(network.neurons) // network.module_neurons
    held = (module[:, None] == module) | (dense != 0)
    added = weights_of(built(modular, weight_noise=0.5)) - dense
    assert not added[~held].any()
    for part in (held & (module[:, None] == module), held & (module[:, None] != module)):
        assert added[part].std() == pytest.approx(0.5 * network.weight_std, rel=0.05)
    damaged = weights_of(built(modular, missing=0.3))
    assert (damaged[dense != 0] == 0).mean() == pytest.approx(0.3, abs=0.02)


def test_who_is_active_does_not_depend_on_the_number_of_modules() -> None:
    counts = np.zeros(64, np.intp)
    counts[[3, 5, 9, 11]] = 6, 6, 5, 1
    expected = np.flatnonzero(active(counts, 64)).tolist()
    assert expected == [3, 5, 9]
    assert np.flatnonzero(active(np.append(counts, np.zeros(64 * 200, int)), 64)).tolist() == [
        *expected
    ]


def test_overlaps_and_codes_over_time(modular: Program) -> None:
    network = modular.network
    cells = network.code_activity(7)
    cells = cells[network.open_at(REST, REST, cells)]
    times = np.repeat(np.arange(0.0, 200.0, 10.0), len(cells))
    recording = Recording(network, times, np.tile(cells, 20).astype(np.intp), (), 200.0)
    assert recording.read(Event(-1, 0.0, 60.0), 190.0).state == network.states[7]
    at, overlaps = recording.overlaps()
    assert overlaps.shape == (len(at), len(network.codes))
    assert (overlaps.argmax(1)[at > 30] == 7).all()
    assert set(recording.decoded()[1].tolist()) == {7}


def test_it_is_drawn_and_described(
    modular: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modular.save(tmp_path / "modular.npz")
    picture = str(tmp_path / "run.svg")
    assert (
        main(["plot", str(tmp_path / "modular.npz"), "i1", "--backend", "brian2", "-o", picture])
        == 0
    )
    assert "neurons, by state" in Path(picture).read_text()
    assert BRIAN2.describe(modular)["recurrent_synapses"] == int(modular.network.fan_out.sum())
    assert "Each of the 2 states is the interpreter's" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["modular", "words"])
def test_the_script_prints_the_states(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    program: Program = request.getfixturevalue(name)
    BRIAN2.emit(program, tmp_path)
    word = [*program.machine.inputs[:2], program.machine.inputs[0]]
    command = [sys.executable, str(tmp_path / "run.py"), *word]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    states = [line[14:].split("  ")[0] for line in done.stdout.splitlines()]
    assert tuple(states) == program.machine.run(word).states
