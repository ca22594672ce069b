"""The script of the documentation in snnTorch, where that is installed: the interpreter's states
and outputs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from vsafsm.program import Program
from vsafsm_nir.backend import BACKEND

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "nir_snntorch.py"
pytestmark = pytest.mark.skipif(find_spec("snntorch") is None, reason="snnTorch is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["turnstile", "vending_machine", "elevator"])
def test_snntorch_runs_the_file_like_the_interpreter(
    name: str, program_of: Callable[..., Program], tmp_path: Path
) -> None:
    program = program_of(name)
    BACKEND.emit_file(program, tmp_path / "net.nir")
    word = np.random.default_rng(0).choice(program.machine.inputs, 40).tolist()
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), "net.nir", *word],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    trace = program.machine.run(word)
    rows = zip(("", *word), trace.states, (trace.initial_outputs, *trace.outputs), strict=True)
    expected = [f"{symbol:16} {state:12} {', '.join(outputs)}" for symbol, state, outputs in rows]
    assert ran.stdout.splitlines() == expected
