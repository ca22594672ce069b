"""The Brian2 objects: what they hold, what realism draws, and single cells against the formulas."""

from __future__ import annotations

import brian2 as b2
import numpy as np
import pytest
from brian2 import Hz, amp, ms, pA, second

import vsafsm
from vsafsm.errors import BackendError, RequirementError, UnknownStateError
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_brian2 import Brian2FSM, Parameters, Realism
from vsafsm_brian2.surroundings import target


@pytest.fixture(autouse=True)
def numpy_only() -> object:
    """No compiler for a few cells."""
    with target("numpy"):
        yield


def built(
    program: Program, seed: int = 0, parameters: Parameters | None = None, **realism: float
) -> Brian2FSM:
    return Brian2FSM(program, parameters, Realism(**realism), np.random.default_rng(seed))


def weights_of(fsm: Brian2FSM) -> np.ndarray:
    found = np.zeros(fsm.network.weights.shape)
    found[np.asarray(fsm.recurrent.j), np.asarray(fsm.recurrent.i)] = np.asarray(
        fsm.recurrent.w / fsm.namespace["w_step"]
    )
    return found


def test_without_realism_the_weights_are_the_program_s(program: Program) -> None:
    fsm = built(program)
    assert np.allclose(weights_of(fsm), program.network.weights)
    assert len(fsm.to_pool) == len(fsm.cells) == program.network.neurons
    assert np.allclose(np.asarray(fsm.recurrent.delay / ms), 0)
    assert fsm.recurrent.w[:].dim == amp.dim


def test_masks_close_what_the_program_closes_and_lines_have_names(program: Program) -> None:
    fsm = built(program)
    for symbol in program.machine.inputs:
        line = fsm.line(symbol)
        closed = np.asarray(fsm.masks.j)[np.asarray(fsm.masks.i) == line]
        assert (np.sort(closed) == np.flatnonzero(~program.network.masks[line])).all()
    start = fsm.code(program.machine.initial)
    assert (np.sort(np.asarray(fsm.reset.j)) == start).all()
    with pytest.raises(BackendError, match='did you mean "coin"'):
        fsm.line("coim")
    with pytest.raises(UnknownStateError, match='did you mean "locked"'):
        fsm.code("loked")


def test_weight_noise_is_in_standard_deviations_of_the_weights(program: Program) -> None:
    noisy = weights_of(built(program, weight_noise=0.5))
    added = noisy - program.network.weights
    assert added.std() == pytest.approx(0.5 * program.network.weights.std(), rel=0.02)
    assert abs(added.mean()) < 0.02 * program.network.weights.std()


def test_missing_synapses_are_missing_and_nothing_is_rescaled(program: Program) -> None:
    fsm = built(program, missing=0.3)
    weights = weights_of(fsm)
    assert set(
        np.unique((weights == 0) | np.isclose(weights, program.network.weights)).tolist()
    ) == {True}
    there = program.network.weights != 0
    assert (weights[there] == 0).mean() == pytest.approx(0.3, abs=0.02)
    assert len(fsm.to_pool) / len(fsm.cells) == pytest.approx(0.7, abs=0.12)


def test_delays(program: Program) -> None:
    assert np.allclose(np.asarray(built(program, delay_ms=2.0).recurrent.delay / ms), 2.0)
    spread = np.asarray(built(program, delay_ms=1.0, delay_jitter_ms=3.0).recurrent.delay / ms)
    assert 1.0 <= spread.min() < 1.1
    assert 3.9 < spread.max() <= 4.0


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("V_th", "threshold"),
        ("C_m", "tau_mem"),
        ("tau_syn", "tau_syn"),
        ("t_ref", "refractory"),
        ("I_bias", "bias"),
    ],
)
def test_mismatch_spreads_a_parameter_around_its_value(
    program: Program, name: str, option: str
) -> None:
    draws = [built(program, seed, **{f"mismatch_{option}": 0.2}) for seed in range(8)]
    zero = draws[0].namespace["E_L"] if name == "V_th" else 0 * draws[0].namespace[name]
    values = np.concatenate(
        [
            np.asarray((getattr(fsm.cells, name)[:] - zero) / (fsm.namespace[name] - zero))
            for fsm in draws
        ]
    )
    assert values.mean() == pytest.approx(1.0, abs=0.03)
    assert values.std() == pytest.approx(0.2, rel=0.12)
    assert values.min() > 0
    assert not hasattr(built(program).cells, name)


def test_the_same_generator_gives_the_same_draws(program: Program) -> None:
    realism = {"weight_noise": 1.0, "missing": 0.2, "mismatch": 0.1, "delay_jitter_ms": 2.0}
    one, again, other = (built(program, seed, **realism) for seed in (1, 1, 2))
    assert (weights_of(one) == weights_of(again)).all()
    assert (one.cells.tau_syn == again.cells.tau_syn).all()
    assert (weights_of(one) != weights_of(other)).any()


def test_a_lone_cell_fires_at_the_rate_of_the_formula(program: Program) -> None:
    parameters = Parameters(dt_ms=0.05, strength_pa=1e-6)
    fsm = built(program, parameters=parameters)
    fsm.lines.tonic = 0  # no mask: every cell is open
    monitor = b2.SpikeMonitor(fsm.cells)
    b2.Network(*fsm.objects, monitor).run(1 * second, namespace={})
    rheobase = fsm.namespace["g_L"] * (fsm.namespace["V_th"] - fsm.namespace["E_L"])
    assert rheobase / pA == pytest.approx(150.0)
    charging = parameters.tau_mem_ms * np.log(parameters.bias_pa / (parameters.bias_pa - 150.0))
    expected = 1000 / (parameters.refractory_ms + charging)
    assert np.asarray(monitor.count / second / Hz).mean() == pytest.approx(expected, rel=0.02)


def test_closed_cells_are_silent_and_not_driven_into_debt(program: Program) -> None:
    fsm = built(program)
    spikes, potential = b2.SpikeMonitor(fsm.cells), b2.StateMonitor(fsm.cells, "v", record=True)
    b2.Network(*fsm.objects, spikes, potential).run(300 * ms, namespace={})
    closed = ~program.network.masks[0]
    late = np.asarray(spikes.t / ms) > 20
    assert not closed[np.asarray(spikes.i)[late]].any()
    assert np.asarray(potential.v / b2.mV)[closed].min() > -80


def test_two_of_them_live_in_one_network(program: Program) -> None:
    one, other = built(program), Brian2FSM(program, name="other")
    both = [(one, [("(reset)", 0, 60), ("coin", 200, 280)]), (other, [("(reset)", 0, 60)])]
    mine, monitors = [], []
    for fsm, bouts in both:
        spikes = [(fsm.line(name), t) for name, begin, end in bouts for t in range(begin, end, 2)]
        source = b2.SpikeGeneratorGroup(
            len(fsm.lines), [i for i, _ in spikes], [t for _, t in spikes] * ms
        )
        drive = b2.Synapses(source, fsm.lines, on_pre="drive_post += 5")
        drive.connect(i=range(len(fsm.lines)), j=range(len(fsm.lines)))
        monitors.append(b2.SpikeMonitor(fsm.cells))
        mine += [source, drive, monitors[-1], *fsm.objects]
    b2.Network(*mine).run(400 * ms, namespace={})  # at Brian2's own time step, 0.1 ms
    for monitor, state in zip(monitors, ("unlocked", "locked"), strict=True):
        recent = np.asarray(monitor.i)[np.asarray(monitor.t / ms) > 340]
        active = np.bincount(recent, minlength=program.network.neurons) > 2
        assert program.network.decode(active[None])[0] == program.machine.state_index(state)


def test_a_program_for_something_else_is_refused(turnstile: Machine) -> None:
    with pytest.raises(RequirementError, match=r"target=.brian2"):
        Brian2FSM(vsafsm.compile(turnstile))
