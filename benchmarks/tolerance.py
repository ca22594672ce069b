"""What compiled machines tolerate: the default, tolerances that are named, and the price in
neurons.

``default DRAWS [MACHINE ...]``: what ``compile`` gives without options, for every machine of
``specs/``. ``named DRAWS [MACHINE ...]``: sizes that tolerances ask for. ``timing WORDS [MACHINE
...]``: random words of 100 inputs at those sizes and at the smallest; ``slow WORDS [MACHINE ...]``
the same for masks that arrive over a while under synchronous updates, and ``surely WORDS [MACHINE
...]`` for one neuron at a time at the confidence of 0.999. ``order 0 [MACHINE ...]``: sizes at
which every order of updates is proven.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import vsafsm
from vsafsm.asynchronous import Runs, Timing, timing_of
from vsafsm.errors import NotProvenError
from vsafsm.intervals import wilson
from vsafsm.noise import parse_noise
from vsafsm.program import Program
from vsafsm.tolerance import CONFIDENCE, DEFAULT, correct_draws

SPECS = Path(__file__).parent.parent / "specs"
NAMED = ("additive:3", "missing:0.5", "lognormal:1")
ONE_AT_A_TIME = "timing:async:0"
TIMINGS = ("timing:async:0.1", ONE_AT_A_TIME, "timing:masks:20+timing:async:0.2")
SLOW = ("timing:masks:20", "timing:masks:60")
SEED = 1_000
"""Of draws: others than those that sizing looked at."""
LENGTH = 100


def main() -> None:
    what, draws, *names = sys.argv[1:] or ("default", "100")
    tables: dict[str, Callable[[int, list[str]], None]] = {
        "default": default,
        "named": named,
        "timing": timing,
        "slow": slow,
        "surely": surely,
        "order": order,
    }
    tables[what](int(draws), names or sorted(path.stem for path in SPECS.glob("*.yaml")))


def default(draws: int, names: list[str]) -> None:
    for number, name in enumerate(names):
        machine = vsafsm.load(SPECS / f"{name}.yaml")
        smallest = vsafsm.compile(machine, tolerate="none")
        before = time.process_time()
        program = vsafsm.compile(machine)
        took = time.process_time() - before
        rows: list[tuple[object, ...]] = [
            (
                name,
                f"{len(machine.states)} x {len(machine.inputs)}",
                *(smallest.network.neurons, program.network.neurons, program.network.active),
                f"{program.claim.margin:.3f}",
                f"{took:.1f}",
                *(shown(program, noise, draws) for noise in DEFAULT),
            )
        ]
        columns = ("machine", "size", "smallest N", "N", "k", "margin", "compile (s CPU)", *DEFAULT)
        print_rows(columns, rows, not number)


def named(draws: int, names: list[str]) -> None:
    for number, name in enumerate(names):
        machine = vsafsm.load(SPECS / f"{name}.yaml")
        for noise in NAMED:
            before = time.process_time()
            program = vsafsm.compile(machine, tolerate=noise)
            took = time.process_time() - before
            print_rows(
                ("machine", "noise", "smallest proven N", "N", "k", "compile (s CPU)", "correct"),
                [
                    (
                        *(name, noise, program.smallest, program.network.neurons),
                        *(program.network.active, f"{took:.1f}", shown(program, noise, draws)),
                    )
                ],
                not number and noise == NAMED[0],
            )


def timing(
    words: int,
    names: list[str],
    texts: tuple[str, ...] = TIMINGS,
    confidence: float = CONFIDENCE,
) -> None:
    for number, name in enumerate(names):
        machine = vsafsm.load(SPECS / f"{name}.yaml")
        smallest = vsafsm.compile(machine, tolerate="none")
        for text in texts:
            programs, cells = [smallest], list[object]()
            before = time.process_time()
            try:
                programs.append(vsafsm.compile(machine, tolerate=text, confidence=confidence))
            except NotProvenError as error:
                print(error, file=sys.stderr)
            took = time.process_time() - before
            when = timing_of(parse_noise(text)) or Timing()
            for program in programs:
                rng = np.random.default_rng(SEED)
                runs = Runs(machine, program.network, when, rng)
                drawn = rng.integers(len(machine.inputs), size=(words, LENGTH)).tolist()
                correct = int(runs.correct_words(drawn).sum())
                low, high = wilson(correct, words)
                cells += [
                    program.network.neurons,
                    f"{correct} of {words} ({low:.3f} to {high:.3f})",
                ]
            columns = ("machine", "timing", "smallest N", "words correct", "N", "words correct")
            print_rows(
                (*columns, "compile (s CPU)"),
                [(name, text, *(*cells, "", "none")[:4], f"{took:.0f}")],
                not number and text == texts[0],
            )


def slow(words: int, names: list[str]) -> None:
    timing(words, names, SLOW)


def surely(words: int, names: list[str]) -> None:
    timing(words, names, (ONE_AT_A_TIME,), confidence=0.999)


def order(_: int, names: list[str]) -> None:
    for number, name in enumerate(names):
        machine = vsafsm.load(SPECS / f"{name}.yaml")
        before = time.process_time()
        found: tuple[object, ...]
        try:
            program = vsafsm.compile(machine, tolerate="timing:any")
        except NotProvenError as error:
            found = ("", "", "", str(error).partition(": ")[2].partition("; ")[0])
        else:
            network, (proven,) = program.network, program.tolerated
            found = (network.neurons, network.active, f"{program.claim.margin:.3f}", str(proven))
        took = f"{time.process_time() - before:.0f}"
        columns = ("machine", "N", "k", "margin", "outcome", "compile (s CPU)")
        print_rows(columns, [(name, *found, took)], not number)


def print_rows(columns: tuple[str, ...], rows: list[tuple[object, ...]], first: bool) -> None:
    """Rows of a Markdown table as soon as they are there."""
    for row in (columns, ("---",) * len(columns), *rows) if first else rows:
        print("|", " | ".join(map(str, row)), "|", flush=True)


def shown(program: Program, text: str, draws: int) -> str:
    """Correct draws of other seeds than those of compiling."""
    noise = parse_noise(text)
    correct = sum(correct_draws(program.machine, program.network, noise, SEED, range(draws)))
    low, high = wilson(correct, draws)
    return f"{correct} of {draws} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    main()
