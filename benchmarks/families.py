"""Families of machines with locality: cells of a grid, and lexicons of words."""

from __future__ import annotations

from typing import Literal

import numpy as np

from vsafsm.machine import Machine, Transition

ONSETS = (
    "b br c ch cl cr d dr f fl fr g gl gr h j k l m n p ph pl pr qu r s sc sh sl sm sn sp st str t"
    " th tr v w z"
)
NUCLEI = "a ai e ea ee i o oa oo ou u y"
CODAS = "b ck d ft g l ll lt m mp n nd ng nt p r rd rk rn rt s sh ss st t x"
BARE = (4, 0, 14)
"""Empty entries of each."""
SYLLABLES = (0.15, 0.5, 0.35)
"""Shares of words of one, two and three syllables."""


def grid(width: int) -> Machine:
    """Cells of a square, and moves to the four sides; at a border the machine stays."""
    names = [[f"{x},{y}" for x in range(width)] for y in range(width)]

    def to(x: int, y: int) -> Transition:
        return Transition(names[min(max(y, 0), width - 1)][min(max(x, 0), width - 1)])

    table = tuple(
        (to(x, y - 1), to(x + 1, y), to(x, y + 1), to(x - 1, y))
        for y in range(width)
        for x in range(width)
    )
    states = tuple(name for row in names for name in row)
    return Machine("grid", states, ("n", "e", "s", "w"), states[0], table, ((),) * len(states))


def words(number: int, seed: int = 0) -> list[str]:
    """Different words of syllables whose parts have frequencies by Zipf's law."""
    rng = np.random.default_rng(seed)
    parts = []
    for texts, bare in zip((ONSETS, NUCLEI, CODAS), BARE, strict=True):
        entries = [*texts.split(), *[""] * bare]
        weights = 1 / np.arange(1, len(entries) + 1)
        parts.append((rng.permutation(entries), weights / weights.sum()))
    found: dict[str, None] = {}
    while len(found) < number:
        syllables = 1 + int(rng.choice(len(SYLLABLES), p=SYLLABLES))
        drawn = [str(rng.choice(each, p=p)) for _ in range(syllables) for each, p in parts]
        found["".join(drawn)] = None
    return list(found)


def lexicon(number: int, unlisted: Literal["sink", "stay"], seed: int = 0) -> Machine:
    """A trie: states are the prefixes of words, inputs the letters, and a word ends in an output.

    A letter that no word goes on with leads to the state "no word", or leaves the state as it is.
    """
    listed = dict.fromkeys(words(number, seed))
    prefixes = dict.fromkeys(word[:i] for word in listed for i in range(len(word) + 1))
    letters = sorted({letter for word in listed for letter in word})
    to = {prefix: Transition(f"{prefix}-") for prefix in prefixes}
    lost = Transition("no word")
    table = [
        tuple(to.get(p + a, lost if unlisted == "sink" else to[p]) for a in letters)
        for p in prefixes
    ]
    states = [taken.to for taken in to.values()]
    moore = [("word",) if prefix in listed else () for prefix in prefixes]
    if unlisted == "sink":
        states.append(lost.to)
        table.append((lost,) * len(letters))
        moore.append(())
    return Machine("lexicon", tuple(states), tuple(letters), "-", tuple(table), tuple(moore))
