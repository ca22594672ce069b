"""From a machine to a modular network: a plan, an arrangement, and one task per module.

Each module draws from a generator of its own and is refined by itself, so that the network is the
same whatever makes it, in whatever order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from vsafsm.activities import Indices, starts_of
from vsafsm.codebook import classes_needed
from vsafsm.errors import CompileError, MarginError, did_you_mean
from vsafsm.lowering import Lowered, lower
from vsafsm.machine import Machine
from vsafsm.modules.arrangement import arranged
from vsafsm.modules.codebook import draw_codes
from vsafsm.modules.executors import Call, Execute, executor
from vsafsm.modules.finished import Finished
from vsafsm.modules.placement import PLACEMENTS
from vsafsm.modules.plan import Plan, Planner
from vsafsm.modules.refine import Inside, one_shot, refine_inside
from vsafsm.modules.sending import Sent, send
from vsafsm.modules.sizes import Sizes
from vsafsm.modules.task import InsideTask
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
DRAWS = 3
"""Draws of the codes of a module, before fewer states are tried in all."""
INSIDE = 0.7
"""Share of the time that goes into the insides of modules."""


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
        ``"refined"``, or ``"small"``: smaller weights inside modules for the same margin, which
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
    planner = Planner(
        lowered,
        margin,
        placement,
        seed,
        rule=rule,
        load=load,
        module_neurons=module_neurons,
        active=active,
        states=states,
        homes=None if homes is None else _given_homes(machine, homes),
    )
    _check(planner.sizes(), margin, bits)
    plan, execute = planner.first(), executor(jobs, scheduler)
    while True:
        try:
            return _build(
                *(machine, lowered, plan, margin, rule, bits, seed), *(execute, resume, progress)
            )
        except _ShortError as error:
            lighter = planner.lighter(plan, error.states)
            if lighter is None:
                few = f"fewer than {error.states} states per module, more neurons"
                raise MarginError(
                    f'machine "{machine.name}": {error} lack the margin {margin:g}; expected'
                    f" {few if error.states > 1 else 'more active neurons'}, or a smaller margin"
                ) from None
            plan = lighter


class _ShortError(Exception):
    """A module whose weights miss the margin, and the states that it has."""

    def __init__(self, problem: str, states: int) -> None:
        super().__init__(problem)
        self.states = states


def _build(
    machine: Machine,
    lowered: Lowered,
    plan: Plan,
    margin: float,
    rule: Rule,
    bits: int,
    seed: int,
    execute: Execute,
    resume: Path | None,
    progress: Callable[[float], None],
) -> Network:
    sizes, rng = plan.sizes, np.random.default_rng(seed)
    laid = arranged(lowered, plan, rng)
    masks = [laid.masks.of(k) for k in laid.numbers]
    tasks = laid.inside_tasks()
    draws = [rng.spawn(DRAWS + 1) for rng in np.random.default_rng(seed).spawn(len(tasks))]
    grid = _grid(tasks[0], *masks[0], sizes.active, bits, plan.least_range, seed)
    depends = [_described(machine), asdict(sizes), plan.homes.tolist(), plan.least_range]
    depends += [margin, rule, bits, seed]
    finished = None if resume is None else Finished(resume, depends)
    # Fewer states are tried as soon as a module is short: the others are not waited for.
    calls: list[Call] = [
        (refine_inside, (task, *own, sizes.active, grid, margin, rule, rngs[:DRAWS]))
        for task, own, rngs in zip(tasks, masks, draws, strict=True)
    ]
    insides: list[Inside] = []
    for inside in finished.inside(execute, calls) if finished else execute(calls):
        if inside.short:
            there = laid.states(len(insides))
            raise _ShortError(f"{inside.short} conditions inside a module", there)
        insides.append(inside)
        progress(INSIDE * len(insides) / len(tasks))
    codes = np.zeros((len(laid.homes), sizes.module_neurons), np.bool_)
    for each, inside in zip(laid.members, insides, strict=True):
        codes[each] = inside.codes
    calls = [
        (send, (task, own[1], grid, margin, rngs[DRAWS]))
        for task, own, rngs in zip(laid.send_tasks(codes, tasks), masks, draws, strict=True)
    ]
    sends: list[Sent] = []
    for sent in finished.sent(execute, calls) if finished else execute(calls):
        if sent.short:
            there = laid.states(len(sends))
            raise _ShortError(f"{sent.short} conditions between modules", there)
        sends.append(sent)
        progress(INSIDE + (1 - INSIDE) * len(sends) / len(tasks))
    patterns, opens = laid.masks.masks, laid.opens
    if len(insides) == 1:
        # A network of one module has a pattern for each input, also where some are equal.
        patterns, opens = patterns[opens[:, 0]], np.arange(len(opens))[:, None]
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
        patterns,
        opens,
        codes,
        laid.homes,
        laid.lowered.codes,
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
    least_range: float,
    seed: int,
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


def _check(sizes: Sizes, margin: float, bits: int) -> None:
    classes = classes_needed(sizes.kinds + 1)
    for name, value in (("module_neurons", sizes.module_neurons), ("active", sizes.active)):
        if value < classes or value % classes:
            raise CompileError(
                f"{name} is {value}; expected a multiple of {classes}, the classes of"
                f" {sizes.kinds + 1} masks"
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
