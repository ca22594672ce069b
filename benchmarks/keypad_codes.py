"""Codes that are typed as images into keypad locks: what `senses.py codes` prints.

A lock is that of `docs/examples/senses/keypad_lock.yaml` with a code of four digits, drawn for each
of `LOCKS` locks. Classifier and lock are on drawn arrays, new ones for each code. Half of the codes
are the lock's, a quarter differs from it in one digit, and a quarter is drawn. An image of a digit
is drawn from those that are kept for tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from drawn_senses import FIRST_ARRAY, digits, share

import vsafsm
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_line
from vsafsm.discovery import find
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm.sense.arrays import array_backend, matrices_of
from vsafsm.sense.data import UNSURE, Frames
from vsafsm.sense.model import Model
from vsafsm.sense.train import Recipe, train

LOCKS = 2
DIGITS = "0123456789"
DEVICE: dict[str, object] = {"device": "neurram"}
YIELD = 0.99
MOST_WRONG = (0.01, 0.0)
"""Of frames that are held back, where the classifier is sure: two margins."""
OPEN = "open"


def lock(code: str) -> Machine:
    """A lock that is open after the digits of a code, one after the other."""
    names = ["locked", *(f"got_{code[:i]}" for i in range(1, len(code))), OPEN]

    def after(seen: str) -> str:
        """The state that stands for the longest end of what was seen that begins the code."""
        return names[max(n for n in range(len(code) + 1) if seen.endswith(code[:n]))]

    states: dict[str, object] = {}
    for count, name in enumerate(names):
        moves: dict[str, object] = {
            digit: {"to": OPEN, "outputs": ["chime"]} if seen == OPEN else seen
            for digit in DIGITS
            for seen in [after(code[:count] + digit) if name != OPEN else "locked"]
        }
        moves[UNSURE] = name if name == OPEN else {"to": name, "outputs": ["show_again"]}
        bolt = "bolt_in" if name == OPEN else "bolt_out"
        states[name] = {"outputs": [bolt], "transitions": moves}
    return vsafsm.load(
        {
            "machine": f"lock_{code}",
            "initial": "locked",
            "inputs": [*DIGITS, UNSURE],
            "unlisted": "error",
            "states": states,
        }
    )


class Typed(NamedTuple):
    """A code, and the frames that show its digits."""

    code: str
    frames: Frames


@dataclass(frozen=True)
class Shown:
    """What became of a code.

    Attributes
    ----------
    right
        Whether it is the lock's.
    read
        How many of its digits were read correctly.
    unsure
        Whether the classifier was unsure of one.
    opened
        Whether the lock is open at the end.
    followed
        Whether the lock was, after every digit, in the state that the interpreter is in after what
        was read.
    """

    right: bool
    read: int
    unsure: bool
    opened: bool
    followed: bool


def typed(lock_code: str, number: int, test: Frames, rng: np.random.Generator) -> Typed:
    """The lock's code, one with another digit, or any."""
    code = list(lock_code)
    if number % 4 == 1:
        place = int(rng.integers(len(code)))
        code[place] = str(rng.choice([d for d in DIGITS if d != code[place]]))
    elif number % 4 == 3:
        code = [str(digit) for digit in rng.choice(list(DIGITS), len(code))]
    labels = np.array(test.labels)
    rows = np.array([rng.choice(np.flatnonzero(labels == digit)) for digit in code])
    return Typed("".join(code), test.taken(rows))


def shown(
    models: Sequence[Model], program: Program, of: Typed, right: bool, seed: int | None
) -> list[Shown]:
    """Type a code into a lock, both on arrays of a seed; without one, on exact weights.

    Models have the same weights, and margins of their own.
    """
    backend = find("reference" if seed is None else "memristor")
    options = {} if seed is None else {**DEVICE, "device_seed": seed}
    products = None
    if seed is not None:
        rng = np.random.default_rng([seed, 1])
        products = array_backend(backend).draw_layers(matrices_of(models[0]), rng, **options)
    scores = models[0].scores(of.frames, products)
    found = []
    with vsafsm.open(program, backend.name, **options) as session:
        for model in models:
            names = (*model.classes, UNSURE)
            word = tuple(names[i] for i in model.decide(scores).tolist())
            session.reset()
            states = tuple(session.send(symbol) for symbol in word)
            found.append(
                Shown(
                    right,
                    sum(seen == digit for seen, digit in zip(word, of.code, strict=True)),
                    UNSURE in word,
                    states[-1] == OPEN,
                    states == tuple(program.machine.run(word).states[1:]),
                )
            )
    return found


def codes_table(codes: int) -> None:
    """Codes of the lock and others: what opened, what stayed shut, and what the classifier read."""
    kept, test = digits()
    rng = np.random.default_rng(0)
    wanted = ["".join(rng.choice(list(DIGITS), 4)) for _ in range(LOCKS)]
    options = {**DEVICE, "yield_": YIELD}
    programs = [
        vsafsm.compile(lock(code), target="memristor", target_options=options) for code in wanted
    ]
    models = [train(kept, Recipe(most_wrong=each), np.random.default_rng(0)) for each in MOST_WRONG]
    locks = [i // 4 % LOCKS for i in range(codes)]
    every = [typed(wanted[which], i, test, rng) for i, which in enumerate(locks)]
    rows = []
    for where in ("exact weights", "arrays"):
        found = [
            shown(
                *(models, programs[which], of, of.code == wanted[which]),
                None if where == "exact weights" else FIRST_ARRAY + i,
            )
            for i, (which, of) in enumerate(zip(locks, every, strict=True))
        ]
        for model, most_wrong, of_model in zip(
            models, MOST_WRONG, zip(*found, strict=True), strict=True
        ):
            rows.append((f"{model.margin} ({100 * most_wrong:g} %)", where, *_figures(of_model)))
    print_line(
        f"locks {', '.join(wanted)}, of {', '.join(str(p.network.neurons) for p in programs)}"
        f" neurons; {codes} codes, each on arrays of its own"
    )
    print_table(
        (
            *("margin (most wrong)", "on", "opens or stays shut correctly", "correct codes open"),
            *("others stay shut", "unsure of a digit", "all digits read", "accuracy^4"),
            "lock follows what was read",
        ),
        rows,
    )


def _figures(found: Sequence[Shown]) -> list[str]:
    count = len(found)
    right, wrong = [f for f in found if f.right], [f for f in found if not f.right]
    correct = [f.opened == f.right for f in found]
    accuracy = sum(f.read for f in found) / (4 * count)
    return [
        share(sum(correct) / count, count),
        share(sum(f.opened for f in right) / len(right), len(right)),
        share(sum(not f.opened for f in wrong) / len(wrong), len(wrong)),
        share(sum(f.unsure for f in found) / count, count),
        share(sum(f.read == 4 for f in found) / count, count),
        f"{accuracy:.4f}^4 = {accuracy**4:.4f}",
        share(sum(f.followed for f in found) / count, count),
    ]
