"""The protocol that a backend meets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from vsafsm.machine import Outputs
from vsafsm.playing import Played
from vsafsm.program import Program
from vsafsm.requirements import Requirements
from vsafsm.trains import DROP, Pace, Timed

Description = Mapping[str, int | float | str]


class Usage(NamedTuple):
    """A resource of a target: how much of it a program uses, and how much there is."""

    name: str
    used: float
    there: float


@dataclass(frozen=True)
class Option:
    """An option of a backend, from which the command line makes a flag.

    Attributes
    ----------
    name
        As in Python: ``hold_ms`` becomes ``--hold-ms``, and ``yield_``, whose underscore keeps it
        apart from a keyword, ``--yield``. Not that of a compile option.
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

    @property
    def flag(self) -> str:
        """Of the command line, without its dashes."""
        return self.name.removesuffix("_").replace("_", "-")


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

    Examples
    --------
    >>> import vsafsm
    >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"))
    >>> found = vsafsm.run(program, ["coin"])
    >>> found.states, found.outputs
    (('locked', 'unlocked'), (('barrier_closed',), ('barrier_open',)))
    """

    states: tuple[str | None, ...]
    outputs: tuple[Outputs, ...]


class BackendSession(Protocol):
    """A network that stays up from input to input. Holds are in the backend's own unit."""

    def __enter__(self) -> BackendSession:
        """Itself."""

    def __exit__(self, *details: Any) -> None:
        """Close it."""

    def send(self, symbol: str, hold: Any = None) -> str | None:
        """Apply one input: -> the state that the activity then stands for, or None."""

    def rest(self, steps: Any) -> None:
        """Let the network run without input, for a time in the backend's own unit."""

    def play(self, events: Iterable[Timed], overlap: str = DROP) -> Played:
        """Give inputs at their times, and drop those that overlap, or let them wait
        (`vsafsm.playing.Playing` has it for every session that has a `pace`).
        """

    def reset(self) -> str | None:
        """Back to the initial state, by the reset line."""

    def close(self) -> None:
        """Free what it holds; closing twice does nothing."""

    @property
    def pace(self) -> Pace:
        """How long an input is held, and the gap after it; and their unit."""

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
    in advance in one go, and ``plot(program, word, path, theme, **options) -> Run`` draws it into a
    file as well.

    ``usage(program, **options)``, if there is one, tells as a sequence of `Usage` what a program
    takes of a chip or an array, for ``vsafsm info --picture``.

    One whose program is a single file may have a ``suffix``, such as ``".nir"``, and
    ``emit_file(program, path,
    **options)``, which writes it.

    One whose networks are to pass trials of its own has ``acceptance(options)``, which gives a
    `vsafsm.acceptance.Acceptance`.

    ``takes_vectors = True`` says that its sessions take every input vector of a symbolic machine
    when it comes (`vsafsm.encoder`). Those of others take the vectors of a word that is known.

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
