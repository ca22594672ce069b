"""What modules send: the margin against the walk of the proof, and what each situation asks for."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm.modules import build


@pytest.mark.parametrize("margin", [0.1, 0.2, 0.3])
def test_targets_keep_the_margin_in_every_situation(
    random_machines_of_modules: Any, margin: float
) -> None:
    """Every code under every pair of masks that a hand-over has, summed over a dense matrix."""
    machine = random_machines_of_modules(30, 2, 3)
    network = build(machine, states=8, margin=margin)
    weights = network.to_dense().weights.astype(np.int64)
    n, inputs = network.module_neurons, range(1, 3)
    opened = np.tile(network.masks, network.modules)
    everything = np.ones_like(opened[0])
    labels = list(network.labels)
    for code, label in enumerate(labels):
        activity = np.zeros(network.neurons, bool)
        activity[network.code_activity(code)] = True
        elsewhere = np.arange(network.neurons) // n != network.homes[code]
        for one, other in product([everything, *opened[1:]], [everything, opened[0]]):
            active = activity & one & other
            drive = weights @ active - network.gain * active.sum()
            held = [a for a in inputs if (one == opened[a]).all()]
            wanted, cared = np.zeros_like(active), np.ones_like(active)
            if held:
                taken = machine.table[label.state][held[0] - 1]
                y = machine.state_index(taken.to)
                if label.pending:
                    # Under an input that does not lead here, a pending code is in no situation.
                    arrive = [row[held[0] - 1].to for row in machine.table]
                    if machine.states[label.state] not in arrive:
                        continue
                elif y != label.state:
                    pending = next(c for c, e in enumerate(labels) if e.pending and e.state == y)
                    wanted[network.code_activity(pending)] = True
                    cared = one
            distance = np.where(wanted, drive, -drive)[elsewhere & cared]
            assert distance.min() >= margin * network.scale * active.sum()


def test_a_margin_of_three_tenths_is_proven_with_many_inputs(
    random_machines_of_modules: Any,
) -> None:
    machine = random_machines_of_modules(30, 6, 1)
    proof = vsafsm.prove(machine, build(machine, margin=0.3))
    assert proof.holds
    assert proof.margin >= 0.3
