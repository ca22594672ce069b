"""The protocol that a backend meets, and how backends are found: by entry point, ours like any
third party's.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from importlib.metadata import EntryPoint, entry_points
from keyword import iskeyword
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Protocol

from vsafsm.errors import (
    BackendError,
    OptionError,
    RequirementError,
    UnavailableBackendError,
    UnknownBackendError,
    did_you_mean,
)
from vsafsm.machine import Outputs
from vsafsm.options import Options
from vsafsm.program import Program
from vsafsm.sizing import Requirements

GROUP = "vsafsm.backends"
DEFAULT = "reference"
TAKEN = frozenset(
    {
        "allow_unproven",
        "backend",
        "folder",
        "format",
        "help",
        "json",
        "output",
        "path",
        "program",
        "regex",
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

Description = Mapping[str, int | float | str]


@dataclass(frozen=True)
class Option:
    """An option of a backend, from which the command line makes a flag.

    Attributes
    ----------
    name
        As in Python: ``hold_ms`` becomes ``--hold-ms``. Not that of a compile option.
    type
        ``int``, ``float``, ``str`` or ``bool``.
    default
        Its value where it is not given; where that is ``None``, ``None`` may be given too.
    unit
        Its unit, or an empty string.
    help
        What it does, in a line.
    """

    name: str
    type: type
    default: object
    unit: str
    help: str


class BackendSession(Protocol):
    """A network that stays up from input to input. Holds are in the backend's own unit."""

    def __enter__(self) -> BackendSession:
        """Itself."""

    def __exit__(self, *details: Any) -> None:
        """Close it."""

    def send(self, symbol: str, hold: Any = None) -> str | None:
        """Apply one input: -> the state that the activity then stands for, or None."""

    def wait(self, steps: Any) -> None:
        """Let the network run without input."""

    def reset(self) -> str | None:
        """Back to the initial state, by the reset line."""

    def close(self) -> None:
        """Free what it holds; closing twice does nothing."""

    @property
    def state(self) -> str | None:
        """The state that the activity stands for, or None."""

    @property
    def outputs(self) -> Outputs:
        """Mealy outputs of the last input, then Moore outputs of the state."""

    @property
    def activity(self) -> Any:
        """What each neuron does now."""

    @property
    def counts(self) -> Mapping[str, int]:
        """``steps``, ``spikes``, ``synaptic_operations`` so far."""


class Backend(Protocol):
    """A target that runs programs.

    ``exact`` says whether its lowering is exact, so that a proof of what it returns is a proof of
    the target, or statistical, so that only measurements on many draws speak for it. No backend may
    consult the machine to find a state: states come out of the network's activity.

    A backend may have two more methods: ``run(program, word, **options) -> Run`` runs a word known
    in advance in one go, and ``plot(program, word, path, **options) -> Run`` draws it into a file
    as well.

    One whose program is a single file may have a ``suffix``, such as ``".nir"``, and
    ``emit_file(program, path,
    **options)``, which writes it.

    ``whole_weights = True`` says that the target holds whole weights only: noise on them is rounded
    before it is lowered. An option whose name ends in ``_seed`` seeds what the target draws: a
    sweep gives each trial another value.
    """

    name: str
    exact: bool
    options: tuple[Option, ...]

    def unavailable(self) -> str | None:
        """Why it cannot run here and what would change that (an install command), or None."""

    def requirements(self, options: Mapping[str, object]) -> Requirements:
        """What it asks of a network: numbers measured beforehand, never a simulation."""

    def lower(self, program: Program, **options: object) -> Any:
        """The target's own form of the program. Raises `BackendError` where there is none at these
        options.
        """

    def open(self, program: Program, **options: object) -> BackendSession:
        """Start a session."""

    def emit(self, program: Program, folder: Path, **options: object) -> None:
        """Write what the target needs into an existing folder."""

    def describe(self, program: Program, **options: object) -> Description:
        """Resources that the program takes on the target."""


@dataclass(frozen=True)
class Run:
    """What came of a word of n inputs.

    Attributes
    ----------
    states
        n + 1 states, the initial one first; None where the activity stands for none.
    outputs
        n + 1 tuples: Moore outputs of the initial state, then for each input its Mealy outputs and
        the Moore outputs of the state reached.
    """

    states: tuple[str | None, ...]
    outputs: tuple[Outputs, ...]


@dataclass(frozen=True)
class Listing:
    """A backend as `backends` lists it: why it cannot run here, or None."""

    name: str
    unavailable: str | None


def backends() -> list[Listing]:
    """All installed backends, by name, with the reason where one cannot run here."""
    return [Listing(name, _reason(point)) for name, point in sorted(_points().items())]


def find(name: str) -> Backend:
    """The backend of this name.

    Raises
    ------
    UnknownBackendError
        If none of this name is installed.
    UnavailableBackendError
        If it cannot run here, or has an option that it may not have; the message says what would
        change that.
    """
    points = _points()
    if name not in points:
        known = ", ".join(sorted(points))
        raise UnknownBackendError(
            f'unknown backend "{name}"; expected one of: {known}{did_you_mean(name, points)}'
        )
    reason = _reason(points[name])
    if reason:
        raise UnavailableBackendError(f'backend "{name}" cannot run here: {reason}')
    backend: Backend = points[name].load()
    return backend


def open_session(program: Program, backend: str = DEFAULT, **options: object) -> BackendSession:
    """Start a session of a program on a backend (``vsafsm.open``).

    Raises
    ------
    RequirementError
        If the program does not meet what the backend requires; the message has the compile command
        that would. Or if the backend has no such option.
    OptionError
        If the value of an option has the wrong type.
    """
    target = find(backend)
    check(program, target, options)
    return target.open(program, **options)


def run_word(
    program: Program, word: Iterable[str], backend: str = DEFAULT, **options: object
) -> Run:
    """Run a word known in advance: in one go where the backend can, else input by input
    (``vsafsm.run``).

    Raises
    ------
    UnknownInputError
        If an input is not in the machine's alphabet; nothing has run then.
    RequirementError, OptionError
        As `open_session` does.
    """
    target, symbols = find(backend), tuple(word)
    check(program, target, options)
    for symbol in symbols:
        program.machine.input_index(symbol)
    return run_on(target, program, symbols, **options)


def run_on(backend: Backend, program: Program, word: Iterable[str], **options: object) -> Run:
    """The same without a check of what the backend requires: for a program that was disturbed on
    purpose.
    """
    symbols = tuple(word)
    whole: Callable[..., Run] | None = getattr(backend, "run", None)
    if whole is not None:
        return whole(program, symbols, **options)
    with backend.open(program, **options) as session:
        states, outputs = [session.state], [session.outputs]
        for symbol in symbols:
            states.append(session.send(symbol))
            outputs.append(session.outputs)
    return Run(tuple(states), tuple(outputs))


def plot_word(
    program: Program, word: Iterable[str], path: Path, backend: str, **options: object
) -> Run:
    """Run a word and draw it into the file `path`. Raises `BackendError` where the backend draws
    nothing.
    """
    target = find(backend)
    drawn: Callable[..., Run] | None = getattr(target, "plot", None)
    if drawn is None:
        raise BackendError(
            f'backend "{backend}" draws no pictures; expected one that does, such as brian2'
        )
    check(program, target, options)
    symbols = tuple(word)
    for symbol in symbols:
        program.machine.input_index(symbol)
    return drawn(program, symbols, path, **options)


def file_writer(backend: Backend, path: Path) -> Callable[..., None] | None:
    """What writes a program into the one file `path`, or None where the backend takes that for a
    folder.
    """
    suffix: str | None = getattr(backend, "suffix", None)
    writer: Callable[..., None] | None = getattr(backend, "emit_file", None)
    return writer if suffix is not None and path.suffix == suffix else None


def check(program: Program, backend: Backend, options: Mapping[str, object]) -> None:
    """Raise what `check_options` does, and `RequirementError` where the program does not meet what
    is required.

    A margin that is required is proven again: the program's own is a claim.
    """
    check_options(backend, options)
    requirements = backend.requirements(options)
    margin = program.claim.margin if requirements.least_margin is None else program.prove().margin
    unmet = requirements.unmet(program.network, margin)
    if unmet:
        raise RequirementError(
            f'the program does not fit backend "{backend.name}": {"; ".join(unmet)}; expected a'
            f" program of `vsafsm compile SPEC --for {backend.name}{_as_flags(options)} -o PROGRAM`"
        )


def _as_flags(options: Mapping[str, object]) -> str:
    given = {name: value for name, value in options.items() if value is not None}
    return "".join(
        f" --{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in given.items()
    )


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


# ---- options


def _option(backend: Backend, name: str) -> Option:
    known = {option.name: option for option in backend.options}
    if name not in known:
        raise RequirementError(
            f'backend "{backend.name}" has no option "{name}"; '
            f"expected one of: {', '.join(sorted(known)) or 'none'}"
            f"{did_you_mean(name, known)}"
        )
    return known[name]


_EXPECTED: dict[type, str] = {
    bool: "true or false (or yes, no, on, off, 1, 0)",
    int: "a whole number",
    float: "a finite number",
    str: "a text",
}


def _fits(kind: type, value: object) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is int:
        return isinstance(value, Integral)
    return (
        isinstance(value, Real) and math.isfinite(value)
        if kind is float
        else isinstance(value, str)
    )


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


def _flaw(backend: Backend) -> str | None:
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
        if name in TAKEN or name in seen:
            whose = "another of its own" if name in seen else "a name that vsafsm itself uses"
            return f'its option "{name}" collides with {whose}; expected another name'
        if option.type not in _EXPECTED:
            return (
                f'its option "{name}" is of type {option.type!r}; expected int, float, str or bool'
            )
        seen.add(name)
    return None


# ---- entry points


def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _reason(point: EntryPoint) -> str | None:
    """Why a backend cannot be used here, in a line, or None."""
    # Another's code may raise anything, and must not take the other backends down.
    try:
        backend: Backend = point.load()
    except Exception as error:
        return _line(f"{point.value} cannot be imported: {error}")
    try:
        found = _flaw(backend) or backend.unavailable()
    except Exception as error:
        found = (
            f"{point.value} fails when asked whether it can run: {type(error).__name__}: {error}"
        )
    return _line(found) if found else None


def _line(text: object) -> str:
    return " ".join(str(text).split())
