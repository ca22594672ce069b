"""A network and its machine for a page that runs them itself: plain values, and arrays as text."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import REST
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.statecharts.columns import columns_of

MOST_SYNAPSES = 2_000_000
"""Synapses of a network that a page runs: about 3 MB of one matrix, 8 MB of modules."""


def playground(machine: Machine, network: Network) -> dict[str, Any] | None:
    """All that a page needs to run a network of whole weights beside its machine: JSON. None of a
    network that is too large for it.

    Arrays are base64 of little-endian numbers: ``weights`` row by row of what each neuron sends, to
    all neurons, or (in modules) to ``targets``, from ``starts`` on; ``opens`` of bits, eight per
    byte, of the neurons that each mask leaves open, that at rest first.
    """
    if network.synapses > MOST_SYNAPSES or not network.whole:
        return None
    columns = columns_of(network.states)
    codes = [network.code_activity(code).tolist() for code in range(len(network.codes))]
    transitions = [
        [machine.transition(state, symbol) for symbol in machine.inputs] for state in network.states
    ]
    number = {state: s for s, state in enumerate(network.states)}
    masks = network.opened(np.arange(REST, len(network.inputs) + 1))
    return {
        "states": list(network.states),
        "headings": list(columns.headings),
        "cells": [list(columns.cells[state]) for state in network.states],
        "inputs": list(machine.inputs),
        "initial": network.start,
        "moore": [list(outputs) for outputs in network.moore],
        "names": list(network.code_names),
        "shown": [[label.state, list(label.outputs)] for label in network.labels],
        "delta": [[number[taken.to] for taken in row] for row in transitions],
        "mealy": [[list(taken.outputs) for taken in row] for row in transitions],
        "hold": network.contract.hold_steps,
        "gap": network.contract.gap_steps,
        "neurons": network.neurons,
        "gain": network.gain,
        "deviation": network.weight_std,
        "codes": codes,
        "order": _by_code(codes, network.neurons),
        "opens": _text(np.packbits(masks, axis=1)),
        **_synapses(network),
    }


def _synapses(network: Network) -> dict[str, Any]:
    """The weights of one matrix; or of modules, with their targets."""
    wide = bool(max(network.weight_range, key=abs) > 127 or min(network.weight_range) < -128)
    kind = np.dtype("<i2") if wide else np.dtype("<i1")
    if network.modules == 1:
        return {"wide": wide, "weights": _text(network.rows.astype(kind))}
    inside = network.module_neurons
    between = network.between
    counts = np.diff(between.starts)
    starts = np.concatenate([[0], np.cumsum(inside + counts)])
    # What a neuron sends: to its own module first, then to others.
    own = starts[:-1, None] + np.arange(inside)
    other = np.arange(counts.sum()) + np.repeat(inside * (1 + np.arange(len(counts))), counts)
    targets = np.empty(starts[-1], "<u4")
    weights = np.empty(starts[-1], kind)
    first = np.arange(network.neurons) // inside * inside
    targets[own], targets[other] = first[:, None] + np.arange(inside), between.targets
    weights[own], weights[other] = network.rows, between.values
    return {
        "wide": wide,
        "weights": _text(weights),
        "targets": _text(targets),
        "starts": _text(starts.astype("<u4")),
    }


def _by_code(codes: list[list[int]], neurons: int) -> list[int]:
    """All neurons: those of the first code, those of the second that are not among them, and so
    on.
    """
    listed = [neuron for code in codes for neuron in code]
    return list(dict.fromkeys([*listed, *range(neurons)]))


def _text(values: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
