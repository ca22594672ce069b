"""A network that runs: a session from input to input, and whole words in one run. Only input lines
enter.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from types import TracebackType
from typing import Any

import brian2 as b2
import numpy as np
from brian2 import Quantity, ms

from vsafsm.errors import BackendError, SessionError
from vsafsm.machine import Outputs
from vsafsm.playing import Played, Playing, play, train_of
from vsafsm.program import Program
from vsafsm.sessions import MOST_STEPS, session_repr
from vsafsm.trains import DROP, Pace, Timed
from vsafsm_brian2.equations import INPUT_PERIOD_MS, ON_INPUT, RESET_MS, WINDOW_MS
from vsafsm_brian2.model import RESET, Brian2FSM
from vsafsm_brian2.parameters import (
    Parameters,
    Realism,
    RunSettings,
    check_contract,
    tick_period_ms,
)
from vsafsm_brian2.reading import Event, Recording, StateReading, input_spikes
from vsafsm_brian2.surroundings import RandomNumbers, check_can_run, device, target


class Simulation:
    """A program's Brian2 network with a source of input spikes and a spike monitor. All times are
    on its grid. Where the machine has a clock, its line has a source of its own. The objects are
    those of `fsm`, or drawn here.
    """

    def __init__(
        self,
        program: Program,
        parameters: Parameters,
        realism: Realism,
        running: RunSettings,
        fsm: Brian2FSM | None = None,
    ) -> None:
        self.rng = np.random.default_rng(running.draw_seed)
        self.noise = RandomNumbers(running.draw_seed)
        self.running, self.parameters, self.realism = running, parameters, realism
        self.fsm = fsm or Brian2FSM(program, parameters, realism, self.rng)
        self.monitor = b2.SpikeMonitor(self.fsm.cells, name="fsm_spikes")
        self.network = b2.Network(*self.fsm.objects, self.monitor)
        self.source = self._driving(range(len(self.fsm.lines)), "source", "inputs")
        ticking = program.machine.clock
        if ticking is not None:
            self.clock = self._driving([self.fsm.line(ticking.symbol)], "clock", "ticks")
        self.now_ms = 0.0
        self.events: list[Event] = []

    def _driving(self, lines: Sequence[int], name: str, joined: str) -> Any:
        """A source of spikes for some lines, in the network."""
        clock, size = self.fsm.cells.clock, len(lines)
        source = b2.SpikeGeneratorGroup(size, [], [] * ms, clock=clock, name=f"fsm_{name}")
        synapses = b2.Synapses(
            source, self.fsm.lines, on_pre=ON_INPUT, clock=clock, name=f"fsm_{joined}"
        )
        synapses.connect(i=np.arange(size), j=np.array(lines))
        self.network.add(source, synapses)
        return source

    def place(
        self, inputs: Sequence[tuple[int, float]], gap_ms: float, due_ms: Sequence[float] = ()
    ) -> tuple[list[Event], list[float]]:
        """Inputs (symbol, hold) from now on, a gap after each: -> the events, and the times when
        the gaps end (ms). None begins before it is due, where that is said.
        """
        events, ends, now = [], [], self.now_ms
        for (symbol, hold_ms), due in zip(inputs, due_ms or [0.0] * len(inputs), strict=True):
            now = max(now, self.on_grid(due))
            events.append(Event(symbol, now, self.on_grid(now + hold_ms)))
            now = self.on_grid(events[-1].end_ms + gap_ms)
            ends.append(now)
        return events, ends

    def on_grid(self, time_ms: float) -> float:
        """The first step at or after a time."""
        dt = self.parameters.dt_ms
        return math.ceil(round(time_ms / dt, 6)) * dt

    def advance(self, events: Sequence[Event], until_ms: float) -> None:
        """Give inputs, and run to `until_ms`."""
        reset = self.fsm.line(RESET)
        lines = [e.symbol + 1 if e.symbol >= 0 else reset for e in events]
        self._run(self.source, events, lines, until_ms)

    def tick(self, events: Sequence[Event], until_ms: float) -> None:
        """Let the clock's line tick, and run to `until_ms`."""
        self._run(self.clock, events, [0] * len(events), until_ms)

    def _run(
        self, source: Any, events: Sequence[Event], lines: Sequence[int], until_ms: float
    ) -> None:
        held = [(line, e.onset_ms, e.end_ms) for line, e in zip(lines, events, strict=True)]
        jitter = self.realism.input_jitter_ms
        indices, times = input_spikes(
            held, INPUT_PERIOD_MS, self.parameters.dt_ms, jitter, self.rng
        )
        if len(indices):
            source.set_spikes(indices, times * ms)
        self.events += events
        with self.noise.swapped_in():
            self.network.run((until_ms - self.now_ms) * ms, namespace={})
        self.now_ms = until_ms

    def recording(self) -> Recording:
        """What was recorded so far."""
        network = self.fsm.network
        times, cells = np.asarray(self.monitor.t / ms), np.asarray(self.monitor.i, np.intp)
        return Recording(network, times, cells, tuple(self.events), self.now_ms, self.fsm.fan_out)


class Brian2Session(Playing):
    """A network that stays up from input to input.

    Raises
    ------
    SessionError
        When it is used after it was closed.
    BackendError
        For the target ``cpp_standalone``, which compiles one run and ends with it.
    """

    def __init__(
        self, program: Program, parameters: Parameters, realism: Realism, running: RunSettings
    ) -> None:
        if running.codegen == "cpp_standalone":
            raise BackendError(
                "a session cannot run in cpp_standalone, which compiles one whole run and ends with"
                " it; expected codegen numpy or cython, or a word known in advance"
            )
        check_can_run(running.codegen)
        self.program, self._running = program, running
        with target(running.codegen):
            self._simulation = Simulation(program, parameters, realism, running)
        self._open = True
        self._reading = StateReading(None)
        # Where the clock stands at time 0, in simulated time, and its ticks since then.
        self._zero_ms, self._ticks = 0.0, 0
        self.reset()

    def __repr__(self) -> str:
        return session_repr(self, self._open)

    def __enter__(self) -> Brian2Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session; closing twice does nothing."""
        self._open = False

    def send(self, symbol: str, hold: Any = None, gap: Any = None) -> str | None:
        """Hold an input, then leave it: -> the state reached, or None where the activity stands for
        none.

        Parameters
        ----------
        hold, gap
            Brian2 quantities of time; the session's ``hold_ms`` and ``gap_ms`` by default.
        """
        hold_ms = _milliseconds("hold", hold, self._running.hold_ms)
        gap_ms = _milliseconds("gap", gap, self._running.gap_ms)
        check_contract(hold_ms, gap_ms, self._simulation.parameters.speed)
        self._give(self.program.network.mask_of(symbol) - 1, hold_ms, gap_ms)
        return self.state

    def rest(self, duration: Any) -> None:
        """Let the network run at rest for a Brian2 quantity of time. The clock stands still."""
        before = self._simulation.now_ms
        until = self._simulation.on_grid(before + _milliseconds("duration", duration, 0.0))
        if until - before > self._most_ms:
            raise SessionError(
                f"duration is {duration!r}; expected at most {self._most_ms:.0f}*ms,"
                f" {MOST_STEPS} time steps"
            )
        self._run(self._simulation.advance, [], until)
        self._zero_ms += until - before
        self._reading = self.recording.read(self._simulation.events[-1], until)

    @property
    def pace(self) -> Pace:
        """The session's ``hold_ms`` and ``gap_ms``, in whole time steps."""
        on_grid = self._simulation.on_grid
        return Pace(
            on_grid(self._running.hold_ms), on_grid(self._running.gap_ms), "ms", ms, self._most_ms
        )

    @property
    def _most_ms(self) -> float:
        """The longest rest."""
        return MOST_STEPS * self._simulation.parameters.dt_ms

    def check_input(self, symbol: str) -> None:
        """Raise `UnknownInputError` where there is no such input."""
        self.program.network.mask_of(symbol)

    def play(self, events: Iterable[Timed], overlap: str = DROP) -> Played:
        """As `Playing.play`, at Brian2 quantities of time, which are rounded up to time steps."""
        train = [(_milliseconds("time", time), symbol) for time, symbol in train_of(events)]
        on_grid = self._simulation.on_grid
        return play(self, [(on_grid(time), symbol) for time, symbol in train], overlap)

    def advance_clock(self, until: Fraction) -> list[tuple[str | None, Outputs]]:
        """Run until the machine's clock stands at `until` seconds, and until the last tick on the
        way is read: -> the state and the outputs after each tick.

        Simulated time of the inputs since the last tick counts. A tick that is due while an input
        is held, or in the gap after it, comes when that gap is over.

        Raises
        ------
        OptionError
            If a period is shorter than a hold and a gap.
        """
        clock, simulation, running = self.program.machine.clock, self._simulation, self._running
        if clock is None:
            raise SessionError(f'machine "{self.program.machine.name}" has no clock; expected one')
        period = tick_period_ms(clock, running)
        first, self._ticks = self._ticks, until // clock.seconds
        due = [self._zero_ms + float(n * period) for n in range(first + 1, self._ticks + 1)]
        symbol = self.program.network.mask_of(clock.symbol) - 1
        ticks, ends = simulation.place([(symbol, running.hold_ms)] * len(due), running.gap_ms, due)
        end = simulation.on_grid(self._zero_ms + float(until / clock.seconds * period))
        end = max(simulation.now_ms, end, *ends)
        if end > simulation.now_ms:
            self._run(simulation.tick, ticks, end)
        recording = self.recording
        readings = [recording.read(tick, at) for tick, at in zip(ticks, ends, strict=True)]
        self._reading = recording.read(simulation.events[-1], end)
        return [(reading.state, reading.outputs) for reading in readings]

    def reset(self) -> str | None:
        """Back to the initial state, by the reset line, and the clock to time 0: -> the state."""
        self._give(-1, RESET_MS, self._running.gap_ms)
        self._zero_ms, self._ticks = self._simulation.now_ms, 0
        return self.state

    @property
    def state(self) -> str | None:
        """The state that the last spikes stand for, or None."""
        return self._reading.state

    @property
    def outputs(self) -> Outputs:
        """Mealy outputs of the last input, then Moore outputs of the state."""
        return self._reading.outputs

    @property
    def activity(self) -> Quantity:
        """Rate of each cell over the last 60 ms: (N,), in Hz."""
        now = self._simulation.now_ms
        return self.recording.counts(now - WINDOW_MS, now) / (WINDOW_MS * ms)

    @property
    def counts(self) -> Mapping[str, int]:
        """Time steps, spikes and synaptic operations (a spike reaching a cell or the pool) so
        far.
        """
        recording = self.recording
        every = recording.counts(0.0, self._simulation.now_ms + 1.0)
        steps = round(self._simulation.now_ms / self._simulation.parameters.dt_ms)
        operations = int(every @ recording.fan_out)
        return {"steps": steps, "spikes": int(every.sum()), "synaptic_operations": operations}

    @property
    def recording(self) -> Recording:
        """Spikes and inputs so far."""
        return self._simulation.recording()

    def _give(self, symbol: int, hold_ms: float, gap_ms: float) -> None:
        events, (until,) = self._simulation.place([(symbol, hold_ms)], gap_ms)
        self._run(self._simulation.advance, events, until)
        self._reading = self.recording.read(events[0], until)

    def _run(self, advance: Any, events: list[Event], until_ms: float) -> None:
        self._check_open()
        self._open = False  # what is interrupted is no longer in step with its inputs
        with target(self._running.codegen):
            advance(events, until_ms)
        self._open = True

    def _check_open(self) -> None:
        if not self._open:
            raise SessionError("the session is closed; open a new one")


def run_word(
    program: Program,
    word: Sequence[str],
    parameters: Parameters,
    realism: Realism,
    running: RunSettings,
) -> tuple[Recording, list[StateReading]]:
    """Run a word known in advance in one `Network.run`: -> the recording, and n + 1 readings.

    Each input follows the gap of the one before it. Where a period of the clock is given, ticks
    come at whole periods after the reset, or later where inputs take longer.
    """
    check_can_run(running.codegen)
    with device(running.codegen, running.build_dir), target(running.codegen):
        simulation = Simulation(program, parameters, realism, running)
        ends = advance_word(simulation, program, word)
        recording = simulation.recording()
    return recording, readings_at(recording, ends)


def advance_word(simulation: Simulation, program: Program, word: Sequence[str]) -> list[float]:
    """Reset a new simulation and give it a word: -> when each of these is read (ms)."""
    running = simulation.running
    symbols = [program.network.mask_of(symbol) - 1 for symbol in word]
    inputs = [(-1, RESET_MS), *((symbol, running.hold_ms) for symbol in symbols)]
    (zero,) = simulation.place(inputs[:1], running.gap_ms)[1]
    due = [0.0, *_due_ms(program, word, running, zero)]
    events, ends = simulation.place(inputs, running.gap_ms, due)
    simulation.advance(events, ends[-1])
    return ends


def readings_at(recording: Recording, ends: Sequence[float]) -> list[StateReading]:
    """What each input of a recording came to, read where its gap ends."""
    return [recording.read(event, end) for event, end in zip(recording.events, ends, strict=True)]


def _due_ms(
    program: Program, word: Sequence[str], running: RunSettings, zero_ms: float
) -> list[float]:
    """When the ticks of a word are due, if a period is given; 0 for all else."""
    clock = program.machine.clock
    if clock is None or running.tick_ms is None:
        return [0.0] * len(word)
    period = tick_period_ms(clock, running)
    ticks = accumulate(symbol == clock.symbol for symbol in word)
    return [
        zero_ms + float(n * period) if symbol == clock.symbol else 0.0
        for n, symbol in zip(ticks, word, strict=True)
    ]


def _milliseconds(name: str, value: Any, default: float | None = None) -> float:
    if value is None and default is not None:
        return default
    if not isinstance(value, Quantity) or not value.has_same_dimensions(ms) or np.ndim(value):
        raise BackendError(f"{name} is {value!r}; expected a time with its unit, such as 80*ms")
    milliseconds = float(value / ms)
    if not 0 <= milliseconds < float("inf"):
        raise BackendError(f"{name} is {value!r}; expected a time of at least 0*ms")
    return milliseconds
