"""Other names, where a format cannot hold those of a machine; and the table that tells them."""

from __future__ import annotations

import csv
import io
import re
import string
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path

from vsafsm.errors import NotExpressibleError
from vsafsm.formats import NameRule
from vsafsm.machine import Machine, Outputs, Transition
from vsafsm.symbolic import SymbolicMachine

RENAME = "vsafsm convert --rename"
"""What an error names that another name would help."""
HEAD = ("kind", "name", "written")
"""The first row of a table of names."""

Names = Mapping[str, str]
_KINDS = STATE, INPUT, OUTPUT = ("state", "input", "output")


@dataclass(frozen=True)
class Renaming:
    """New names for some of the names of a machine.

    Attributes
    ----------
    states, inputs, outputs
        From names that change to what they become. No two become one.
    """

    states: Names
    inputs: Names
    outputs: Names

    def applied(self, machine: Machine) -> Machine:
        """The machine with the new names.

        Examples
        --------
        >>> lamp = Machine.from_dict(
        ...     {"transitions": {"off": {"press": "on"}, "on": {"press": "off"}}}
        ... )
        >>> Renaming({}, {"press": "p"}, {}).applied(lamp).inputs
        ('p',)
        """
        states = tuple(map(self._state, machine.states))
        initial = self._state(machine.initial)
        table = tuple(tuple(map(self._transition, row)) for row in machine.table)
        moore = tuple(map(self._outputs, machine.moore))
        if isinstance(machine, SymbolicMachine):  # whose inputs are vectors
            guarded = tuple(
                tuple(replace(each, taken=self._transition(each.taken)) for each in row)
                for row in machine.guarded
            )
            return replace(
                machine, states=states, initial=initial, table=table, moore=moore, guarded=guarded
            )
        inputs = tuple(self.inputs.get(symbol, symbol) for symbol in machine.inputs)
        return replace(
            machine, states=states, inputs=inputs, initial=initial, table=table, moore=moore
        )

    def inverse(self) -> Renaming:
        """From the new names back."""
        return Renaming(*({new: name for name, new in names.items()} for names in self._groups))

    def table(self) -> str:
        """CSV with a row for each name that changes; an empty text where none does."""
        rows = [
            (kind, name, new)
            for kind, names in zip(_KINDS, self._groups, strict=True)
            for name, new in names.items()
        ]
        if not rows:
            return ""
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerows((HEAD, *rows))
        return written.getvalue()

    @property
    def size(self) -> int:
        """Number of names that change."""
        return sum(map(len, self._groups))

    @property
    def _groups(self) -> tuple[Names, Names, Names]:
        return self.states, self.inputs, self.outputs

    def _state(self, state: str) -> str:
        return self.states.get(state, state)

    def _transition(self, taken: Transition) -> Transition:
        return Transition(self._state(taken.to), self._outputs(taken.outputs))

    def _outputs(self, outputs: Outputs) -> Outputs:
        return tuple(self.outputs.get(output, output) for output in outputs)


def names_of(machine: Machine) -> dict[str, tuple[str, ...]]:
    """All names of states, inputs and outputs, by the word for their kind."""
    groups = chain((taken.outputs for row in machine.table for taken in row), machine.moore)
    outputs = dict.fromkeys(output for group in groups for output in group)
    return {STATE: machine.states, INPUT: machine.inputs, OUTPUT: tuple(outputs)}


def renaming(machine: Machine, fits: NameRule) -> Renaming:
    """A new name that fits for each name that does not, as like it as can be.

    Raises
    ------
    NotExpressibleError
        If there are not as many names that fit.

    Examples
    --------
    >>> lamp = Machine.from_dict({
    ...     "transitions": {"off": {"press": "all on"}, "all on": {"press": "off"}},
    ... })
    >>> renaming(lamp, lambda kind, name: " " not in name).states
    {'all on': 'all_on'}
    """
    found = names_of(machine)
    return Renaming(*(_renamed(kind, found[kind], fits) for kind in _KINDS))


def is_table(path: str) -> bool:
    """Whether a file begins as a table of names does."""
    with Path(path).open("rb") as file:
        return file.readline().strip() == ",".join(HEAD).encode()


def _renamed(kind: str, names: Sequence[str], fits: NameRule) -> dict[str, str]:
    taken = {name for name in names if fits(kind, name)}
    numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(2))
    letters = _letters()
    found = {}
    for name in names:
        if fits(kind, name):
            continue
        free = (
            candidate
            for candidate in chain(
                _alike(kind, name, fits, numbers), name.replace(" ", ""), letters
            )
            if candidate not in taken and candidate == candidate.strip() and fits(kind, candidate)
        )
        new = next(free, None)
        if new is None:
            raise NotExpressibleError(
                f'there is no name left for the {kind} "{name[:80]}"; expected fewer of them'
            )
        found[name] = new
        taken.add(new)
    return found


def _alike(
    kind: str, name: str, fits: NameRule, numbers: defaultdict[str, Iterator[int]]
) -> Iterator[str]:
    """The name with ``_`` for what does not fit, then with a number behind it.

    `numbers` has those that are left, for each name without one.
    """
    some = "".join(letter if fits(kind, letter) else "_" for letter in name)
    for base in dict.fromkeys((some, re.sub(r"\W", "_", name))):
        yield base
        if fits(kind, f"{base}_2"):
            yield from (f"{base}_{number}" for number in numbers[base])


def _letters() -> Iterator[str]:
    """All characters that print, those of ASCII words first."""
    plain = string.ascii_letters + string.digits
    others = (chr(code) for code in range(0x110000))
    yield from plain
    yield from (a for a in others if a.isprintable() and not a.isspace() and a not in plain)
