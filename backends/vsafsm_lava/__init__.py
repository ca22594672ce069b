"""Lava: a compiled machine as a Lava Process, in Lava's fixed-point simulator, and on Loihi 2.

``vsafsm.open(program, backend="lava")`` runs a program; `attractor_fsm` makes the `AttractorFSM` of
one, to be connected to Processes of one's own. Lava is imported when one of these is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsafsm_lava.errors import RuntimeDiedError
from vsafsm_lava.importing import import_lava

if TYPE_CHECKING:
    from vsafsm.program import Program
    from vsafsm_lava.attractor.process import AttractorFSM
    from vsafsm_lava.targets import check_hardware, run_config

__all__ = [
    "AttractorFSM",
    "RuntimeDiedError",
    "attractor_fsm",
    "check_hardware",
    "run_config",
]


def attractor_fsm(program: Program, **options: Any) -> AttractorFSM:
    """The Lava Process of a program.

    Parameters
    ----------
    **options
        ``hold_steps``, ``gap_steps``, ``du``, ``dv``, as `vsafsm_loihi2.Settings` has them.

    Raises
    ------
    UnavailableBackendError
        If Lava cannot be used here.
    RequirementError, OptionError, RequirementError
        If the program, or an option, does not fit the chip's integers.
    """
    from vsafsm.discovery import find
    from vsafsm.running import check
    from vsafsm_loihi2.backend import manifest, on_chip

    check(program, find("lava"), options)
    chip = on_chip(program, options)
    import_lava()
    from vsafsm_lava.attractor.process import AttractorFSM

    names = manifest(program, chip)
    return AttractorFSM(
        **chip.arrays(), channel_names=names["channels"], state_names=names["states"]
    )


def __getattr__(name: str) -> Any:
    if name in ("AttractorFSM", "check_hardware", "run_config"):
        import_lava()
    if name == "AttractorFSM":
        from vsafsm_lava.attractor.process import AttractorFSM

        return AttractorFSM
    if name in ("check_hardware", "run_config"):
        from vsafsm_lava import targets

        return getattr(targets, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
