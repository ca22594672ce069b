"""What configurations are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from vsafsm.durations import duration_text
from vsafsm.statecharts.expressions import Literal, Value, written
from vsafsm.statecharts.semantics import Snapshot
from vsafsm.statecharts.tables import ROOT, Tables

REGION = "|"
"""Between the innermost states of regions."""
NEXT = r", (?=[^\W\d]\w*=)"
"""Between a value and the next variable."""
_IN_STATES = re.compile(r'["|\[{@~#]')
_IN_VALUES = re.compile(rf'["\]]|{NEXT}')


def names_of(tables: Tables, snapshots: Sequence[Snapshot]) -> list[str]:
    """A name for each configuration, no two alike.

    It is the dotted path of the innermost active states, those of regions joined by ``|`` in
    document order. Where several have it, variables (``[tries=2]``), histories
    (``{last: on.dim}``), timers (``@300ms``) and delayed events (``~ring@1s``) follow, as far as
    they differ among them, and as far as they are not as they are where nothing has happened yet.

    States and texts stand in quotes where they have signs in them that mean something here
    (``"r|1".on``, ``[m="y, k=3"]``). Those of a flat chart stand as they are.
    """
    alike: dict[tuple[int, ...], list[Snapshot]] = {}
    for each in snapshots:
        alike.setdefault(each.leaves, []).append(each)
    told = {leaves: _Suffix(tables, group) for leaves, group in alike.items()}
    paths = [each.called for each in tables.states] if tables.chart.flat else _paths(tables)
    found: dict[str, None] = {}
    for each in snapshots:
        name = base = REGION.join(paths[leaf] for leaf in each.leaves) + told[each.leaves].of(each)
        count = 1
        while name in found:
            count += 1
            name = f"{base}#{count}"
        found[name] = None
    return list(found)


def _paths(tables: Tables) -> list[str]:
    """The dotted path of each state. A parallel state that is the only one at the top goes
    without saying, and an innermost one that is called as the one around it.
    """
    found = [""] * len(tables.states)
    top = tables.children[ROOT]
    unsaid = top[0] if len(top) == 1 and tables.states[top[0]].kind == "parallel" else ROOT
    for number, state in enumerate(tables.states):
        if number not in (ROOT, unsaid):
            parent = tables.parent[number]
            around = found[parent]
            alike = parent != ROOT and state.called == tables.states[parent].called
            called = _quoted(state.called, _IN_STATES)
            if alike and not state.children:
                found[number] = around
            else:
                found[number] = f"{around}.{called}" if around else called
    return found


class _Suffix:
    """What tells configurations of the same states apart."""

    def __init__(self, tables: Tables, group: list[Snapshot]) -> None:
        self.tables = tables
        self.paths = _paths(tables) if tables.histories else []
        self.variables = _differing([each.data for each in group])
        self.histories = _differing([each.histories for each in group])
        self.timers = _differing([each.ticks for each in group])
        self.pending = len({each.pending for each in group}) > 1

    def of(self, snapshot: Snapshot) -> str:
        return "".join(self.parts(snapshot))

    def parts(self, snapshot: Snapshot) -> Iterator[str]:
        tables, data = self.tables, self.tables.chart.data
        values = [f"{data[i].name}={_shown(snapshot.data[i])}" for i in self.variables]
        if values:
            yield f"[{', '.join(values)}]"
        histories = [
            f"{tables.histories[i].id}: {REGION.join(self.paths[s] for s in snapshot.histories[i])}"
            for i in self.histories
            if snapshot.histories[i]
        ]
        if histories:
            yield f"{{{', '.join(histories)}}}"
        timers = [
            f"{self.timer(i)}{self.time(snapshot.ticks[i])}"
            for i in self.timers
            if snapshot.ticks[i]
        ]
        if timers:
            yield f"@{','.join(timers)}"
        for ticks, event, _ in snapshot.pending if self.pending else ():
            yield f"~{event}@{self.time(ticks)}"

    def timer(self, timer: int) -> str:
        if len(self.timers) == 1:
            return ""
        state = self.tables.timers[timer]
        kind = "idle " if self.tables.idle_of.get(state) == timer else ""
        return f"{kind}{self.tables.states[state].called}:"

    def time(self, ticks: int) -> str:
        return duration_text(ticks * (self.tables.chart.period or Fraction(1)))


def _differing(rows: Sequence[Sequence[object]]) -> list[int]:
    """The places at which rows are not all alike."""
    if len(rows) == 1:
        return []
    return [i for i in range(len(rows[0])) if len({row[i] for row in rows}) > 1]


def _shown(value: Value) -> str:
    return _quoted(value, _IN_VALUES) if isinstance(value, str) else written(Literal(value))


def _quoted(text: str, signs: re.Pattern[str]) -> str:
    """A text, in quotes where it has some of the signs; quotes in it are doubled."""
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if signs.search(text) else text
