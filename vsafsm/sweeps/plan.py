"""What a sweep measures: frozen, with a text form by which a sweep that goes on knows itself
again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from numbers import Integral
from typing import Any

import numpy as np

from vsafsm.discovery import find
from vsafsm.errors import BackendError, SweepError
from vsafsm.finite import finite
from vsafsm.network import Network
from vsafsm.noise import Noise
from vsafsm.program import Program
from vsafsm.running import check
from vsafsm.tours import tours
from vsafsm.version import __version__

Settings = tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class Trials:
    """How each point is measured.

    Attributes
    ----------
    most
        Draws of noise, at most.
    width
        A point is done once the interval of its share of correct draws is no wider than this; 0 for
        never.
    words, length
        Random words that each draw runs, and their inputs.
    seed
        Of the draws: draw number n has the same noise, but for its strength, at every point of one
        size.
    """

    most: int = 200
    width: float = 0.03
    words: int = 10
    length: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("most", 1), ("words", 0), ("length", 1), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
                option = {"most": "trials"}.get(name, name)
                raise SweepError(
                    f"{option} is {value!r}; expected a whole number of at least {least}"
                )
            object.__setattr__(self, name, int(value))  # as JSON, whatever whole number it was
        width = finite(self.width)
        if width is None or not 0 <= width < 1:
            raise SweepError(f"width is {self.width!r}; expected a number from 0, and below 1")


@dataclass(frozen=True, eq=False)
class Subject:
    """A program on a backend: what noise is put on.

    Attributes
    ----------
    program
        As compiled for the backend.
    backend, options
        Name of the backend, and its options.
    deployed
        The network that an exact backend makes of the program; None where the backend is not exact.
    rounded
        Whether the backend holds whole weights only.
    tours
        Words that take every transition, for a backend that is not exact; of another, none.
    """

    program: Program
    backend: str
    options: Mapping[str, Any]
    deployed: Network | None
    rounded: bool
    tours: tuple[tuple[str, ...], ...]

    @property
    def exact(self) -> bool:
        """Whether what is deployed decides what happens, so that it can be walked."""
        return self.deployed is not None


def subject(program: Program, backend: str, options: Mapping[str, Any] | None = None) -> Subject:
    """A program on a backend.

    Raises
    ------
    RequirementError, OptionError, BackendError
        If they do not fit, or the backend cannot be used.
    """
    target, chosen = find(backend), dict(options or {})
    check(program, target, chosen)
    deployed = target.lower(program, **chosen) if target.exact else None
    if target.exact and not isinstance(deployed, Network):
        raise BackendError(
            f'backend "{backend}" gives no network that noise could be measured on; expected a'
            " Network"
        )
    return Subject(
        program,
        backend,
        chosen,
        deployed,
        bool(getattr(target, "whole_weights", False)),
        () if target.exact else tuple(tours(program.machine)),
    )


@dataclass(frozen=True)
class Point:
    """A subject, by its number, and the noise that is put on it."""

    subject: int
    noise: Noise


@dataclass(frozen=True, eq=False)
class Plan:
    """What is measured: every noise on every subject."""

    subjects: tuple[Subject, ...]
    noises: tuple[Noise, ...]
    trials: Trials

    def __post_init__(self) -> None:
        if not self.subjects or not self.noises:
            raise SweepError("a sweep of nothing; expected at least one machine and one noise")

    @property
    def points(self) -> tuple[Point, ...]:
        """All points, in the order of the table."""
        return tuple(Point(i, noise) for i in range(len(self.subjects)) for noise in self.noises)

    def described(self) -> dict[str, Any]:
        """All that the numbers of its table depend on: JSON."""
        machine = self.subjects[0].program.machine
        return {
            "machine": machine.name,
            "spec": _digest(asdict(machine)),
            "noise": [str(noise) for noise in self.noises],
            "programs": [subject.program.content_hash for subject in self.subjects],
            "backends": [[subject.backend, dict(subject.options)] for subject in self.subjects],
            "trials": asdict(self.trials),
            "vsafsm": __version__,
            "numpy": np.__version__,
        }


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def check_same(name: str, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Raise `SweepError` where what a file was measured for is not what is asked for, naming what
    differs.
    """
    for key in expected:
        if found.get(key) != expected[key]:
            what = "the spec" if key == "spec" else key
            raise SweepError(
                f"{name} belongs to another sweep: {what} differs; expected the options it was"
                " begun with, another file, or --restart"
            )
