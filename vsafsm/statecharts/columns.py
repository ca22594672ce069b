"""Names of configurations taken apart: a column for each region and each variable.

The names are those that ``naming`` makes, so that flat machines out of files have columns too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsafsm.statecharts.naming import NEXT, REGION

STATE, MORE = "state", "more"
_TEXT = r'"((?:[^"]|"")*)"'
_STATE = re.compile(rf"{_TEXT}(?=[.|\[{{@~#]|$)|([^.|\[{{@~#]*)")
"""A state of a path, in quotes or not."""
_VARIABLE = re.compile(rf"([^=\]]*)=(?:{_TEXT}|([^\]]*?))(?:{NEXT}|(\]))")
"""A variable, its value in quotes or not, and the end of the variables."""


@dataclass(frozen=True)
class Columns:
    """States of a machine as rows of cells.

    Attributes
    ----------
    headings
        Regions, or ``state`` where there is one; variables; and ``more`` for times, memories and
        delayed events.
    cells
        For each state a cell for each column, which is empty where the name does not say it: a
        variable stands in a name only where it tells configurations of the same states apart.
    regions
        How many of the columns, the first ones, have states.
    variables
        How many of those behind have values.
    """

    headings: tuple[str, ...]
    cells: Mapping[str, tuple[str, ...]]
    regions: int
    variables: int = 0

    def row(self, state: str | None) -> tuple[str, ...]:
        """The cells of a state; of None, ``(none)``."""
        if state is None:
            return ("(none)", *[""] * (len(self.headings) - 1))
        return self.cells[state]

    def pairs(self, state: str) -> dict[str, str]:
        """The cells of a state that are not empty, by heading."""
        pairs = zip(self.headings, self.cells[state], strict=True)
        return {heading: cell for heading, cell in pairs if cell}

    def told(self, state: str) -> tuple[str, ...]:
        """The cells of a state that are not empty, variables with their names."""
        named = range(self.regions, self.regions + self.variables)
        return tuple(
            f"{heading}={cell}" if i in named else cell
            for i, (heading, cell) in enumerate(zip(self.headings, self.cells[state], strict=True))
            if cell
        )


def short_names(states: Sequence[str]) -> dict[str, str]:
    """Each state by its cells alone: what is common to all paths of a region is left out.

    Examples
    --------
    >>> short_names(("door.shut|lamp.off", "door.open|lamp.off[n=1]"))["door.open|lamp.off[n=1]"]
    'open | off | n=1'
    """
    columns = columns_of(states)
    return {state: f" {REGION} ".join(columns.told(state)) for state in states}


def columns_of(states: Sequence[str]) -> Columns:
    """The columns of the states of a machine; one alone where names have no regions, variables
    or memories.

    Examples
    --------
    >>> found = columns_of(("door.shut|lamp.off", "door.open|lamp.on@2s"))
    >>> found.headings, found.cells["door.open|lamp.on@2s"]
    (('door', 'lamp', 'more'), ('open', 'on', '@2s'))
    >>> found = columns_of(("shut[tries=0]", "shut[tries=1]", "open"))
    >>> found.headings, found.told("shut[tries=1]"), found.told("open")
    (('state', 'tries'), ('shut', 'tries=1'), ('open',))
    >>> columns_of(("on", "on@2s")).headings
    ('state',)
    """
    apart = [_Parts.of(state) for state in states]
    variables = list(dict.fromkeys(name for parts in apart for name in parts.data))
    counts = {len(parts.regions) for parts in apart}
    several = len(counts) == 1 and counts != {1}
    remembering = any(parts.more.startswith("{") for parts in apart)
    if not (several or variables or remembering):
        return Columns((STATE,), {state: (state,) for state in states}, 1)
    if several:
        regions = [_region(pieces) for pieces in zip(*(p.regions for p in apart), strict=True)]
    else:
        regions = [(STATE, [f" {REGION} ".join(map(".".join, parts.regions)) for parts in apart])]
    headings = [heading or f"region {i}" for i, (heading, _) in enumerate(regions, 1)]
    columns = [cells for _, cells in regions]
    columns += [[parts.data.get(name, "") for parts in apart] for name in variables]
    headings += variables
    if any(parts.more for parts in apart):
        columns.append([parts.more for parts in apart])
        headings.append(MORE)
    rows = dict(zip(states, zip(*columns, strict=True), strict=True))
    return Columns(_distinct(headings), rows, len(regions), len(variables))


@dataclass(frozen=True)
class _Parts:
    """A name: paths of innermost states, values of variables, and what stands behind them."""

    regions: tuple[tuple[str, ...], ...]
    data: Mapping[str, str]
    more: str

    @classmethod
    def of(cls, name: str) -> _Parts:
        paths, at = _paths(name)
        if ("",) in paths:
            return cls(((name,),), {}, "")
        data, end = _data(name, at)
        return cls(paths, data, name[end:])


def _paths(name: str) -> tuple[tuple[tuple[str, ...], ...], int]:
    """The states of each path in a name, and where what stands behind them begins."""
    paths: list[list[str]] = [[]]
    at = 0
    while found := _STATE.match(name, at):
        quoted, plain = found.groups()
        paths[-1].append(plain if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if not name.startswith((".", REGION), at):
            break
        if name[at] == REGION:
            paths.append([])
        at += 1
    return tuple(map(tuple, paths)), at


def _data(name: str, at: int) -> tuple[dict[str, str], int]:
    """The values of variables in a name, and where they end; none where it is not as written."""
    data: dict[str, str] = {}
    end = at + 1
    while name.startswith("[", at) and (found := _VARIABLE.match(name, end)):
        variable, quoted, plain, last = found.groups()
        data[variable] = plain if quoted is None else quoted.replace('""', '"')
        end = found.end()
        if last:
            return data, end
    return {}, at


def _region(paths: Sequence[tuple[str, ...]]) -> tuple[str, list[str]]:
    """What is common to the paths of a region, and what is left of each."""
    least, most = min(paths), max(paths)
    common = 0
    while common < min(len(least), len(most)) and least[common] == most[common]:
        common += 1
    if least == most and common > 1:
        common -= 1
    cells = [".".join(each[common:]) or each[-1] for each in paths]
    return ".".join(least[:common]), cells


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name in names:
        while name in found:
            name += "'"
        found[name] = None
    return tuple(found)
