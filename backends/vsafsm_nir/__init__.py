"""NIR: a compiled machine as a graph of the Neuromorphic Intermediate Representation.

``vsafsm.open(program, backend="nir")`` runs a program's graph; `nir_graph` gives the graph itself.
NIR is imported when one of these is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsafsm.errors import RequirementError

if TYPE_CHECKING:
    import nir

    from vsafsm.program import Program

__all__ = ["RequirementError", "nir_graph"]


def nir_graph(program: Program, **options: Any) -> nir.NIRGraph:
    """The NIR graph of a program, to be handed to a simulator or made part of a larger graph.

    Parameters
    ----------
    **options
        ``dt_s``: time step of the simulator, in seconds.

    Raises
    ------
    UnavailableBackendError
        If NIR is not installed.
    RequirementError, OptionError, RequirementError
        If the program, or an option, does not fit.
    """
    from vsafsm.discovery import find
    from vsafsm.running import check
    from vsafsm_nir.backend import BACKEND

    check(program, find("nir"), options)
    return BACKEND.graph(program, **options)
