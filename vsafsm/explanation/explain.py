"""An explanation in one call: what ``vsafsm.explain`` and ``vsafsm explain`` do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vsafsm.argument_checks import check_callable, check_program
from vsafsm.explanation.remedies import Remedy, as_it_is, remedies
from vsafsm.explanation.terms import Term, terms
from vsafsm.explanation.weakest import margins_of, weakest
from vsafsm.margins import TransitionMargin
from vsafsm.program import Program
from vsafsm.proof import Proof

Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Why a program is as robust as it is.

    Attributes
    ----------
    program, proof
        What is explained, and what the proof found.
    tolerated_noise
        Additive noise, in standard deviations of the weights, that changes any step in at most 1 %
        of draws; 0 where nothing is proven.
    transitions
        All transitions, the weakest first, with bounds on how often that noise makes them go wrong.
        Of a network that is not proven the margins are those of its codes, and may be below 0.
    compiled
        The program as it is, and what it becomes with other options, where they were tried.
    """

    program: Program
    proof: Proof
    tolerated_noise: float
    transitions: tuple[TransitionMargin, ...]
    compiled: tuple[Remedy, ...]

    def __repr__(self) -> str:
        weakest = self.transitions[0]
        return (
            f"<Explanation of {self.program.machine.name}: {self.proof.verdict}, weakest"
            f' "{weakest.state}" on "{weakest.input}" with margin {weakest.minimum.margin:.3f}>'
        )

    def terms(self, transition: TransitionMargin) -> list[Term]:
        """What the drive consists of where a transition is weakest; the terms add up to its
        margin.
        """
        return terms(self.program, transition.minimum)


def explain(
    program: Program,
    *,
    try_options: bool = False,
    progress: Progress = lambda what, share: None,
) -> Explanation:
    """Find the weakest transitions, why they are weak, and what would help (``vsafsm.explain``).

    Parameters
    ----------
    program
    try_options
        Compile with other options as well, and prove, to see what they bring.
    progress
        Called with what is being done, and its share.

    Raises
    ------
    ArgumentError
        If `program` is none.

    Examples
    --------
    >>> import vsafsm
    >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"))
    >>> found = vsafsm.explain(program)
    >>> weakest = found.transitions[0]
    >>> weakest.minimum.margin == found.proof.margin
    True
    >>> abs(sum(term.towards for term in found.terms(weakest)) - weakest.minimum.margin) < 1e-9
    True
    """
    check_program(program, "vsafsm.explain")
    check_callable(progress, "vsafsm.explain", "progress")
    points = len(program.machine.states)

    def walked(what: str) -> Callable[[int], None]:
        return lambda done: progress(what, min(1.0, done / points))

    proof = program.prove(walked("proving"))
    now = as_it_is(program, proof)
    sigma = now.noise * program.network.weight_std
    transitions = weakest(margins_of(program, sigma, walked("margins")))
    tried = remedies(program, progress) if try_options else []
    return Explanation(program, proof, now.noise, tuple(transitions), (now, *tried))
