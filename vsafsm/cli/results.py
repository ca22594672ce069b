"""What several commands say of a program, a proof or a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from vsafsm.backend import Run
from vsafsm.cli.terminal import print_line
from vsafsm.machine import Trace
from vsafsm.network import Network
from vsafsm.program import Claim, Program
from vsafsm.proof import Proof


def sizes(program: Program) -> dict[str, Any]:
    """Sizes of a program, for JSON."""
    network = program.network
    return {
        "neurons": network.neurons,
        "modules": network.modules,
        "synapses": network.synapses,
        "active": network.active,
        "bits": network.bits,
        "states": len(program.machine.states),
    }


def size_line(program: Program, network: Network, result: Claim | Proof) -> str:
    """Name, sizes and proof of a program, as one line."""
    tried = (
        f" (the smallest tried that proves: {program.smallest})"
        if program.smallest and result.holds
        else ""
    )
    proof = f"proven, margin {result.margin:.3f}" if result.holds else result.verdict
    modules = f" in {network.modules} modules" if network.modules > 1 else ""
    sizes = (
        f"N={network.neurons} neurons{modules}{tried}, k={network.active} active,"
        f" {network.bits} bits"
    )
    return f"{program.machine.name}: {sizes}, {proof}"


def tolerated_lines(program: Program) -> list[str]:
    """What a program tolerates, one noise per line."""
    return [f"tolerates {each}" for each in program.tolerated]


def tolerated(program: Program) -> list[dict[str, Any]]:
    """The same, for JSON."""
    return [{**asdict(each), "interval": each.interval} for each in program.tolerated]


def is_correct(ran: Run, expected: Trace) -> bool:
    """Whether a run has the states and outputs of the interpreter."""
    return (ran.states, ran.outputs) == (
        expected.states,
        (expected.initial_outputs, *expected.outputs),
    )


def wrong_states(states: Sequence[str | None], expected: Sequence[str]) -> int:
    """How many states are not the interpreter's."""
    return sum(state != correct for state, correct in zip(states, expected, strict=True))


def print_verdict(program: Program, backend: str, count: int, wrong: int, correct: bool) -> None:
    """Whether a run of so many states was correct, in a sentence."""
    size = f"{program.network.neurons} neurons, backend {backend}"
    if correct:
        every = f"Each of the {count} states" if count > 1 else "The state"
        print_line(f"{every} is the interpreter's ({size}).")
    elif wrong:
        print_line(f"{wrong} of {count} states are not the interpreter's ({size}).")
    else:
        print_line(
            f"Each of the {count} states is the interpreter's, but not each output ({size})."
        )
