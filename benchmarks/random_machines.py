"""Random machines for measurements: uniform next states, spliced so that exactly S states are
reachable.
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


def _spread(targets: np.ndarray, needed: np.ndarray, reached: list[int]) -> None:
    known = set(reached)
    for x in reached:
        for a, y in enumerate(targets[x].tolist()):
            if y not in known:
                known.add(y)
                needed[x, a] = True
                reached.append(y)
