"""A machine as a JFLAP file: a finite automaton, a Moore or a Mealy machine, whichever holds it."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from vsafsm.formats import ACCEPT
from vsafsm.formats._events import check_names
from vsafsm.formats._jflap_file import BETWEEN_OUTPUTS, MEALY, MOORE, RECOGNISER
from vsafsm.machine import Machine, Outputs


def write_jflap(machine: Machine) -> str:
    """`machine` as JFLAP reads it, which arranges the states itself.

    A machine whose states put out ``accept`` or nothing is a finite automaton, one with other Moore
    outputs a Moore machine. Where transitions have outputs it is a Mealy machine: Moore outputs are
    put out by each transition that enters their state, and those of the initial state before the
    first input are lost. The machine's name and compile options are left out.

    Raises
    ------
    NotExpressibleError
        If an input has more than one character, or an output holds a comma with a blank behind it.
    """
    check_names(
        machine, "JFLAP", fits_jflap, 'expected inputs of one character, and outputs without ", "'
    )
    kind = _kind(machine)
    ids = {state: i for i, state in enumerate(machine.states)}
    lines = ['<?xml version="1.0" encoding="UTF-8" standalone="no"?>', "<structure>"]
    lines += [f"  <type>{kind}</type>", "  <automaton>"]
    for state, number in ids.items():
        parts = "<initial/>" if state == machine.initial else ""
        if kind == RECOGNISER and machine.outputs_of(state):
            parts += "<final/>"
        if kind == MOORE:
            parts += _element("output", BETWEEN_OUTPUTS.join(machine.outputs_of(state)))
        lines.append(f'    <state id="{number}" name={quoteattr(state)}>{parts}</state>')
    for source, symbol, to, outputs in _arrows(machine):
        told = "" if kind == RECOGNISER else _element("transout", BETWEEN_OUTPUTS.join(outputs))
        lines.append(
            f"    <transition><from>{ids[source]}</from><to>{ids[to]}</to>"
            f"{_element('read', symbol)}{told}</transition>"
        )
    return "\n".join([*lines, "  </automaton>", "</structure>"]) + "\n"


def fits_jflap(kind: str, name: str) -> bool:
    """Whether a JFLAP file can hold the `name` of a state, an input or an output."""
    if kind == "input":
        return len(name) == 1
    return kind != "output" or BETWEEN_OUTPUTS not in name


def _kind(machine: Machine) -> str:
    if any(taken.outputs for row in machine.table for taken in row) or not any(machine.moore):
        return MEALY
    accepts = all(outputs in ((), (ACCEPT,)) for outputs in machine.moore)
    # In a finite automaton "[" begins a range.
    return RECOGNISER if accepts and "[" not in machine.inputs else MOORE


def _arrows(machine: Machine) -> Iterator[tuple[str, str, str, Outputs]]:
    """State, input, next state, and all that is put out on the way and there: JFLAP gives a state
    of a Moore machine the output of the last transition into it.
    """
    moore = dict(zip(machine.states, machine.moore, strict=True))
    for state, row in zip(machine.states, machine.table, strict=True):
        for symbol, taken in zip(machine.inputs, row, strict=True):
            outputs = tuple(dict.fromkeys(taken.outputs + moore[taken.to]))
            yield state, symbol, taken.to, outputs


def _element(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>" if text else f"<{tag}/>"
