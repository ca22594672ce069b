"""Masks and codes: balanced sparse codes over orthogonal-array masks, dense codes, or hypervectors
that a user brings.

Every neuron belongs to a class; the signs of all inputs in a class are one row of an orthogonal
array of strength 3, a folded Hadamard matrix [H; -H]. A code with equally many neurons in each
class is split exactly in half by every mask and in quarters by every pair of masks, so that an
unrelated input leaks exactly nothing.

Where the number of classes does not divide the active neurons, neurons come in pairs of opposite
signs, and a code takes whole pairs: each mask still splits it in half. Every state owns pairs, on
which the inputs that lead it to the same code have the same signs. A state thus has to tell apart
kinds of input, not inputs, however large the alphabet.

Within a class, and among the pairs of a state, a code takes neurons that earlier codes have used
little: a neuron's row of weights then has its fair share of patterns to bring up, without which the
fullest neuron limits the whole network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import CodebookError
from vsafsm.vsa import Bits

SPREAD = 4.0
"""How many codes' worth of use may be ignored when a code picks its neurons: 0 would pick the same
groups again.
"""
OWN = 4
"""Active neurons per pair that only the guards of one state decide on."""
LEAST_ALIKE = 0.5
"""Pairs on which all inputs are alike, as a multiple of the others, at least."""
LEAST_SHARED_PAIRS = 4
"""Fewest of them in the code of a state."""
SHARED = 0.6
"""Share of the pairs of several states that one of them takes: with all of them, their codes would
be the same.
"""


@dataclass(frozen=True)
class Layout:
    """What a codebook is asked for.

    Attributes
    ----------
    loads : (C,)
        For each code, in how many situations its neurons are to fire: codes of high load share
        neurons least.
    states, inputs
        S, the codes that come first, and A; A + 1 masks are needed, the first for the rest phase.
    neurons, active
        N and k.
    targets
        For each state, where each input leads, as numbers: inputs of one number need not be told
        apart there. Without them every input is told from every other.
    """

    loads: NDArray[np.float64]
    states: int
    inputs: int
    neurons: int
    active: int
    targets: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Codebook:
    """Masks (A + 1, N) and codes (C, N), binary. Row 0 of the masks is the rest phase's."""

    masks: Bits
    codes: Bits

    def __post_init__(self) -> None:
        for name, rows in (("masks", self.masks), ("codes", self.codes)):
            if rows.ndim != 2 or rows.dtype != np.bool_ or rows.shape[1] != self.codes.shape[-1]:
                raise CodebookError(
                    f"{name} must be a boolean matrix with one column per neuron, got {rows.shape}"
                )
            rows.setflags(write=False)
        if len({row.tobytes() for row in self.codes}) != len(self.codes):
            raise CodebookError(
                "two codes are equal; expected each state and pending transition to have its own"
            )
        empty = ~(self.codes.astype(np.float32) @ self.masks.T.astype(np.float32)).all(axis=1)
        if empty.any():
            raise CodebookError(
                f"code {int(empty.argmax())} has no neuron that one of the masks leaves open"
            )

    @property
    def signs(self) -> NDArray[np.int8]:
        """Sign vectors (A + 1, N): +1 where a mask is open, -1 where it is not."""
        return np.where(self.masks, 1, -1).astype(np.int8)


class CodebookMaker(Protocol):
    """Anything that draws a codebook of a layout from a generator."""

    def __call__(self, layout: Layout, rng: np.random.Generator) -> Codebook:
        """Draw masks and codes; raises `CodebookError` where the layout cannot be met."""


def sparse(layout: Layout, rng: np.random.Generator) -> Codebook:
    """Codes of ``layout.active`` neurons, balanced over orthogonal-array masks where their classes
    divide it.

    Elsewhere of pairs of neurons of opposite signs, which the states own.
    """
    if layout.active % classes_needed(layout.inputs + 1):
        return _paired(layout, rng)
    array = orthogonal_array(layout.inputs + 1)
    classes = rng.permutation(np.arange(layout.neurons) % len(array))
    return Codebook(array[classes].T > 0, _codes(layout, classes, rng))


def dense(layout: Layout, rng: np.random.Generator) -> Codebook:
    """Balanced codes of half of the neurons: the binary form of bipolar hypervectors."""
    return sparse(replace(layout, active=layout.neurons // 2), rng)


MAKERS: dict[str, CodebookMaker] = {"sparse": sparse, "dense": dense}


@dataclass(frozen=True)
class Given:
    """A user's own hypervectors, binary or bipolar (what is above 0 is active).

    Attributes
    ----------
    states : (S, N)
        One hypervector per state, in the machine's order.
    pending : (P, N), optional
        One for each pending transition, in the order of `vsafsm.lowering.lower`; drawn like the
        states' own sparsity where it is not given.
    masks : (A + 1, N), optional
        Rest phase first; drawn from an orthogonal array where they are not given.
    """

    states: NDArray[np.generic]
    pending: NDArray[np.generic] | None = None
    masks: NDArray[np.generic] | None = None

    @property
    def neurons(self) -> int:
        """N: columns of the states' hypervectors; raises `CodebookError` where they are no
        matrix.
        """
        if np.ndim(self.states) != 2:
            raise CodebookError(f"states must be a matrix, got shape {np.shape(self.states)}")
        return int(np.shape(self.states)[1])

    def __call__(self, layout: Layout, rng: np.random.Generator) -> Codebook:
        """Complete the given vectors to a codebook; raises `CodebookError` where their shapes do
        not fit.
        """
        states = _bits("states", self.states, layout.neurons)
        active = max(1, int(np.median(states.sum(1))))
        book = sparse(
            replace(layout, active=active, targets=()), rng
        )  # these states own no neurons
        parts = [states]
        if len(states) < len(layout.loads):
            rest = book.codes[len(states) :]
            parts.append(
                rest if self.pending is None else _bits("pending", self.pending, layout.neurons)
            )
        masks = book.masks if self.masks is None else _bits("masks", self.masks, layout.neurons)
        codes = np.concatenate(parts)
        for name, got, expected in (
            ("states", len(states), layout.states),
            ("codes", len(codes), len(layout.loads)),
            ("masks", len(masks), layout.inputs + 1),
        ):
            if got != expected:
                raise CodebookError(f"{got} {name} are given; expected {expected}")
        return Codebook(masks, codes)


def _bits(name: str, vectors: NDArray[np.generic], neurons: int) -> Bits:
    rows: NDArray[Any] = np.asarray(vectors)
    if (
        rows.ndim != 2
        or rows.shape[1] != neurons
        or rows.dtype.kind not in "bifu"
        or not np.isfinite(rows).all()
    ):
        raise CodebookError(
            f"{name} must be a finite numeric matrix with {neurons} columns, got shape {rows.shape}"
        )
    return np.asarray(rows > 0)


# ---- orthogonal arrays


def classes_needed(factors: int) -> int:
    """Neuron classes that balance `factors` masks, in pairs and in threes: the rows of a folded
    Hadamard matrix.
    """
    return 2 * _hadamard_order(factors)


def orthogonal_array(factors: int) -> NDArray[np.int8]:
    """Signs (classes, factors) in which every two columns, and every three, hold each combination
    equally often.
    """
    half = hadamard(_hadamard_order(factors))
    return np.asarray(np.concatenate([half, -half])[:, :factors], np.int8)


def hadamard(order: int) -> NDArray[np.int8]:
    """Hadamard matrix of an order that doubling and Paley's first construction reach; its first
    column is all ones.
    """
    if order == 1:
        return np.ones((1, 1), np.int8)
    if _is_paley(order):
        matrix = _paley(order)
    else:
        half = hadamard(order // 2)
        matrix = np.block([[half, half], [half, -half]])
    return np.asarray(matrix * matrix[:, :1], np.int8)


def _hadamard_order(columns: int) -> int:
    """The smallest order of at least `columns` that `hadamard` can make."""
    order = max(2, columns)
    while not _reachable(order):
        order += 1
    return order


def _reachable(order: int) -> bool:
    return order in (1, 2) or _is_paley(order) or (order % 2 == 0 and _reachable(order // 2))


def _is_paley(order: int) -> bool:
    q = order - 1
    return order % 4 == 0 and all(q % d for d in range(2, int(q**0.5) + 1))


def _paley(order: int) -> NDArray[np.int8]:
    """Paley's first construction, for a prime q = order - 1 that is 3 modulo 4.

    The quadratic character of differences modulo q is skew-symmetric there; bordered with ones, and
    with ones added on the diagonal, its rows are orthogonal.
    """
    q = order - 1
    squares = {i * i % q for i in range(1, q)}
    character = np.array([0] + [1 if i in squares else -1 for i in range(1, q)], np.int8)
    skew = np.zeros((order, order), np.int8)
    skew[0, 1:], skew[1:, 0] = 1, -1
    skew[1:, 1:] = character[(np.arange(q)[:, None] - np.arange(q)) % q]
    return skew + np.eye(order, dtype=np.int8)


# ---- codes over classes


def _codes(layout: Layout, classes: NDArray[np.intp], rng: np.random.Generator) -> Bits:
    members = [np.flatnonzero(classes == c) for c in range(classes.max() + 1)]
    # Use is counted in situations. A random amount of up to `slack` is added before neurons are
    # sorted by it, so that codes of equal load do not take the same groups of neurons again.
    slack = SPREAD * float(layout.loads.mean())
    used = np.zeros(layout.neurons)
    codes = np.zeros((len(layout.loads), layout.neurons), np.bool_)
    # Codes of high load choose first, while all neurons are unused.
    for code in np.argsort(-layout.loads, kind="stable"):
        for neurons, take in zip(members, _shares(layout.active, len(members), rng), strict=True):
            if take > len(neurons):
                raise CodebookError(
                    f"{layout.active} active of {layout.neurons} neurons cannot be balanced by"
                    " masks"
                )
            order = np.argsort(used[neurons] + slack * rng.random(len(neurons)), kind="stable")
            picked = neurons[order[:take]]
            codes[code, picked] = True
            used[picked] += layout.loads[code]
    return codes


def _shares(active: int, classes: int, rng: np.random.Generator) -> Iterator[int]:
    """Active neurons of each class: equally many, and what is left over to classes drawn at
    random.
    """
    each, extra = divmod(active, classes)
    lucky = set(rng.permutation(classes)[:extra].tolist()) if extra else set()
    return (each + (c in lucky) for c in range(classes))


# ---- codes of pairs


@dataclass(frozen=True)
class _Pairs:
    """P pairs of neurons of opposite signs: states that tell the same inputs apart are a family.

    The family that owns each pair (P,), the row of that family's array that its signs are from
    (P,), and the signs of its first neuron (P, A + 1), the rest phase's always +1.
    """

    owners: NDArray[np.intp]
    rows: NDArray[np.intp]
    signs: NDArray[np.int8]


def _paired(layout: Layout, rng: np.random.Generator) -> Codebook:
    """Neuron i and neuron i + N // 2 have opposite signs, before both are shuffled."""
    if layout.active > layout.neurons:
        raise CodebookError(
            f"{layout.active} active of {layout.neurons} neurons cannot be balanced by masks"
        )
    kinds = list(map(_kinds, layout.targets or (tuple(range(layout.inputs)),) * layout.states))
    families = list(dict.fromkeys(kinds))
    arrays = _arrays(families)
    # A longer array needs more pairs; more states share them, so that their number counts by its
    # square root.
    shares = [
        len(array) * kinds.count(family) ** 0.5
        for array, family in zip(arrays, families, strict=True)
    ]
    pairs = _pairs(families, arrays, shares, layout.neurons // 2, rng)
    codes = _codes_of_pairs(layout, pairs, [families.index(kind) for kind in kinds], rng)
    odd = rng.choice(np.array([-1, 1], np.int8), (layout.neurons % 2, layout.inputs + 1))
    return _shuffled(pairs, codes, odd, rng)


def _shuffled(
    pairs: _Pairs, codes: Bits, odd: NDArray[np.int8], rng: np.random.Generator
) -> Codebook:
    signs = np.concatenate([pairs.signs, -pairs.signs, odd])
    order = rng.permutation(len(signs))
    return Codebook(signs[order].T > 0, codes[:, order])


def _kinds(targets: tuple[int, ...]) -> tuple[int, ...]:
    """The targets numbered in the order of their first appearance: equal for states that tell the
    same inputs apart.
    """
    numbers: dict[int, int] = {}
    return tuple(numbers.setdefault(target, len(numbers)) for target in targets)


def _arrays(families: list[tuple[int, ...]]) -> list[NDArray[np.int8]]:
    """For each family a Hadamard matrix with one column for the rest phase and one per kind of
    input.
    """
    return [hadamard(_hadamard_order(max(family) + 2)) for family in families]


def _pairs(
    families: list[tuple[int, ...]],
    arrays: list[NDArray[np.int8]],
    sizes: list[float],
    count: int,
    rng: np.random.Generator,
) -> _Pairs:
    """So many pairs, dealt out to families in these shares, with rows of their arrays as signs."""
    shares = np.cumsum(sizes)
    owners = np.searchsorted(shares, (np.arange(count) + 0.5) * shares[-1] / count)
    rows = [
        rng.permutation(len(array))[np.arange(n) % len(array)]
        for array, n in zip(
            arrays, np.bincount(owners, minlength=len(families)).tolist(), strict=True
        )
    ]
    signs = [
        array[row][:, [0, *(kind + 1 for kind in family)]]
        for array, row, family in zip(arrays, rows, families, strict=True)
    ]
    return _Pairs(np.asarray(owners, np.intp), np.concatenate(rows), np.concatenate(signs))


def _codes_of_pairs(
    layout: Layout, pairs: _Pairs, family_of: list[int], rng: np.random.Generator
) -> Bits:
    """A state takes pairs of its own first, and among them of each row of signs equally many."""
    count, slack = len(pairs.owners), SPREAD * float(layout.loads.mean())
    used = np.zeros(count)
    codes = np.zeros((len(layout.loads), layout.neurons), np.bool_)
    for code in np.argsort(-layout.loads, kind="stable").tolist():
        order = np.argsort(used + slack * rng.random(count), kind="stable")
        if code < layout.states:
            own = order[pairs.owners[order] == family_of[code]]
            # The least used pair of every row first, then the second of every row, and so on.
            own = own[np.argsort(_turns(pairs.rows[own]), kind="stable")]
            if family_of.count(family_of[code]) > 1:
                own = own[: max(1, int(SHARED * len(own)))]
            order = np.concatenate([own, order[~np.isin(order, own)]])
        picked = order[: layout.active // 2]
        codes[code, picked] = codes[code, picked + count] = True
        # An odd code ends with one neuron of a pair, or with the neuron that has no partner.
        if layout.active % 2:
            codes[code, order[layout.active // 2] if layout.active // 2 < count else -1] = True
        used[picked] += layout.loads[code]
    return codes


def _turns(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """How many of the same number stand earlier, for each."""
    by_row = np.argsort(rows, kind="stable")
    turns = np.empty(len(rows), np.intp)
    turns[by_row] = np.arange(len(rows)) - np.searchsorted(rows[by_row], rows[by_row])
    return turns


# ---- codes of pairs that only their own state's guards decide on


def guarded(layout: Layout, rng: np.random.Generator) -> Codebook:
    """Codes of pairs whose masks can be told for inputs that are not in the layout.

    A state takes some pairs of its own, where a mask depends on the kind of input in that state
    alone, and else pairs on which all inputs are alike. A pending code takes only the latter. So
    what happens on the way of a transition does not depend on what other states see in the input.

    Raises
    ------
    CodebookError
        If there are too few pairs for the codes.
    """
    families, family_of = _families(layout.targets)
    own, shares = _own_pairs(families, family_of, layout.active)
    states = np.bincount(family_of, minlength=len(families))
    # All that states do not need for themselves goes to the pairs on which inputs are alike: they
    # bring up most of the codes.
    shares[0] = max(layout.neurons / 2 - shares.sum(), LEAST_ALIKE * shares.sum(), 1)
    pairs = _pairs(families, _arrays(families), shares.tolist(), layout.neurons // 2, rng)
    count, slack = len(pairs.owners), SPREAD * float(layout.loads.mean())
    used = np.zeros(count)
    codes = np.zeros((len(layout.loads), layout.neurons), np.bool_)
    for code in np.argsort(-layout.loads, kind="stable").tolist():
        order = np.argsort(used + slack * rng.random(count), kind="stable")
        picked = order[pairs.owners[order] == 0]
        if code < layout.states and (family := family_of[code]):
            mine = order[pairs.owners[order] == family]
            mine = mine[np.argsort(_turns(pairs.rows[mine]), kind="stable")]
            share = 1.0 if states[family] == 1 else SHARED
            picked = np.concatenate([mine[: min(own[family], int(share * len(mine)))], picked])
        picked = picked[: layout.active // 2]
        if len(picked) < layout.active // 2:
            raise CodebookError(
                f"{layout.active} active of {layout.neurons} neurons are more than codes of states"
                " with guards can have; expected fewer, or more neurons"
            )
        codes[code, picked] = codes[code, picked + count] = True
        used[picked] += layout.loads[code]
    # A neuron without a partner is in no code.
    odd = np.ones((layout.neurons % 2, layout.inputs + 1), np.int8)
    return _shuffled(pairs, codes, odd, rng)


def needed_for_guards(targets: tuple[tuple[int, ...], ...], active: int = 0) -> tuple[int, int]:
    """Fewest active neurons with which states tell their kinds of input apart, and fewest neurons
    for so many active ones or more.
    """
    families, family_of = _families(targets)
    least = 2 * (1 + max(map(max, families)) + LEAST_SHARED_PAIRS)
    _, shares = _own_pairs(families, family_of, max(active, least))
    return least, round(2 * (1 + LEAST_ALIKE) * float(shares.sum()))


def _families(targets: tuple[tuple[int, ...], ...]) -> tuple[list[tuple[int, ...]], list[int]]:
    """Families of states that tell the same inputs apart, after that to which all inputs are alike;
    and the family of each state.
    """
    kinds = list(map(_kinds, targets))
    families = list(dict.fromkeys([(0,) * len(targets[0]), *kinds]))
    return families, [families.index(kind) for kind in kinds]


def _own_pairs(
    families: list[tuple[int, ...]], family_of: list[int], active: int
) -> tuple[list[int], NDArray[np.float64]]:
    """Pairs of its own that a state of each family takes, and pairs that the family owns: none
    where all inputs are alike.
    """
    most = active // 2 - LEAST_SHARED_PAIRS
    own = [
        0,
        *(max(1, min(most, max(len(array), active // OWN))) for array in _arrays(families)[1:]),
    ]
    states = np.bincount(family_of, minlength=len(families))
    return own, np.asarray(np.sqrt(states) * own, np.float64)
