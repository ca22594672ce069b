"""Commands: what one is, and those that other packages add by entry point.

A command has a light part, `Command`, which the list of commands needs, and a file of its own,
which is imported when the command is called. Ours and those of other packages have the same form.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "vsafsm.commands"
_NAME = re.compile(r"[a-z][a-z0-9-]*")


class CommandFile(Protocol):
    """The file of a command, a module most often: its arguments, and what it does."""

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None:
        """Add what it takes; the name ``command`` is reserved."""

    def run(self, args: argparse.Namespace, /) -> int:
        """Do it: -> the exit code. A `VsafsmError` is printed, with exit code 2."""


@dataclass(frozen=True)
class Command:
    """A command of the command line.

    Attributes
    ----------
    name
        Small letters, digits and ``-``; that of the entry point.
    help
        What it does, in a line.
    load
        Called without arguments when the command is called: imports its file and returns it.
    """

    name: str
    help: str
    load: Callable[[], CommandFile]


@dataclass(frozen=True)
class Plugins:
    """What is installed: commands by name, and for each entry point that is refused the reason, by
    name.
    """

    commands: Mapping[str, Command]
    refused: Mapping[str, str]


def find_plugins(reserved: Collection[str], name: str | None = None) -> Plugins:
    """Installed commands but those that are broken, `reserved`, or named like another.

    Parameters
    ----------
    name
        Look for the command of this name only; entry points of other names are not imported.
    """
    commands: dict[str, Command] = {}
    refused: dict[str, str] = {}
    for point in sorted(_entry_points(GROUP), key=lambda point: (point.name, point.value)):
        if name is not None and point.name != name:
            continue
        loaded = _load(point, reserved, commands)
        if isinstance(loaded, str):
            refused[point.name] = f"{point.value}: {loaded}"
        else:
            commands[point.name] = loaded
    return Plugins(commands, refused)


def _entry_points(group: str) -> Iterable[EntryPoint]:
    # Imported here: it takes as long as all else that comes before `main`.
    from importlib.metadata import entry_points

    return entry_points(group=group)


def _load(point: EntryPoint, reserved: Collection[str], others: Collection[str]) -> Command | str:
    """The command of an entry point, or why it is refused."""
    if point.name in reserved:
        return f'"{point.name}" is a command of vsafsm itself; expected another name'
    if point.name in others:
        return f'another command has the name "{point.name}"; expected a name of its own'
    if not _NAME.fullmatch(point.name):
        return f'"{point.name}" is no name of a command; expected small letters, digits and "-"'
    try:
        command = point.load()
    except (Exception, SystemExit) as error:  # what others wrote may raise anything
        return f"it cannot be loaded ({type(error).__name__}: {error})"
    if not isinstance(command, Command) or command.name != point.name:
        return f'it is {command!r:.80}; expected a vsafsm.cli.plugins.Command named "{point.name}"'
    return command
