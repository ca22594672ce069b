"""Sessions against those of the same network as one matrix, and against the interpreter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import vsafsm
from vsafsm.errors import SessionError, UnknownInputError
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.synchronous import Session

Built = tuple[Machine, Network]


@pytest.mark.parametrize("which", ["tcp", "random_network", "words"])
def test_a_session_does_what_that_of_the_matrix_does(
    which: str, request: pytest.FixtureRequest
) -> None:
    machine, network = request.getfixturevalue(which)
    network = replace(network, contract=vsafsm.prove(machine, network).contract)
    word = [machine.inputs[a] for a in np.random.default_rng(0).integers(0, 2, 25)]
    trace = machine.run(word)
    with Session(network) as ours, Session(network.to_dense()) as other:
        assert ours.state == other.state == machine.initial
        for n, symbol in enumerate(word):
            assert ours.send(symbol) == other.send(symbol) == trace.states[n + 1]
            assert ours.outputs == other.outputs == trace.outputs[n]
            assert (ours.activity == other.activity).all()
        ours.rest(3)
        other.rest(3)
        assert ours.counts == other.counts
        assert ours.reset() == machine.initial
        assert f'in "{machine.initial}"' in repr(ours)
    assert "closed" in repr(ours)


def test_what_a_session_cannot_do_is_told(tcp: Built) -> None:
    machine, network = tcp
    session = Session(network)
    with pytest.raises(UnknownInputError, match="expected one of"):
        session.send("sin")
    for attempt in (
        lambda: session.send(machine.inputs[0], hold=1),
        lambda: session.send(machine.inputs[0], gap=0),
        lambda: session.rest(-1),
        lambda: session.rest(True),
    ):
        with pytest.raises(SessionError, match="expected a whole number"):
            attempt()
    session.close()
    session.close()
    for attempt in (lambda: session.send(machine.inputs[0]), session.reset):
        with pytest.raises(SessionError, match="closed"):
            attempt()


def test_silence_stands_for_no_state(tcp: Built) -> None:
    network = tcp[1]
    silent = network.with_all_weights(-np.abs(network.blocks), 0 * network.between.values)
    with Session(silent) as session:
        assert session.state is None
        assert session.outputs == ()
        assert "in no state" in repr(session)
