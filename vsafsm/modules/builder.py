"""From a machine to a modular network: which states share a module, codes, and one task per module.

Each module draws from a generator of its own and is refined by itself, so that the network is the
same whatever makes it, in whatever order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Indices, starts_of
from vsafsm.codebook import classes_needed, orthogonal_array
from vsafsm.errors import CompileError, MarginError, did_you_mean
from vsafsm.lowering import Lowered, lower
from vsafsm.machine import Machine
from vsafsm.modules.codebook import draw_codes
from vsafsm.modules.executors import Call, Execute, executor
from vsafsm.modules.finished import Finished
from vsafsm.modules.hubs import with_hubs_shared
from vsafsm.modules.placement import PLACEMENTS, links, place
from vsafsm.modules.refine import Inside, one_shot, refine_inside
from vsafsm.modules.sending import Sent, send
from vsafsm.modules.sizes import Sizes, usual_sizes
from vsafsm.modules.task import InsideTask, SendTask
from vsafsm.network import Network
from vsafsm.options import Placement, Rule
from vsafsm.synapses import Synapses
from vsafsm.vsa import Bits
from vsafsm.weights import Grid

LEAST_BITS = 5
MOST_MARGIN = 0.4
"""The largest margin for which the law of the sizes was measured."""
CLIP = 8.0
"""Standard deviations of the one-shot weights that the largest integer stands for."""
LEAST_RANGE, WIDE_RANGE = 8.0, 20.0
"""Units that are not clipped, however few the weights; the second is tried next for modules of a
light load, whose codes may have to tell many inputs apart all the same.
"""
LIGHTER = 0.85
"""Share of the states per neuron to try next, where weights miss the margin."""
LEAVING = 0.5
"""Share of the transitions of a random machine that lead to another module."""
MORE_SENT = 2.0
"""Synapses that keep targets silent, per unit of margin and synapse that drives them."""
BASE_BYTES, BYTES_PER_SYNAPSE, BYTES_PER_MOVE = 100 * 2**20, 6, 5000
"""Memory of compiling and proving, measured: weights and their copies, and what the proof
remembers.
"""
DRAWS = 3
"""Draws of the codes of a module, before fewer states are tried in all."""
INSIDE = 0.7
"""Share of the time that goes into the insides of modules."""
MOST_NEURONS = 2048
"""Most neurons of a module to try, where the states that it holds are given."""


def predicted_synapses(
    lowered: Lowered, margin: float, rule: Rule = "refined", load: float = 1.0
) -> int:
    """Weights that a network of modules is expected to hold."""
    sizes = usual_sizes(lowered, margin, rule=rule, load=load)
    modules = -(-len(lowered.targets) // sizes.states)
    # k neurons of the source reach the open half of the target's, where that is elsewhere.
    leaving = LEAVING * sum(move.source != move.target for move in lowered.moves)
    between = leaving * (1 - 1 / modules) * sizes.active**2 / 2 * (1 + MORE_SENT * margin)
    return round(modules * sizes.module_neurons**2 + between)


def predicted_memory(
    lowered: Lowered, margin: float, rule: Rule = "refined", load: float = 1.0
) -> int:
    """Bytes that compiling and proving are expected to take at most."""
    synapses = predicted_synapses(lowered, margin, rule, load)
    return BASE_BYTES + BYTES_PER_SYNAPSE * synapses + BYTES_PER_MOVE * len(lowered.moves)


def build(
    machine: Machine,
    *,
    module_neurons: int | None = None,
    active: int | None = None,
    states: int | None = None,
    placement: Placement = "partition",
    homes: Sequence[int] | None = None,
    margin: float = 0.1,
    rule: Rule = "refined",
    load: float = 1.0,
    bits: int = 8,
    seed: int = 0,
    jobs: int = 1,
    scheduler: str | None = None,
    resume: Path | None = None,
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
    rule
        ``"refined"``, or ``"robust"``: smaller weights inside modules for the same margin, which
        hold fewer states.
    load
        Share of the states per module that the law has.
    bits
        Width of a weight, 5 to 16.
    seed
        Of every random draw.
    jobs, scheduler
        Processes, or the address of a Dask scheduler; the network is the same wherever modules are
        refined.
    resume
        A folder that keeps modules that are done. The same call goes on with them.
    progress
        Called with the share of the modules that are done.

    Raises
    ------
    CompileError
        If sizes are out of range.
    MarginError
        If the weights miss the margin.
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
        *(lowered, margin),
        rule=rule,
        load=load,
        module_neurons=module_neurons,
        active=active,
        states=largest,
    )
    _check(lowered, sizes, margin, bits)
    joined, execute = links(lowered), executor(jobs, scheduler)
    ranges = (LEAST_RANGE, WIDE_RANGE) if load < 1 else (LEAST_RANGE,)
    least_range = ranges[0]
    while True:
        placed = fixed
        if placed is None:
            placed = place(joined, sizes.states, placement, np.random.default_rng(seed))
        try:
            return _build(
                *(machine, lowered, sizes, placed, margin, rule, bits, seed, least_range),
                *(execute, resume, progress),
            )
        except _ShortError as error:
            if least_range < ranges[-1]:
                least_range = ranges[-1]
                continue
            least_range = ranges[0]
            most = int(np.bincount(placed).max())
            lighter = None
            if largest is None:
                lighter = _fewer_states(sizes)
            elif module_neurons is None:
                lighter = _more_neurons(sizes, lowered)
            if lighter is None:
                raise MarginError(
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


class _ShortError(Exception):
    """A module whose weights miss the margin."""


def _build(
    machine: Machine,
    lowered: Lowered,
    sizes: Sizes,
    home_of_state: Indices,
    margin: float,
    rule: Rule,
    bits: int,
    seed: int,
    least_range: float,
    execute: Execute,
    resume: Path | None,
    progress: Callable[[float], None],
) -> Network:
    lowered = with_hubs_shared(lowered, home_of_state)
    homes = home_of_state[np.array([code.state for code in lowered.codes])]
    members = _members(homes)
    array = orthogonal_array(lowered.masks)
    classes = np.arange(sizes.module_neurons) % len(array)
    masks = np.asarray(array[classes].T > 0)
    tasks = _inside_tasks(lowered, homes, members)
    draws = [rng.spawn(DRAWS + 1) for rng in np.random.default_rng(seed).spawn(len(members))]
    grid = _grid(tasks[0], classes, masks, sizes.active, bits, seed, least_range)
    depends = [_described(machine), asdict(sizes), home_of_state.tolist(), margin, rule, bits]
    depends += [seed, least_range]
    finished = None if resume is None else Finished(resume, depends)
    # Fewer states are tried as soon as a module is short: the others are not waited for.
    calls: list[Call] = [
        (refine_inside, (task, classes, masks, sizes.active, grid, margin, rule, rngs[:DRAWS]))
        for task, rngs in zip(tasks, draws, strict=True)
    ]
    insides: list[Inside] = []
    for inside in finished.inside(execute, calls) if finished else execute(calls):
        if inside.short:
            raise _ShortError(f"{inside.short} conditions inside a module")
        insides.append(inside)
        progress(INSIDE * len(insides) / len(tasks))
    codes = np.zeros((len(homes), sizes.module_neurons), np.bool_)
    for each, inside in zip(members, insides, strict=True):
        codes[each] = inside.codes
    sending = _send_tasks(lowered, homes, members, codes, masks, tasks)
    calls = [
        (send, (task, masks, grid, margin, rngs[DRAWS]))
        for task, rngs in zip(sending, draws, strict=True)
    ]
    sends: list[Sent] = []
    for sent in finished.sent(execute, calls) if finished else execute(calls):
        if sent.short:
            raise _ShortError(f"{sent.short} conditions between modules")
        sends.append(sent)
        progress(INSIDE + (1 - INSIDE) * len(sends) / len(tasks))
    return Network(
        np.stack([inside.weights for inside in insides]),
        Synapses(
            starts_of(np.concatenate([sent.counts for sent in sends])),
            np.concatenate([sent.targets for sent in sends]),
            np.concatenate([sent.values for sent in sends]),
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


def _grid(
    task: InsideTask,
    classes: Indices,
    masks: Bits,
    active: int,
    bits: int,
    seed: int,
    least_range: float,
) -> Grid:
    """One grid for all modules, from the first: their one-shot weights are drawn alike."""
    rng = np.random.default_rng(seed)
    codes = draw_codes(len(task.releases), classes, masks, active, rng)
    spread = float(np.std(one_shot(task, codes, masks)))
    scale = (2 ** (bits - 1) - 1) / max(CLIP * spread, least_range)
    return Grid(bits, scale, 0.5 - active / len(classes), False)


def _described(machine: Machine) -> str:
    """A text that is another for every other machine."""
    found = hashlib.sha256()
    for part in (machine.states, machine.inputs, machine.initial, machine.moore):
        found.update(json.dumps(part).encode())
    for row in machine.table:
        found.update(json.dumps([(taken.to, taken.outputs) for taken in row]).encode())
    return found.hexdigest()


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


def _inside_tasks(lowered: Lowered, homes: Indices, members: list[Indices]) -> list[InsideTask]:
    local = _local(homes, members).tolist()
    home: list[int] = homes.tolist()
    moves: list[list[tuple[int, int, int]]] = [[] for _ in members]
    departures: list[list[tuple[int, int]]] = [[] for _ in members]
    arrivals: list[dict[tuple[int, int], None]] = [{} for _ in members]
    for x, mask, y in lowered.moves:
        if home[x] == home[y]:
            moves[home[x]].append((local[x], mask, local[y]))
        else:
            departures[home[x]].append((local[x], mask))
        if x != y:
            arrivals[home[y]][local[y], mask] = None
    return [
        InsideTask(
            tuple(local[lowered.releases[c]] for c in each.tolist()),
            tuple(moves[m]),
            tuple(departures[m]),
            tuple(arrivals[m]),
        )
        for m, each in enumerate(members)
    ]


def _send_tasks(
    lowered: Lowered,
    homes: Indices,
    members: list[Indices],
    codes: Bits,
    masks: Bits,
    tasks: list[InsideTask],
) -> list[SendTask]:
    n, local = masks.shape[1], _local(homes, members).tolist()
    home: list[int] = homes.tolist()
    leaves: list[dict[tuple[int, int], NDArray[np.int32]]] = [{} for _ in members]
    for x, mask, y in lowered.moves:
        if home[x] != home[y]:
            fires = np.flatnonzero(codes[y] & masks[mask]) + home[y] * n
            leaves[home[x]][local[x], mask] = fires.astype(np.int32)
    return [
        SendTask(codes[each], leaves[m], task.held)
        for m, (each, task) in enumerate(zip(members, tasks, strict=True))
    ]


def _local(homes: Indices, members: list[Indices]) -> Indices:
    """The number of each code in its module."""
    local = np.empty(len(homes), np.intp)
    for each in members:
        local[each] = np.arange(len(each))
    return local
