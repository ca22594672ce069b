"""Flags that several commands share, the parser of a command, and what the flags ask for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from vsafsm.backend import Backend, Option
from vsafsm.backend_options import read_options
from vsafsm.cli.plugins import Command, CommandFile
from vsafsm.cli.terminal import write_message
from vsafsm.discovery import DEFAULT, backends, find
from vsafsm.errors import OptionError, UsageError, did_you_mean
from vsafsm.formats import formats
from vsafsm.options import parse_assignments
from vsafsm.plotting.style import SCREEN, THEMES

COMPILE_OPTIONS = {
    "dimension": "neurons, 8 to 16384, or auto (default): what tolerates the noises asked for, or"
    " else about twice the smallest number that proves",
    "active": "active neurons per code, 2 to 8192, or auto (default)",
    "bits": "width of a weight, 2 to 16 (default 8)",
    "rule": "refined: on synchronous steps; robust: on samples of other orders of updates as well;"
    " small: as refined, with smaller weights for the same margin; one-shot; auto (default): robust"
    " where noise is to be tolerated, else refined",
    "trigger": "event (default): one event is one transition, however long it is held; level: the"
    " plain rule",
    "code": "sparse (default), or dense: half of the neurons",
    "inhibition": "folded into the weights (default), or separate",
    "margin": "distance from threshold to refine for, in units, 0 to 0.45, or auto (default): 0.3,"
    " or 0.2 where noise is to be tolerated, and less at a given dimension that has no more",
    "tolerate": "a noise that the program is to tolerate, such as missing:0.2; may be repeated,"
    " once per kind; none tries no noise (default: three kinds)",
    "confidence": "least share of correct draws of each noise, at the lower end of its 95 %"
    " interval, 0.5 up to below 1 (default 0.99 for noises that are named, 0.98 for the default"
    " ones)",
    "layout": "dense: one matrix; modules: for large machines; auto (default): the one with fewer"
    " synapses for the margin",
    "module_neurons": "neurons per module, 16 to 4096, or auto (default)",
    "placement": "partition (default): states that lead to each other share a module; balanced:"
    " any do",
    "seed": "seed of every random draw (default 0)",
}
_VALUES = {
    "dimension": "N",
    "active": "K",
    "bits": "B",
    "margin": "M",
    "tolerate": "NOISE",
    "confidence": "SHARE",
    "module_neurons": "N",
}
"""What stands for the value of a compile option in its help; its name where it is not here."""
PLAIN = "\0"
"""Stands before a text that followed ``--``: argparse would take it for an option otherwise, once
the inputs before it are read.
"""


class Parser(argparse.ArgumentParser):
    """The parser of one command.

    Attributes
    ----------
    target_flag
        The flag that names a backend, whose options then become flags as well; empty where the
        command has none.
    word
        Whether it takes the inputs of a word, which may stand on both sides of its flags.
    """

    target_flag = ""
    word = False

    def parse(self, texts: Sequence[str]) -> argparse.Namespace:
        """What the texts behind the command's name ask for.

        Raises
        ------
        UsageError
            If they do not fit the command.
        BackendError
            If they name a backend that cannot be used.
        SystemExit
            If they ask for help.
        """
        if self.target_flag:
            _add_backend_options(self, _named_backend(self, texts))
        texts = list(texts)
        if not self.word:
            args, more = self.parse_known_args(texts)
            self._check_known(more)
            return args
        if "--" in texts:
            end = texts.index("--")
            texts[end:] = [PLAIN + text for text in texts[end + 1 :]]
        args, more = self.parse_known_args(texts)
        self._check_known([text for text in more if text.startswith("-")])
        inputs = [text.removeprefix(PLAIN) for text in (args.spec, *args.inputs, *more)]
        args.spec, args.inputs = inputs[0], inputs[1:]
        values = (*vars(args).values(), *args.assign)
        if any(isinstance(value, str) and value.startswith(PLAIN) for value in values):
            self.error("an option stands before -- without its value")
        return args

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` in place of printing the usage and leaving."""
        raise UsageError(f"{message}; `{self.prog} --help` tells what it takes")

    def _check_known(self, texts: Sequence[str]) -> None:
        if not texts:
            return
        flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
        unknown = texts[0].partition("=")[0]
        kind = "option" if unknown.startswith("-") else "argument"
        hint = ""
        if kind == "option":
            hint = self._backend_hint(unknown) or did_you_mean(unknown, flags)
        self.error(f'unknown {kind} "{unknown}"{hint}')

    def _backend_hint(self, flag: str) -> str:
        """Which backends have an option, where the command takes one of them."""
        if not self.target_flag:
            return ""
        installed = (each.name for each in backends() if each.unavailable is None)
        names = [
            name for name in installed if flag in (f"--{each.flag}" for each in find(name).options)
        ]
        told = f"; expected {self.target_flag} {' or '.join(names)} with it"
        return told if names else ""

    def _print_message(self, message: str, file: Any = None) -> None:
        write_message(message, file)


def parser_of(command: Command, file: CommandFile) -> Parser:
    """The parser of a command, with what its file adds."""
    parser = Parser(
        prog=f"vsafsm {command.name}",
        description=command.help.replace("%", "%%"),
        allow_abbrev=False,  # the flags of a backend would change what one stands for
    )
    file.add_arguments(parser)
    return parser


# ---- flags


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add ``--format``: how to read the spec."""
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        help=f"format of the spec, where its suffix does not say: {', '.join(formats())}",
    )


def add_output(
    parser: argparse.ArgumentParser, metavar: str, text: str, required: bool = True
) -> None:
    """Add ``-o``, and ``--force``: what to write, also over a file of another kind."""
    parser.add_argument("-o", "--output", metavar=metavar, required=required, help=text)
    parser.add_argument(
        "--force", action="store_true", help="replace what is there, of whatever kind it is"
    )


def add_picture(
    parser: argparse.ArgumentParser, text: str = "", flag: str | None = "--picture"
) -> None:
    """Add ``--picture``, unless another flag says where to, and ``--theme``: how it looks."""
    if flag is not None:
        parser.add_argument(flag, metavar="FILE", help=f"draw {text} (.png, .pdf or .svg)")
    parser.add_argument(
        "--theme",
        choices=sorted(THEMES),
        default=SCREEN.name,
        help="for a screen (default), or for paper: 85 mm wide, or 178 mm for two columns",
    )


def add_program(parser: argparse.ArgumentParser) -> None:
    """Add a spec or program: what the command is about."""
    parser.add_argument("spec", metavar="SPEC|PROGRAM", help="a spec, or a program (.npz)")


def add_word(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Add a spec or program, and the inputs of a word, in arguments or in a file."""
    add_program(parser)
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="*",
        help="the word; without any, it is read from standard input; wait:3s is the ticks of"
        f" 3 s{more}",
    )
    parser.add_argument(
        "--word-file",
        metavar="FILE",
        help="read the word from a file, names between blanks or line ends (- for standard input)",
    )
    if isinstance(parser, Parser):
        parser.word = True


def add_target(
    parser: argparse.ArgumentParser, flag: str, text: str, default: str | None = DEFAULT
) -> None:
    """Add the flag that names a backend; `choices` reads it, and the backend's own options."""
    usual = "" if default is None else f" (default {default})"
    parser.add_argument(
        flag, dest="target", default=default, metavar="BACKEND", help=f"{text}{usual}"
    )
    if isinstance(parser, Parser):
        parser.target_flag = flag


def add_options(parser: argparse.ArgumentParser, options: Sequence[Option] = ()) -> None:
    """Add ``--format``, the compile options and ``-O``: what `choices` reads.

    Parameters
    ----------
    options
        Those of a backend that the command always uses; the options of a backend that `add_target`
        lets the user name are added when it is known.
    """
    add_format(parser)
    group = parser.add_argument_group(
        "compile options", "for a spec; they override those in the spec"
    )
    for name, text in COMPILE_OPTIONS.items():
        flag = f"--{name.replace('_', '-')}"
        how: dict[str, Any] = {"action": "append"} if name == "tolerate" else {}
        group.add_argument(
            flag,
            dest=f"compile_{name}",
            metavar=_VALUES.get(name, name.upper()),
            help=text.replace("%", "%%"),
            **how,
        )
    group.add_argument(
        "--smallest",
        dest="compile_tolerate",
        action="append_const",
        const="none",
        help="a network of about twice the fewest neurons that prove, so that the margin is 0.3;"
        " no noise is tried; the same as `--tolerate none`",
    )
    group.add_argument(
        "-O",
        dest="assign",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any compile option, or an option of the backend; may be repeated",
    )
    group.add_argument(
        "--no-cache",
        action="store_true",
        help="compile anew, also where the same was compiled before",
    )
    group.add_argument(
        "--verbose",
        action="store_true",
        help="list what was tried, where nothing is proven, and name the file of what was compiled"
        " before",
    )
    _add_backend_options(parser, options)


def _add_backend_options(parser: argparse.ArgumentParser, options: Sequence[Option]) -> None:
    if not options:
        return
    group = parser.add_argument_group("options of the backend")
    for option in options:
        group.add_argument(
            f"--{option.flag}",
            dest=f"target_{option.name}",
            metavar=option.flag.replace("-", "_").upper(),
            help=_option_help(option),
        )


def _named_backend(parser: Parser, texts: Sequence[str]) -> tuple[Option, ...]:
    """The options of the backend that the texts name."""
    first = Parser(prog=parser.prog, add_help=False, allow_abbrev=False)
    first.add_argument(parser.target_flag, dest="target", default=DEFAULT)
    end = texts.index("--") if "--" in texts else len(texts)
    return find(first.parse_known_args(list(texts[:end]))[0].target).options


def _option_help(option: Option) -> str:
    unit = f" ({option.unit})" if option.unit else ""
    default = "" if option.default is None else f"; default {option.default}"
    return f"{option.help}{unit}{default}".replace("%", "%%")


# ---- what they ask for


@dataclass(frozen=True)
class Choices:
    """What the arguments ask for.

    Attributes
    ----------
    target, backend
        Name of the backend, and the backend.
    of_compile, of_target
        Compile options, and options of the backend; a flag overrides ``-O``.
    """

    target: str
    backend: Backend
    of_compile: dict[str, Any]
    of_target: dict[str, object]


def choices(args: argparse.Namespace) -> Choices:
    """The backend and the options that the arguments ask for.

    Raises
    ------
    OptionError, BackendError
        If an option is unknown or has a wrong value, or the backend cannot be used.
    """
    named = getattr(args, "target", None)
    target = DEFAULT if named is None else named
    backend = find(target)
    of_target = {option.name for option in backend.options}
    assigned = {
        f"{name}_" if f"{name}_" in of_target else name: value
        for name, value in parse_assignments(args.assign).items()
    }
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


def _flags(args: argparse.Namespace, kind: str, names: Collection[str]) -> dict[str, str]:
    values = {name: getattr(args, f"{kind}_{name}", None) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def word_of(args: argparse.Namespace) -> tuple[str, ...]:
    """The word: arguments, a file of names between blanks, or standard input.

    Raises
    ------
    UsageError, FileError
        If both are given, or the file cannot be read.
    """
    if args.word_file and args.inputs:
        raise UsageError("inputs are given and a word file as well; expected one of them")
    if args.inputs:
        return tuple(args.inputs)
    if not args.word_file and sys.stdin is not None and sys.stdin.isatty():
        return ()
    return tuple(_read_text(args.word_file or "-").removeprefix("\ufeff").split())


def _read_text(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read() if sys.stdin else ""
        return Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f'cannot read "{name}": {error.strerror or error}') from None
    except UnicodeDecodeError:
        raise UsageError(
            f'"{name}" is not UTF-8; expected names of inputs between blanks'
        ) from None
