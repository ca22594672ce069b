"""From a machine to a modular network: which states share a module, codes, and one task per module.

Each module draws from a generator of its own and is refined by itself, so that the network is the
same whatever makes it, in whatever order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Indices, starts_of
from vsafsm.codebook import classes_needed, orthogonal_array
from vsafsm.errors import CompileError, did_you_mean
from vsafsm.lowering import Lowered, lower
from vsafsm.machine import Machine
from vsafsm.modules.codebook import draw_codes
from vsafsm.modules.hubs import with_hubs_shared
from vsafsm.modules.placement import PLACEMENTS, Links, Placement, leaving, links, place
from vsafsm.modules.refine import ModuleWeights, one_shot, refine_module
from vsafsm.modules.sizes import Sizes, usual_sizes
from vsafsm.modules.task import ModuleTask
from vsafsm.network import Network
from vsafsm.synapses import Synapses
from vsafsm.vsa import Bits
from vsafsm.weights import Grid

LEAST_BITS = 5
MOST_MARGIN = 0.2
"""The largest margin that modules reach at a cost that does not grow with the machine."""
CLIP = 8.0
"""Standard deviations of the one-shot weights that the largest integer stands for."""
LEAST_RANGE = 8.0
"""Units that are not clipped, however few the weights."""
LIGHTER = 0.75
"""Share of the states per neuron to try next, where weights miss the margin."""
PLACINGS = 3
"""Rounds in which the states per module and the transitions that leave one follow each other."""
MOST_NEURONS = 2048
"""Most neurons of a module to try, where the states that it holds are given."""


def predicted_synapses(lowered: Lowered, margin: float) -> int:
    """Weights that a network of modules is expected to hold."""
    sizes = usual_sizes(lowered, margin)
    modules = -(-len(lowered.targets) // sizes.states)
    # k neurons of the source reach the open half of the target's.
    leaving = sum(move.source != move.target for move in lowered.moves) * (1 - 1 / modules)
    return round(modules * sizes.module_neurons**2 + leaving * sizes.active**2 / 2)


def build(
    machine: Machine,
    *,
    module_neurons: int | None = None,
    active: int | None = None,
    states: int | None = None,
    placement: Placement = "partition",
    homes: Sequence[int] | None = None,
    margin: float = 0.1,
    bits: int = 8,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[float], None] = lambda share: None,
) -> Network:
    """A modular network that is to run a machine; whether it does is for `vsafsm.prove`.

    Parameters
    ----------
    machine
    module_neurons, active, states
        Neurons per module, active neurons per code, and states per module; None for a law that
        was measured, by the margin. Where weights miss the margin, fewer states are tried, or more
        neurons where the states are given. Neurons and active neurons are multiples of the classes
        of the masks.
    placement
        ``"partition"``: states that lead to each other share a module, where they cost least.
        ``"balanced"``: states share a module at random. See `vsafsm.modules.placement`.
    homes
        The module of each state, from 0 on, in place of `placement`.
    margin
        Distance from threshold to refine for, in units of drive per active neuron.
    bits
        Width of a weight, 5 to 16.
    seed
        Of every random draw.
    jobs
        Processes; the network is the same with any number.
    progress
        Called with the share of the modules that are done.

    Raises
    ------
    CompileError
        If sizes are out of range, or the weights miss the margin.
    CodebookError
        If two codes of a module are equal.

    Examples
    --------
    >>> import vsafsm
    >>> from vsafsm.modules import build
    >>> machine = vsafsm.load("specs/tcp_connection.yaml")
    >>> network = build(machine, states=4)
    >>> vsafsm.prove(machine, network).holds
    True
    """
    if placement not in PLACEMENTS:
        raise CompileError(
            f'placement is "{placement}"; expected "partition" or "balanced"'
            + did_you_mean(placement, PLACEMENTS)
        )
    lowered = lower(machine)
    fixed = None if homes is None else _given_homes(machine, homes)
    largest = states if fixed is None else int(np.bincount(fixed).max())
    sizes = usual_sizes(
        lowered, margin, module_neurons=module_neurons, active=active, states=largest
    )
    _check(lowered, sizes, margin, bits)
    joined = links(lowered)
    if largest is None:
        sizes = with_usual_states(lowered, margin, joined, sizes, placement, seed)
    while True:
        placed = fixed
        if placed is None:
            placed = place(joined, sizes.states, placement, np.random.default_rng(seed))
        try:
            return _build(machine, lowered, sizes, placed, margin, bits, seed, jobs, progress)
        except _ShortError as error:
            most = int(np.bincount(placed).max())
            lighter = None
            if largest is None:
                lighter = _fewer_states(sizes)
            elif module_neurons is None:
                lighter = _more_neurons(sizes, lowered)
            if lighter is None:
                raise CompileError(
                    f'machine "{machine.name}": {error} lack the margin {margin:g}; expected fewer'
                    f" than {most} states per module, more neurons, or a smaller margin"
                ) from None
            sizes = lighter


def _fewer_states(sizes: Sizes) -> Sizes | None:
    """Sizes to try next where the states per module may change."""
    fewer = int(LIGHTER * sizes.states)
    return replace(sizes, states=fewer) if fewer else None


def _more_neurons(sizes: Sizes, lowered: Lowered) -> Sizes | None:
    """Sizes to try next where the states per module are given."""
    classes = classes_needed(lowered.masks)
    more = classes * -(-int(sizes.module_neurons / LIGHTER) // classes)
    return replace(sizes, module_neurons=more) if more <= MOST_NEURONS else None


def with_usual_states(
    lowered: Lowered, margin: float, joined: Links, sizes: Sizes, placement: Placement, seed: int
) -> Sizes:
    """States per module by the law, for the transitions that leave such modules.

    More states per module keep more transitions inside, and so let still more states in.
    """
    for _ in range(PLACINGS):
        homes = place(joined, sizes.states, placement, np.random.default_rng(seed))
        sizes = usual_sizes(
            lowered,
            margin,
            module_neurons=sizes.module_neurons,
            active=sizes.active,
            away=leaving(joined, homes),
        )
    return sizes


class _ShortError(Exception):
    """A module whose weights miss the margin."""


def _build(
    machine: Machine,
    lowered: Lowered,
    sizes: Sizes,
    home_of_state: Indices,
    margin: float,
    bits: int,
    seed: int,
    jobs: int,
    progress: Callable[[float], None],
) -> Network:
    rng = np.random.default_rng(seed)
    lowered = with_hubs_shared(lowered, home_of_state)
    homes = home_of_state[np.array([code.state for code in lowered.codes])]
    array = orthogonal_array(lowered.masks)
    classes = np.arange(sizes.module_neurons) % len(array)
    masks = np.asarray(array[classes].T > 0)
    generators = rng.spawn(int(homes.max()) + 1)
    codes = np.zeros((len(homes), sizes.module_neurons), np.bool_)
    for members, generator in zip(_members(homes), generators, strict=True):
        codes[members] = draw_codes(len(members), classes, masks, sizes.active, generator)
    tasks = _tasks(lowered, homes, codes, masks)
    # One grid for all modules, from the first: their one-shot weights are drawn alike.
    spread = float(np.std(one_shot(tasks[0], masks)))
    scale = (2 ** (bits - 1) - 1) / max(CLIP * spread, LEAST_RANGE)
    grid = Grid(bits, scale, 0.5 - float(codes.mean()), False)
    refined = []
    for weights in _refine(tasks, masks, grid, margin, generators, jobs):
        if weights.short or weights.sent.short:
            raise _ShortError(
                f"{weights.short} conditions inside a module and {weights.sent.short}"
                " between modules"
            )
        refined.append(weights)
        progress(len(refined) / len(tasks))
    return _assemble(machine, lowered, refined, grid, masks, codes, homes)


def _check(lowered: Lowered, sizes: Sizes, margin: float, bits: int) -> None:
    classes = classes_needed(lowered.masks)
    for name, value in (("module_neurons", sizes.module_neurons), ("active", sizes.active)):
        if value < classes or value % classes:
            raise CompileError(
                f"{name} is {value}; expected a multiple of {classes}, the classes of"
                f" {lowered.masks} masks"
            )
    if not sizes.states >= 1 or not 0 < margin <= 0.45 or not LEAST_BITS <= bits <= 16:
        raise CompileError(
            f"states per module, margin and bits are {sizes.states}, {margin:g} and {bits};"
            " expected at least 1, above 0 up to 0.45, and 5 to 16"
        )


def _given_homes(machine: Machine, homes: Sequence[int]) -> Indices:
    found = np.asarray(homes)
    if found.shape != (len(machine.states),) or found.dtype.kind not in "iu":
        raise CompileError(
            f"homes have shape {found.shape} and type {found.dtype}; expected a whole number for"
            f" each of {len(machine.states)} states"
        )
    missing = np.setdiff1d(np.arange(int(found.max()) + 1), found)
    if found.min() < 0 or len(missing):
        raise CompileError(
            f"homes are from {found.min()} to {found.max()}"
            + (f", without {missing[0]}" if len(missing) else "")
            + "; expected modules from 0 on, each with a state"
        )
    return found.astype(np.intp)


def _members(homes: Indices) -> list[Indices]:
    """The codes of each module."""
    order = np.argsort(homes, kind="stable")
    ends = np.searchsorted(homes[order], np.arange(1, int(homes.max()) + 1))
    return [np.asarray(each, np.intp) for each in np.split(order, ends)]


def _tasks(lowered: Lowered, homes: Indices, codes: Bits, masks: Bits) -> list[ModuleTask]:
    n = masks.shape[1]
    members = _members(homes)
    local = np.empty(len(homes), np.intp)
    for each in members:
        local[each] = np.arange(len(each))
    moves: list[list[tuple[int, int, int]]] = [[] for _ in members]
    leaves: list[dict[tuple[int, int], NDArray[np.int32]]] = [{} for _ in members]
    arrivals: list[dict[tuple[int, int], None]] = [{} for _ in members]
    for move in lowered.moves:
        x, mask, y = move.source, move.mask, move.target
        home, other = int(homes[x]), int(homes[y])
        if home == other:
            moves[home].append((int(local[x]), mask, int(local[y])))
        else:
            fires = np.flatnonzero(codes[y] & masks[mask]) + other * n
            leaves[home][int(local[x]), mask] = fires.astype(np.int32)
        if x != y:
            arrivals[other][int(local[y]), mask] = None
    return [
        ModuleTask(
            codes[each],
            tuple(int(local[lowered.releases[c]]) for c in each.tolist()),
            tuple(moves[m]),
            leaves[m],
            tuple(arrivals[m]),
        )
        for m, each in enumerate(members)
    ]


def _refine(
    tasks: list[ModuleTask],
    masks: Bits,
    grid: Grid,
    margin: float,
    generators: list[np.random.Generator],
    jobs: int,
) -> Iterator[ModuleWeights]:
    """The weights of each module, in order."""
    pairs = zip(tasks, generators, strict=True)
    if jobs == 1:
        return (refine_module(task, masks, grid, margin, rng) for task, rng in pairs)
    if find_spec("joblib") is None:
        raise CompileError(
            "joblib, which several processes need, is not installed; expected: pip install"
            " 'vsafsm[sweep]'"
        )
    from joblib import Parallel, delayed

    call = delayed(refine_module)
    found: Iterator[ModuleWeights] = Parallel(jobs, return_as="generator")(
        call(task, masks, grid, margin, rng) for task, rng in pairs
    )
    return found


def _assemble(
    machine: Machine,
    lowered: Lowered,
    refined: list[ModuleWeights],
    grid: Grid,
    masks: Bits,
    codes: Bits,
    homes: Indices,
) -> Network:
    counts = np.concatenate([each.sent.counts for each in refined])
    return Network(
        np.stack([each.inside for each in refined]),
        Synapses(
            starts_of(counts),
            np.concatenate([each.sent.targets for each in refined]),
            np.concatenate([each.sent.values for each in refined]),
        ),
        grid.gain,
        grid.scale,
        grid.bits,
        masks,
        codes,
        homes,
        lowered.codes,
        lowered.start,
        machine.states,
        machine.inputs,
        machine.moore,
    )
