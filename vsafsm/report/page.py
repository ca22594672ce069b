"""A program as one page: HTML with its style, its drawings and its tables inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from vsafsm.errors import PlotError
from vsafsm.explanation.weakest import margins_of, weakest
from vsafsm.margins import TransitionMargin
from vsafsm.plotting.svg import graph
from vsafsm.program import Program
from vsafsm.proof import Proof
from vsafsm.report.curves import USUAL, curves
from vsafsm.report.frames import Seen, frames_of
from vsafsm.report.playground import playground
from vsafsm.report.svg import chart
from vsafsm.version import __version__

MOST_WEAK = 10


def check_jinja() -> None:
    """Raise `PlotError` where Jinja is not installed."""
    if find_spec("jinja2") is None:
        raise PlotError(
            "Jinja, which reports need, is not installed; expected: pip install 'vsafsm[report]'"
        )


def page(
    program: Program,
    noise: Sequence[str] = USUAL,
    draws: int = 50,
    seed: int = 0,
    progress: Callable[[str, float], None] = lambda what, share: None,
    seen: Seen | None = None,
) -> str:
    """The page's text: the same for the same program, noise and seed.

    Parameters
    ----------
    noise
        Ranges of noise, such as ``additive:0:3:0.5``; each kind has a chart.
    draws, seed
        Draws of noise at each strength, and their seed.
    seen
        Frames that the page shows, and gives to the machine.

    Raises
    ------
    PlotError
        If Jinja is not installed.
    SweepError, NoiseError
        If a range of noise, or the number of draws, makes no sense.
    """
    check_jinja()
    import jinja2

    machine, network = program.machine, program.network
    proof = program.prove()
    measured = curves(program, proof, noise, draws, seed, progress)
    frames = [] if seen is None else frames_of(seen, machine)
    network_of = playground(machine, network)
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(_file("page.html"))
    return template.render(
        machine=machine,
        proof=proof,
        tiles=_tiles(program, proof),
        graph=_safe(graph(machine, network.states)),
        network=None if network_of is None else {**network_of, "frames": frames or None},
        frames=frames,
        script=_safe(_file("playground.js")),
        weakest=_weakest(program),
        charts=[(curve.kind, _safe(chart(curve))) for curve in measured],
        draws=draws,
        seed=seed,
        options=[
            *program.options.items(),
            ("target", program.target),
            ("smallest N that proves", program.smallest or ""),
            *(("tolerates", str(each)) for each in program.tolerated),
        ],
        version=__version__,
        program_hash=program.content_hash,
    )


def _file(name: str) -> str:
    return (files("vsafsm.report") / name).read_text(encoding="utf-8")


def _safe(text: str) -> Any:
    """A drawing of ours, in which every name is escaped already, or a script without names."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704


def _tiles(program: Program, proof: Proof) -> list[tuple[str, str]]:
    machine, network = program.machine, program.network
    return [
        ("states", str(len(machine.reachable))),
        ("inputs", str(len(machine.inputs))),
        ("transitions", str(machine.reachable_transitions)),
        ("neurons N", f"{network.neurons:,}"),
        ("active per code k", str(network.active)),
        ("bits per weight", str(network.bits)),
        ("margin (units)", f"{proof.margin:.3f}"),
        ("hold, gap (steps)", f"{network.contract.hold_steps}, {network.contract.gap_steps}"),
    ]


def _weakest(program: Program) -> list[TransitionMargin]:
    return weakest(margins_of(program))[:MOST_WEAK]
