"""`main`: finds the command, calls it, and turns errors into messages and exit codes.

Exit codes: 0 done and correct, 1 not correct or not proven, 2 bad input or usage.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from vsafsm.cli.exits import BAD, INTERRUPTED, WRONG
from vsafsm.cli.plugins import Command, CommandFile, find_plugins
from vsafsm.cli.table import COMMANDS
from vsafsm.cli.terminal import flush, note, prepare_streams, settle_streams, write_message
from vsafsm.errors import (
    BackendError,
    NotProvenError,
    RequirementError,
    UsageError,
    VsafsmError,
    VsafsmWarning,
    did_you_mean,
)
from vsafsm.version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line: -> the exit code."""
    prepare_streams()
    if sys.stdout is None:
        note("error", "cannot write the output: standard output is closed")
        return BAD
    try:
        return _exit_code(list(sys.argv[1:] if arguments is None else arguments))
    finally:
        settle_streams()


def _exit_code(arguments: Sequence[str]) -> int:
    try:
        try:
            return _call(arguments)
        finally:
            flush()
    except NotProvenError as error:
        note("not proven", str(error))
        return WRONG
    except RequirementError as error:
        note("error", error.shell_message)
        return BAD
    except VsafsmError as error:
        note("error", str(error))
        return BAD
    except BrokenPipeError:
        return BAD
    except OSError as error:
        where = f'"{os.fsdecode(error.filename)}": ' if error.filename is not None else ""
        note("error", f"{where}{error.strerror or error}")
        return BAD
    except MemoryError as error:
        note("error", f"there is not enough memory{f': {error}' if str(error) else ''}")
        return BAD
    except KeyboardInterrupt:
        note("error", "interrupted")
        return INTERRUPTED


def _call(arguments: Sequence[str]) -> int:
    name = arguments[0] if arguments else "--help"
    if name.startswith("-"):
        _top_parser().parse_args(arguments or ["--help"])
        raise UsageError(f'expected a command before "{name}"; `vsafsm --help` lists them')
    command = COMMANDS.get(name) or _plugin(name)
    with warnings.catch_warnings():
        # What other libraries say of each other is not the user's concern.
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", VsafsmWarning)
        warnings.showwarning = lambda message, *rest: note("warning", str(message))
        if name in COMMANDS:
            return _run(command.load(), command, arguments[1:])
        return _run_plugin(command, arguments[1:])


def _run(file: CommandFile, command: Command, arguments: Sequence[str]) -> int:
    # Imported here, since `vsafsm --help` needs no backend and no format.
    from vsafsm.cli.arguments import parser_of

    args = parser_of(command, file).parse(arguments)
    args.command = command.name
    return file.run(args)


# ---- commands of other packages


def _plugin(name: str) -> Command:
    plugins = find_plugins(COMMANDS, name)
    _note_refused(plugins.refused.items())
    if name in plugins.commands:
        return plugins.commands[name]
    known = [*COMMANDS, *find_plugins(COMMANDS).commands]
    raise UsageError(
        f'unknown command "{name}"; expected one of: {", ".join(known)}{did_you_mean(name, known)}'
    )


def _run_plugin(command: Command, arguments: Sequence[str]) -> int:
    """A command of another package; it may raise anything."""
    try:
        code = _run(command.load(), command, arguments)
    except (VsafsmError, BrokenPipeError):
        raise
    except Exception as error:
        raise BackendError(
            f'the command "{command.name}" failed: {type(error).__name__}: {error}'
        ) from None
    if not isinstance(code, int) or not 0 <= code <= 255:
        raise BackendError(
            f'the command "{command.name}" gave {code!r}; expected an exit code from 0 to 255'
        )
    return code


def _note_refused(refused: Iterable[tuple[str, str]]) -> None:
    for name, reason in refused:
        note("warning", f'the command "{name}" is left out: {reason}')


# ---- without a command


class _TopParser(argparse.ArgumentParser):
    """The parser of ``vsafsm --help`` and ``vsafsm --version``."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; `vsafsm --help` lists the commands")

    def _print_message(self, message: str, file: Any = None) -> None:
        write_message(message, file)


def _top_parser() -> argparse.ArgumentParser:
    parser = _TopParser(
        prog="vsafsm",
        description="Compile finite state machines to proven weights of attractor networks.",
        epilog="vsafsm COMMAND --help tells what a command takes.",
    )
    parser.add_argument("--version", action="version", version=f"vsafsm {__version__}")
    listed = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    plugins = find_plugins(COMMANDS)
    _note_refused(plugins.refused.items())
    for command in (*COMMANDS.values(), *plugins.commands.values()):
        listed.add_parser(command.name, help=command.help.replace("%", "%%"))
    return parser
