"""What a program is to tolerate, and trials that tell whether it does.

A tolerance is a noise of `vsafsm.noise` that a user names: on weights, on timing, or both. A draw
is correct where everything is: every word of any length for noise on weights, which is decided by a
walk; every input in every state where timing is random as well, at least 100 inputs in all.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np

from vsafsm.asynchronous import Runs, Timing, timing_of
from vsafsm.errors import FileError, OptionError, RobustnessError
from vsafsm.files import reason, write_atomically
from vsafsm.intervals import wilson
from vsafsm.json_text import parse_json
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.noise import Noise, OfTiming, parse_noise, parts, perturb
from vsafsm.threads import cores, go_on, shared_by
from vsafsm.walk import Walk

DEFAULT = ("additive:1", "missing:0.1", "timing:async:0.1")
"""What a program tolerates where nothing else is asked for."""
ANY_ORDER = "timing:any"
"""Stands for every order of updates, which is proven and not drawn."""
CONFIDENCE, DEFAULT_CONFIDENCE = 0.99, 0.98
"""Least share of correct draws, at the lower end of its interval: of tolerances that a user names,
and of those by default.
"""
BATCH = 32
"""Draws between two looks at the interval."""
WORTH_A_THREAD = 256
"""Neurons from which on several batches of draws at once take less time than one by one."""
MOST_WEIGHTS = 2**25
"""Weights of all networks that are drawn at once, at most: 256 MiB in real numbers."""
LEAST_INPUTS = 100
"""Inputs of a draw in which timing is random, at least: each in each state as often as that
takes.
"""
FEW_DRAWS, MOST_DRAWS = 2.0, 20.0
"""Draws after which a share that is neither above nor below is given up, as a multiple of those
that suffice where all are correct: of a network that another may take the place of, and of one of a
dimension that the user fixed.
"""
DAY_S = 86_400.0


@dataclass(frozen=True)
class AnyOrder:
    """Every order in which neurons are updated one at a time."""

    kind: ClassVar[str] = ANY_ORDER
    amount: ClassVar[float] = 0.0

    def __str__(self) -> str:
        return ANY_ORDER


Tolerance = Noise | AnyOrder


@dataclass(frozen=True)
class Tolerated:
    """What draws of a noise have shown.

    Attributes
    ----------
    noise
        Its text.
    correct, draws
        How many draws were correct, and how many there were; of ``timing:any``, the changes of the
        mask that are proven, and all of them.
    """

    noise: str
    correct: int
    draws: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share; what is proven is certain."""
        if self.noise == ANY_ORDER:
            return (float(self.correct == self.draws),) * 2
        return wilson(self.correct, self.draws)

    def __str__(self) -> str:
        if self.noise == ANY_ORDER:
            return f"{ANY_ORDER}: {self.correct} of {self.draws} changes of the mask proven"
        low, high = self.interval
        return f"{self.noise} in {self.correct} of {self.draws} draws ({low:.3f} to {high:.3f})"


def tolerances(text: str) -> tuple[Tolerance, ...]:
    """The noises in a text, between blanks, and ``timing:any``; none for ``"none"``.

    Raises
    ------
    NoiseError
        If one is unknown or out of range.
    OptionError
        If two are of one kind.
    """
    if text == "none":
        return ()
    found: list[Tolerance] = [
        AnyOrder() if part == ANY_ORDER else parse_noise(part) for part in text.split()
    ]
    kinds: dict[str, Tolerance] = {}
    for noise in found:
        other = kinds.setdefault(noise.kind, noise)
        if other is not noise:
            raise OptionError(
                f'tolerate asks for "{other}" and for "{noise}"; expected one amount of each kind'
            )
    return tuple(found)


def draws_needed(confidence: float) -> int:
    """Draws that lift the lower end of the interval above a share where all are correct."""
    number = 1
    while wilson(number, number)[0] <= confidence:
        number *= 2
    low = number // 2
    while number - low > 1:
        middle = (low + number) // 2
        low, number = (low, middle) if wilson(middle, middle)[0] > confidence else (middle, number)
    return number


def correct_draws(
    machine: Machine, network: Network, noise: Noise, seed: int, draws: Sequence[int]
) -> list[bool]:
    """Whether the network is correct in some draws of a noise.

    Draw t draws from ``numpy.random.default_rng([seed, t])``. Where only the order of updates and
    the arrival of masks are random, those of all these draws come from one generator, of the first
    of them and their number: which draws are made together then matters.
    """
    timing = timing_of(noise)
    stays = all(isinstance(part, OfTiming) for part in parts(noise))
    if timing is not None and stays and timing.delay == 1:
        # Nothing but the order of updates is drawn: all draws run side by side.
        rng = np.random.default_rng([seed, draws[0], len(draws)])
        times = _times(machine)
        found = Runs(machine, network, timing, rng).correct_pairs(times * len(draws))
        return [bool(each.all()) for each in np.split(found, len(draws))]
    return [
        _is_correct(machine, network, noise, timing, np.random.default_rng([seed, t]))
        for t in draws
    ]


def _is_correct(
    machine: Machine,
    network: Network,
    noise: Noise,
    timing: Timing | None,
    rng: np.random.Generator,
) -> bool:
    go_on()
    drawn = perturb(network, noise, rng)
    if timing is None:
        return Walk(machine, drawn).shortest_wrong() is None
    return bool(Runs(machine, drawn, timing, rng).correct_pairs(_times(machine)).all())


def _times(machine: Machine) -> int:
    """How often a draw takes each input in each state."""
    return math.ceil(LEAST_INPUTS / (len(machine.reachable) * len(machine.inputs)))


class Journal:
    """Draws that are done, by network and noise, in a file: what was interrupted goes on."""

    def __init__(self, path: Path | None) -> None:
        self.path, self.done = path, dict[str, list[int]]()
        if path is not None:
            try:
                found = parse_json(path.read_bytes() if path.exists() else "{}")
                self.done = {
                    str(key): [int(correct), int(draws)] for key, (correct, draws) in found.items()
                }
                if not all(0 <= correct <= draws for correct, draws in self.done.values()):
                    raise ValueError
            except OSError as error:
                raise FileError(f'cannot read "{path}": {reason(error)}') from None
            except (ValueError, AttributeError, OverflowError, TypeError):
                raise RobustnessError(
                    f"{path}: is no record of draws; expected one that compile wrote, or another"
                    " folder"
                ) from None

    def of(self, key: str) -> tuple[int, int]:
        """(correct draws, draws) so far."""
        correct, draws = self.done.get(key, (0, 0))
        return correct, draws

    def note(self, key: str, correct: int, draws: int) -> None:
        """Keep what is done so far."""
        self.done[key] = [correct, draws]
        if self.path is not None:
            text = json.dumps(self.done, sort_keys=True)
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise FileError(f'cannot make "{self.path.parent}": {reason(error)}') from None
            write_atomically(self.path, text.encode())


def tried(
    machine: Machine,
    network: Network,
    noise: Noise,
    confidence: float,
    seed: int,
    journal: Journal,
    key: str,
    progress: Callable[[float], None] = lambda share: None,
    most_draws: float = MOST_DRAWS,
) -> Tolerated:
    """Draw until the interval of the share of correct draws lies above or below what is asked.

    Parameters
    ----------
    most_draws
        Where to give up, as a multiple of the draws that suffice where all are correct.

    Raises
    ------
    RobustnessError
        If the draws would take more than a day.
    """

    def correct_of(draws: Sequence[int]) -> int:
        return sum(correct_draws(machine, network, noise, seed, draws))

    def note(correct: int, draws: int) -> None:
        journal.note(key, correct, draws)

    found = decided(
        correct_of,
        confidence,
        str(noise),
        journal.of(key),
        note,
        progress,
        most_draws,
        _threads(network.neurons, confidence),
    )
    return Tolerated(str(noise), *found)


def _threads(neurons: int, confidence: float) -> int:
    """Batches to draw at once: no more than are needed anyway, nor than there is memory for."""
    if neurons < WORTH_A_THREAD:
        return 1
    needed = math.ceil(draws_needed(confidence) / BATCH)
    return max(1, min(cores(), needed, MOST_WEIGHTS // neurons**2))


def decided(
    correct_of: Callable[[Sequence[int]], int],
    confidence: float,
    what: str,
    done: tuple[int, int] = (0, 0),
    note: Callable[[int, int], None] = lambda correct, draws: None,
    progress: Callable[[float], None] = lambda share: None,
    most_draws: float = MOST_DRAWS,
    threads: int = 1,
) -> tuple[int, int]:
    """Draw until the interval of a share lies above or below what is asked: (correct, draws).

    Parameters
    ----------
    correct_of
        How many of some draws, which are numbered, are correct.
    what
        Is drawn, for an error.
    done, note
        (correct, draws) that are done, and what is told of them after each batch.
    most_draws
        Where it is given up, as a multiple of the draws that suffice where all are correct.
    threads
        That draw a batch each. What is found does not depend on them: of batches that are made at
        once, those after the decision do not count.

    Raises
    ------
    RobustnessError
        If the draws would take more than a day.
    """
    needed = draws_needed(confidence)
    most = round(most_draws * needed)
    correct, draws = done
    waiting = iter(_batches(draws, needed, most))
    with shared_by(threads) as each:
        while not _is_decided(correct, draws, confidence, most):
            batches = list(islice(waiting, threads))
            before = time.monotonic()
            found = list(each(correct_of, batches))
            made = sum(map(len, batches))
            _check_time((time.monotonic() - before) / made * (needed - draws - made), what, needed)
            for batch, number in zip(batches, found, strict=True):
                correct, draws = correct + number, draws + len(batch)
                note(correct, draws)
                progress(min(1.0, draws / needed))
                if _is_decided(correct, draws, confidence, most):
                    break
    return correct, draws


def _batches(draws: int, needed: int, most: int) -> Iterator[range]:
    """The draws that are still to be made; one batch ends where the fewest that can suffice do."""
    while draws < most:
        end = min(draws + BATCH, needed if draws < needed else most)
        yield range(draws, end)
        draws = end


def _is_decided(correct: int, draws: int, confidence: float, most: int) -> bool:
    low, high = wilson(correct, draws)
    if not low <= confidence <= high or draws >= most:
        return True
    # After too many that went wrong, no number of draws that is left lifts the interval.
    return wilson(most - (draws - correct), most)[0] <= confidence


def _check_time(left_s: float, what: str, needed: int) -> None:
    if left_s > DAY_S:
        raise RobustnessError(
            f"{needed} draws of {what} would take about {left_s / 3600:.0f} hours; expected a"
            " smaller confidence, or at most a day"
        )
