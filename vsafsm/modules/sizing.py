"""Sizing of modules: margins in turn, and fewer states per module, until a proof holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vsafsm.errors import CodebookError, CompileError, MarginError
from vsafsm.lowering import Lowered
from vsafsm.machine import Machine
from vsafsm.memory import check_memory
from vsafsm.modules.builder import LEAST_BITS, build
from vsafsm.modules.prediction import predicted_memory
from vsafsm.network import Network
from vsafsm.options import Options
from vsafsm.proof import Proof, prove
from vsafsm.requirements import Requirements
from vsafsm.sizing import HEADROOM, MARGINS, Attempt, Progress, Sized

DRAWS = 3
"""Seeds that are tried for a margin before a smaller one is."""


def load_of(requirements: Requirements) -> float:
    """Share of the usual states per module, for the headroom that a target aims at."""
    return HEADROOM / (requirements.headroom or HEADROOM)


def size_modules(
    machine: Machine,
    lowered: Lowered,
    options: Options,
    requirements: Requirements,
    jobs: int = 1,
    scheduler: str | None = None,
    resume: Path | None = None,
    progress: Progress = lambda what, share: None,
) -> Sized:
    """Find a network of modules that is proven to run the machine and meets the requirements.

    Where none does, the best attempt is returned with its verdict, and why the search gave up.

    Raises
    ------
    CompileError
        If sizes are out of range, there are too few bits, or too little memory.
    MarginError
        If weights miss every margin.
    """
    if options.bits < LEAST_BITS:
        raise CompileError(
            f"weights of modules have at least {LEAST_BITS} bits, not {options.bits}; expected more"
            " bits, or layout dense"
        )
    least = requirements.least_margin or 0.0
    margins = MARGINS[:3] if options.margin == "auto" else (float(options.margin),)
    check_memory(
        predicted_memory(
            lowered, max(margins[0], least), options.settled_rule, load_of(requirements)
        ),
        f'machine "{machine.name}"',
        "a smaller machine, or more memory",
    )
    attempts: list[Attempt] = []
    best: tuple[Network, Proof] | None = None
    states = len(machine.states)

    def walked(points: int) -> None:
        progress("proving", min(1.0, points / states))

    missed: MarginError | CodebookError | None = None
    for margin in dict.fromkeys(max(margin, least) for margin in margins):
        for draw in range(DRAWS):
            try:
                network = build(
                    machine,
                    module_neurons=_given(options.module_neurons),
                    active=_given(options.active),
                    margin=margin,
                    rule=options.settled_rule,
                    load=load_of(requirements),
                    bits=options.bits,
                    seed=options.seed + draw,
                    placement=options.placement,
                    jobs=jobs,
                    scheduler=scheduler,
                    resume=resume,
                    progress=lambda share: progress("compiling modules", share),
                )
            except (MarginError, CodebookError) as error:
                missed = error
                break
            proof = prove(machine, network, walked)
            attempts.append(
                Attempt(network.neurons, network.active, margin, proof.verdict, proof.margin, 0)
            )
            if best is None or (proof.holds, proof.margin) > (best[1].holds, best[1].margin):
                best = network, proof
            if proof.holds:
                network = replace(network, contract=proof.contract)
                unmet = requirements.unmet(network, proof.margin)
                gave_up = f"requirements not met: {'; '.join(unmet)}" if unmet else ""
                return Sized(network, proof, tuple(attempts), None, gave_up)
    if best is None:
        assert missed is not None  # noqa: S101 - every margin was missed
        raise missed
    return Sized(*best, tuple(attempts), None, "no proof in modules")


def _given(value: int | str) -> int | None:
    return None if isinstance(value, str) else value
