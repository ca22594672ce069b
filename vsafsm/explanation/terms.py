"""What the drive of a neuron is made of: the memory of each code, each transition, and what
refinement added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.codebook import Codebook
from vsafsm.lowering import REST
from vsafsm.margins import MinimumMargin
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.vsa import bind, centre
from vsafsm.weights import ERASE

LEAST = 0.02
"""The smallest term that is listed, in units."""


@dataclass(frozen=True)
class Term:
    """A part of a neuron's drive, in units per active neuron; `towards` is positive where it pulls
    to the correct side.

    `shared` is how many active neurons belong to the code that the term is of; None for what is of
    no single code.
    """

    name: str
    towards: float
    shared: int | None = None


def terms(program: Program, minimum: MinimumMargin) -> list[Term]:
    """A margin as a sum: memories and transitions by name, inhibition, and correction
    as what is left.

    The correction is what refinement added, with rounding and clipping.
    """
    network, count = program.network, max(len(minimum.activity), 1)
    sign = 1.0 if minimum.fires else -1.0
    scale = network.neurons**2 * (1 - network.codes.mean()) * count
    found = [
        Term(name, sign * float(value) / scale, shared)
        for name, value, shared in (*_memories(network, minimum), *_transitions(program, minimum))
    ]
    grid = program.grid()
    inhibition = grid.inhibition if grid.folded else network.gain / network.scale
    found.append(Term("inhibition", -sign * inhibition))
    return [*found, Term("correction", minimum.margin - sum(term.towards for term in found))]


def _memories(network: Network, minimum: MinimumMargin) -> list[tuple[str, float, int]]:
    """``(x - f)_i <x - f, z>`` of each code x."""
    centred = centre(network.codes, network.neurons)
    values = centred[:, minimum.neuron] * centred[:, minimum.activity].sum(1)
    shared = network.codes[:, minimum.activity].sum(1)
    return [
        (f"memory of {_quoted(network, c)}", values[c], int(shared[c])) for c in range(len(values))
    ]


def _transitions(program: Program, minimum: MinimumMargin) -> list[tuple[str, float, int]]:
    """``((y - f) - e (x - f))_i <(x - f) o s, z>`` of each move and release x -> y under the mask
    of s.
    """
    network, lowered = program.network, program.lowered
    arcs = [
        (move.source, move.mask, move.target)
        for move in lowered.moves
        if move.source != move.target
    ]
    arcs += [(code, REST, to) for code, to in enumerate(lowered.releases) if code != to]
    signs = Codebook(network.masks, network.codes).signs
    centred = centre(network.codes, network.neurons)
    found = []
    for x, mask, y in arcs:
        towards = centred[y, minimum.neuron] - ERASE * centred[x, minimum.neuron]
        value = towards * float(bind(centred[x], signs[mask])[minimum.activity].sum())
        shared = int(network.codes[x, minimum.activity].sum())
        found.append((f"transition {_arc(network, x, mask, y)}", value, shared))
    return found


def _arc(network: Network, x: int, mask: int, y: int) -> str:
    name = "the gap" if mask == REST else f'"{network.inputs[mask - 1]}"'
    return f"{_quoted(network, x)} on {name} to {_quoted(network, y)}"


def _quoted(network: Network, code: int) -> str:
    name = network.code_name(code)
    return name if network.labels[code].pending else f'"{name}"'


def strongest(found: list[Term], most: int = 3) -> list[Term]:
    """Terms that carry a neuron, then terms that pull it to the wrong side: a few of each, the
    strongest first.
    """
    order: NDArray[np.intp] = np.argsort([-abs(term.towards) for term in found], kind="stable")
    ordered = [found[i] for i in order.tolist() if abs(found[i].towards) >= LEAST]
    return [
        *[t for t in ordered if t.towards > 0][:most],
        *[t for t in ordered if t.towards < 0][:most],
    ]
