"""The built-in simulator against a naive int64 simulation, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vsafsm import errors as e
from vsafsm.machine import Machine
from vsafsm.network import Contract, Network
from vsafsm.program import Program
from vsafsm.synchronous import Session, run_batch, settle, step
from vsafsm.vsa import Bits

Compiled = Callable[..., Program]
VARIANTS: list[dict[str, Any]] = [
    {},
    {"code": "dense"},
    {"inhibition": "separate"},
    {"bits": 12},
    {"bits": 4},
]


@pytest.fixture(params=VARIANTS, ids=str)
def network(
    request: pytest.FixtureRequest, compiled: Compiled, examples: dict[str, Machine]
) -> Network:
    return compiled(examples["vending_machine"], **request.param).network


def harmed(network: Network, seed: int, share: float = 0.3) -> Network:
    """A network that still runs, but not as it should."""
    weights = network.weights.copy()
    weights[np.random.default_rng(seed).random(weights.shape) < share] = 0
    return network.with_weights(weights)


# ---- steps


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("real", [False, True])
def test_a_step_a_drive_and_settling_are_the_naive_ones(
    network: Network, naive: Any, seed: int, real: bool
) -> None:
    rng = np.random.default_rng(seed)
    if real:
        network = network.with_weights(network.weights + rng.normal(0, 5, network.weights.shape))
    plain = naive(network)
    activity = rng.random((6, network.neurons)) < rng.choice([0.0, 0.05, 0.2, 0.5, 1.0], (6, 1))
    found = network.drive(activity)
    for mask in range(len(network.masks)):
        settled, done = settle(network, activity, mask)
        for z, drive, end, rests in zip(activity, found, settled, done, strict=True):
            np.testing.assert_allclose(drive, plain.drive(z), rtol=1e-9, atol=1e-9)
            after = step(network, np.flatnonzero(z), mask)
            assert after.tolist() == np.flatnonzero(plain.step(z, network.masks[mask])).tolist()
            expected = plain.settle(z, network.masks[mask])
            assert rests == (expected is not None)
            if expected is not None:
                assert (end == expected[0]).all()


def test_a_step_changes_nothing_that_it_is_given(network: Network) -> None:
    activity = network.codes.copy()
    settle(network, activity, 0)
    network.drive(activity)
    assert (activity == network.codes).all()


# ---- a session, step by step


class Plain:
    """What a session has to do, in loops."""

    def __init__(self, network: Network, naive: Any) -> None:
        self.network, self.naive = network, naive(network)
        self.steps = self.spikes = self.operations = 0
        self.mealy: tuple[str, ...] = ()
        self.reset()

    def reset(self) -> None:
        self.z = self.network.codes[self.network.start]
        self.steps += 1
        self.spikes += int(self.z.sum())
        self.mealy = ()
        self.advance(0, self.network.contract.gap_steps)

    def advance(self, mask: int, steps: int) -> None:
        for _ in range(steps):
            self.operations += int(
                sum((self.network.weights[:, j] != 0).sum() for j in np.flatnonzero(self.z))
            )
            self.z = self.naive.step(self.z, self.network.masks[mask])
            self.steps += 1
            self.spikes += int(self.z.sum())

    def send(self, a: int, hold: int | None, gap: int | None) -> None:
        self.advance(a + 1, hold or self.network.contract.hold_steps)
        code = self.naive.decode(self.z, self.network.masks[a + 1])
        self.mealy = self.network.labels[code].outputs if code >= 0 else ()
        self.advance(0, gap or self.network.contract.gap_steps)

    @property
    def state(self) -> str | None:
        code = self.naive.decode(self.z, self.network.masks[0])
        return self.network.states[code] if 0 <= code < len(self.network.states) else None

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.mealy + (
            self.network.moore[self.network.states.index(self.state)] if self.state else ()
        )


@pytest.mark.parametrize("damage", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("seed", range(3))
def test_a_session_is_the_naive_simulation_step_by_step(
    network: Network, naive: Any, damage: float, seed: int
) -> None:
    network, rng = harmed(network, seed, damage), np.random.default_rng(seed)
    session, plain = Session(network), Plain(network, naive)
    for _ in range(25):
        kind = int(rng.integers(0, 10))
        if kind == 0:
            assert session.reset() == (plain.reset(), plain.state)[1]
        elif kind == 1:
            steps = int(rng.integers(0, 4))
            session.rest(steps)
            plain.advance(0, steps)
        else:
            a, contract = int(rng.integers(len(network.inputs))), network.contract
            hold, gap = (
                (None, None) if kind < 6 else (contract.hold_steps + kind, contract.gap_steps + 1)
            )
            sent = (
                session.send(network.inputs[a], hold, gap)
                if kind < 8
                else session.send(network.inputs[a])
            )
            plain.send(a, hold if kind < 8 else None, gap if kind < 8 else None)
            assert sent == plain.state
        assert (session.activity == plain.z).all()
        assert (session.state, session.outputs) == (plain.state, plain.outputs)
        assert session.counts == {
            "steps": plain.steps,
            "spikes": plain.spikes,
            "synaptic_operations": plain.operations,
        }


def test_a_session_that_stands_for_no_state_says_so(network: Network) -> None:
    session = Session(network.with_weights(np.zeros_like(network.weights)))
    assert session.state is None
    assert session.outputs == ()
    assert session.send(network.inputs[0]) is None
    assert session.reset() is None
    assert not session.activity.any()


# ---- words


@given(data=st.data())
@settings(deadline=None, max_examples=25)
def test_longer_holds_and_gaps_give_the_same_states(
    data: st.DataObject, compiled: Compiled, examples: dict[str, Machine]
) -> None:
    machine = examples[
        data.draw(st.sampled_from(["turnstile", "vending_machine", "door_lock", "traffic_light"]))
    ]
    network = compiled(machine).network
    word = data.draw(st.lists(st.sampled_from(machine.inputs), max_size=12))
    trace = machine.run(word)
    extra = st.integers(0, 40)
    with Session(network) as session:
        found, outputs = [session.state], []
        for symbol in word:
            hold = network.contract.hold_steps + data.draw(extra)
            found.append(session.send(symbol, hold, network.contract.gap_steps + data.draw(extra)))
            outputs.append(session.outputs)
            session.rest(data.draw(extra))
    assert tuple(found) == trace.states
    assert tuple(outputs) == trace.outputs


@pytest.mark.parametrize("damage", [0.0, 0.4])
def test_a_batch_is_as_many_sessions(network: Network, damage: float) -> None:
    network = harmed(network, 1, damage)
    words = np.random.default_rng(0).integers(0, len(network.inputs), (7, 9))
    found = run_batch(network, words)
    assert found.shape == (7, 10)
    for word, states in zip(words.tolist(), found.tolist(), strict=True):
        session = Session(network)
        expected = [session.state, *(session.send(network.inputs[a]) for a in word)]
        names = [network.states[x] if x >= 0 else None for x in states]
        # the start is settled for a hold and a gap there, for a gap here: the same only where it
        # rests
        assert names[1:] == expected[1:] or damage
        if not damage:
            assert names == expected


def test_batches_of_nothing(network: Network) -> None:
    assert run_batch(network, np.zeros((0, 4), np.intp)).shape == (0, 5)
    assert run_batch(network, np.zeros((3, 0), np.intp)).tolist() == [[network.start]] * 3


def test_a_word_that_ends_in_the_initial_state_leaves_no_trace_after_a_reset(
    network: Network,
) -> None:
    session = Session(network)
    fresh = session.activity
    for symbol in network.inputs:
        session.send(symbol)
    assert session.reset() == network.states[network.start]
    assert (session.activity == fresh).all()
    assert session.outputs == network.moore[network.start]


# ---- long holds and rests


def stepping(network: Network) -> Session:
    """A session of which every step is run."""

    def stepped(active: NDArray[np.intp], opened: Bits) -> NDArray[np.intp]:
        drive = network.rows[active].sum(0, dtype=np.float64)
        return np.flatnonzero((drive > network.gain * len(active)) & opened)

    return Session(network, stepped)


@pytest.mark.parametrize("damage", [0.0, 0.3, 0.6, 0.9])
def test_long_holds_and_rests_are_as_their_steps(network: Network, damage: float) -> None:
    network = harmed(network, 2, damage)
    least = network.contract.hold_steps
    found, plain = Session(network), stepping(network)
    for symbol, steps in zip(network.inputs * 4, (1, 2, 7, 30, 64, 500, 3), strict=False):
        for session in (found, plain):
            session.send(symbol, hold=least + steps)
            session.rest(steps)
        assert found.counts == plain.counts
        assert (found.activity == plain.activity).all()


@pytest.mark.parametrize("steps", [10**12, 10**12 + 7])
def test_an_activity_that_goes_round_is_where_its_steps_lead(network: Network, steps: int) -> None:
    neurons = network.neurons
    onward = np.roll(np.eye(neurons, dtype=network.weights.dtype), 1, axis=0)
    network = replace(network, gain=0, masks=np.ones_like(network.masks)).with_weights(onward)
    session = Session(network)
    before, counts = session.activity, session.counts
    session.rest(steps)
    assert (session.activity == np.roll(before, steps % neurons)).all()
    assert session.counts["steps"] == counts["steps"] + steps
    assert session.counts["spikes"] == counts["spikes"] + steps * before.sum()


def test_a_rest_of_any_length_ends_where_the_network_steps_itself(network: Network) -> None:
    with Session(network) as session:
        session.rest(10**15)
        assert session.state == network.states[network.start]
    with stepping(network) as session, pytest.raises(e.SessionError, match="at most 10000000"):
        session.rest(10**15)


# ---- what is refused


def test_a_closed_session_refuses_everything(network: Network) -> None:
    with Session(network) as session:
        session.send(network.inputs[0])
    session.close()
    uses: list[Callable[[], object]] = [
        lambda: session.send(network.inputs[0]),
        session.reset,
        lambda: session.rest(1),
    ]
    for use in uses:
        with pytest.raises(e.SessionError, match="closed"):
            use()


@pytest.mark.parametrize("steps", [-1, 0, 1, True, 2.0, "3"])
@pytest.mark.parametrize("which", ["hold", "gap"])
def test_less_than_the_contract_is_refused_and_nothing_happens(
    network: Network, which: str, steps: Any
) -> None:
    session = Session(replace(network, contract=Contract(5, 5)))
    before = session.counts
    with pytest.raises(e.SessionError, match=f"{which} of .* at least 5"):
        session.send(network.inputs[0], **{which: steps})
    assert session.counts == before


@pytest.mark.parametrize("steps", [-1, True, 1.5, None])
def test_waiting_takes_whole_numbers_of_steps(network: Network, steps: Any) -> None:
    with pytest.raises(e.SessionError, match="at least 0"):
        Session(network).rest(steps)


def test_an_unknown_input_is_refused_and_nothing_happens(network: Network) -> None:
    session = Session(network)
    before = session.counts
    with pytest.raises(e.UnknownInputError, match=r"did you mean"):
        session.send(network.inputs[0] + "x")
    assert session.counts == before


def test_an_input_that_is_no_text_is_refused_by_name(
    compiled: Compiled, turnstile: Machine
) -> None:
    with (
        Session(compiled(turnstile).network) as session,
        pytest.raises(e.UnknownInputError, match='"1"'),
    ):
        session.send(1)  # type: ignore[arg-type]
