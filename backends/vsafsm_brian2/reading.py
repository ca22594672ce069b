"""From spikes to states: who is active, what that stands for, overlaps over time. It knows nothing
of Brian2 objects.

Times are in milliseconds, counted from the start of the recording, also where no name says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.lowering import REST
from vsafsm.machine import Outputs
from vsafsm.network import Network
from vsafsm.vsa import Bits
from vsafsm_brian2.equations import ACTIVE_SHARE, WINDOW_MS

SETTLING_MS = 15.0
"""After a change of masks, the activity is read anew from here on: each active cell has had time
for a spike.
"""
LEAST_WINDOW_MS = 12.0
"""A cell at full rate has a spike in it."""
Times = NDArray[Any]
Indices = NDArray[Any]


@dataclass(frozen=True)
class Event:
    """An input as it was given: its index, and when it began and ended. Reset has the index -1."""

    symbol: int
    onset_ms: float
    end_ms: float


@dataclass(frozen=True)
class StateReading:
    """What an input came to: the state (or None), Mealy outputs, then Moore outputs."""

    state: str | None
    mealy: Outputs = ()
    moore: Outputs = ()

    @property
    def outputs(self) -> Outputs:
        """Mealy outputs, then Moore outputs."""
        return self.mealy + self.moore


@dataclass(frozen=True)
class Recording:
    """Spikes of the cells, and the inputs given.

    Attributes
    ----------
    times_ms, cells : (n,)
        Time and cell of each spike, in the order of time.
    events
        Inputs given, in order.
    until_ms
        Length of the recording.
    fan_out : (N,)
        Synapses of each cell, that to the pool included.
    """

    network: Network
    times_ms: Times
    cells: Indices
    events: tuple[Event, ...] = ()
    until_ms: float = 0.0
    fan_out: Indices = field(default_factory=lambda: np.zeros(0, np.intp))

    def counts(self, begin_ms: float, end_ms: float) -> NDArray[np.intp]:
        """Spikes of each cell (N,) from `begin_ms` to `end_ms`."""
        first, last = np.searchsorted(self.times_ms, [begin_ms, end_ms])
        return np.bincount(self.cells[first:last], minlength=self.network.neurons).astype(np.intp)

    def active(self, begin_ms: float, end_ms: float) -> Bits:
        """Which cells are active (N,): those with a fair share of the spikes of the most active
        ones.
        """
        return active(self.counts(begin_ms, end_ms), self.network.module_neurons)

    def code_at(self, time_ms: float, mask: int = REST, window_ms: float = WINDOW_MS) -> int:
        """Code that the last `window_ms` before `time_ms` stand for under a mask, -1 for none."""
        return int(self.network.decode(self.active(time_ms - window_ms, time_ms)[None], mask)[0])

    def read(self, event: Event | None, time_ms: float) -> StateReading:
        """State at `time_ms`, with the Mealy outputs of the input before it: read at its end, in
        its second half.

        After a short gap, the window does not reach back to where the input was still being left.
        """
        rested = time_ms - event.end_ms - SETTLING_MS if event else WINDOW_MS
        code = self.code_at(time_ms, window_ms=float(np.clip(rested, LEAST_WINDOW_MS, WINDOW_MS)))
        network = self.network
        state = network.state_of(code)
        mealy: Outputs = ()
        if event is not None and event.symbol >= 0:
            window = min(WINDOW_MS, (event.end_ms - event.onset_ms) / 2)
            held = self.code_at(event.end_ms, event.symbol + 1, window)
            mealy = network.labels[held].outputs if held >= 0 else ()
        return StateReading(state, mealy, () if state is None else network.moore[code])

    def mask_at(self, time_ms: float) -> int:
        """Index of the mask that the inputs leave on at `time_ms`."""
        held = [
            event.symbol + 1
            for event in self.events
            if event.onset_ms <= time_ms < event.end_ms and event.symbol >= 0
        ]
        return held[-1] if held else REST

    def overlaps(self, every_ms: float = 5.0) -> tuple[Times, NDArray[Any]]:
        """Similarity of the activity to each code over time: times (T,) in ms, and (T, C)."""
        times, activity, masks = self._over_time(every_ms)
        return times, self.network.similarity(activity, masks)

    def decoded(self, every_ms: float = 5.0) -> tuple[Times, Indices]:
        """The code that the activity stands for over time: times (T,) in ms, and codes (T,), -1 for
        none.
        """
        times, activity, masks = self._over_time(every_ms)
        return times, self.network.decode(activity, masks)

    def named(self, every_ms: float = 5.0) -> tuple[Times, NDArray[np.str_]]:
        """The same by name: times (T,), and names (T,) of codes, empty for none."""
        times, codes = self.decoded(every_ms)
        return times, np.array([*self.network.code_names, ""])[codes]

    def _over_time(self, every: float) -> tuple[Times, Bits, Indices]:
        """Times, who is active in half a window before each, and the mask by which that is to be
        read.

        A window does not reach across a change of masks; until there has been time for spikes after
        one, the time before it counts.
        """
        times = np.arange(every, self.until_ms + every / 2, every)
        changes = np.array(
            [0.0, *(t for e in self.events if e.symbol >= 0 for t in (e.onset_ms, e.end_ms))]
        )
        last = changes[np.searchsorted(changes, times - SETTLING_MS, side="right").clip(min=1) - 1]
        following = np.append(changes, np.inf)[np.searchsorted(changes, last, side="right")]
        ends = np.minimum(times, np.maximum(following, last + every))
        begins = np.maximum(ends - WINDOW_MS / 2, last)
        activity = np.stack(
            [self.active(b, e) for b, e in zip(begins.tolist(), ends.tolist(), strict=True)]
        )
        return times, activity, np.array([self.mask_at(t) for t in last.tolist()], np.intp)

    def per_transition(self) -> list[dict[str, int]]:
        """Spikes and synaptic operations of each input and the gap after it."""
        edges = [event.onset_ms for event in self.events if event.symbol >= 0] + [self.until_ms]
        found = []
        for begin, end in pairwise(edges):
            counts = self.counts(begin, end)
            found.append(
                {"spikes": int(counts.sum()), "synaptic_operations": int(counts @ self.fan_out)}
            )
        return found

    def rate_hz(self, begin_ms: float, end_ms: float) -> float:
        """Mean rate of the cells that are active from `begin_ms` to `end_ms`."""
        counts = self.counts(begin_ms, end_ms)
        firing = active(counts, self.network.module_neurons)
        return float(counts[firing].mean() / (end_ms - begin_ms) * 1000) if firing.any() else 0.0


def active(counts: NDArray[np.intp], module_neurons: int) -> Bits:
    """Cells (N,) with at least `ACTIVE_SHARE` of the spikes of the most active ones, and at least
    one. The most active ones are a small part of a module.
    """
    most = max(4, module_neurons // 32)
    top = float(np.sort(counts)[-most:].mean())
    return np.asarray((counts >= ACTIVE_SHARE * top) & (counts > 0))


def input_spikes(
    inputs: Iterable[tuple[int, float, float]],
    period: float,
    dt: float,
    jitter: float,
    rng: np.random.Generator,
) -> tuple[Indices, Times]:
    """Lines and times (ms) of the spikes that keep lines on: (line, onset, end) each, in the order
    of time.

    With a jitter (ms), each spike moves by a normal random time, between onset and end. A line
    spikes at most once in a time step `dt`.
    """
    found: set[tuple[int, int]] = set()
    for line, onset, end in inputs:
        at: Times = np.arange(onset, max(end - period / 2, onset + dt), period)
        if jitter:
            at = np.clip(at + jitter * rng.standard_normal(len(at)), onset, end - dt)
        found |= {(round(t / dt), line) for t in at.tolist()}
    steps = np.array(sorted(found), np.intp).reshape(-1, 2)
    return steps[:, 1], steps[:, 0] * dt
