"""How much noise a program survives: a few kinds, at a few strengths, on few draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vsafsm.program import Program
from vsafsm.proof import Proof
from vsafsm.sweeps.picture import grows_backwards, kind_of, label_of
from vsafsm.sweeps.plan import Trials, subject
from vsafsm.sweeps.ranges import noises
from vsafsm.sweeps.rows import Row, row
from vsafsm.sweeps.trial import outcomes

USUAL = ("additive:0:3:0.5", "lognormal:0:1.5:0.25", "missing:0:0.6:0.1")


@dataclass(frozen=True)
class Curve:
    """One kind of noise at several strengths."""

    kind: str
    label: str
    rows: tuple[Row, ...]

    @property
    def backwards(self) -> bool:
        """Whether a smaller amount disturbs more."""
        return grows_backwards(self.kind)


def curves(
    program: Program,
    proof: Proof,
    ranges: Sequence[str],
    draws: int,
    seed: int,
    progress: Callable[[str, float], None] = lambda what, share: None,
) -> tuple[Curve, ...]:
    """Measure each range of noise on the network as it is.

    Raises
    ------
    SweepError, NoiseError
        If a range or the number of draws makes no sense.
    """
    trials = Trials(most=draws, words=0, seed=seed)
    models = list(dict.fromkeys(model for each in ranges for model in noises(each)))
    one = subject(program, "reference")
    found = []
    for i, model in enumerate(models):
        progress("measuring noise", i / len(models))
        found.append(row(trials, one, proof, model, outcomes(one, model, trials, range(draws))))
    kinds = list(dict.fromkeys(map(kind_of, found)))
    return tuple(
        Curve(kind, label_of(kind), tuple(r for r in found if kind_of(r) == kind)) for kind in kinds
    )
