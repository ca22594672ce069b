"""Formats: how a machine is read from text and written as text.

A format is an object of class `Format` under the entry-point group ``vsafsm.formats``; a third
party adds one by naming it there. This module finds formats, and moves files in and out.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, entry_points
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from vsafsm.errors import (
    ArgumentError,
    BadNameError,
    FileError,
    FormatError,
    Location,
    NotExpressibleError,
    SyntaxSpecError,
    TooLargeError,
    did_you_mean,
)
from vsafsm.examples import example_names
from vsafsm.files import check_path, reason, write_atomically
from vsafsm.garbage import collector_paused
from vsafsm.machine import Machine, check_name, listed
from vsafsm.symbolic import SymbolicMachine

if TYPE_CHECKING:
    from vsafsm.statecharts import Statechart

GROUP = "vsafsm.formats"
ACCEPT = "accept"
"""The output of states that accept, in formats that know such states."""
MAX_BYTES = 64 * 2**20
"""Longest file that `read` takes."""
MAX_TRANSITIONS = 4_000_000
"""Most (state, input) pairs of a machine that a reader builds."""
MOST_NAMED = 5
"""Most names with a warning each; where there are more, one warning holds for all."""

MAX_NAMES = 1000
"""Most names of a folder that are looked through for the nearest to one that is not there."""

PathLike = str | os.PathLike[str]
Source = PathLike | TextIO | Mapping[str, object]
"""What `load` takes."""
NameRule = Callable[[str, str], bool]
"""Whether a name can be written: from ``"state"``, ``"input"`` or ``"output"`` and the name."""

_BUILT_IN = (
    EntryPoint("yaml", "vsafsm.formats.yaml:FORMAT", GROUP),
    EntryPoint("kiss2", "vsafsm.formats.kiss2:FORMAT", GROUP),
    EntryPoint("blif", "vsafsm.formats.kiss2:BLIF", GROUP),
    EntryPoint("dot", "vsafsm.formats.dot:FORMAT", GROUP),
    EntryPoint("scxml", "vsafsm.formats.scxml:FORMAT", GROUP),
    EntryPoint("transitions", "vsafsm.formats.transitions:FORMAT", GROUP),
    EntryPoint("sismic", "vsafsm.formats.sismic:FORMAT", GROUP),
    EntryPoint("jflap", "vsafsm.formats.jflap:FORMAT", GROUP),
    EntryPoint("xstate", "vsafsm.formats.xstate:FORMAT", GROUP),
    EntryPoint("mermaid", "vsafsm.formats.mermaid:FORMAT", GROUP),
    EntryPoint("plantuml", "vsafsm.formats.plantuml:FORMAT", GROUP),
    EntryPoint("regex", "vsafsm.formats.regex:FORMAT", GROUP),
    # also declared in pyproject.toml; repeated here so that a source tree works without being
    # installed
)


class SpecWarning(UserWarning):
    """Something in a spec that is allowed and probably not meant."""


@dataclass(frozen=True)
class Reading:
    """What a reader found: the machine, and warnings that name a place where one is known."""

    machine: Machine
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """A way to write machines as text.

    Parameters
    ----------
    name
        What a user calls it by.
    suffixes
        File suffixes in lower case, with their dot.
    read
        From a text and the name of its source to a `Reading`; raises a subclass of `SpecError`.
    write
        From a machine to a text; raises `NotExpressibleError`.
    description
        One line for a list of formats.
    readings
        Other ways to read such a text, by the word that follows the name and a colon
        (``kiss2:sink``).
    guards
        As `read`, for a text that `write` made of a machine with guards; None where the format
        cannot hold those.
    fits
        Which names of states, inputs and outputs `write` takes.
    chart
        From a text and the name of its source to a statechart; None where the format has none.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[str, str], Reading]
    write: Callable[[Machine], str]
    description: str
    readings: Mapping[str, Callable[[str, str], Reading]] = field(default_factory=dict)
    guards: Callable[[str, str], Reading] | None = None
    fits: NameRule = field(default=lambda kind, name: True)
    chart: Callable[[str, str], Statechart] | None = None


def formats() -> dict[str, Format]:
    """All formats by name, those of vsafsm first. One that cannot be loaded is left out with a
    `RuntimeWarning`.
    """
    found: dict[str, Format] = {}
    for entry in (*_BUILT_IN, *sorted(entry_points(group=GROUP), key=lambda e: (e.name, e.value))):
        if entry.name not in found and (loaded := _load_entry(entry)):
            found[entry.name] = loaded
    return found


def _load_entry(entry: EntryPoint) -> Format | None:
    try:
        loaded = entry.load()
    except (
        Exception
    ) as error:  # another's module may raise anything at import, and must not take ours along
        problem = f"{type(error).__name__}: {error}"
    else:
        if isinstance(loaded, Format):
            return loaded
        problem = f"{entry.value} is not a vsafsm.formats.Format"
    warnings.warn(f'format "{entry.name}" cannot be used: {problem}', RuntimeWarning, stacklevel=3)
    return None


def format_for(path: PathLike, name: str | None = None) -> Format:
    """The format called `name`, or without a name the one that `path` has the suffix of.

    Raises
    ------
    FormatError
        There is none; the message lists those there are.
    """
    known = formats()
    if name is not None:
        return _named(name, known)
    suffix = Path(path).suffix.lower()
    for candidate in known.values():
        if suffix in candidate.suffixes:
            return candidate
    suffixes = [s for f in known.values() for s in f.suffixes]
    raise FormatError(
        f'cannot tell the format of "{os.fspath(path)}" by its suffix "{suffix}"; '
        f"expected {listed(suffixes)}{did_you_mean(suffix, suffixes)} (or name the format)"
    )


def _named(name: str, known: dict[str, Format]) -> Format:
    """The format called `name`; after a colon, with that way to read it."""
    if not isinstance(name, str):
        raise ArgumentError(f"format is {name!r}; expected its name, {listed(list(known))}")
    base, colon, way = name.partition(":")
    if base not in known:
        raise FormatError(
            f'unknown format "{name}"; expected {listed(list(known))}{did_you_mean(base, known)}'
        )
    found = known[base]
    if not colon:
        return found
    if way not in found.readings:
        ways = [f"{base}:{each}" for each in found.readings] or [base]
        raise FormatError(
            f'format "{base}" has no "{way}"; expected {listed(ways)}{did_you_mean(name, ways)}'
        )
    return replace(found, read=found.readings[way])


def read(path: PathLike, format: str | None = None) -> Reading:  # noqa: A002 - the word a user expects
    """Read the machine in the file at `path`.

    Parameters
    ----------
    path
        A file.
    format
        Name of its format, which may say how to read it (``"kiss2:sink"``); by default the suffix
        says it.

    Raises
    ------
    FormatError, FileError, TooLargeError, SyntaxSpecError
        The file cannot be read as text of a known format.
    SpecError
        One of its subclasses: the text is no machine; with file, line and column.
    """
    found = _text_of(path, format)
    with collector_paused():
        return found.format.read(found.text, found.source)


def load(source: Source, format: str | None = None) -> Machine:  # noqa: A002
    """The machine of a spec; what is doubtful in it comes as Python warnings of class
    `SpecWarning`. A statechart comes as the flat machine that it is.

    Parameters
    ----------
    source
        The path of a file; or an open text file; or a mapping of the shape that a spec in YAML
        has.
    format
        Name of the format, which may say how to read it (``"kiss2:sink"``). By default the suffix
        of the file says it; without a suffix, a text is YAML.

    Raises
    ------
    ArgumentError
        If `source` is something else, such as the text of a spec, or `format` is no text.
    VsafsmError
        As `read`.

    Examples
    --------
    >>> import io
    >>> lamp = load({
    ...     "machine": "lamp",
    ...     "initial": "off",
    ...     "states": {
    ...         "off": {"transitions": {"press": "on"}},
    ...         "on": {"outputs": ["light"], "transitions": {"press": "off"}},
    ...     },
    ... })
    >>> lamp.run(["press", "press"]).states
    ('off', 'on', 'off')
    >>> load(io.StringIO("digraph { off -> on [label=press] }"), "dot").states
    ('off', 'on')
    """
    reading = _reading(source, format)
    for message in reading.warnings:
        warnings.warn(message, SpecWarning, stacklevel=2)
    return reading.machine


def load_chart(source: Source, format: str | None = None) -> Statechart:  # noqa: A002
    """The statechart of a spec, before it is made flat; a flat machine is one too.

    Parameters
    ----------
    source, format
        As `load` takes them.

    Raises
    ------
    FormatError
        If the format has no statecharts.
    VsafsmError
        As `load`.

    Examples
    --------
    >>> import io
    >>> lamp = load_chart(io.StringIO('''
    ... machine: lamp
    ... initial: "off"
    ... states:
    ...   "off": {transitions: {press: "on"}}
    ...   "on": {transitions: {press: "off"}, after: {30 s: "off"}}
    ... '''))
    >>> lamp.events, lamp.period
    (('press', 'tick'), Fraction(30, 1))
    """
    with collector_paused():
        if isinstance(source, Mapping):
            from vsafsm.formats.yaml import chart_of_mapping  # a format, which imports this module

            return chart_of_mapping(source)
        found = _opened(source, format, "load_chart")
        if found.format.chart is None:
            able = [each.name for each in formats().values() if each.chart]
            raise FormatError(
                f"format {found.format.name} has no statecharts; expected {listed(able)}, or"
                " vsafsm.load for a flat machine"
            )
        return found.format.chart(found.text, found.source)


def _reading(source: Source, format_name: str | None) -> Reading:
    with collector_paused():
        if isinstance(source, Mapping):
            from vsafsm.formats.yaml import read_mapping  # a format, which imports this module

            return read_mapping(source)
        found = _opened(source, format_name, "load")
        return found.format.read(found.text, found.source)


class _Text(NamedTuple):
    format: Format
    text: str
    source: str


def _opened(source: PathLike | TextIO, format_name: str | None, function: str) -> _Text:
    """What a function for users is given, as text."""
    if isinstance(source, str) and "\n" in source:
        raise ArgumentError(
            f"vsafsm.{function} takes a path, and got a text of {len(source.splitlines())} lines;"
            f" expected vsafsm.{function}(io.StringIO(text)) for a text"
        )
    if isinstance(source, str | os.PathLike):
        return _text_of(source, format_name)
    if not hasattr(source, "read"):
        raise ArgumentError(
            f"vsafsm.{function} takes a path, an open text file or a mapping, and got"
            f" {type(source).__name__}; expected one of them"
        )
    return _text_in(source, format_name)


def _text_of(path: PathLike, format_name: str | None) -> _Text:
    _check_there(path)
    chosen = format_for(path, format_name)
    source = os.fspath(path)
    return _Text(chosen, decode(_bytes_of(path), source), source)


def _text_in(file: TextIO, format_name: str | None) -> _Text:
    """Of an open file; one that is open for bytes will do."""
    name = getattr(file, "name", None)
    source = name if isinstance(name, str) else "text"
    by_suffix = format_name or Path(source).suffix
    chosen = format_for(source, format_name) if by_suffix else formats()["yaml"]
    content: str | bytes = file.read()
    return _Text(chosen, content if isinstance(content, str) else decode(content, source), source)


def save(machine: Machine, path: PathLike, format: str | None = None) -> None:  # noqa: A002
    """Write `machine` to the file at `path`, whole or not at all.

    Raises
    ------
    ArgumentError
        `machine` or `path` is none, or `format` is no text.
    FormatError
        No format has this name or suffix.
    NotExpressibleError
        The format has no way to write this machine.
    FileError
        The file cannot be written; an older file of that name is as it was.

    Examples
    --------
    >>> import vsafsm
    >>> vsafsm.save(vsafsm.load("specs/turnstile.yaml"), "turnstile.scxml")
    >>> vsafsm.load("turnstile.scxml").states
    ('locked', 'unlocked')
    """
    from vsafsm.argument_checks import check_machine  # which imports NumPy

    check_machine(machine, "vsafsm.save")
    check_path(path, "vsafsm.save")
    write_atomically(path, written(machine, format_for(path, format)).encode("utf-8"))


def written(machine: Machine, chosen: Format) -> str:
    """`machine` as text of a format; raises `NotExpressibleError`."""
    if isinstance(machine, SymbolicMachine) and chosen.guards is None:
        able = " or ".join(each.name for each in formats().values() if each.guards)
        raise NotExpressibleError(
            f'machine "{machine.name}" has guards over {machine.width} input bits, which the format'
            f" {chosen.name} cannot hold; expected {able}"
        )
    return chosen.write(machine)


def decode(data: bytes, source: str) -> str:
    """`data` as text, without a byte order mark; raises `SyntaxSpecError` at the first byte that is
    not UTF-8.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        guess = "; the file looks like UTF-16" if utf16 else ""
        raise SyntaxSpecError(
            f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8{guess}",
            location_at(before, len(before), source),
        ) from None


def location_at(text: str, index: int, source: str) -> Location:
    """The place of the character at `index` of `text`."""
    start = text.rfind("\n", 0, index) + 1
    return Location(source, text.count("\n", 0, index) + 1, index - start + 1)


def name_from(*candidates: str) -> str:
    """The first of some texts that can name a machine, without spaces around it; the last has
    to.
    """
    for candidate in candidates[:-1]:
        with contextlib.suppress(BadNameError):
            return check_name("machine", candidate.strip())
    return candidates[-1]


def unreachable_warnings(machine: Machine, place: Callable[[str], Location]) -> Iterator[str]:
    """A warning for each state that no word reaches, or one for all where they are many; `place`
    tells where a state is declared.
    """
    flaw = f'never reached from "{machine.initial}"'
    return summarised(machine.unreachable, place, "state", flaw)


def summarised(
    names: Sequence[str], place: Callable[[str], Location], kind: str, flaw: str
) -> Iterator[str]:
    """A warning for each name with its place, that this `kind` is `flaw`; one for all of them, with
    the place of the first, where there are more than `MOST_NAMED`.
    """
    if len(names) <= MOST_NAMED:
        yield from (f"{place(name)}: {kind} {_quoted(name)} is {flaw}" for name in names)
        return
    first = ", ".join(_quoted(name) for name in names[:MOST_NAMED])
    yield f"{place(names[0])}: {len(names)} {kind}s are {flaw}: {first}, ..."


def _quoted(name: str) -> str:
    return f'"{name[:40]}"'


def _check_there(path: PathLike) -> None:
    """Raise `FileError` with the nearest name, where there is no file at `path`."""
    sought = Path(path)
    try:
        if sought.exists():
            return
        names = [entry.name for entry in islice(os.scandir(sought.parent), MAX_NAMES)]
    except (OSError, ValueError):
        return  # reading it will say why
    hint = did_you_mean(sought.name, names)
    if not hint and sought.stem in example_names():
        hint = f'; the example of this name is written by "vsafsm examples {sought.stem}"'
    elif not hint:
        near = did_you_mean(sought.stem, example_names())
        hint = near and f"{near} It is written by vsafsm examples"
    raise FileError(f'cannot read "{os.fspath(path)}": there is no such file{hint}')


def _bytes_of(path: PathLike) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise FileError(f'cannot read "{os.fspath(path)}": {reason(error)}') from error
    if len(data) > MAX_BYTES:
        raise TooLargeError(
            f"the file is longer than {MAX_BYTES // 2**20} MiB", Location(os.fspath(path))
        )
    return data
