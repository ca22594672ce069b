"""From what a command names to a machine or a program: files are read, specs are compiled."""

from __future__ import annotations

import argparse
from typing import Any

from vsafsm.cli.arguments import Choices
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.terminal import note
from vsafsm.compiler import compile_machine
from vsafsm.errors import NotProvenError, UsageError
from vsafsm.formats import format_for, load_chart, read
from vsafsm.machine import Machine
from vsafsm.program import Program, is_program, load_program
from vsafsm.statecharts import Statechart


def machine_of(path: str, format_name: str | None) -> Machine:
    """The machine of a spec or of a program; warnings of the reader go to standard error."""
    if is_program(path):
        return load_program(path).machine
    reading = read(path, format_name)
    for warning in reading.warnings:
        note("warning", warning)
    return reading.machine


def chart_of(path: str, format_name: str | None) -> Statechart | None:
    """The statechart of a spec; None for a flat one, for a program, and for a format without
    charts.
    """
    if is_program(path) or format_for(path, format_name).chart is None:
        return None
    chart = load_chart(path, format_name)
    return None if chart.flat else chart


def program_of(args: argparse.Namespace, chosen: Choices, allow_unproven: bool) -> Program:
    """The program of a file, or the one that a spec compiles to.

    Raises
    ------
    UsageError
        If there are compile options for what is compiled already.
    """
    if is_program(args.spec):
        if chosen.of_compile:
            raise UsageError(
                f'"{args.spec}" is compiled already; expected compile options with a spec only'
            )
        return load_program(args.spec)
    machine = machine_of(args.spec, args.format)
    return compile_with(machine, chosen, allow_unproven, args.verbose)


def compile_with(
    machine: Machine, chosen: Choices, allow_unproven: bool, verbose: bool, **where: Any
) -> Program:
    """Compile with what the arguments ask for, showing progress, and what was tried in vain.

    `where` has the arguments of `compile_machine` that say where modules are refined.
    """
    try:
        with ProgressBar("compiling") as progress:
            return compile_machine(
                machine,
                target=chosen.target,
                target_options=chosen.of_target,
                allow_unproven=allow_unproven,
                progress=progress,
                **where,
                **chosen.of_compile,
            )
    except NotProvenError as error:
        for attempt in error.attempts if verbose else ():
            note("tried", attempt)
        raise
