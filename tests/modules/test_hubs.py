"""States that many transitions lead to: the same machine, and no code with too many of them."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm.lowering import Lowered, lower
from vsafsm.machine import Machine
from vsafsm.modules import build
from vsafsm.modules.hubs import MOST, SHARE, with_hubs_shared


def with_errors(states: int, inputs: int, share: float, seed: int) -> Machine:
    """A ring in which some inputs of the states, at random, lead to the first."""
    rng = np.random.default_rng(seed)
    lost = rng.random((states, inputs)) < share
    lost[:, 0] = False
    ahead = rng.integers(1, states, (states, inputs))
    ahead[:, 0] = 1
    return Machine.from_dict(
        {
            "transitions": {
                f"s{x}": {
                    f"i{a}": "s0" if lost[x, a] else f"s{(x + ahead[x, a]) % states}"
                    for a in range(inputs)
                }
                for x in range(states)
            }
        }
    )


def meaning(lowered: Lowered) -> list[tuple[int, int, object, int]]:
    """What each move stands for, whatever the number of its target."""
    return [
        (move.source, move.mask, lowered.codes[move.target], lowered.releases[move.target])
        for move in lowered.moves
    ]


@settings(deadline=None)
@given(
    states=st.integers(4, 120),
    inputs=st.integers(1, 6),
    share=st.floats(0, 1),
    modules=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_hubs_are_shared_and_the_machine_stays(
    states: int, inputs: int, share: float, modules: int, seed: int
) -> None:
    lowered = lower(with_errors(states, inputs, share, seed))
    homes = np.arange(states) % modules
    shared = with_hubs_shared(lowered, homes)
    assert meaning(shared) == meaning(lowered)
    assert shared.codes[: len(lowered.codes)] == lowered.codes
    assert set(shared.codes) == set(lowered.codes)
    arrivals = Counter((homes[m.source], m.target) for m in shared.moves if m.source != m.target)
    held = Counter(homes.tolist())
    for (module, _), number in arrivals.items():
        transitions = held[module] * inputs
        most = max(MOST, int(SHARE * transitions))
        assert min(number, transitions - number) < most + inputs
    reached = {move.target for move in shared.moves} | set(range(states))
    assert set(range(len(lowered.codes), len(shared.codes))) <= reached


def test_machines_without_hubs_are_left_alone() -> None:
    lowered = lower(with_errors(40, 2, 0.0, 0))
    assert with_hubs_shared(lowered, np.zeros(40, np.intp)) == lowered


def test_a_machine_with_errors_is_built_and_proven() -> None:
    machine = with_errors(50, 2, 0.6, 0)
    network = build(machine, states=50)
    assert len(network.labels) > len(lower(machine).codes)
    assert vsafsm.prove(machine, network).holds
