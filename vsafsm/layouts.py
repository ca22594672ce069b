"""Which layout a machine is compiled to: one matrix of weights, or modules.

One matrix costs synapses that grow with the square of the machine. Modules cost the same per
transition whatever the size.
"""

from __future__ import annotations

from typing import Literal

from vsafsm.errors import CompileError, RequirementError
from vsafsm.lowering import Lowered
from vsafsm.modules.builder import MOST_MARGIN
from vsafsm.modules.prediction import predicted_synapses
from vsafsm.modules.sizing import load_of
from vsafsm.options import Options
from vsafsm.prediction import predicted_neurons
from vsafsm.requirements import Requirements
from vsafsm.sizing import HEADROOM, MARGINS

SMALL = 1024
"""Neurons at the usual headroom up to which one matrix is taken whatever it costs: every backend
runs it, and it tolerates more noise.
"""


def choose(
    lowered: Lowered, options: Options, requirements: Requirements, given: bool = False
) -> Literal["dense", "modules"]:
    """The layout that is asked for, or the one with fewer synapses for the margin.

    Parameters
    ----------
    given
        Whether codes are given, which are those of one matrix.

    Raises
    ------
    CompileError
        If options ask for what the layout does not have.
    RequirementError
        If they ask for modules, and the target takes one matrix.
    """
    if given and options.layout == "modules":
        raise CompileError(
            "layout is modules, and a codebook is given, which is of one matrix; expected layout"
            " dense, or no codebook"
        )
    if options.layout == "modules":
        _check_modules(lowered, options, requirements)
        return "modules"
    if given or options.layout == "dense":
        if options.module_neurons != "auto":
            raise CompileError(
                "module_neurons is an option of modules; expected layout modules, or none"
            )
        return "dense"
    if options.module_neurons != "auto":
        _check_modules(lowered, options, requirements)
        return "modules"
    needs_one = lowered.guarded or requirements.one_matrix or requirements.folded
    margin = MARGINS[0] if options.margin == "auto" else float(options.margin)
    margin = max(margin, requirements.least_margin or 0.0)
    predicted = predicted_neurons(lowered, options)
    # The usual headroom counts here: a target that asks for more asks for tolerance.
    small = HEADROOM * predicted <= SMALL
    if needs_one or _only_dense(options) or margin > MOST_MARGIN or small:
        return "dense"
    neurons = (requirements.headroom or HEADROOM) * predicted
    modules = predicted_synapses(lowered, margin, options.settled_rule, load_of(requirements))
    return "dense" if neurons**2 <= modules else "modules"


def _only_dense(options: Options) -> str | None:
    """The first option that only one matrix has."""
    usual = Options()
    for name, has in (
        ("dimension", options.dimension == "auto"),
        ("code", options.code == usual.code),
        ("rule", options.rule not in ("one-shot", "robust")),
        ("tolerate", options.tolerate in ("auto", "none")),
        ("trigger", options.trigger == usual.trigger),
    ):
        if not has:
            return name
    return None


def _check_modules(lowered: Lowered, options: Options, requirements: Requirements) -> None:
    if lowered.guarded:
        raise CompileError("a machine with guards has one matrix; expected layout dense")
    if requirements.one_matrix:
        raise RequirementError(
            "the target takes one matrix of weights, and no modules; expected layout dense"
            " (layout=dense)"
        )
    name = _only_dense(options)
    if name is not None:
        raise CompileError(
            f"{name} is {getattr(options, name)}, which modules do not have; expected"
            f" {getattr(Options(), name)}, or layout dense"
        )
