"""A machine as DOT: nodes ``s0``, ``s1``, ... with the states' names as labels, ``name|outputs``
where they have outputs.
"""

from __future__ import annotations

from vsafsm.errors import NotExpressibleError
from vsafsm.formats._dot_labels import SIGNS, escaped
from vsafsm.formats.renaming import RENAME, names_of
from vsafsm.machine import Machine

NO_OUTPUT = ("", "-", "ε")
"""Texts behind the ``/`` of a label that are no output."""


def write_dot(machine: Machine) -> str:
    """A digraph that `read_dot` and Graphviz read; only names that the format cannot tell apart are
    refused.

    Raises
    ------
    NotExpressibleError
        If an input, an output or a state has a name that would be read as another.
    """
    _check_expressible(machine)
    alias = {state: f"s{i}" for i, state in enumerate(machine.states)}
    lines = [
        f"digraph {_quoted(escaped(machine.name))} {{",
        '  __start0 [label="", shape=none];',
    ]
    for state in machine.states:
        outputs = ", ".join(machine.outputs_of(state))
        label = escaped(state, SIGNS) + (f"|{escaped(outputs, SIGNS)}" if outputs else "")
        record = ', shape=record, style="rounded"' if outputs else ""
        lines.append(f"  {alias[state]} [label={_quoted(label)}{record}];")
    lines.append(f"  __start0 -> {alias[machine.initial]};")
    for state, row in zip(machine.states, machine.table, strict=True):
        for symbol, taken in zip(machine.inputs, row, strict=True):
            outputs = f"/{escaped(', '.join(taken.outputs))}" if taken.outputs else ""
            label = escaped(symbol) + outputs
            lines.append(f"  {alias[state]} -> {alias[taken.to]} [label={_quoted(label)}];")
    return "\n".join([*lines, "}"]) + "\n"


def _check_expressible(machine: Machine) -> None:
    for kind, names in names_of(machine).items():
        for name in names:
            if not fits_dot(kind, name):
                sign = '"/"' if kind == "input" else '", " that is not "-" or "ε"'
                raise NotExpressibleError(
                    f'DOT labels cannot tell the {kind} "{name[:80]}" from others; expected a name'
                    f" without {sign}, or {RENAME}"
                )


def fits_dot(kind: str, name: str) -> bool:
    """Whether labels can hold the `name` of a state, an input or an output."""
    if kind == "input":
        return "/" not in name
    return kind != "output" or (name not in NO_OUTPUT and ", " not in name)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
