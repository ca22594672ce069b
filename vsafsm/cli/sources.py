"""From what a command names to a machine or a program: files are read, specs are compiled."""

from __future__ import annotations

import argparse
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsafsm.cli import cache
from vsafsm.cli.arguments import Choices
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.terminal import note
from vsafsm.compiler import compile_machine
from vsafsm.discovery import DEFAULT
from vsafsm.errors import NotProvenError, SystemSpecError, UsageError
from vsafsm.formats import format_for, load_chart, read
from vsafsm.machine import Machine
from vsafsm.program import SUFFIX, Program, is_program, load_program
from vsafsm.statecharts import Statechart

if TYPE_CHECKING:
    from vsafsm.systems import System, SystemProgram

SLOW = (
    "this looks for a network that tolerates noise, which takes minutes for some machines;"
    " --smallest looks for none"
)
"""Said where compiling by default takes long."""
SLOW_TARGET = (
    "this looks for a network that {target} takes, which takes minutes for some machines;"
    " --dimension with a number of neurons looks for none"
)
"""Said where compiling for another backend does."""


def machine_of(path: str, format_name: str | None) -> Machine:
    """The machine of a spec or of a program; warnings of the reader go to standard error.

    Raises
    ------
    SystemSpecError, UsageError
        If there are several machines.
    """
    _refuse_system(path)
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
    _refuse_system(args.spec)
    if is_program(args.spec):
        if chosen.of_compile:
            raise UsageError(
                f'"{args.spec}" is compiled already; expected compile options with a spec only'
            )
        return load_program(args.spec)
    return compile_with(machine_of(args.spec, args.format), chosen, allow_unproven, args)


def compile_with(
    machine: Machine, chosen: Choices, allow_unproven: bool, args: argparse.Namespace, **where: Any
) -> Program:
    """The program that was compiled before with what the arguments ask for, or a new one.

    Compiling shows its progress, and what was tried in vain. `where` has the arguments of
    `compile_machine` that say where modules are refined.
    """
    places = () if args.no_cache else cache.places_of(machine, chosen, allow_unproven)
    if found := cache.find(places):
        program, place = found
        if args.verbose:
            note("compiled before", f'"{place}"; --no-cache compiles anew')
        return program
    before = time.monotonic()
    program = _compiled(machine, chosen, allow_unproven, args.verbose, **where)
    if places and time.monotonic() - before > cache.LEAST_SECONDS:
        cache.keep(places[0], program)
    return program


def _compiled(
    machine: Machine, chosen: Choices, allow_unproven: bool, verbose: bool, **where: Any
) -> Program:
    try:
        with ProgressBar("compiling", _hint(chosen)) as progress:
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


def _hint(chosen: Choices) -> str | None:
    """What would compile faster."""
    if chosen.target == DEFAULT:
        return None if "tolerate" in chosen.of_compile else SLOW
    if "dimension" in chosen.of_compile:
        return None
    return SLOW_TARGET.format(target=chosen.target)


# ---- several machines: what they need is imported where there are some


def source_of(path: str, format_name: str | None) -> Machine | System:
    """The machine of a spec or program, or the system of a spec with separate networks."""
    try:
        return machine_of(path, format_name)
    except SystemSpecError:
        from vsafsm.systems import networks_of

        return networks_of(load_chart(path, format_name))


def compiled_of(
    args: argparse.Namespace, chosen: Choices, allow_unproven: bool
) -> Program | SystemProgram:
    """As `program_of`; or the system of a folder, or the one that a spec compiles to."""
    if _is_system(args.spec):
        from vsafsm.systems import load_system

        if chosen.of_compile:
            raise UsageError(
                f'"{args.spec}" is compiled already; expected compile options with a spec only'
            )
        return load_system(args.spec)
    try:
        return program_of(args, chosen, allow_unproven)
    except SystemSpecError:
        from vsafsm.systems import networks_of

        system = networks_of(load_chart(args.spec, args.format))
        return compile_all(system, chosen, allow_unproven, args)


def compile_all(
    system: System,
    chosen: Choices,
    allow_unproven: bool,
    args: argparse.Namespace,
    **where: Any,
) -> SystemProgram:
    """Compile each machine of a system, as `compile_with`."""
    from vsafsm.systems import SystemProgram

    return SystemProgram(
        system,
        tuple(
            compile_with(each, chosen, allow_unproven, args, **where) for each in system.machines
        ),
    )


def _is_system(path: str) -> bool:
    with suppress(OSError, ValueError):  # reading it will say why
        if not Path(path).is_dir():
            return False
    from vsafsm.systems.folders import is_system

    return is_system(path)


def _refuse_system(path: str) -> None:
    if _is_system(path):
        first = min((each.name for each in Path(path).glob(f"*{SUFFIX}")), default=f"1{SUFFIX}")
        raise UsageError(
            f'"{path}" is a system of several programs; expected one of them, such as'
            f' "{Path(path) / first}"'
        )
