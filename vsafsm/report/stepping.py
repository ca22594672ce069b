"""What the network does under every input from every activity that it settles in: tables that a
page looks up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vsafsm.lowering import REST
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.plotting.steps import Steps, follow
from vsafsm.statecharts.columns import columns_of
from vsafsm.vsa import Bits

MOST_PAIRS = 4000
LEAST_OVERLAP = 0.15
MOST_OVERLAPS = 6


@dataclass(frozen=True)
class Stepping:
    """All that a page needs to run a machine: JSON.

    Attributes
    ----------
    tables
        ``reset``: steps of the reset, and the activity after it. ``taken``: for each activity and
        input the steps, the code while the input is held and the activity after the gap. ``nodes``:
        the state that each activity stands for.
    complete
        Whether everything that words reach is there.
    """

    tables: dict[str, Any]
    complete: bool


def stepping(machine: Machine, network: Network) -> Stepping:
    """Follow every input from every activity that words reach, as far as there is room for."""
    held, gap = network.contract.hold_steps, network.contract.gap_steps
    start = network.code_activities([network.start]).bits(network.neurons)[0]
    reset = follow(network, start, [REST] * (gap + 1))
    index: dict[bytes, int] = {}
    activities: list[Bits] = []

    def number(activity: Bits) -> int:
        if activity.tobytes() not in index:
            index[activity.tobytes()] = len(activities)
            activities.append(activity)
        return index[activity.tobytes()]

    number(reset.activity[-1])
    taken: list[list[dict[str, Any]]] = []
    while len(taken) < len(activities) and (len(taken) + 1) * len(machine.inputs) <= MOST_PAIRS:
        activity, row = activities[len(taken)], []
        for a in range(len(machine.inputs)):
            steps = follow(network, activity, [REST] + [a + 1] * held + [REST] * gap)
            left = number(steps.activity[-1])
            row.append({"left": left, "held": int(steps.decoded[held]), "steps": _steps_of(steps)})
        taken.append(row)
    columns = columns_of(network.states)
    tables = {
        "states": list(network.states),
        "headings": list(columns.headings),
        "cells": [list(columns.cells[state]) for state in network.states],
        "inputs": list(machine.inputs),
        "initial": network.start,
        "moore": [list(outputs) for outputs in network.moore],
        "codes": list(network.code_names),
        "shown": [[label.state, list(label.outputs)] for label in network.labels],
        "delta": [
            [network.states.index(t.to) for t in map(_of(machine, s), machine.inputs)]
            for s in network.states
        ],
        "mealy": [
            [list(t.outputs) for t in map(_of(machine, s), machine.inputs)] for s in network.states
        ],
        "hold": held,
        "gap": gap,
        "reset": _steps_of(reset),
        "nodes": [_state(network, activity) for activity in activities],
        "taken": taken,
    }
    return Stepping(tables, len(taken) == len(activities))


def _of(machine: Machine, state: str) -> Any:
    return lambda symbol: machine.transition(state, symbol)


def _state(network: Network, activity: Bits) -> int:
    code = int(network.decode(activity[None])[0])
    return -1 if network.state_of(code) is None else code


def _steps_of(steps: Steps) -> list[dict[str, Any]]:
    """For each step the mask, the number of active neurons, the decoded code and the largest
    overlaps.
    """
    overlaps, decoded = steps.overlaps, steps.decoded
    found = []
    for t, row in enumerate(overlaps):
        most = [
            int(c)
            for c in np.argsort(-row, kind="stable")[:MOST_OVERLAPS]
            if row[c] >= LEAST_OVERLAP
        ]
        found.append(
            {
                "mask": int(steps.mask[t]),
                "active": int(steps.activity[t].sum()),
                "code": int(decoded[t]),
                "overlaps": [[c, round(float(row[c]), 2)] for c in most],
            }
        )
    return found
