"""What other options would bring: compiled and proven, not estimated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vsafsm.compiler import compile_machine
from vsafsm.errors import CompileError
from vsafsm.network import Network
from vsafsm.options import MOST_NEURONS
from vsafsm.program import Program
from vsafsm.proof import Proof

CERTAINTY = 0.01
"""Share of draws that may go wrong at the noise that is tolerated."""
RULES = {"one-shot": ("refined", "small"), "refined": ("small",)}
"""Rules that are worth a change to others."""


@dataclass(frozen=True)
class Remedy:
    """A program, or what one would be with some options changed.

    Attributes
    ----------
    changed
        The options, as they are typed; empty for the program as it is.
    verdict, neurons, active, bits, margin
        What the proof found, and of which network; the margin in units.
    noise
        Additive noise, in standard deviations of the weights, that changes any step in at most 1 %
        of draws.
    """

    changed: str
    verdict: str
    neurons: int
    active: int
    bits: int
    margin: float
    noise: float


def as_it_is(program: Program, proof: Proof) -> Remedy:
    """The program itself."""
    return _remedy("", program.network, proof)


def remedies(
    program: Program, progress: Callable[[str, float], None] = lambda what, share: None
) -> list[Remedy]:
    """The same machine with twice the neurons, a larger margin, smaller weights, or more bits."""
    found = []
    options: dict[str, Any] = dict(program.options.items())
    options |= {"dimension": program.network.neurons, "tolerate": "none"}
    changes = _changes(program)
    for i, change in enumerate(changes):
        flags = " ".join(f"--{name} {value}" for name, value in change.items())
        progress(f"trying {flags}", i / len(changes))
        try:
            tried = compile_machine(
                program.machine, allow_unproven=True, **{**options, "active": "auto", **change}
            )
        except CompileError:
            continue
        found.append(_remedy(flags, tried.network, tried.prove()))
    return found


def _changes(program: Program) -> list[Mapping[str, Any]]:
    neurons, bits, options = program.network.neurons, program.network.bits, program.options
    larger = [{"dimension": 2 * neurons}] if 2 * neurons <= MOST_NEURONS else []
    margin = [{"margin": 0.45}] if options.margin != 0.45 and options.rule != "one-shot" else []
    rules = [{"rule": rule} for rule in RULES.get(options.rule, ())]
    finer = [{"bits": bits + 2}] if bits + 2 <= 16 else []
    return [*larger, *margin, *rules, *finer]


def _remedy(changed: str, network: Network, proof: Proof) -> Remedy:
    noise = tolerated_noise(network, proof)
    return Remedy(
        changed, proof.verdict, network.neurons, network.active, network.bits, proof.margin, noise
    )


def tolerated_noise(network: Network, proof: Proof) -> float:
    """Additive noise, in standard deviations of the weights, at which the proof's bound reaches
    `CERTAINTY`; or 0.
    """
    if not proof.holds or proof.radius <= 0:
        return 0.0
    low, high = 0.0, proof.radius * network.neurons**0.5
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if proof.tally.failure_bound(middle) <= CERTAINTY else (low, middle)
        )
    return low / max(network.weight_std, 1e-12)
