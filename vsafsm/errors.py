"""Every error that vsafsm raises on purpose: a class for what a caller may want to catch, all under
`VsafsmError`.

A message names the thing, the place, what was expected and, for a misspelt name, the nearest
correct one.
"""

from __future__ import annotations

import difflib
import heapq
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from operator import eq

MOST_COMPARED = 1000
"""Most names that a misspelt one is compared with letter by letter."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a text: ``source:line:column``, line and column counted from 1."""

    source: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``'; did you mean "coin"?'`` for a misspelt `name`, or an empty string where nothing is
    near.

    Of more than `MOST_COMPARED` names, those that begin and end most like it are looked at: a
    letter that is wrong, missing or too many leaves all others at the beginning or the end.
    """
    sought, names = str(name)[:200], list(known)
    if len(names) > MOST_COMPARED:
        names = heapq.nlargest(MOST_COMPARED, names, key=partial(_shared_ends, sought))
    near = difflib.get_close_matches(sought, names, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _shared_ends(one: str, other: str) -> float:
    """Letters at the beginning and the end that two names share, as a share of all their
    letters.
    """
    beginning = _as_many(one, other)
    end = _as_many(one[beginning:][::-1], other[beginning:][::-1])
    return 2 * (beginning + end) / max(len(one) + len(other), 1)


def _as_many(one: str, other: str) -> int:
    """Letters at the beginning that two texts share."""
    return len([*takewhile(bool, map(eq, one, other))])


class VsafsmError(Exception):
    """Base of all errors of the package.

    Parameters
    ----------
    message
        What is wrong and what was expected, in one sentence.
    location
        Where in a spec; ``None`` for what was built or called from Python.

    Examples
    --------
    >>> import vsafsm
    >>> try:
    ...     vsafsm.load("specs/turnstyle.yaml")
    ... except vsafsm.VsafsmError as error:
    ...     print(error)
    cannot read "specs/turnstyle.yaml": there is no such file; did you mean "turnstile.yaml"?
    """

    def __init__(self, message: str, location: Location | None = None) -> None:
        self.message = message
        self.location = location
        super().__init__(f"{location}: {message}" if location else message)


class ArgumentError(VsafsmError, TypeError):
    """A call from Python with something else than it takes."""


class VsafsmWarning(UserWarning):
    """Base of all warnings of the package: something that works, and may not be what is wanted."""


# ---- a spec or a machine that is wrong


class SpecError(VsafsmError):
    """A spec, or a machine built from Python, that cannot be read as a machine."""


class SyntaxSpecError(SpecError):
    """The text does not follow its format: no such syntax, key or kind of value."""


class TooLargeError(SpecError):
    """The text is longer, deeper or wider than a machine has reason to be."""


class BadNameError(SpecError):
    """A name that cannot be used: it is empty, has control characters or spaces around it, or is
    declared twice.
    """


class UnknownStateError(SpecError):
    """A state is named that is not declared."""


class UnknownInputError(SpecError):
    """An input is named that is not in the machine's alphabet."""


class SystemSpecError(SpecError):
    """A spec whose regions are machines of their own, where one machine is expected."""


class NondeterministicError(SpecError):
    """Two transitions leave one state on one input and disagree."""


class FormatError(SpecError):
    """A format that is unknown, or needs a package that is not installed."""


class NotExpressibleError(SpecError):
    """A format has no way to write this machine down."""


class NotImportableError(SpecError):
    """Another tool's machine has what a finite state machine has no place for: hierarchy, guards,
    time or code.
    """


class NotComparableError(SpecError):
    """Two machines that no word can be given to alike."""


# ---- a machine that cannot be compiled as asked


class CompileError(VsafsmError):
    """A machine that cannot be compiled with these options."""


class OptionError(CompileError):
    """A compile option that is unknown, of the wrong type or out of range."""


class NotProvenError(CompileError):
    """No network within the limits could be proven correct.

    Parameters
    ----------
    attempts
        The networks that were tried, one line each.
    """

    def __init__(self, message: str, attempts: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.attempts = attempts


class MarginError(CompileError):
    """Weights that miss the margin that is asked for."""


class CodebookError(CompileError):
    """Codes or masks that do not fit the machine or each other."""


class NetworkError(VsafsmError):
    """A network whose parts do not fit each other."""


# ---- a program file


class ProgramError(VsafsmError):
    """A file that is no program, is damaged, or was written by a later version of the format."""


# ---- running


class BackendError(VsafsmError):
    """A backend that is unknown, or cannot do what is asked."""


class UnavailableBackendError(BackendError):
    """The backend is known, and cannot run here."""


@dataclass(frozen=True)
class CompileCall:
    """How a program that fits a backend is compiled.

    Attributes
    ----------
    target
        The backend.
    target_options, options
        Its options, and compile options; None stands for one that is not given.
    """

    target: str
    target_options: Mapping[str, object] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def python(self) -> str:
        """As a call in Python."""
        options = {k: v for k, v in self.target_options.items() if v is not None}
        parts = ["machine", f'target="{self.target}"']
        parts += [f"target_options={options!r}"] if options else []
        parts += [f"{name}={value!r}" for name, value in self.options.items() if value is not None]
        return f"vsafsm.compile({', '.join(parts)})"

    @property
    def shell(self) -> str:
        """As a command."""
        options = {**self.target_options, **self.options}
        flags = "".join(
            f" --{name.removesuffix('_').replace('_', '-')} {shlex.quote(str(value))}"
            for name, value in options.items()
            if value is not None
        )
        return f"vsafsm compile SPEC --for {self.target}{flags} -o PROGRAM"


class RequirementError(BackendError):
    """A program that does not meet what a backend requires.

    Parameters
    ----------
    problem
        What is not met.
    call
        How a program that meets it is compiled, where there is a way.
    otherwise
        What else would help.
    """

    def __init__(self, problem: str, call: CompileCall | None = None, otherwise: str = "") -> None:
        self.problem, self.call, self.otherwise = problem, call, otherwise
        super().__init__(self._text(call.python if call else ""))

    @property
    def shell_message(self) -> str:
        """The message for the command line."""
        return self._text(self.call.shell if self.call else "")

    def _text(self, call: str) -> str:
        if not call:
            return self.problem
        return f"{self.problem}; expected a program of `{call}`{self.otherwise}"


class SessionError(BackendError):
    """A session that was closed, or was asked for what the contract does not allow."""


# ---- robustness


class NoiseError(VsafsmError):
    """A noise that there is not, or a parameter of one that is missing or out of range."""


class SweepError(VsafsmError):
    """A sweep that asks for nothing, or cannot be run or gone on with as it is asked for."""


class ClusterError(VsafsmError):
    """Processes or a cluster that cannot be used, or that are lost on the way."""


class PlotError(VsafsmError):
    """A picture or page of no known kind, or one that cannot be drawn here."""


class RobustnessError(VsafsmError):
    """A measurement of robustness, or a strategy for tests, that asks for what cannot be."""


# ---- senses


class SenseError(VsafsmError):
    """Frames, a classifier or its training that cannot be used as asked."""


# ---- recipes


class RecipeError(VsafsmError):
    """A plan or a table of fabrication settings that cannot be used as asked."""


# ---- files and the command line


class FileError(VsafsmError):
    """A file or folder that cannot be read or written."""


class UsageError(VsafsmError):
    """A command line that does not say what to do."""
