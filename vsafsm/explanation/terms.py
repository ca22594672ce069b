"""What the drive of a neuron is made of: the memory of each code, each transition, and what
refinement added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import REST
from vsafsm.margins import MinimumMargin
from vsafsm.modules import refine
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

    The correction is what refinement added, with rounding and clipping. Only codes and transitions
    that can drive the neuron are listed: those of its module, and those that lead there.
    """
    network, count = program.network, max(len(minimum.activity), 1)
    sign = 1.0 if minimum.fires else -1.0
    seen = _Seen(network, minimum)
    found = [
        Term(name, sign * value / count, shared)
        for name, value, shared in (*_memories(network, seen), *_transitions(program, seen))
    ]
    grid = program.grid()
    inhibition = grid.inhibition if grid.folded else network.gain / network.scale
    found.append(Term("inhibition", -sign * inhibition))
    return [*found, Term("correction", minimum.margin - sum(term.towards for term in found))]


class _Seen:
    """What a neuron sees of an activity: the part inside its module, by local numbers."""

    def __init__(self, network: Network, minimum: MinimumMargin) -> None:
        n, self.activity = network.module_neurons, minimum.activity
        self.module, self.neuron = divmod(minimum.neuron, n)
        self.own = minimum.activity[minimum.activity // n == self.module] % n
        self.codes = np.flatnonzero(network.homes == self.module)
        centred = centre(network.codes[self.codes], n)
        self.centred = dict(zip(self.codes.tolist(), centred, strict=True))
        # A unit: what one stored pattern adds to the drive of its own neurons per active neuron.
        self.unit = n**2 * (1 - float(network.codes.mean()))


def _memories(network: Network, seen: _Seen) -> list[tuple[str, float, int]]:
    """``(x - f)_i <x - f, z>`` of each code x of the module."""
    shared = network.codes[seen.codes][:, seen.own].sum(1).tolist()
    return [
        (
            f"memory of {_quoted(network, c)}",
            float(centred[seen.neuron] * centred[seen.own].sum()) / seen.unit,
            number,
        )
        for (c, centred), number in zip(seen.centred.items(), shared, strict=True)
    ]


def _transitions(program: Program, seen: _Seen) -> list[tuple[str, float, int]]:
    """Inside the module ``((y - f) - e (x - f))_i <(x - f) o s, z>`` of each move and release
    x -> y under the mask of s, without y where that is elsewhere; from another module
    ``<x o s, z>`` where i is an open neuron of y.
    """
    network, lowered, i = program.network, program.lowered, seen.neuron
    arcs = [
        (move.source, move.mask, move.target)
        for move in lowered.moves
        if move.source != move.target
    ]
    arcs += [(code, REST, to) for code, to in enumerate(lowered.releases) if code != to]
    found, n = [], network.module_neurons
    if program.options.settled_rule == "robust":
        return _late_transitions(network, arcs, seen)
    erase = refine.ERASE if program.options.layout == "modules" else ERASE
    for x, mask, y in arcs:
        if x in seen.centred:
            towards = -erase * seen.centred[x][i]
            towards += seen.centred[y][i] if y in seen.centred else 0.0
            bound = bind(seen.centred[x], _signs(network, mask, x))
            value = towards * float(bound[seen.own].sum()) / seen.unit
            shared = int(network.codes[x, seen.own].sum())
        elif (
            y in seen.centred
            and network.codes[y, i]
            and network.masks[network.opens[mask, seen.module], i]
        ):
            there = seen.activity[seen.activity // n == network.homes[x]] % n
            active = there[network.codes[x, there]]
            value, shared = float(_signs(network, mask, x)[active].sum()), len(active)
        else:
            continue
        found.append((f"transition {_arc(network, x, mask, y)}", value, shared))
    return found


def _late_transitions(
    network: Network, arcs: list[tuple[int, int, int]], seen: _Seen
) -> list[tuple[str, float, int]]:
    """Those of the rule ``robust``: ``(y - f)_i <(x - f) o s, z>`` of each move and release, and
    where the new code takes the old one away, in the phase that t binds to, ``-e (x - f)_i
    <(y - f) o t, z>``.
    """
    i, rest = seen.neuron, _signs(network, REST, 0)
    found: dict[str, tuple[float, int]] = {}

    def add(name: str, post: int, pre: int, factor: float, bound: NDArray[np.float64]) -> None:
        value = factor * seen.centred[post][i]
        value *= float(bind(seen.centred[pre], bound)[seen.own].sum()) / seen.unit
        found[name] = value, int(network.codes[pre, seen.own].sum())

    once: set[tuple[int, int, bytes]] = set()
    for x, mask, y in arcs:
        # Moves that the code of x does not tell apart are one move.
        key = x, y, np.packbits(network.codes[x] & network.masks[mask]).tobytes()
        if key in once:
            continue
        once.add(key)
        add(f"transition {_arc(network, x, mask, y)}", y, x, 1.0, _signs(network, mask, x))
        phase, when = (
            ((1 + rest) / 2, "in the gap") if mask == REST else (1 - rest, "while an input is held")
        )
        erased = f"transition: {_quoted(network, y)} silences {_quoted(network, x)} {when}"
        add(erased, x, y, -ERASE, phase)
    return [(name, value, shared) for name, (value, shared) in found.items()]


def _signs(network: Network, mask: int, code: int) -> NDArray[np.float64]:
    """The signs of a mask in the module of a code: (n,)."""
    return np.where(network.masks[network.opens[mask, network.homes[code]]], 1.0, -1.0)


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
