"""`System`: machines side by side, and the interpreter of what they do together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from vsafsm.errors import SpecError, TooLargeError, UnknownInputError, did_you_mean
from vsafsm.machine import Clock, Machine, Outputs, Transition, check_name, listed
from vsafsm.systems.exchange import exchange

MOST_CONFIGURATIONS = 100_000
JOINED = "|"
"""Between the states of the machines, in the name of a configuration."""
States = tuple[str, ...]


@dataclass(frozen=True)
class SystemTrace:
    """What the interpreter saw on a word of n inputs.

    Attributes
    ----------
    inputs
        The word, n names.
    states
        n + 1 configurations: the state of each machine.
    outputs
        n tuples: what any machine put out on the way, each name once.
    """

    inputs: tuple[str, ...]
    states: tuple[States, ...]
    outputs: tuple[Outputs, ...]


@dataclass(frozen=True, repr=False)
class System:
    """Machines that exchange outputs as inputs: a Mealy output of one is an input of every other
    that has an input of that name, one round later.

    Parameters
    ----------
    name
    machines
        In order, at least one, each with a name of its own. Those with a clock have the same one.
    inner
        Events that machines tell each other and that are no inputs of the system.

    Raises
    ------
    SpecError
        If names or clocks do not fit.

    Examples
    --------
    >>> from vsafsm import Machine
    >>> door = Machine.from_dict({"name": "door", "transitions": {
    ...     "shut": {"handle": ["open", "opened"]}, "open": {"handle": "shut"}}})
    >>> lamp = Machine.from_dict({"name": "lamp", "transitions": {
    ...     "off": {"opened": "on"}, "on": {"switch": "off"}}})
    >>> house = System("house", (door, lamp))
    >>> house.run(["handle", "switch"]).states
    (('shut', 'off'), ('open', 'on'), ('open', 'off'))
    """

    name: str
    machines: tuple[Machine, ...]
    inner: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check_name("system", self.name)
        if not self.machines:
            raise SpecError(f'system "{self.name}" has no machines; expected at least one')
        names = [machine.name for machine in self.machines]
        for name in names:
            if names.count(name) > 1:
                raise SpecError(
                    f'two machines of system "{self.name}" are named "{name}"; expected a name each'
                )
        clocks = {machine.clock for machine in self.machines if machine.clock is not None}
        if len(clocks) > 1:
            periods = ", ".join(sorted(f"{float(clock.seconds):g} s" for clock in clocks))
            raise SpecError(
                f'machines of system "{self.name}" have different clocks ({periods}); expected one'
            )

    def __repr__(self) -> str:
        names = ", ".join(machine.name for machine in self.machines)
        return f"<System {self.name}: {names}>"

    @cached_property
    def takers(self) -> dict[str, tuple[int, ...]]:
        """The machines that have an input, by its name; inputs in order."""
        found: dict[str, tuple[int, ...]] = {}
        for number, machine in enumerate(self.machines):
            for symbol in machine.inputs:
                found[symbol] = (*found.get(symbol, ()), number)
        return found

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs of all machines, without those that they only tell each other."""
        return tuple(symbol for symbol in self.takers if symbol not in self.inner)

    @property
    def clock(self) -> Clock | None:
        """The clock that the machines share."""
        return next((m.clock for m in self.machines if m.clock is not None), None)

    @property
    def initial(self) -> States:
        """The initial state of each machine."""
        return tuple(machine.initial for machine in self.machines)

    def check_input(self, symbol: str) -> None:
        """Raise `UnknownInputError` where `symbol` is no input of any machine."""
        if symbol not in self.takers or symbol in self.inner:
            hint = did_you_mean(symbol, self.inputs)
            raise UnknownInputError(
                f'unknown input "{symbol}" of system "{self.name}"; expected'
                f" {listed(self.inputs)}{hint}"
            )

    def react(self, states: States, symbol: str) -> tuple[States, Outputs]:
        """What an input leads to, after all that the machines tell each other, and what they put
        out on the way.

        Raises
        ------
        UnknownInputError
            If no machine has the input.
        EndlessError
            If they answer each other without end.
        """
        self.check_input(symbol)
        current = list(states)

        def send(number: int, event: str) -> Outputs:
            taken = self.machines[number].transition(current[number], event)
            current[number] = taken.to
            return taken.outputs

        outputs = exchange(symbol, self.takers, send)
        return tuple(current), outputs

    def run(self, word: Iterable[str]) -> SystemTrace:
        """Interpret a word from the initial states: the oracle of every session."""
        inputs = tuple(word)
        states, outputs = [self.initial], []
        for symbol in inputs:
            after, put = self.react(states[-1], symbol)
            states.append(after)
            outputs.append(put)
        return SystemTrace(inputs, tuple(states), tuple(outputs))

    def product(self, most: int = MOST_CONFIGURATIONS) -> Machine:
        """The one machine that does the same. Its states are the configurations that some word
        reaches.

        Raises
        ------
        TooLargeError
            If there are more than `most`.
        EndlessError
            If the machines answer each other without end on some word.
        """
        rows = self._explored(most)
        names = {states: JOINED.join(states) for states in rows}
        if len(set(names.values())) < len(names):
            raise SpecError(
                f'configurations of system "{self.name}" have equal names, because names of states'
                f' have "{JOINED}" in them; expected names without'
            )
        return Machine(
            self.name,
            tuple(names.values()),
            self.inputs,
            names[self.initial],
            tuple(
                tuple(Transition(names[after], outputs) for after, outputs in row)
                for row in rows.values()
            ),
            tuple(self.moore(states) for states in rows),
            clock=self.clock,
        )

    def configurations(self, most: int = MOST_CONFIGURATIONS) -> int:
        """How many configurations words reach; raises as `product`."""
        return len(self._explored(most))

    def _explored(self, most: int) -> dict[States, list[tuple[States, Outputs]]]:
        """Where each input leads from each configuration, and what is put out on the way."""
        rows: dict[States, list[tuple[States, Outputs]]] = {self.initial: []}
        for states in (queue := [self.initial]):
            for symbol in self.inputs:
                after, outputs = self.react(states, symbol)
                if after not in rows:
                    if len(rows) >= most:
                        raise TooLargeError(
                            f'system "{self.name}" has more than {most} configurations; expected'
                            " fewer, or a larger bound"
                        )
                    rows[after] = []
                    queue.append(after)
                rows[states].append((after, outputs))
        return rows

    def moore(self, states: States) -> Outputs:
        """Moore outputs of a configuration, each name once."""
        pairs = zip(self.machines, states, strict=True)
        return tuple(dict.fromkeys(put for m, state in pairs for put in m.outputs_of(state)))
