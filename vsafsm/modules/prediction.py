"""What a machine is expected to cost in modules, before anything is compiled."""

from __future__ import annotations

from vsafsm.lowering import Lowered
from vsafsm.modules.plan import Planner
from vsafsm.options import Rule

LEAVING = 0.5
"""Share of the transitions of a random machine that lead to another module."""
MORE_SENT = 2.0
"""Synapses that keep targets silent, per unit of margin and synapse that drives them."""
BASE_BYTES, BYTES_PER_SYNAPSE, BYTES_PER_MOVE = 100 * 2**20, 6, 5000
"""Memory of compiling and proving, measured: weights and their copies, and what the proof
remembers.
"""


def predicted_synapses(
    lowered: Lowered, margin: float, rule: Rule = "refined", load: float = 1.0
) -> int:
    """Weights that a network of modules is expected to hold."""
    planner = Planner(lowered, margin, rule=rule, load=load)
    sizes = planner.cheapest()
    modules = planner.modules(sizes)
    # Inputs of one kind share their synapses.
    moves = {(move.source, move.target) for move in lowered.moves if move.source != move.target}
    leaving = LEAVING * len(moves) * (1 - 1 / modules)
    # k neurons of the source reach the open half of the target's, where that is elsewhere.
    between = leaving * sizes.active**2 / 2 * (1 + MORE_SENT * margin)
    return round(modules * sizes.module_neurons**2 + between)


def predicted_memory(
    lowered: Lowered, margin: float, rule: Rule = "refined", load: float = 1.0
) -> int:
    """Bytes that compiling and proving are expected to take at most."""
    synapses = predicted_synapses(lowered, margin, rule, load)
    return BASE_BYTES + BYTES_PER_SYNAPSE * synapses + BYTES_PER_MOVE * len(lowered.moves)
