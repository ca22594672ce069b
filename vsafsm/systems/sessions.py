"""A running system: sessions side by side, which tell each other what they read from activity."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from vsafsm.backend import BackendSession
from vsafsm.clocked import Timer
from vsafsm.errors import SessionError
from vsafsm.machine import Outputs
from vsafsm.program import Program
from vsafsm.running import open_session
from vsafsm.systems.exchange import exchange
from vsafsm.systems.system import System

Reached = tuple[str | None, ...]
"""The state that the activity of each network stands for, or None."""


class SystemSession:
    """A network per machine, on one backend. States and outputs are those that activity stands for.

    Parameters
    ----------
    system, programs
        Machines, and a program of each.
    backend, options
        As `vsafsm.open` takes them.
    """

    def __init__(
        self, system: System, programs: Sequence[Program], backend: str, **options: object
    ) -> None:
        self.system = system
        self._outputs: Outputs = ()
        self._timer = None if system.clock is None else Timer(system.clock)
        self._open = ExitStack()
        self._sessions: list[BackendSession] = []
        try:
            for program in programs:
                session = open_session(program, backend, **options)
                self._sessions.append(self._open.enter_context(session))
        except BaseException:
            self._open.close()
            raise

    @property
    def state(self) -> Reached:
        """The state of each machine."""
        return tuple(session.state for session in self._sessions)

    @property
    def on_the_way(self) -> Outputs:
        """What the machines put out after the last input or wait, without Moore outputs."""
        return self._outputs

    @property
    def outputs(self) -> Outputs:
        """What the machines put out after the last input, then Moore outputs, each name once."""
        moore = [
            put
            for machine, state in zip(self.system.machines, self.state, strict=True)
            if state is not None
            for put in machine.outputs_of(state)
        ]
        return tuple(dict.fromkeys((*self._outputs, *moore)))

    def send(self, symbol: str) -> Reached:
        """Give an input to every machine that has it, and what they put out to each other.

        Raises
        ------
        UnknownInputError
            If no machine has the input.
        EndlessError
            If the machines answer each other without end.
        """
        self._check_open()
        self.system.check_input(symbol)
        self._outputs = exchange(symbol, self.system.takers, self._give)
        return self.state

    def wait(self, seconds: float) -> Reached:
        """Let time go by: every machine with the clock gets its ticks, one at a time for all.

        Raises
        ------
        SessionError
            If the system has no clock, or the time makes no sense.
        """
        self._check_open()
        if self._timer is None:
            raise SessionError(f'system "{self.system.name}" has no clock; expected one')
        put: list[str] = []
        for _ in range(self._timer.ticks(seconds)):
            self.send(self._timer.clock.symbol)
            put += self._outputs
        self._outputs = tuple(dict.fromkeys(put))
        return self.state

    def reset(self) -> Reached:
        """Back to the initial states, and to time 0."""
        self._check_open()
        self._outputs = ()
        if self._timer is not None:
            self._timer.reset()
        return tuple(session.reset() for session in self._sessions)

    def close(self) -> None:
        """Free what they hold; closing twice does nothing."""
        self._sessions = []
        self._open.close()

    def __enter__(self) -> SystemSession:
        return self

    def __exit__(self, *details: Any) -> None:
        self.close()

    def _give(self, number: int, symbol: str) -> Outputs:
        """An input to one network: -> the Mealy outputs that its activity stood for."""
        session = self._sessions[number]
        state = session.send(symbol)
        return self.system.machines[number].mealy(state, session.outputs)

    def _check_open(self) -> None:
        if not self._sessions:
            raise SessionError("the session is closed; open a new one")
