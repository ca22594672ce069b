"""The flat machine of a statechart: a state for each configuration that some word reaches."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from vsafsm.errors import SpecError, TooLargeError
from vsafsm.machine import Clock, Machine, Outputs, Transition
from vsafsm.statecharts.chart import Statechart
from vsafsm.statecharts.expressions import Value
from vsafsm.statecharts.naming import names_of
from vsafsm.statecharts.semantics import Semantics, Snapshot
from vsafsm.statecharts.tables import ROOT

MOST_CONFIGURATIONS = 100_000
"""Most configurations, unless one says otherwise."""
MOST_PAIRS = 4_000_000
"""Most (configuration, input) pairs."""
MOST_VALUES = 1_000
"""Most values of a variable whose values are not declared."""
FEW_VALUES = 25
"""Values of such a variable from which on it is looked ahead whether there will be too many."""
MOST_AHEAD = 10_000
"""Most steps of one such look."""
SHOWN_WORD = 20
"""Most inputs of a word in an error."""

_Row = tuple[tuple[int, Outputs], ...]


@dataclass(frozen=True)
class Exploration:
    """Every configuration of a chart that some word reaches.

    Attributes
    ----------
    chart
        The chart.
    snapshots
        The configurations, in document order of their innermost states.
    names
        What they are called; `vsafsm.statecharts.naming`.
    machine
        The flat machine: its states are called so, in this order.
    initial_outputs
        What the chart puts out on the way to its first configuration, which the machine does not.
    never_entered
        Ids of the states that no word enters, in document order; of those inside one of them, only
        the outermost.
    """

    chart: Statechart
    snapshots: tuple[Snapshot, ...]
    names: tuple[str, ...]
    machine: Machine
    initial_outputs: Outputs
    never_entered: tuple[str, ...]
    _semantics: Semantics = field(repr=False, compare=False)

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    def active(self, name: str) -> tuple[str, ...]:
        """Ids of the active states of a configuration, in document order."""
        return self._semantics.active(self.snapshots[self._numbers[name]])

    def leaves(self, name: str) -> tuple[str, ...]:
        """Ids of the innermost active states of a configuration: one for each region."""
        return self._semantics.leaves(self.snapshots[self._numbers[name]])

    def data(self, name: str) -> Mapping[str, Value]:
        """The value of each variable in a configuration."""
        values = self.snapshots[self._numbers[name]].data
        return {each.name: value for each, value in zip(self.chart.data, values, strict=True)}


def flatten(chart: Statechart, most: int = MOST_CONFIGURATIONS) -> Machine:
    """The machine that does what `chart` does.

    Its states are the configurations that some word reaches: the active states, what histories
    remember, the data, and what timers show. An event that a configuration does not take leaves it
    where it is. A final state at the top is never left, and puts out ``accept`` when it is entered.

    Parameters
    ----------
    chart
        The chart.
    most
        Most configurations.

    Raises
    ------
    TooLargeError
        If there are more, with what makes them many.
    SpecError
        If a step never ends, or a variable leaves its range; with a shortest word that leads there.
        If the chart has no inputs.

    Examples
    --------
    >>> from vsafsm.statecharts import State, Statechart, Transition, flatten
    >>> dim = State("dim", transitions=(Transition(("more",), ("bright",)),))
    >>> on = State("on", (dim, State("bright")), transitions=(Transition(("power",), ("off",)),))
    >>> off = State("off", transitions=(Transition(("power",), ("on",)),))
    >>> flatten(Statechart("lamp", (off, on))).run(["power", "more", "power"]).states
    ('off', 'on.dim', 'on.bright', 'off')
    """
    return explore(chart, most).machine


def explore(chart: Statechart, most: int = MOST_CONFIGURATIONS) -> Exploration:
    """Every configuration of `chart`, breadth first; parameters and errors as `flatten`.

    Of a chart that is flat, the states that no word reaches are kept.
    """
    if not chart.events:
        raise SpecError("no transition names an event; expected at least one", chart.place)
    search = _Search(chart, most)
    search.run()
    found, rows = search.found, search.rows
    order = sorted(range(len(found)), key=lambda i: _sorted_by(search.snapshots[i]))
    snapshots = tuple(search.snapshots[i] for i in order)
    names = names_of(search.semantics.tables, snapshots)
    called = [""] * len(order)
    for name, i in zip(names, order, strict=True):
        called[i] = name
    seen: dict[tuple[int, Outputs], Transition] = {}
    table = tuple(
        tuple(
            seen.get(taken) or seen.setdefault(taken, Transition(called[taken[0]], taken[1]))
            for taken in rows[i]
        )
        for i in order
    )
    machine = Machine(
        chart.name,
        tuple(names),
        chart.events,
        called[0],
        table,
        tuple(search.semantics.outputs(each) for each in snapshots),
        compile_options=chart.compile_options,
        clock=_clock(chart),
    )
    return Exploration(
        chart,
        snapshots,
        tuple(names),
        machine,
        search.initial_outputs,
        search.never_entered,
        search.semantics,
    )


def _clock(chart: Statechart) -> Clock | None:
    seconds = chart.clock if chart.period is None else chart.period
    if seconds is None or chart.tick not in chart.events:
        return None
    return Clock(chart.tick, seconds)


class _Search:
    """Configurations in the order in which they are found."""

    def __init__(self, chart: Statechart, most: int) -> None:
        self.chart, self.most = chart, most
        self.semantics = Semantics(chart)
        self.snapshots: list[Snapshot] = []
        self.found: dict[Snapshot, int] = {}
        self.before: list[tuple[int, str]] = []
        self.rows: list[_Row] = []
        self.initial_outputs: Outputs = ()
        self.never_entered: tuple[str, ...] = ()
        undeclared = [i for i, each in enumerate(chart.data) if each.values is None]
        self.values: dict[int, set[Value]] = {i: set() for i in undeclared}
        self.looked = dict.fromkeys(undeclared, FEW_VALUES)

    def run(self) -> None:
        start, outputs = self.semantics.start()
        self.initial_outputs = tuple(dict.fromkeys(outputs))
        self.number(start, -1, "")
        self.visit()
        self.never_entered = self.left_out()
        if self.chart.flat:
            for leaf in range(1, len(self.semantics.tables.states)):
                self.number(start._replace(leaves=(leaf,)), -1, "")
            self.visit()

    def left_out(self) -> tuple[str, ...]:
        """As `Exploration.never_entered`."""
        tables, entered = self.semantics.tables, self.semantics.entered() | {ROOT}
        return tuple(
            state.id
            for number, state in enumerate(tables.states)
            if number not in entered and tables.parent[number] in entered
        )

    def visit(self) -> None:
        step, events = self.semantics.step, self.chart.events
        while len(self.rows) < len(self.snapshots):
            number = len(self.rows)
            snapshot = self.snapshots[number]
            row: list[tuple[int, Outputs]] = []
            for event in events:
                try:
                    reached, outputs = step(snapshot, event)
                except SpecError as error:
                    raise type(error)(
                        error.message + self.word(number, event), error.location
                    ) from None
                if reached is snapshot:
                    row.append((number, ()))
                    continue
                target = self.found.get(reached)
                if target is None:
                    target = self.number(reached, number, event)
                row.append((target, tuple(dict.fromkeys(outputs)) if outputs else ()))
            self.rows.append(tuple(row))

    def number(self, snapshot: Snapshot, before: int, event: str) -> int:
        """The number of a configuration, which may be new."""
        if self.chart.data and self.semantics.ended(snapshot):
            snapshot = snapshot._replace(data=tuple(each.initial for each in self.chart.data))
        number = self.found.setdefault(snapshot, len(self.snapshots))
        if number == len(self.snapshots):
            self.snapshots.append(snapshot)
            self.before.append((before, event))
            self.check(snapshot)
        return number

    def check(self, snapshot: Snapshot) -> None:
        for i, values in self.values.items():
            values.add(snapshot.data[i])
            if len(values) >= self.looked[i]:
                self.looked[i] *= 2
                self.look_ahead(i, values)
            if len(values) > MOST_VALUES:
                raise self.endless(i)
        count = len(self.snapshots)
        if count > self.most and not self.chart.flat:
            raise TooLargeError(
                f'the chart "{self.chart.name}" has more than {self.most} configurations'
                f"{self.many()}; expected at most {self.most}",
                self.chart.place,
            )
        if count * len(self.chart.events) > MOST_PAIRS:
            raise TooLargeError(
                f"the machine has more than {MOST_PAIRS} transitions", self.chart.place
            )

    def look_ahead(self, variable: int, values: set[Value]) -> None:
        """Raise `TooLargeError` where the last configuration, by the inputs that came since the
        same states were active with another value, comes to too many values.

        Others would be found first, and there may be many of them for each value.
        """
        ahead, snapshot = {*values}, self.snapshots[-1]
        number, word = len(self.snapshots) - 1, list[str]()
        while number > 0:
            number, event = self.before[number]
            word.append(event)
            before = self.snapshots[number]
            same = before.leaves == snapshot.leaves
            if same and before.data[variable] != snapshot.data[variable]:
                break
        word.reverse()
        with suppress(SpecError):  # told when it is reached, with the shortest word
            for _ in range(MOST_AHEAD // max(len(word), 1)):
                count = len(ahead)
                for event in word:
                    snapshot, _ = self.semantics.step(snapshot, event)
                    ahead.add(snapshot.data[variable])
                if len(ahead) == count or count > MOST_VALUES:
                    break
        if len(ahead) > MOST_VALUES:
            raise self.endless(variable)

    def endless(self, variable: int) -> TooLargeError:
        """The error for a variable with too many values."""
        each = self.chart.data[variable]
        return TooLargeError(
            f'variable "{each.name}" has more than {MOST_VALUES} values; expected one that does not'
            " grow without end",
            each.place,
        )

    def many(self) -> str:
        """What the configurations that were found differ in most."""
        counts: dict[str, set[object]] = {
            f'values of variable "{each.name}"': {s.data[i] for s in self.snapshots}
            for i, each in enumerate(self.chart.data)
        }
        tables = self.semantics.tables
        for i, state in enumerate(tables.timers):
            told = f'ticks of state "{tables.states[state].id}"'
            counts[told] = {s.ticks[i] for s in self.snapshots}
        counts["sets of active states"] = {s.leaves for s in self.snapshots}
        counts["sets of delayed events"] = {s.pending for s in self.snapshots}
        counts["memories"] = {s.histories for s in self.snapshots}
        named = sorted(((len(each), told) for told, each in counts.items()), reverse=True)
        return ", with " + ", ".join(f"{n} {told}" for n, told in named[:2] if n > 1)

    def word(self, number: int, event: str) -> str:
        """Which inputs lead to an error."""
        inputs = [event]
        while number > 0:
            number, event = self.before[number]
            inputs.append(event)
        inputs.reverse()
        shown = " ".join(inputs[-SHOWN_WORD:])
        return f'; reached by the word "{"... " if len(inputs) > SHOWN_WORD else ""}{shown}"'


def _sorted_by(snapshot: Snapshot) -> tuple[tuple[object, ...], ...]:
    pending = tuple((-ticks, event, key or "") for ticks, event, key in snapshot.pending)
    return (*snapshot[:-1], pending)
