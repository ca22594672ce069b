"""From input vectors to masks, for symbolic machines; and which vectors a walk stands for.

A network holds the masks of the representatives. Each neuron's mask is a function of the kind of
input in *one* partition, which `Encoder` finds from those masks; so it gives the mask of every
vector, as a decoder of the input bits in front of the network would.

What a step makes of an activity depends on the mask only where the drive is above threshold. The
partitions that those neurons look at are what the state *sees*. Vectors of the same kinds in them
take the same steps, so that one stands for all. A neuron that stays silent counts for the margin if
any vector opens it: for that, each further partition is taken into account, one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Indices
from vsafsm.covering import joint_kinds, kinds_of
from vsafsm.errors import NetworkError
from vsafsm.hand_overs import StepBatch
from vsafsm.lowering import REST
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.symbolic import SymbolicMachine
from vsafsm.vsa import Bits


class Encoder:
    """The masks of all input vectors of a symbolic machine, P partitions.

    Parameters
    ----------
    machine
    network
        One of a single matrix, with the masks of the machine's representatives.

    Attributes
    ----------
    fits : (P, N)
        Whether a neuron's mask is a function of the kind of input in a partition.

    Raises
    ------
    NetworkError
        If the mask of a neuron is such a function in no partition.

    Examples
    --------
    >>> import vsafsm
    >>> from vsafsm.cubes import parse_cube
    >>> from vsafsm.symbolic import symbolic_machine
    >>> on, off = parse_cube("1-"), parse_cube("0-")
    >>> machine = symbolic_machine("bit", 2, ("low", "high"), "low", [
    ...     [([on], vsafsm.Transition("high")), ([off], vsafsm.Transition("low"))],
    ...     [([off], vsafsm.Transition("low")), ([on], vsafsm.Transition("high"))],
    ... ])
    >>> program = vsafsm.compile(machine)
    >>> network = Encoder(machine, program.network).over(["10", "11", "01"])
    >>> bool((network.masks[1] == network.masks[2]).all())
    True
    """

    def __init__(self, machine: SymbolicMachine, network: Network) -> None:
        self.machine, self.network = machine, network
        if network.modules > 1:
            raise NetworkError(
                f'machine "{machine.name}" has guards, and the network {network.modules} modules;'
                " expected layout dense"
            )
        vectors = [machine.vector(symbol) for symbol in machine.inputs]
        # The kinds of each representative: (R, P).
        self.kinds: Indices = np.array([kinds_of(machine.partitions, v) for v in vectors], np.intp)
        self._masks = network.masks[1:]
        self.fits = np.array([self._fits(p) for p in range(len(machine.partitions))])
        if not self.fits.any(0).all():
            neuron = int((~self.fits.any(0)).argmax())
            raise NetworkError(
                f"the mask of neuron {neuron} depends on more of the input than any state of"
                f' machine "{machine.name}" looks at; expected layout dense and codes of its own'
            )
        # The first partition that fits each neuron.
        self._owners = self.fits.argmax(0)

    def _fits(self, p: int) -> Bits:
        fits = np.ones(self.network.module_neurons, np.bool_)
        for kind in np.unique(self.kinds[:, p]):
            same = self._masks[self.kinds[:, p] == kind]
            fits &= same.all(0) | ~same.any(0)
        return fits

    def mask(self, symbol: str) -> Bits:
        """The mask of a vector: (N,). Raises `UnknownInputError`."""
        kinds = np.array(kinds_of(self.machine.partitions, self.machine.vector(symbol)))
        # For each partition a representative of that kind, and of it what the partition owns.
        like = (self.kinds == kinds).argmax(0)
        return np.asarray(self._masks[like[self._owners], np.arange(len(self._owners))])

    def over(self, symbols: Iterable[str]) -> Network:
        """The network with these vectors as its inputs."""
        inputs = tuple(dict.fromkeys(symbols))
        masks = np.stack([self.network.masks[REST], *map(self.mask, inputs)])
        return self.network.with_inputs(inputs, masks)

    def seen(self, state: str, neurons: Bits) -> tuple[int, ...]:
        """The partitions of which the masks of some neurons (N,) are a function, that of the state
        first.
        """
        own = self.machine.partition_of[state]
        others = np.unique(self._owners[neurons & ~self.fits[own]])
        return (own, *(p for p in others.tolist() if p != own))


def encoder_for(machine: Machine, network: Network) -> Encoder | None:
    """The encoder of a symbolic machine; None for any other, whose inputs are few."""
    return Encoder(machine, network) if isinstance(machine, SymbolicMachine) else None


class Sight:
    """An observer of a walk: what of the input is seen in each state.

    Parameters
    ----------
    encoder
    walked
        The machine with the vectors that are walked as its inputs.
    """

    def __init__(self, encoder: Encoder, walked: Machine) -> None:
        self.encoder, self.walked = encoder, walked
        self.driven: dict[int, NDArray[np.bool_]] = {}

    def observe(self, batch: StepBatch) -> None:
        """Take note of the neurons whose masks decide what a step does."""
        inputs, at_rest = len(self.walked.inputs), self.encoder.network.masks[REST]
        above = batch.drives.values > 0  # of the one module
        rows = zip(
            batch.owners.tolist(),
            batch.row.tolist(),
            batch.masks.tolist(),
            (batch.also == REST).tolist(),
            strict=True,
        )
        # Steps under the mask of an input: by state, by what fires, and whether rest is on as well.
        decided = {
            (owner // inputs, row, both) for owner, row, mask, both in rows if 0 < mask <= inputs
        }
        for state, row, both in sorted(decided):
            neurons = above[row] & at_rest if both else above[row]
            self.driven[state] = self.driven[state] | neurons if state in self.driven else neurons

    def missing(self) -> tuple[str, ...]:
        """Vectors that are to be walked as well, so that what is walked stands for all.

        Raises
        ------
        TooLargeError
            If they are too many.
        """
        machine = self.encoder.machine
        walked = [kinds_of(machine.partitions, machine.vector(a)) for a in self.walked.inputs]
        found: dict[str, None] = {}
        for chosen in sorted(set(self._needed())):
            have = {tuple(kinds[p] for p in chosen) for kinds in walked}
            for kinds, vector in joint_kinds([machine.partitions[p] for p in chosen]):
                if kinds not in have:
                    found[machine.text(vector)] = None
        return tuple(found)

    def _needed(self) -> Iterator[tuple[int, ...]]:
        """Partitions of which all kinds that can occur together have to be walked."""
        encoder = self.encoder
        for state, neurons in self.driven.items():
            seen = encoder.seen(encoder.machine.states[state], neurons)
            # Representatives have every two kinds already.
            others = range(len(encoder.machine.partitions)) if len(seen) > 1 else ()
            yield from (tuple(sorted({*seen, other})) for other in others)
