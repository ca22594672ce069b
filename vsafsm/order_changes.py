"""What a machine asks of its network at each change of the mask, whatever the timing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from vsafsm.errors import NetworkError
from vsafsm.lowering import REST, Code
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.situations import Arc
from vsafsm.symbolic import SymbolicMachine
from vsafsm.vsa import Bits


@dataclass(frozen=True, eq=False)
class Parts:
    """The neurons that a mask leaves open, by what they are to do when it comes on.

    Attributes
    ----------
    opened : (N,)
        All of them.
    core : (N,)
        Those that fire at first: what both masks leave open of the code that is left.
    come : (N,)
        Those of the new code, which come up or stay on.
    up : (N,)
        Those of the new code that fire at first.
    free : (N,)
        Those of the old code alone, which go off.
    other : (N,)
        Those of neither, which stay off.
    """

    opened: Bits
    core: Bits
    come: Bits
    up: Bits
    free: Bits
    other: Bits


def parts(network: Network, arc: Arc) -> Parts:
    """The open neurons at a change of the mask, taken apart."""
    opened = network.masks[arc.mask]
    left = network.codes[arc.source] & opened
    come = network.codes[arc.target] & opened
    core = left & network.masks[arc.before]
    return Parts(opened, core, come, come & core, left & ~come, opened & ~left & ~come)


class Changes:
    """The changes of the mask that words reach, in a network of one matrix.

    Raises
    ------
    NetworkError
        If the network has other states or inputs than the machine, or several modules, or the
        machine has guards.
    """

    def __init__(self, machine: Machine, network: Network) -> None:
        if isinstance(machine, SymbolicMachine):
            raise NetworkError(
                "any order of updates is for machines whose inputs are names, not guards; expected"
                " a machine without guards"
            )
        if network.inputs != machine.inputs or sorted(network.states) != sorted(machine.states):
            raise NetworkError("the network's states and inputs are not the machine's")
        network.check_one_matrix()
        self.machine, self.network = machine, network
        self.index = {name: x for x, name in enumerate(network.states)}
        self._codes = {label: code for code, label in enumerate(network.labels)}

    @cached_property
    def start(self) -> Arc:
        """The reset, which drives the start code at rest."""
        code = self.index[self.machine.initial]
        return Arc(code, code, REST, REST)

    @cached_property
    def arcs(self) -> list[Arc]:
        """The reset first, then each input in each reachable state, and its end."""
        return list(dict.fromkeys([self.start, *self._reached()]))

    def _reached(self) -> Iterator[Arc]:
        for state in self.machine.reachable:
            for mask in range(1, len(self.machine.inputs) + 1):
                yield from self.of(state, mask)

    def of(self, state: str, mask: int) -> tuple[Arc, Arc]:
        """What an input does in a state while it is held, and at its end."""
        taken = self.machine.transition(state, self.machine.inputs[mask - 1])
        source, after = self.index[state], self.index[taken.to]
        held = after
        if taken.to != state or taken.outputs:
            # Without pending codes (trigger "level") a state leads to the next directly.
            held = self._codes.get(Code(after, True, taken.outputs), after)
        return Arc(source, held, REST, mask), Arc(held, after, mask, REST)

    def after(self, arc: Arc) -> list[Arc]:
        """What may come next, as far as it leads away from where the arc led."""
        label = self.network.labels[arc.target]
        if arc.mask != REST:
            found = [Arc(arc.target, label.state, arc.mask, REST)]
        else:
            state = self.network.states[label.state]
            found = [self.of(state, a + 1)[0] for a in range(len(self.machine.inputs))]
        return [each for each in found if each.target != each.source]
