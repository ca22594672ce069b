"""A flat machine as a diagram of states: a line for each state and each transition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from vsafsm.formats._diagram_labels import AFTER
from vsafsm.machine import Machine

Escape = Callable[[str], str]
"""A text in which no character means anything to the language and in a label."""


def diagram_lines(
    machine: Machine, states: Iterable[str], escaped: Escape, letter: Escape
) -> Iterator[str]:
    """States by number with their names, their Moore outputs behind ``do /``, and transitions
    ``input / output, output``.

    Parameters
    ----------
    machine
        The machine.
    states
        Those that are written: the initial one, and with each those that it leads to.
    escaped
        As `Escape`.
    letter
        One character, escaped whatever it is.
    """
    number = {name: f"s{i}" for i, name in enumerate(states)}
    for name, alias in number.items():
        yield f'state "{escaped(name)}" as {alias}'
        outputs = machine.outputs_of(name)
        if outputs:
            yield f"{alias} : do / {', '.join(map(escaped, outputs))}"
    yield f"[*] --> {number[machine.initial]}"
    for name, alias in number.items():
        for symbol in machine.inputs:
            taken = machine.transition(name, symbol)
            label = escaped(symbol)
            if symbol.startswith(AFTER):  # which a time would follow
                label = letter(symbol[0]) + escaped(symbol[1:])
            if taken.outputs:
                label += f" / {', '.join(map(escaped, taken.outputs))}"
            yield f"{alias} --> {number[taken.to]} : {label}"
