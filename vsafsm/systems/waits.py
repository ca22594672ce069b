"""Long waits beside a machine: counters in place of chains of states, where they cost less.

A *chain* is a run of states that differ in time alone, as a flattened chart has them: each goes on
to the next by a tick without outputs, all answer every other input alike, and their names are the
same but for the time behind an ``@``. It becomes one state. On entering it, the machine
loads a number into digits that count it down by ticks, each by the borrow of the one before; below
0, the last one tells the machine that the time is over. On leaving it, the digits are switched off.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

from vsafsm.errors import NotExpressibleError
from vsafsm.layouts import choose
from vsafsm.lowering import lower
from vsafsm.machine import Clock, Machine, Transition
from vsafsm.modules.prediction import predicted_synapses
from vsafsm.options import Options
from vsafsm.prediction import predicted_neurons
from vsafsm.requirements import Requirements
from vsafsm.sizing import HEADROOM
from vsafsm.systems.system import System

BASE = 6
"""Of the digits: of 2, 3, 4, 6 and 8 the cheapest for 20, 100 and 600 ticks."""
MARGIN = 0.3
"""At which costs are predicted: the compiler's default."""
_TIME = re.compile(r"@[0-9.,a-z]+")
OFF = "(off)"


@dataclass(frozen=True)
class Costs:
    """Synapses that are predicted for a machine with long waits.

    Attributes
    ----------
    chains
        Of its network, with a state per tick.
    counters
        Of the networks of `with_counters`.
    """

    chains: int
    counters: int


def with_counters(machine: Machine, label: str = "") -> System:
    """A machine with a clock as a system in which counters keep the time of its long waits.

    It puts out what the machine does, in the same step of the word, and besides what its parts
    tell each other, in parentheses. Where no counters are cheaper, by the synapses that the
    compiler predicts, or there is no clock, the machine is the system's only one.

    Parameters
    ----------
    machine
    label
        What the names of the counters, and of what they are told, begin with: several machines of a
        system need a label each.

    Raises
    ------
    NotExpressibleError
        If an output has the name of an input, which a system would hear.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from vsafsm.statecharts import State, Statechart, Transition, flatten
    >>> out = Transition((), ("off",), after=Fraction(100))
    >>> on = State("on", transitions=(Transition(("press",), ("on",)), out))
    >>> off = State("off", transitions=(Transition(("press",), ("on",)),))
    >>> system = with_counters(flatten(Statechart("lamp", (off, on), clock=Fraction(1))))
    >>> [(each.name, len(each.states)) for each in system.machines]
    [('lamp', 2), ('digit 0', 7), ('digit 1', 7), ('digit 2', 7)]
    >>> system.run(["press", *["tick"] * 99, "tick"]).states[-2:]
    (('on', '0', '0', '0'), ('off', '(off)', '(off)', '(off)'))
    """
    several = _counted(machine, label)
    if not several or (found := _costs(machine, several)).counters >= found.chains:
        return System(machine.name, (machine,))
    own = {*machine.inputs}
    inner = {symbol for each in several for symbol in each.inputs if symbol not in own}
    return System(machine.name, several, frozenset(inner))


def costs(machine: Machine) -> Costs | None:
    """What a machine with long waits is predicted to cost; None for one without.

    Raises
    ------
    NotExpressibleError
        As `with_counters`.
    """
    several = _counted(machine, "")
    return _costs(machine, several) if several else None


def is_counter(machine: Machine) -> bool:
    """Whether a machine of a system counts ticks for another."""
    return OFF in machine.states


def timeless(name: str) -> str:
    """The name of a state without the time that has passed in it."""
    return _TIME.sub("", name)


def _counted(machine: Machine, label: str) -> tuple[Machine, ...]:
    """The machine with one state in place of each chain, and its counters; nothing without
    chains.
    """
    if machine.clock is None:
        return ()
    waits = _Waits(machine, machine.clock, label)
    if not waits.chains:
        return ()
    waits.check()
    return (waits.control(), *waits.digits())


def _costs(machine: Machine, several: tuple[Machine, ...]) -> Costs:
    return Costs(_predicted(machine), sum(map(_predicted, several)))


def _predicted(machine: Machine) -> int:
    """Synapses of a machine's network, before it is compiled."""
    lowered, options = lower(machine), Options()
    if choose(lowered, options, Requirements()) == "modules":
        return predicted_synapses(lowered, MARGIN)
    return round(HEADROOM * predicted_neurons(lowered, options)) ** 2


class _Waits:
    """The chains of a machine with a clock."""

    def __init__(self, machine: Machine, clock: Clock, label: str) -> None:
        self.machine, self.clock, self.label = machine, clock, label
        self.stop, self.timeout = self._told("stop"), self._told("timeout")
        self.tick = machine.inputs.index(self.clock.symbol)
        self.names = machine.states
        self.number = {name: x for x, name in enumerate(self.names)}
        self.next = [self.number[row[self.tick].to] for row in machine.table]

    @cached_property
    def previous(self) -> list[list[int]]:
        """For each state, those from which a tick leads there."""
        found: list[list[int]] = [[] for _ in self.next]
        for x, to in enumerate(self.next):
            found[to].append(x)
        return found

    @cached_property
    def left(self) -> list[tuple[int, int]]:
        """The last state of each state's chain, and the ticks from there until it is left."""
        kinds = [self._kinds(x) for x in range(len(self.names))]
        ends = {
            x
            for x, kind in enumerate(kinds)
            if kind is None or kinds[self.next[x]] not in (None, kind)
        }
        for end in list(ends):
            before = [x for x in self.previous[end] if x not in ends]
            usual = Counter(kinds[x] for x in before).most_common(1)
            ends |= {x for x in before if kinds[x] != usual[0][0]}
        found: dict[int, tuple[int, int]] = {x: (x, 1) for x in ends}
        for x in range(len(kinds)):
            path: dict[int, None] = {}
            while x not in found and x not in path:
                path[x] = None
                x = self.next[x]
            # Chains that run in a circle have no end: each of their states is its own.
            last = found.get(x)
            for n, each in enumerate(reversed(path), 1):
                found[each] = (each, 1) if last is None else (last[0], last[1] + n)
        return [found[x] for x in range(len(kinds))]

    def _kinds(self, x: int) -> tuple[bool, ...] | None:
        """For each other input, whether a state and the next by a tick stay where they are; None
        where they differ in more than time.
        """
        machine, y = self.machine, self.next[x]
        own, other = machine.table[x], machine.table[y]
        names = {timeless(self.names[each]) for each in (x, y)}
        if x == y or len(names) > 1 or own[self.tick].outputs:
            return None
        if machine.moore[x] != machine.moore[y]:
            return None
        kinds = []
        for a, (one, two) in enumerate(zip(own, other, strict=True)):
            stays = (one.to, two.to) == (self.names[x], self.names[y])
            alike = one.outputs == two.outputs if stays else one == two
            if a != self.tick and not alike:
                return None
            kinds.append(stays and a != self.tick)
        return tuple(kinds)

    @cached_property
    def chains(self) -> dict[int, int]:
        """The first state of each chain of several, by its last."""
        first: dict[int, int] = {}
        for x, (end, ticks) in enumerate(self.left):
            if ticks > 1 and (end not in first or ticks > self.left[first[end]][1]):
                first[end] = x
        return first

    @cached_property
    def loads(self) -> list[int]:
        """The numbers that are loaded, that of the initial state included."""
        rows = [self.machine.table[x] for x in self._kept()]
        entered = {self.number[taken.to] for row in rows for taken in row}
        entered.add(self.number[self.machine.initial])
        return sorted({self.left[x][1] - 1 for x in entered if self.left[x][0] in self.chains})

    def _kept(self) -> list[int]:
        """The states that are their chain's last, those that are alone among them."""
        return [x for x, (end, _) in enumerate(self.left) if x == end]

    def check(self) -> None:
        """Raise `NotExpressibleError` where the system would hear its own outputs."""
        machine = self.machine
        put = {name for row in machine.table for taken in row for name in taken.outputs}
        put.update(*machine.moore)
        own = {OFF, self.stop, self.timeout, *map(self._start, self.loads)}
        own.update(map(self._borrow, range(self._count())))
        heard = (put & set(machine.inputs)) | ((put | set(machine.inputs)) & own)
        if heard:
            raise NotExpressibleError(
                f'machine "{machine.name}" has an output or input "{min(heard)}", which the system'
                " would hear; expected other names"
            )

    def control(self) -> Machine:
        """The machine with one state in place of each chain."""
        machine, kept = self.machine, self._kept()
        name = {x: self.names[self.chains.get(x, x)] for x in kept}
        table = []
        for x in kept:
            row, waits = machine.table[x], x in self.chains
            stay, due = Transition(name[x]), self._moved(x, row[self.tick], name)
            kinds = self._chain_kinds(x)
            moved = [
                replace(taken, to=name[x]) if waits and kinds[a] else self._moved(x, taken, name)
                for a, taken in enumerate(row)
            ]
            if waits:
                moved[self.tick] = stay
            table.append((*moved, due if waits else stay))
        return Machine(
            machine.name,
            tuple(name[x] for x in kept),
            (*machine.inputs, self.timeout),
            name[self.left[self.number[machine.initial]][0]],
            tuple(table),
            tuple(machine.moore[x] for x in kept),
            compile_options=machine.compile_options,
            clock=self.clock,
        )

    def _chain_kinds(self, end: int) -> tuple[bool, ...]:
        return self._kinds(self._before(end)) or () if end in self.chains else ()

    def _before(self, end: int) -> int:
        """The last state but one of a chain."""
        return next(x for x in self.previous[end] if self.left[x] == (end, 2))

    def _moved(self, x: int, taken: Transition, name: dict[int, str]) -> Transition:
        """A transition of the machine as one of the control."""
        end, ticks = self.left[self.number[taken.to]]
        put: tuple[str, ...] = ()
        if end in self.chains:
            put = (self._start(ticks - 1),)
        elif x in self.chains:
            put = (self.stop,)
        return Transition(name[end], taken.outputs + put)

    def _count(self) -> int:
        most, count = max(self.loads, default=1), 1
        while BASE**count <= most:
            count += 1
        return count

    def digits(self) -> list[Machine]:
        """The counters, the lowest digit first."""
        count, starts = self._count(), {self._start(value): value for value in self.loads}
        begun_end, begun = self.left[self.number[self.machine.initial]]
        machines = []
        for n in range(count):
            loaded = {start: str(value // BASE**n % BASE) for start, value in starts.items()}
            heard = self._borrow(n) if n else self.clock.symbol
            put = self._borrow(n + 1) if n + 1 < count else self.timeout
            always: dict[str, object] = {**loaded, self.stop: OFF}
            rows: dict[str, object] = {OFF: {heard: OFF, **always}}
            for d in range(BASE):
                down: object = str(d - 1) if d else [str(BASE - 1), put]
                rows[str(d)] = {heard: down, **always}
            running = begun_end in self.chains
            first = str((begun - 1) // BASE**n % BASE) if running else OFF
            name = f"{self.label}digit {n}"
            made = Machine.from_dict({"name": name, "transitions": rows, "initial": first})
            made = replace(made, compile_options=self.machine.compile_options)
            machines.append(made if n else replace(made, clock=self.clock))
        return machines

    def _start(self, value: int) -> str:
        return self._told(f"start {value}")

    def _borrow(self, digit: int) -> str:
        return self._told(f"borrow {digit}")

    def _told(self, what: str) -> str:
        return f"({self.label}{what})"
