"""A word run through many draws side by side: one Brian2 network with a set of cells per draw.

Most of the time of a small network is Brian2's own, per object and time step, and does not grow
with the number of cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import brian2 as b2
import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import OptionError, did_you_mean
from vsafsm.machine import listed
from vsafsm.program import Program
from vsafsm_brian2 import equations as eq
from vsafsm_brian2.model import (
    UNITS,
    Brian2FSM,
    constants_of,
    drawn_synapses,
    drawn_to_pool,
    mismatched,
    namespace,
)
from vsafsm_brian2.parameters import Parameters, Realism, RunSettings
from vsafsm_brian2.reading import Recording, StateReading
from vsafsm_brian2.session import Simulation, advance_word, readings_at
from vsafsm_brian2.surroundings import check_can_run, target

Settings = tuple[Parameters, Realism, RunSettings]
WITHOUT = (
    *("inhibitory_cells", "synapses", "signs"),
    *("noise_pa", "delay_ms", "delay_jitter_ms", "input_jitter_ms"),
)
"""Options of which only the default is simulated side by side."""
IN_COMMON = ("dt_ms", "hold_ms", "gap_ms", "tick_ms", "codegen", "build_dir")
"""Options that all draws share."""
OF_A_DRAW = tuple(
    each.name
    for group in (Parameters, Realism, RunSettings)
    for each in fields(group)
    if each.name not in (*WITHOUT, *IN_COMMON)
)
"""Options that may differ between draws."""


class Ensemble(Brian2FSM):
    """The Brian2 objects of a program with a set of N cells and a pool per draw, for the same
    lines: cell i of draw d is cell ``d N + i``.

    Each draw takes random numbers from its own ``draw_seed``, in the order in which `Brian2FSM`
    does.
    """

    def __init__(self, program: Program, draws: Sequence[Settings]) -> None:
        self.copies = len(draws)
        self._draws = [
            (namespace(program, parameters, realism), realism, _generator(running))
            for parameters, realism, running in draws
        ]
        super().__init__(program, *draws[0][:2])

    def recordings(self, recording: Recording) -> list[Recording]:
        """That of each draw, from that of all cells."""
        shape = self.copies, self.network.neurons
        draw, cell = np.divmod(recording.cells, shape[1])
        order = np.argsort(draw, kind="stable")
        spikes = np.split(order, np.searchsorted(draw[order], np.arange(1, self.copies)))
        return [
            replace(recording, times_ms=recording.times_ms[own], cells=cell[own], fan_out=fan_out)
            for own, fan_out in zip(spikes, recording.fan_out.reshape(shape), strict=True)
        ]

    def _pool(self) -> Any:
        varied = {"tau_syn": self._of_draws("tau_syn")} if self._differs("tau_syn") else {}
        text = eq.POOL + constants_of(varied)
        pool = self._group(self.copies, text, "pool", method="exact", without=varied)
        for name, values in varied.items():
            setattr(pool, name, values)
        return pool

    def _varied(self) -> dict[str, Any]:
        own = [mismatched(self.network, *draw) for draw in self._draws]
        names = [n for n in UNITS if self._differs(n) or any(n in values for values in own)]
        found = {}
        for name in names:
            found[name] = np.repeat(self._of_draws(name), self.network.neurons)
            for values, part in zip(own, np.split(found[name], self.copies), strict=True):
                part[:] = values.get(name, part)
        return found

    def _of_draws(self, name: str) -> Any:
        """A constant of each draw (D,)."""
        return b2.Quantity([constants[name] for constants, *_ in self._draws])

    def _differs(self, name: str) -> bool:
        return len(set(np.asarray(self._of_draws(name)).tolist())) > 1

    def _synapses(self) -> tuple[NDArray[np.intp], NDArray[np.intp], Any]:
        """Sender, target and weight of every synapse, by sender: those that a spike reaches lie
        side by side in memory. Each cell sums in the order of senders in any case.
        """
        found = []
        for d, (constants, realism, rng) in enumerate(self._draws):
            pre, post, weights = drawn_synapses(self.network, realism, rng)
            order, first = np.argsort(pre, kind="stable"), d * self.network.neurons
            step = float(constants["w_step"])
            found.append((pre[order] + first, post[order] + first, weights[order] * step))
        pre, post, weights = (np.concatenate(each) for each in zip(*found, strict=True))
        return pre, post, weights * b2.amp

    def _reaching_pool(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        there = [drawn_to_pool(self.network, realism, rng) for _, realism, rng in self._draws]
        pool = np.repeat(np.arange(self.copies), [len(cells) for cells in there])
        return np.concatenate(there) + pool * self.network.neurons, pool


def run_draws(
    program: Program, word: Sequence[str], draws: Sequence[Settings]
) -> list[tuple[Recording, list[StateReading]]]:
    """Run a word through draws in one `Network.run`: -> of each what `run_word` returns."""
    if not draws:
        return []
    running = draws[0][2]
    check_can_run(running.codegen)
    with target(running.codegen):
        ensemble = Ensemble(program, draws)
        simulation = Simulation(program, *draws[0], ensemble)
        ends = advance_word(simulation, program, word)
        recordings = ensemble.recordings(simulation.recording())
    return [(recording, readings_at(recording, ends)) for recording in recordings]


def check_draws(draws: Sequence[Mapping[str, object]], options: Mapping[str, object]) -> None:
    """Raise `OptionError` where draws cannot be simulated side by side."""
    for number, draw in enumerate(draws):
        for name in draw:
            if name not in OF_A_DRAW:
                raise OptionError(
                    f"draw {number} has {name}; expected only what may differ between draws:"
                    f" {listed(OF_A_DRAW)}{did_you_mean(name, OF_A_DRAW)}"
                )
    usual = {each.name: each.default for group in (Parameters, Realism) for each in fields(group)}
    for name in WITHOUT:
        if (value := options.get(name, usual[name])) != usual[name]:
            raise OptionError(
                f"{name} is {value}; expected {usual[name]}, as draws side by side do not have it,"
                " or draws one by one"
            )
    if options.get("codegen") == "cpp_standalone":
        raise OptionError(
            "codegen is cpp_standalone; expected numpy or cython for draws side by side"
        )


def _generator(running: RunSettings) -> np.random.Generator:
    return np.random.default_rng(running.draw_seed)
