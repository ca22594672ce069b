"""Commands that others add to the command line, found by entry point; one that does not work takes
nothing down.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

GROUP = "vsafsm.commands"
_NAME = re.compile(r"[a-z][a-z0-9-]*")


class Command(Protocol):
    """A command of the command line. Its entry point has the command's name."""

    name: str
    help: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what it takes; ``command`` is taken."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it: -> the exit code. A `VsafsmError` is printed, with exit code 2."""


@dataclass(frozen=True)
class Found:
    """What is installed: commands by name, and for each entry point that is refused the reason, by
    name.
    """

    commands: Mapping[str, Command]
    refused: Mapping[str, str]


def find_commands(taken: Collection[str]) -> Found:
    """All installed commands but those that are broken, or whose names are `taken` or given
    twice.
    """
    commands: dict[str, Command] = {}
    refused: dict[str, str] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        found = _load(point, taken, commands)
        if isinstance(found, str):
            refused[point.name] = f"{point.value}: {found}"
        else:
            commands[point.name] = found
    return Found(commands, refused)


def _load(point: EntryPoint, taken: Collection[str], others: Collection[str]) -> Command | str:
    """The command of an entry point, or why it is refused."""
    if point.name in taken:
        return f'"{point.name}" is a command of vsafsm itself; expected another name'
    if point.name in others:
        return f'another command has the name "{point.name}"; expected a name of its own'
    if not _NAME.fullmatch(point.name):
        return f'"{point.name}" is no name of a command; expected small letters, digits and "-"'
    try:
        command: Command = point.load()
        _try(command, point.name)
    except (Exception, SystemExit) as error:  # what others wrote may raise anything
        return f"it cannot be loaded ({type(error).__name__}: {error})"
    return command


def _try(command: Command, name: str) -> None:
    """Raise where it lacks something, or its arguments cannot be added."""
    if command.name != name or not isinstance(command.help, str) or not callable(command.run):
        raise TypeError(f'expected name "{name}", help and run')
    command.add_arguments(argparse.ArgumentParser(prog=name, allow_abbrev=False))
