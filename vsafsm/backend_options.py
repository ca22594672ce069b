"""Options of a backend: checked against what it declares, and read from texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from keyword import iskeyword
from numbers import Integral

from vsafsm.backend import Backend, Option
from vsafsm.errors import OptionError, RequirementError, did_you_mean
from vsafsm.finite import finite
from vsafsm.options import Options

RESERVED = frozenset(
    {
        "allow_unproven",
        "backend",
        "clock",
        "folder",
        "force",
        "format",
        "frames",
        "help",
        "jobs",
        "json",
        "no_cache",
        "output",
        "overlap",
        "path",
        "picture",
        "program",
        "regex",
        "resume",
        "scheduler",
        "sense",
        "theme",
        "smallest",
        "timing",
        "verbose",
    }
) | {*("self", "to", "word", "word_file")}
"""Flags of the command line, and keywords of the protocol: no option of a backend has such a name.
"""


TRUTHS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


_EXPECTED: dict[type, str] = {
    bool: "true or false (or yes, no, on, off, 1, 0)",
    int: "a whole number",
    float: "a finite number",
    str: "a text",
}


def check_options(backend: Backend, options: Mapping[str, object]) -> None:
    """Hold options against those that the backend declares.

    Raises
    ------
    RequirementError
        If it has no option of this name.
    OptionError
        If a value has the wrong type. A whole number will do for a ``float``, which has to be
        finite.
    """
    for name, value in options.items():
        option = _option(backend, name)
        optional = option.default is None
        if not (_fits(option.type, value) or (optional and value is None)):
            raise _wrong(backend, option, repr(value), " or None" if optional else "")


def read_options(backend: Backend, texts: Mapping[str, str]) -> dict[str, object]:
    """Options of a backend from texts, each read as the type that the backend declares.

    Raises
    ------
    RequirementError
        If it has no option of this name.
    OptionError
        If a text cannot be read as the option's type.
    """
    return {name: _read(backend, _option(backend, name), text) for name, text in texts.items()}


def option_flaw(backend: Backend) -> str | None:
    """Why no flags or keywords can be made of a backend's options, or None."""
    of_compile = {field.name for field in fields(Options)}
    seen: set[str] = set()
    for option in backend.options:
        name = option.name
        if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name) or iskeyword(name):
            return f'its option "{name}" cannot be a keyword; expected a name such as hold_ms'
        if name in of_compile:
            return (
                f'its option "{name}" collides with the compile option "{name}"; expected another'
                " name"
            )
        if name in RESERVED or name in seen:
            whose = "another of its own" if name in seen else "a name that vsafsm itself uses"
            return f'its option "{name}" collides with {whose}; expected another name'
        if option.type not in _EXPECTED:
            return (
                f'its option "{name}" is of type {option.type!r}; expected int, float, str or bool'
            )
        seen.add(name)
    return None


def _option(backend: Backend, name: str) -> Option:
    known = {option.name: option for option in backend.options}
    if name not in known:
        raise RequirementError(
            f'backend "{backend.name}" has no option "{name}"; '
            f"expected one of: {', '.join(sorted(known)) or 'none'}"
            f"{did_you_mean(name, known)}"
        )
    return known[name]


def _fits(kind: type, value: object) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is int:
        return isinstance(value, Integral)
    return finite(value) is not None if kind is float else isinstance(value, str)


def _read(backend: Backend, option: Option, text: str) -> object:
    value: object = text
    if option.type is bool:
        value = TRUTHS.get(text.strip().lower())
    elif option.type is int and re.fullmatch(r"[+-]?[0-9]{1,300}", text.strip()):
        value = int(text)
    elif option.type is float:
        value = _number(text)
    if not _fits(option.type, value):
        raise _wrong(backend, option, f'"{text}"')
    return value


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _wrong(backend: Backend, option: Option, found: str, more: str = "") -> OptionError:
    return OptionError(
        f'option {option.name} of backend "{backend.name}" is {found}; expected'
        f" {_EXPECTED[option.type]}{more}"
    )
