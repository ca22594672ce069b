"""Symbolic machines: transitions with guards over the bits of the input, in place of one input
each.

A flat alphabet has a symbol for each combination of what all states look at, which soon is more
than can be listed. A state looks at few bits: its guards split the input vectors into few *kinds*.
A symbolic machine (D'Antoni and Veanes 2017) keeps the guards. As its `inputs` it lists
*representatives* only: vectors among which every two kinds of two states that can occur together
do. That is what a network is compiled for; `vsafsm.encoder` has the masks of all other vectors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from vsafsm.covering import Kinds, flaw, pairwise_covering
from vsafsm.cubes import Cube, holds
from vsafsm.errors import SpecError, UnknownInputError
from vsafsm.machine import Machine, Transition


@dataclass(frozen=True)
class Guarded:
    """What a state does on the vectors that `guard` holds.

    Attributes
    ----------
    guard
        Sorted cubes, of which none holds a vector of another.
    taken
        The transition on each of those vectors.
    """

    guard: tuple[Cube, ...]
    taken: Transition


@dataclass(frozen=True, repr=False, kw_only=True)
class SymbolicMachine(Machine):
    """A machine whose inputs are all vectors of bits that its guards hold, written ``0110``.

    `inputs` and `table` have the representatives alone; `transition` and `run` take every vector.

    Attributes
    ----------
    width
        Bits of an input vector, the first character the highest.
    guarded
        For each state its guarded transitions. Each state's guards are disjoint, and all states'
        hold the same vectors.

    Raises
    ------
    SpecError
        If they are not or do not, or the representatives miss two kinds that can occur together.
    TooLargeError
        If there are too many cubes to find out.
    """

    width: int
    guarded: tuple[tuple[Guarded, ...], ...] = field(default=())

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width < 1 or any(not self._is_word(symbol) for symbol in self.inputs):
            problem = f"representatives that are no vectors of {self.width} bits"
        elif len(self.guarded) != len(self.states):
            problem = f"guards for {len(self.guarded)} of {len(self.states)} states"
        else:
            vectors = [int(symbol, 2) for symbol in self.inputs]
            problem = flaw(self.partitions, vectors, self.width)
            if not problem and self.table != _table(self.guarded, vectors):
                problem = "guards that do not fit its table"
        if problem:
            raise SpecError(f'machine "{self.name}" has {problem}')

    def __repr__(self) -> str:
        return (
            f"<SymbolicMachine {self.name}: states {len(self.states)}, input bits {self.width},"
            f" representatives {len(self.inputs)}>"
        )

    @property
    def cubes(self) -> tuple[Cube, ...]:
        """Disjoint cubes that hold all vectors: those of the first state's guards."""
        return tuple(cube for each in self.guarded[0] for cube in each.guard)

    @cached_property
    def partitions(self) -> tuple[Kinds, ...]:
        """The distinct ways in which states split the input vectors into kinds."""
        return tuple(dict.fromkeys(map(_kinds, self.guarded)))

    @cached_property
    def partition_of(self) -> dict[str, int]:
        """For each state the partition that it looks at, by index."""
        numbers = {kinds: p for p, kinds in enumerate(self.partitions)}
        return {s: numbers[_kinds(g)] for s, g in zip(self.states, self.guarded, strict=True)}

    def vector(self, symbol: str) -> int:
        """The vector that `symbol` writes; raises `UnknownInputError`."""
        problem = ""
        if not self._is_word(symbol):
            problem = f"expected {self.width} characters, each 0 or 1"
        elif not any(holds(each.guard, int(symbol, 2)) for each in self.guarded[0]):
            problem = "expected a vector that a row covers"
        if problem:
            raise UnknownInputError(f'unknown input "{symbol[:80]}"; {problem}')
        return int(symbol, 2)

    def check_input(self, symbol: str) -> None:
        """Raise `UnknownInputError` where `symbol` is no vector that a guard holds."""
        self.vector(symbol)

    def _is_word(self, symbol: str) -> bool:
        return len(symbol) == self.width and re.fullmatch("[01]+", symbol) is not None

    def text(self, vector: int) -> str:
        """The input that writes a vector."""
        return f"{vector:0{self.width}b}"

    def transition(self, state: str, symbol: str) -> Transition:
        """The transition taken from `state` on a vector."""
        vector = self.vector(symbol)
        guarded = self.guarded[self.state_index(state)]
        return next(each.taken for each in guarded if holds(each.guard, vector))

    def over(self, symbols: Iterable[str]) -> Machine:
        """The plain machine with these vectors as its inputs."""
        inputs = tuple(dict.fromkeys(symbols))
        table = _table(self.guarded, [self.vector(symbol) for symbol in inputs])
        return Machine(
            self.name, self.states, inputs, self.initial, table, self.moore, self.compile_options
        )


def symbolic_machine(
    name: str,
    width: int,
    states: tuple[str, ...],
    initial: str,
    guarded: Sequence[Sequence[tuple[Sequence[Cube], Transition]]],
) -> SymbolicMachine:
    """A machine from the guarded transitions of each state: pairs of cubes and a transition.

    Those of one state that do the same become one kind of input.

    Raises
    ------
    TooLargeError
        If more representatives are needed than can be listed.
    SpecError
        As `Machine` does.

    Examples
    --------
    >>> from vsafsm.cubes import parse_cube
    >>> on, off, every = (parse_cube(text) for text in ("1--", "0--", "---"))
    >>> latch = symbolic_machine("latch", 3, ("low", "high"), "low", [
    ...     [([on], Transition("high")), ([off], Transition("low"))],
    ...     [([every], Transition("low", ("fell",)))],
    ... ])
    >>> latch.run(["100", "011"]).states
    ('low', 'high', 'low')
    >>> latch.inputs
    ('000', '100')
    """
    if len(guarded) != len(states):
        raise SpecError(f'machine "{name}" needs guarded transitions for each state')
    rows = tuple(map(_merged, guarded))
    vectors = pairwise_covering(list(dict.fromkeys(map(_kinds, rows))))
    return SymbolicMachine(
        name=name,
        states=states,
        inputs=tuple(f"{vector:0{width}b}" for vector in vectors),
        initial=initial,
        table=_table(rows, vectors),
        moore=((),) * len(states),
        # Kinds of input are what codes of one matrix are made of.
        compile_options=(("layout", "dense"),),
        width=width,
        guarded=rows,
    )


def _merged(pairs: Sequence[tuple[Sequence[Cube], Transition]]) -> tuple[Guarded, ...]:
    found: dict[Transition, list[Cube]] = {}
    for cubes, taken in pairs:
        found.setdefault(taken, []).extend(cubes)
    return tuple(Guarded(tuple(sorted(cubes)), taken) for taken, cubes in found.items())


def _kinds(guarded: tuple[Guarded, ...]) -> Kinds:
    """Sorted, so that states that tell the same kinds apart have equal ones."""
    return tuple(sorted(each.guard for each in guarded))


def _table(
    rows: Sequence[tuple[Guarded, ...]], vectors: list[int]
) -> tuple[tuple[Transition, ...], ...]:
    return tuple(
        tuple(next(each.taken for each in row if holds(each.guard, vector)) for vector in vectors)
        for row in rows
    )
