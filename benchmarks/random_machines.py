"""Random machines for measurements: uniform next states, every state reachable.

`random_machine` is for small ones: its time grows with the square of the states. Figures in the
docs rest on its machines. The time of `large_random_machine` grows with the states.
"""

from __future__ import annotations

import numpy as np

from vsafsm.machine import Machine, Transition

SEEDS = (0, 1, 2, 3, 4)


def random_machine(states: int, inputs: int, seed: int) -> Machine:
    """A machine of S states and A inputs, every state reachable from the first.

    Next states are uniform. States are then taken in order; one that nothing before it reaches
    takes the place of the target of a random transition, from a state that is reached already, that
    no path found so far needs.
    """
    rng = np.random.default_rng([seed, states, inputs])
    targets = rng.integers(states, size=(states, inputs))
    needed = np.zeros((states, inputs), np.bool_)
    reached = [0]
    _spread(targets, needed, reached)
    while len(reached) < states:
        lost = min(set(range(states)) - set(reached))
        free = [(x, a) for x in reached for a in range(inputs) if not needed[x, a]]
        x, a = free[rng.integers(len(free))]
        targets[x, a] = lost
        needed[x, a] = True
        reached.append(lost)
        _spread(targets, needed, reached)
    names = tuple(f"s{x}" for x in range(states))
    table = tuple(tuple(Transition(names[y]) for y in row) for row in targets)
    return Machine(
        f"random-{states}x{inputs}-{seed}",
        names,
        tuple(f"i{a}" for a in range(inputs)),
        "s0",
        table,
        ((),) * states,
    )


def large_random_machine(states: int, inputs: int, seed: int = 0) -> Machine:
    """A machine of S states and A inputs, every state reachable from the first.

    Next states are uniform. Then each state but the first takes the place of the target of a random
    transition from a state before it that no other state took: a random tree. At least half of the
    transitions are free where there are two inputs or more, so that few draws find one.
    """
    rng = np.random.default_rng(seed)
    table = rng.integers(0, states, (states, inputs))
    taken = np.zeros((states, inputs), bool)
    for state in range(1, states):
        parent, a = state - 1, 0  # the only one that is free where there is one input
        while inputs > 1:
            parent, a = int(rng.integers(0, state)), int(rng.integers(inputs))
            if not taken[parent, a]:
                break
        table[parent, a], taken[parent, a] = state, True
    names = tuple(f"s{x}" for x in range(states))
    rows = tuple(tuple(Transition(names[y]) for y in row) for row in table.tolist())
    symbols = tuple(f"i{a}" for a in range(inputs))
    return Machine("random", names, symbols, "s0", rows, ((),) * states)


def _spread(targets: np.ndarray, needed: np.ndarray, reached: list[int]) -> None:
    known = set(reached)
    for x in reached:
        for a, y in enumerate(targets[x].tolist()):
            if y not in known:
                known.add(y)
                needed[x, a] = True
                reached.append(y)
