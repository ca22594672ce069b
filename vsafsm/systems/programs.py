"""A compiled system: one proven program per machine, and what is known of them together.

The proof of each program says that its network does what its machine does, for every word. What
machines do together is a matter of the machines alone: `System.product` explores it, where it is
small enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vsafsm.compiler import compile_machine
from vsafsm.discovery import DEFAULT
from vsafsm.program import Program
from vsafsm.systems.sessions import SystemSession
from vsafsm.systems.system import System


@dataclass(frozen=True, repr=False)
class SystemProgram:
    """Programs of the machines of a system, in their order."""

    system: System
    programs: tuple[Program, ...]

    def __repr__(self) -> str:
        return (
            f"<SystemProgram {self.system.name}: {len(self.programs)} machines,"
            f" {self.neurons} neurons>"
        )

    @property
    def neurons(self) -> int:
        """Neurons of all networks."""
        return sum(program.network.neurons for program in self.programs)

    @property
    def synapses(self) -> int:
        """Weights that all networks hold."""
        return sum(program.network.synapses for program in self.programs)

    @property
    def holds(self) -> bool:
        """Whether every program's claim is that its proof holds."""
        return all(program.claim.holds for program in self.programs)

    def open(self, backend: str = DEFAULT, **options: object) -> SystemSession:
        """A session with a network per machine. Raises as `vsafsm.open` does."""
        return SystemSession(self.system, self.programs, backend, **options)


def compile_system(system: System, **options: object) -> SystemProgram:
    """Compile each machine by itself; options are those of `vsafsm.compile`.

    Raises
    ------
    VsafsmError
        As `vsafsm.compile` does, for the first machine that does not compile.

    Examples
    --------
    >>> from vsafsm import Machine
    >>> from vsafsm.systems import System, compile_system
    >>> door = Machine.from_dict({"name": "door", "transitions": {
    ...     "shut": {"handle": ["open", "opened"]}, "open": {"handle": "shut"}}})
    >>> lamp = Machine.from_dict({"name": "lamp", "transitions": {
    ...     "off": {"opened": "on"}, "on": {"switch": "off"}}})
    >>> program = compile_system(System("house", (door, lamp)))
    >>> with program.open() as session:
    ...     session.send("handle")
    ('open', 'on')
    """
    compile_one: Any = compile_machine
    return SystemProgram(
        system, tuple(compile_one(machine, **options) for machine in system.machines)
    )
