"""The reference of commands, written from their parsers into a page of the documentation::

    python -m vsafsm.cli.reference docs/command-line.md

What stands in the page between ``<!-- reference: BLOCK -->`` and ``<!-- end -->`` is replaced; the
rest is left alone. A block is ``commands``, ``compile options``, ``command NAME`` or
``backend NAME``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from vsafsm.backend import Option
from vsafsm.cli.arguments import Parser, add_options, parser_of
from vsafsm.cli.plugins import Command, find_plugins
from vsafsm.cli.table import COMMANDS
from vsafsm.discovery import find
from vsafsm.files import write_atomically

_BLOCK = re.compile(r"(<!-- reference: (.+?) -->\n).*?(?=<!-- end -->)", re.DOTALL)
_OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*(?: [A-Z]{2,}\b)?")


def all_commands() -> dict[str, Command]:
    """The commands of vsafsm, and of what else is installed, by name."""
    return {**COMMANDS, **find_plugins(COMMANDS).commands}


def updated(page: str) -> str:
    """A page with its blocks written anew.

    Raises
    ------
    BackendError
        If a block names an unknown backend.
    KeyError
        If a block is unknown, or names an unknown command.

    Examples
    --------
    >>> print(updated("<!-- reference: backend nir -->\\n<!-- end -->"))
    <!-- reference: backend nir -->
    <BLANKLINE>
    | option | default | |
    |---|---|---|
    | `--dt-s DT_S` | 0.0001 | time step of the simulator, and the neurons' time constants (s) |
    <BLANKLINE>
    <!-- end -->
    """
    return _BLOCK.sub(lambda found: f"{found[1]}\n{_block(found[2])}\n", page)


def _block(what: str) -> str:
    kind, _, name = what.partition(" ")
    if kind == "command":
        return _command(all_commands()[name])
    if kind == "backend":
        return _backend(find(name).options)
    return {"commands": _commands, "compile options": _compile_options}[what]()


def _commands() -> str:
    rows = [
        (f"[`vsafsm {name}`](#{name})", _text(command.help))
        for name, command in all_commands().items()
    ]
    return _table(("command", ""), rows)


def _compile_options() -> str:
    return _table(("option", ""), [_row(action) for action in _shared()])


def _backend(options: Iterable[Option]) -> str:
    rows = []
    for option in options:
        unit = f" ({option.unit})" if option.unit else ""
        default = "" if option.default is None else f"{option.default}"
        value = option.flag.replace("-", "_").upper()
        rows.append((f"`--{option.flag} {value}`", default, _text(option.help + unit)))
    return _table(("option", "default", ""), rows)


# ---- a command


def _command(command: Command) -> str:
    parser = parser_of(command, command.load())
    parts = _parts(parser)
    usages = [_usage(part) for part in parts.values()]
    text = "```text\n" + "".join(f"{usage}\n" for usage in usages) + "```\n"
    if len(parts) > 1:
        text += "\n" + _table(
            ("command", ""),
            [(f"`{part.prog}`", _text(part.description or "")) for part in parts.values()],
        )
        rows = _merged(parts)
        text += "\n" + _table(("argument or option", "of", ""), rows)
    elif rows := [_row(action, parser.prog) for action in _own(parser)]:
        text += "\n" + _table(("argument or option", ""), rows)
    return text + _further(parser)


def _parts(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """The parsers of its subcommands by name, or itself."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {"": parser}


def _merged(
    parts: Mapping[str, argparse.ArgumentParser],
) -> list[tuple[str, ...]]:
    """What subcommands take; what several take alike stands in one row."""
    takers: dict[tuple[str, ...], list[str]] = {}
    for name, part in parts.items():
        for action in _own(part):
            takers.setdefault(_row(action, part.prog), []).append(name)
    rows = [
        (shown, "all" if len(names) == len(parts) else ", ".join(names), text)
        for (shown, text), names in takers.items()
    ]
    return sorted(rows, key=lambda row: row[0].startswith("`-"))


def _further(parser: Parser) -> str:
    """Which options it takes besides its own."""
    further = []
    if _takes_shared(parser):
        further.append("the [compile options](#compile-options)")
    if parser.target_flag:
        flag = f"`{parser.target_flag}`"
        further.append(f"the [options of the backend](#options-of-a-backend) that {flag} names")
    elif any(_of_backend(action) for action in parser._actions):
        name = parser.get_default("target")
        further.append(f"the [options of the backend `{name}`](#options-of-a-backend)")
    return "\nAlso " + ", and\n".join(further) + ".\n" if further else ""


def _own(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """What it takes, but for help, shared options and those of a backend."""
    left_out = {_row(action) for action in _shared()} if _takes_shared(parser) else set()
    return [
        action
        for action in parser._actions
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
        and not _of_backend(action)
        and _row(action) not in left_out
    ]


def _shared() -> list[argparse.Action]:
    """What `add_options` adds."""
    parser = argparse.ArgumentParser(add_help=False)
    add_options(parser)
    return list(parser._actions)


def _takes_shared(parser: argparse.ArgumentParser) -> bool:
    return {_row(action) for action in _shared()} <= {_row(action) for action in parser._actions}


def _of_backend(action: argparse.Action) -> bool:
    return action.dest.startswith("target_")


# ---- usage and rows


def _usage(parser: argparse.ArgumentParser) -> str:
    own = _own(parser)
    places = [_place(action) for action in own if not action.option_strings]
    needed = [
        f"{action.option_strings[0]} {_value(action)}"
        for action in own
        if action.option_strings and action.required
    ]
    optional = ["[OPTION ...]"] if len(own) > len(places) + len(needed) else []
    return " ".join((parser.prog, *places, *needed, *optional))


def _place(action: argparse.Action) -> str:
    name = _value(action)
    forms = {"?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} [{name} ...]"}
    return forms.get(str(action.nargs), name)


def _value(action: argparse.Action) -> str:
    """What stands for its value; empty for a switch."""
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return ""
    return str(action.metavar or action.dest.upper())


def _row(action: argparse.Action, prog: str = "") -> tuple[str, str]:
    """An argument or option, and what it is for."""
    value = _value(action)
    if action.option_strings:
        *others, last = action.option_strings
        names = [*others, f"{last} {value}".rstrip()]
        shown = ", ".join(f"`{name}`" for name in names)
    else:
        shown = " or ".join(f"`{part}`" for part in value.split("|"))
    needed = " Needed." if action.option_strings and action.required else ""
    text = (action.help or "") % {**vars(action), "prog": prog}
    return shown, _text(text) + (f".{needed}" if needed else "")


def _text(text: str) -> str:
    """A help text in Markdown: options as code, and nothing that a table would take for its own."""
    parts = text.replace("|", r"\|").replace("<", "&lt;").split("`")
    parts[::2] = [_OPTION.sub(lambda found: f"`{found[0]}`", part) for part in parts[::2]]
    return "`".join(parts)


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (headings, *rows)]
    lines.insert(1, "|---" * len(headings) + "|")
    return "".join(f"{line.replace('|  |', '| |').replace('|  |', '| |')}\n" for line in lines)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write_atomically(name, updated(Path(name).read_text(encoding="utf-8")).encode())
