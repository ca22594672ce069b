"""The backend: a chip's program in Lava's fixed-point simulator, and on the chip. Lava is imported
when it is used.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vsafsm.backend import Description, Option, Usage
from vsafsm.errors import OptionError
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.requirements import Requirements
from vsafsm_lava.importing import import_lava
from vsafsm_loihi2.backend import OPTIONS, on_chip, requirements
from vsafsm_loihi2.integers import proven_form
from vsafsm_loihi2.resources import report, usage
from vsafsm_loihi2.session import ChipSession

TARGETS = ("sim", "sim-stock", "loihi2")
TARGET = Option(
    "target",
    str,
    "sim",
    "",
    "where it runs: sim (fused model), sim-stock (LIF, Dense and Sparse), or loihi2 (the chip)",
)


class LavaBackend:
    """Lava's fixed-point simulator, bit for bit the integers of the chip's program: exact."""

    name = "lava"
    exact = True
    whole_weights = True
    options = (TARGET, *OPTIONS)

    def unavailable(self) -> str | None:
        """Why Lava cannot be used here, or None."""
        if sys.version_info >= (3, 11):
            version = ".".join(map(str, sys.version_info[:2]))
            return (
                f"lava-nc 0.10.0, the last there is, needs Python 3.10, and this is {version}, on"
                " which the extra installs nothing; expected Python 3.10 and pip install"
                " 'vsafsm[lava]', or backend loihi2, which has the same integers without Lava"
            )
        if find_spec("lava") is None or find_spec("lava.magma") is None:
            return (
                "Lava (lava-nc) is not installed; expected: pip install 'vsafsm[lava]', or backend"
                " loihi2, which has the same integers without Lava"
            )
        method = multiprocessing.get_start_method(allow_none=True)
        if method not in (None, "fork"):
            return (
                f"Lava needs processes to be started by fork, and here they are by {method};"
                " expected fork"
            )
        return None

    def requirements(self, options: Mapping[str, object]) -> Requirements:
        """What the chip requires."""
        _check_target(options)
        return requirements(options)

    def lower(self, program: Program, **options: object) -> Network:
        """The network that the chip's integers make, read back from them. Raises `BackendError` for
        leaky neurons.
        """
        return proven_form(on_chip(program, options))

    def open(self, program: Program, **options: object) -> ChipSession:
        """Start a session; raises `UnavailableBackendError` where the target cannot be reached."""
        chip = on_chip(program, options)
        import_lava()
        from vsafsm_lava.engine import engine

        return ChipSession(chip, engine(chip, _check_target(options)))

    def emit(self, program: Program, folder: Path, **options: object) -> None:
        """Write a package with the Process and its weights, and ``run.py``, into `folder`."""
        from vsafsm_lava.emit import emit

        emit(program, on_chip(program, options), folder, _check_target(options))

    def describe(self, program: Program, **options: object) -> Description:
        """Cores, chips, memory, headroom, spikes and operations."""
        return report(on_chip(program, options))

    def usage(self, program: Program, **options: object) -> tuple[Usage, ...]:
        """Cores, neurons and synaptic memory in use, beside what there is."""
        return usage(on_chip(program, options))


def _check_target(options: Mapping[str, Any]) -> str:
    target = str(options.get("target", TARGET.default))
    if target not in TARGETS:
        raise OptionError(f'target is "{target}"; expected one of: {", ".join(TARGETS)}')
    return target


BACKEND = LavaBackend()
