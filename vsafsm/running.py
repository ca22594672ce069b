"""A program on a backend: sessions, words, pictures, and whether it fits there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vsafsm.argument_checks import check_program, checked_word
from vsafsm.backend import Backend, BackendSession, Run
from vsafsm.backend_options import check_options
from vsafsm.clocked import ClockedSession
from vsafsm.discovery import DEFAULT, find
from vsafsm.encoder import Encoder
from vsafsm.errors import BackendError, CompileCall, RequirementError
from vsafsm.program import Program
from vsafsm.symbolic import SymbolicMachine


def open_session(program: Program, backend: str = DEFAULT, **options: object) -> BackendSession:
    """Start a session of a program on a backend (``vsafsm.open``).

    That of a machine with a clock is a `vsafsm.clocked.ClockedSession`, which ticks while it waits.

    Raises
    ------
    ArgumentError
        If `program` is none.
    RequirementError
        If the program does not meet what the backend requires; the message has the call of
        `vsafsm.compile` that makes one that does. Or if the backend has no such option.
    OptionError
        If the value of an option has the wrong type.

    Examples
    --------
    >>> import vsafsm
    >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"))
    >>> with vsafsm.open(program) as session:
    ...     session.send("coin")
    'unlocked'
    """
    check_program(program, "vsafsm.open")
    target = find(backend)
    check(program, target, options)
    session = target.open(program, **options)
    return session if program.machine.clock is None else ClockedSession(session, program.machine)


def run_word(
    program: Program, word: Iterable[str], backend: str = DEFAULT, **options: object
) -> Run:
    """Run a word known in advance: in one go where the backend can, else input by input
    (``vsafsm.run``).

    Raises
    ------
    ArgumentError
        If `program` or `word` is none.
    UnknownInputError
        If an input is not in the machine's alphabet; nothing has run then.
    RequirementError, OptionError
        As `open_session` does.

    Examples
    --------
    >>> import vsafsm
    >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"))
    >>> vsafsm.run(program, ["coin", "push"]).states
    ('locked', 'unlocked', 'locked')
    """
    check_program(program, "vsafsm.run")
    target, symbols = find(backend), checked_word(word, "vsafsm.run")
    check(program, target, options)
    return run_on(target, _for_word(program, target, symbols), symbols, **options)


def _for_word(program: Program, backend: Backend, symbols: Sequence[str]) -> Program:
    """What a backend runs a word on. Raises `UnknownInputError`."""
    machine = program.machine
    if isinstance(machine, SymbolicMachine) and not takes_vectors(backend):
        return with_inputs(program, symbols)
    for symbol in symbols:
        machine.check_input(symbol)
    return program


def takes_vectors(backend: Backend) -> bool:
    """Whether sessions of a backend take the vectors of a symbolic machine as they come."""
    return bool(getattr(backend, "takes_vectors", False))


def with_inputs(program: Program, symbols: Iterable[str]) -> Program:
    """The program of a symbolic machine with these vectors as its inputs, so that every backend
    that takes no others runs them; any other program as it is.

    Raises
    ------
    UnknownInputError
        If one is no vector of the machine's.
    """
    machine, inputs = program.machine, tuple(symbols)
    if not isinstance(machine, SymbolicMachine) or not inputs:
        return program
    network = Encoder(machine, program.network).over(inputs)
    return replace(program, machine=machine.over(inputs), network=network)


def run_on(backend: Backend, program: Program, word: Iterable[str], **options: object) -> Run:
    """The same without a check of what the backend requires: for a program that was perturbed on
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
    program: Program,
    word: Iterable[str],
    path: Path,
    backend: str,
    theme: str = "screen",
    **options: object,
) -> Run:
    """Run a word and draw it into the file `path`, for a screen or for paper. Raises `BackendError`
    where the backend draws nothing.
    """
    target = find(backend)
    plot: Callable[..., Run] | None = getattr(target, "plot", None)
    if plot is None:
        raise BackendError(
            f'backend "{backend}" draws no pictures; expected one that does, such as brian2'
        )
    check(program, target, options)
    symbols = tuple(word)
    return plot(_for_word(program, target, symbols), symbols, path, theme=theme, **options)


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
    if program.target == backend.name and program.requirements.least_margin is None:
        # Its target accepted it without one, by trials of its own.
        requirements = replace(requirements, least_margin=None)
    claimed = requirements.least_margin is None or requirements.wrong_layout(program.network)
    margin = program.claim.margin if claimed else program.prove().margin
    unmet = requirements.unmet(program.network, margin)
    if unmet:
        problem = f'the program does not fit backend "{backend.name}": {"; ".join(unmet)}'
        raise RequirementError(problem, CompileCall(backend.name, dict(options)))
