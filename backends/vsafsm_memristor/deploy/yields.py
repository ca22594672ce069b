"""How many arrays run a program correctly: each drawn, programmed, aged, calibrated, and tried in
every state and input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsafsm.lowering import Lowered
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_memristor.crossbar.array import ArrayPlan, calibrate, plan_array
from vsafsm_memristor.crossbar.parameters import settings
from vsafsm_memristor.deploy.trials import WrongPair, wrong_pairs
from vsafsm_memristor.importing import import_optional

CHUNK = 4
"""Arrays that a worker takes at a time."""


@dataclass(frozen=True)
class ArrayOutcome:
    """One array.

    Attributes
    ----------
    wrong
        The first pair of state and input that it runs wrong; None where all are correct.
    wrong_pairs
        How many pairs go wrong, or cannot be reached; all where the reset does.
    rewritten, writes
        Cells that were corrected, and how often cells were programmed to do so.
    short_before, short_after
        (Situation, neuron) pairs short of the margin before and after correction.
    """

    wrong: WrongPair | None
    wrong_pairs: int = 0
    rewritten: int = 0
    writes: int = 0
    short_before: int = 0
    short_after: int = 0


def outcome(program: Program, plan: ArrayPlan, seed: int) -> ArrayOutcome:
    """What becomes of the array of a seed, the one that a session with this ``device_seed`` has."""
    return drawn(program.machine, program.lowered, plan, np.random.default_rng([seed, 0]))


def drawn(
    machine: Machine, lowered: Lowered, plan: ArrayPlan, rng: np.random.Generator
) -> ArrayOutcome:
    """What becomes of an array that is drawn."""
    made = calibrate(plan, lowered, rng)
    every = list(
        wrong_pairs(machine, plan.network, lambda activity: made.crossbar.drive(activity, rng))
    )
    wrong, count = (every[0] if every else None), len(every)
    if wrong is not None and wrong.input is None:
        count = machine.reachable_transitions
    if made.correction is None:
        return ArrayOutcome(wrong, count)
    found = made.correction
    return ArrayOutcome(
        wrong, count, found.rewritten, found.writes, found.short_before, found.short_after
    )


def outcomes(
    program: Program, options: Mapping[str, Any], seeds: Sequence[int], jobs: int = 1
) -> Iterator[ArrayOutcome]:
    """What becomes of the arrays of some seeds, in their order, whatever the number of processes.

    Parameters
    ----------
    options
        Of the backend.
    jobs
        Processes.

    Raises
    ------
    MappingError, OptionError
        If the program cannot be mapped, or an option is wrong.
    MissingLibraryError
        If several processes are asked for and joblib is not installed.
    """
    plan = plan_array(program.network, settings(options))
    if jobs == 1:
        return (outcome(program, plan, seed) for seed in seeds)
    return _parallel(program, options, seeds, jobs)


def _parallel(
    program: Program, options: Mapping[str, Any], seeds: Sequence[int], jobs: int
) -> Iterator[ArrayOutcome]:
    joblib = import_optional("joblib", "joblib")
    call: Callable[..., Any] = joblib.delayed(_chunk)
    chunks = (seeds[i : i + CHUNK] for i in range(0, len(seeds), CHUNK))
    found = joblib.Parallel(jobs, return_as="generator")(
        call(program, options, chunk) for chunk in chunks
    )
    return (each for chunk in found for each in chunk)


def _chunk(
    program: Program, options: Mapping[str, Any], seeds: Sequence[int]
) -> list[ArrayOutcome]:
    plan = plan_array(program.network, settings(options))
    return [outcome(program, plan, seed) for seed in seeds]
