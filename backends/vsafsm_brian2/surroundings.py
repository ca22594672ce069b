"""Brian2's global state (target, device, random numbers): set while something of ours runs, and put
back.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import brian2 as b2
from brian2.devices import RuntimeDevice, reset_device

from vsafsm.errors import BackendError


def check_can_run(codegen: str) -> None:
    """Raise `BackendError` where a target compiles and cannot, or where Brian2 was put into
    standalone mode.
    """
    if not isinstance(b2.get_device(), RuntimeDevice):
        raise BackendError(
            "Brian2 is in standalone mode; expected brian2.set_device('runtime') before this"
        )
    if codegen == "numpy":
        return
    missing = [] if any(map(shutil.which, ("g++", "c++", "clang++", "cl"))) else ["a C++ compiler"]
    if codegen == "cpp_standalone" and os.name != "nt" and not shutil.which("make"):
        missing.append("make")
    if missing:
        raise BackendError(
            f"codegen {codegen} needs {' and '.join(missing)}, not found on the path; expected it,"
            " or codegen numpy"
        )


@contextmanager
def target(codegen: str) -> Iterator[None]:
    """Code generation for what is built and runs inside."""
    before = b2.prefs.codegen.target
    if codegen != "cpp_standalone":
        b2.prefs.codegen.target = codegen
    try:
        yield
    finally:
        b2.prefs.codegen.target = before


@contextmanager
def device(codegen: str, build_dir: str | None) -> Iterator[None]:
    """Standalone mode for what is built and run inside; nothing for a runtime target."""
    if codegen != "cpp_standalone":
        yield
        return
    with (
        nullcontext(build_dir) if build_dir else tempfile.TemporaryDirectory(prefix="vsafsm-")
    ) as folder:
        b2.set_device("cpp_standalone", directory=folder, build_on_run=True)
        try:
            yield
        except RuntimeError as error:
            raise BackendError(f"cpp_standalone could not be built or run: {error}") from error
        finally:
            b2.get_device().reinit()
            reset_device()


class RandomNumbers:
    """The stream that current noise takes from Brian2: one a simulation, swapped in while it
    runs.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._state: Any = None

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """Brian2's random numbers are those of this stream inside, and what they were again
        behind.
        """
        current = b2.get_device()
        if not isinstance(current, RuntimeDevice):
            b2.seed(self._seed)
            yield
            return
        before = current.get_random_state()
        if self._state is None:
            b2.seed(self._seed)
        else:
            current.set_random_state(self._state)
        try:
            yield
        finally:
            self._state = current.get_random_state()
            current.set_random_state(before)
