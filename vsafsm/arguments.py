"""The arguments of the command line: the parser, and what its flags ask for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vsafsm import __version__
from vsafsm.backend import DEFAULT, Backend, Option, find, read_options
from vsafsm.commands import find_commands
from vsafsm.errors import OptionError, did_you_mean
from vsafsm.formats import formats
from vsafsm.options import parse_assignments
from vsafsm.terminal import note

COMPILE_OPTIONS = {
    "dimension": 'neurons N, or "auto" (default)',
    "active": 'active neurons k in a code, or "auto" (default)',
    "bits": "width of a weight, 2 to 16 (default 8)",
    "rule": "refined (default), robust (smaller weights) or one-shot",
    "trigger": "event (default) or level",
    "code": "sparse (default) or dense",
    "inhibition": "folded into the weights (default) or separate",
    "margin": 'distance from threshold to refine for, in units, or "auto" (default)',
    "seed": "of every random draw (default 0)",
}
TARGET_FLAGS = {
    **{"compile": "--for", "run": "--backend", "plot": "--backend"},
    **{"prove": "--backend", "info": "--backend", "emit": "--to"},
}
"""Commands that have a backend, and the flag that names it."""
BUILT_IN = (*TARGET_FLAGS, "convert", "examples", "backends")
"""Commands of vsafsm itself: names that no other may have."""
PLAIN = "\0"
"""Before a text that stood after ``--``: argparse would take it for an option once the inputs
before are read.
"""


@dataclass(frozen=True)
class Choices:
    """What the arguments ask for.

    Attributes
    ----------
    target, backend
        Name of the backend, and the backend.
    of_compile, of_target
        Compile options, and options of the backend; a flag comes before ``-O``.
    """

    target: str
    backend: Backend
    of_compile: dict[str, Any]
    of_target: dict[str, object]


class _Parser(argparse.ArgumentParser):
    """One that says when help or version cannot be written: since Python 3.11 argparse passes over
    that.
    """

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)


def parse(given: Sequence[str]) -> argparse.Namespace:
    """The arguments, with inputs allowed on both sides of options, which argparse itself does not
    take.

    Raises
    ------
    BackendError
        If they name a backend that cannot be used.
    SystemExit
        If they are no command, or ask for help.
    """
    texts = list(given)
    parser = _parser(texts)
    if texts[:1] not in (["run"], ["plot"]):
        return parser.parse_args(texts)
    if "--" in texts:
        end = texts.index("--")
        texts[end:] = [PLAIN + text for text in texts[end + 1 :]]
    parsed, more = parser.parse_known_args(texts)
    if any(text.startswith("-") for text in more):
        parser.error(
            f"unrecognized arguments: {' '.join(text.removeprefix(PLAIN) for text in more)}"
        )
    positional = [text.removeprefix(PLAIN) for text in (parsed.spec, *parsed.inputs, *more)]
    parsed.spec, parsed.inputs = positional[0], positional[1:]
    if any(
        isinstance(value, str) and value.startswith(PLAIN)
        for value in (*vars(parsed).values(), *parsed.assign)
    ):
        parser.error("an option stands before -- without its value")
    return parsed


def choices(args: argparse.Namespace) -> Choices:
    """The backend and the options that the arguments ask for. Raises `OptionError` and
    `BackendError`.
    """
    target = DEFAULT if args.target is None else args.target
    backend = find(target)
    of_target = {option.name for option in backend.options}
    assigned = parse_assignments(args.assign)
    known = sorted(COMPILE_OPTIONS.keys() | of_target)
    for name in assigned:
        if name not in known:
            expected = f"expected one of: {', '.join(known)}{did_you_mean(name, known)}"
            raise OptionError(f'unknown option "{name}"; {expected}')
    texts = {name: value for name, value in assigned.items() if name in of_target}
    texts.update(_flags(args, "target", of_target))
    compiling = {name: value for name, value in assigned.items() if name in COMPILE_OPTIONS}
    compiling.update(_flags(args, "compile", COMPILE_OPTIONS.keys()))
    return Choices(target, backend, compiling, read_options(backend, texts))


def _flags(args: argparse.Namespace, kind: str, names: Any) -> dict[str, str]:
    found = {name: getattr(args, f"{kind}_{name}", None) for name in names}
    return {name: value for name, value in found.items() if value is not None}


# ---- the parser


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="vsafsm",
        description="Compile finite state machines to proven weights of attractor networks.",
    )
    parser.add_argument("--version", action="version", version=f"vsafsm {__version__}")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )
    options = _target_options(given)
    _add_compile(commands, options)
    _add_run_and_plot(commands, options)
    _add_prove_and_info(commands, options)
    _add_emit(commands, options)
    _add_convert(commands)
    _add_examples(commands)
    backends = _command(commands, "backends", "list the backends, and why one cannot run here")
    _add_json(backends)
    if not _is_built_in(given):
        _add_found(commands)
    return parser


def _is_built_in(given: Sequence[str]) -> bool:
    """Whether they begin with a command of vsafsm itself: what others have added does not matter
    then.
    """
    return bool(given) and given[0] in BUILT_IN


def _add_found(commands: Any) -> None:
    found = find_commands(BUILT_IN)
    for name, reason in found.refused.items():
        note("warning", f'the command "{name}" is left out: {reason}')
    for name, command in found.commands.items():
        parser = _command(commands, name, command.help.replace("%", "%%"))
        command.add_arguments(parser)
        parser.set_defaults(command=name, run_found=command.run)


def _target_options(given: Sequence[str]) -> tuple[Option, ...]:
    """The options of the backend that the arguments name: they are flags too."""
    flag = TARGET_FLAGS.get(given[0]) if given else None
    if flag is None:
        return ()
    first = argparse.ArgumentParser(prog="vsafsm", add_help=False, allow_abbrev=False)
    first.add_argument(flag, dest="target", default=DEFAULT)
    end = given.index("--") if "--" in given else len(given)
    return find(first.parse_known_args(given[1:end])[0].target).options


def _command(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    # No abbreviations: the flags of a backend would change what one stands for.
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, allow_abbrev=False)
    return parser


def _add_compile(commands: Any, options: Sequence[Option]) -> None:
    parser = _command(commands, "compile", "compile a spec to a program file")
    parser.add_argument("spec", metavar="SPEC", nargs="?")
    parser.add_argument(
        "--regex", metavar="EXPRESSION", help="compile this regular expression instead of a spec"
    )
    parser.add_argument(
        "-o", "--output", metavar="PROGRAM", required=True, help="the program file to write (.npz)"
    )
    parser.add_argument(
        "--for", dest="target", metavar="BACKEND", help="meet this backend's requirements"
    )
    parser.add_argument(
        "--allow-unproven", action="store_true", help="write the program even if it is not proven"
    )
    _add_json(parser)
    add_options(parser, options)


def _add_run_and_plot(commands: Any, options: Sequence[Option]) -> None:
    parser = _command(commands, "run", "run a word and hold each state against the interpreter")
    _add_word(parser)
    parser.add_argument(
        "--backend",
        dest="target",
        default=DEFAULT,
        metavar="BACKEND",
        help=f"where to run (default {DEFAULT})",
    )
    _add_json(parser)
    add_options(parser, options)
    parser = _command(commands, "plot", "draw a run of a word, or the program itself")
    _add_word(parser)
    parser.add_argument(
        "--what",
        metavar="KIND",
        help="overlaps (default), raster, weights, similarity, margins, graph",
    )
    parser.add_argument(
        "--backend", dest="target", metavar="BACKEND", help="let this backend draw its own run"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the picture (.png, .pdf or .svg)"
    )
    add_options(parser, options)


def _add_word(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC|PROGRAM")
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="*",
        help="the word; from standard input where none is given",
    )
    parser.add_argument(
        "--word-file", metavar="FILE", help="read the word from a file (- for standard input)"
    )


def _add_prove_and_info(commands: Any, options: Sequence[Option]) -> None:
    for name, text, of_backend in (
        (
            "prove",
            "decide whether every input word is run right",
            "prove what this backend holds of the program",
        ),
        (
            "info",
            "sizes, options and norms of a program",
            "add what the program takes on this backend",
        ),
    ):
        parser = _command(commands, name, text)
        parser.add_argument("spec", metavar="SPEC|PROGRAM")
        parser.add_argument("--backend", dest="target", metavar="BACKEND", help=of_backend)
        _add_json(parser)
        add_options(parser, options)


def _add_emit(commands: Any, options: Sequence[Option]) -> None:
    parser = _command(commands, "emit", "write what a backend needs into a folder, or into a file")
    parser.add_argument("spec", metavar="SPEC|PROGRAM")
    parser.add_argument(
        "--to",
        dest="target",
        default=DEFAULT,
        metavar="BACKEND",
        help=f"which backend (default {DEFAULT})",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        required=True,
        help="the folder, or the file of a backend that writes one",
    )
    add_options(parser, options)


def _add_convert(commands: Any) -> None:
    parser = _command(commands, "convert", "write a machine in another format")
    parser.add_argument("input", metavar="IN")
    parser.add_argument("output", metavar="OUT")
    _add_format(parser)
    parser.add_argument(
        "--to", metavar="FORMAT", help="format of OUT, where its suffix does not say"
    )
    parser.add_argument(
        "--minimize", action="store_true", help="write the smallest equivalent machine"
    )


def _add_examples(commands: Any) -> None:
    parser = _command(commands, "examples", "list the example specs, or copy some")
    parser.add_argument("names", metavar="NAME", nargs="*")
    parser.add_argument(
        "-o", "--output", metavar="DIR", default=".", help="folder to copy to (default: this one)"
    )
    parser.add_argument("--all", action="store_true", help="copy all")
    parser.add_argument("--force", action="store_true", help="overwrite")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_format(parser: argparse.ArgumentParser) -> None:
    known = ", ".join(formats())
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        help=f"format of the spec, where its suffix does not say: {known}",
    )


def add_options(parser: argparse.ArgumentParser, options: Sequence[Option]) -> None:
    """Add ``--format``, the compile options, ``-O`` and a backend's options: what `choices`
    reads.
    """
    _add_format(parser)
    group = parser.add_argument_group(
        "compile options", "for a spec; they come before the spec's own"
    )
    for name, text in COMPILE_OPTIONS.items():
        group.add_argument(f"--{name}", dest=f"compile_{name}", metavar=name.upper(), help=text)
    group.add_argument(
        "-O",
        dest="assign",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of compiling, or of the backend",
    )
    if not options:
        return
    group = parser.add_argument_group("options of the backend")
    for option in options:
        group.add_argument(
            f"--{option.name.replace('_', '-')}",
            dest=f"target_{option.name}",
            metavar=option.name.upper(),
            help=_help(option),
        )


def _help(option: Option) -> str:
    unit = f" ({option.unit})" if option.unit else ""
    default = "" if option.default is None else f"; default {option.default}"
    return f"{option.help}{unit}{default}".replace("%", "%%")
