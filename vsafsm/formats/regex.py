"""Regular expressions: the smallest machine that puts out ``accept`` in the states in which the
word so far matches.

The syntax is that of automata-lib: ``*``, ``+``, ``?``, ``|``, ``{2,3}``, groups, classes
(``[a-z]``, ``[^a]``), escapes, ``.`` for every character of the alphabet, ``&`` for both and ``^``
for a shuffle. The whole word has to match. The alphabet are the characters that the expression
names; each is an input.
"""

from __future__ import annotations

import re
from math import prod
from pathlib import PurePath
from typing import TYPE_CHECKING

from vsafsm.errors import (
    BadNameError,
    FormatError,
    Location,
    NotExpressibleError,
    SpecError,
    SyntaxSpecError,
    TooLargeError,
)
from vsafsm.formats import Format, Reading, name_from
from vsafsm.formats._subsets import determinised
from vsafsm.machine import Machine, check_name

if TYPE_CHECKING:
    from automata.fa.nfa import NFA

MAX_SIZE = 1_000_000
"""Largest product of the length, the repetitions and what ``&`` and ``^`` multiply."""

_RESERVED = frozenset("*|()? \t&+.^{}[]")
# A bracket that is never closed takes the rest: looking for its end once keeps these linear.
_CLASS = r"\\.|\[[^\]]*(?:\]|\Z)"
_NO_LITERALS = re.compile(_CLASS + r"|\{[^}]*(?:\}|\Z)", re.DOTALL)


def read_regex(text: str, source: str) -> Reading:
    """Read a machine from `text`, one line that is a regular expression.

    Raises
    ------
    FormatError
        If automata-lib is not installed.
    SpecError, SyntaxSpecError, BadNameError, TooLargeError
        If the text is no regular expression, or one without characters; with the place.
    """
    expression = text.removesuffix("\n").removesuffix("\r")
    place = Location(source, 1, 1)
    if not expression.strip():
        raise SyntaxSpecError("the expression is empty; expected one line", place)
    _check(expression, source)
    nfa = _automaton(expression, place)
    symbols = sorted(nfa.input_symbols)
    if not symbols:
        raise SpecError("the expression names no character; expected at least one", place)
    for symbol in symbols:
        try:
            check_name("input", symbol)
        except BadNameError as error:
            raise BadNameError(f"{error.message}; each character is an input", place) from None
    name = name_from(PurePath(source).stem.strip("-"), "regex")
    return Reading(
        determinised(
            name,
            tuple(symbols),
            (nfa.initial_state,),
            lambda state, symbol: nfa.transitions.get(state, {}).get(symbol, ()),
            nfa.final_states,
            place,
        )
    )


def _check(expression: str, source: str) -> None:
    """Refuse what would be read as something else, or without end."""
    lines = re.search(r"[\r\n]", expression)
    if lines:
        raise SyntaxSpecError(
            "a second line; expected one expression in one line", Location(source, 2, 1)
        )
    plain = re.sub(_CLASS, lambda found: "_" * len(found[0]), expression)
    for anchored, at in ((plain.startswith("^"), 0), (plain.endswith("$"), len(expression) - 1)):
        if anchored:
            raise SyntaxSpecError(
                f'"{expression[at]}" cannot stand here: there are no anchors, the whole word has to'
                " match; expected the expression without it",
                Location(source, 1, at + 1),
            )
    for found in re.finditer(r"\{ *([0-9]{1,9}) *, *([0-9]{1,9}) *\}", plain):
        least, most = found.groups()
        if int(least) > int(most):
            raise SyntaxSpecError(
                f'"{{{least},{most}}}" repeats at least {least} times and at most {most}; expected'
                f' "{{{most},{least}}}"',
                Location(source, 1, found.start() + 1),
            )
    repeated = prod(
        max([1, *map(int, re.findall(r"[0-9]{1,9}", each))])
        for each in re.findall(r"\{[^}]*", plain)
    )
    size = (len(expression) * repeated) ** (1 + plain.count("&") + plain.count("^"))
    if size > MAX_SIZE:
        raise TooLargeError(
            f"length and repetitions of the expression multiply to more than {MAX_SIZE}",
            Location(source, 1, 1),
        )


def _automaton(expression: str, place: Location) -> NFA:
    """Without empty transitions, over the characters that the expression names."""
    try:
        from automata.base.exceptions import AutomatonException, RegexException
        from automata.fa.nfa import NFA
    except ImportError:
        raise FormatError(
            "regular expressions need automata-lib, which is not installed; pip install"
            " 'vsafsm[formats]'"
        ) from None
    literals = set(_NO_LITERALS.sub("", expression)) - _RESERVED
    try:
        found: NFA = NFA.from_regex(expression, input_symbols=literals).eliminate_lambda()
    except (
        AutomatonException,
        RegexException,
        ValueError,
        IndexError,
        KeyError,
        RecursionError,
    ) as error:
        reason = re.sub(r"<\w+: ([^<>]*)>", r"\1", str(error)) or type(error).__name__
        raise SyntaxSpecError(f"this is no regular expression: {reason}", place) from None
    return found


def write_regex(machine: Machine) -> str:
    """Raises `NotExpressibleError`: an expression tells which words are accepted, and nothing
    else.
    """
    raise NotExpressibleError(
        f'"{machine.name}" cannot be written as a regular expression; expected another format'
    )


FORMAT = Format(
    "regex",
    (".regex",),
    read_regex,
    write_regex,
    "regular expressions, one line (needs vsafsm[formats])",
)
