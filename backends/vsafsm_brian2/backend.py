"""The backend: what it requires, and the session, the whole word, the script and the picture behind
the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsafsm.backend import Description, Run
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.requirements import Requirements
from vsafsm_brian2.parameters import (
    SIZES,
    Parameters,
    Realism,
    RunSettings,
    Sizing,
    check_contract,
    check_delay,
    check_ticks,
    options,
    taken,
)

if TYPE_CHECKING:
    from vsafsm_brian2.reading import Recording, StateReading
    from vsafsm_brian2.session import Brian2Session


class Brian2Backend:
    """Leaky integrate-and-fire cells in continuous time: statistical, so that measurements speak
    for it.
    """

    name = "brian2"
    exact = False
    options = options()

    def unavailable(self) -> str | None:
        """The install command, where Brian2 is not there."""
        if find_spec("brian2") is None:
            return "Brian2 is not installed; expected: pip install 'vsafsm[brian2]'"
        return None

    def requirements(self, options: Mapping[str, object]) -> Requirements:
        """Measured in ``benchmarks/brian2_figures.py``: small weights, a wide margin, four times
        the smallest N; ten times for the size ``tolerant``.
        """
        self._checked(options)
        return SIZES[taken(Sizing, options).size]

    def lower(self, program: Program, **options: object) -> Network:
        """The program's own network: weights become synaptic currents without rounding."""
        return program.network

    def open(self, program: Program, **options: object) -> Brian2Session:
        """Start a session."""
        settings = self._settings(program, options)
        from vsafsm_brian2.session import Brian2Session

        return Brian2Session(program, *settings)

    def run(self, program: Program, word: Sequence[str], **options: object) -> Run:
        """Run a word known in advance, in one go."""
        return _as_run(self.record(program, word, **options)[1])

    def record(
        self, program: Program, word: Sequence[str], **options: object
    ) -> tuple[Recording, list[StateReading]]:
        """Run a word, keeping its spikes."""
        parameters, realism, running = self._settings(program, options)
        from vsafsm_brian2.session import run_word

        return run_word(program, word, parameters, realism, running)

    def record_draws(
        self,
        program: Program,
        word: Sequence[str],
        draws: Sequence[Mapping[str, object]],
        **options: object,
    ) -> list[tuple[Recording, list[StateReading]]]:
        """Run a word through draws in one network: -> of each what `record` returns.

        Parameters
        ----------
        draws
            The options of each, such as ``{"missing": 0.5, "draw_seed": 3}``.
        options
            Those of all draws.

        Raises
        ------
        OptionError
            If draws cannot be simulated side by side.
        """
        from vsafsm_brian2.ensemble import check_draws, run_draws

        check_draws(draws, options)
        settings = [self._settings(program, {**options, **draw}) for draw in draws]
        return run_draws(program, word, settings)

    def emit(self, program: Program, folder: Path, **options: object) -> None:
        """Write ``run.py``, a stand-alone Brian2 script, and its ``network.npz`` into `folder`."""
        from vsafsm_brian2.emit import emit

        emit(program, folder, *self._settings(program, options))

    def plot(
        self,
        program: Program,
        word: Sequence[str],
        path: Path,
        theme: str = "screen",
        **options: object,
    ) -> Run:
        """Run a word and draw it: raster, overlaps, inputs, states and outputs over time."""
        from vsafsm.plotting.canvas import check_drawable
        from vsafsm.plotting.style import theme_of
        from vsafsm_brian2.plot import draw

        check_drawable(path)
        chosen = theme_of(theme)
        recording, readings = self.record(program, word, **options)
        draw(recording, program.machine, taken(RunSettings, options), path, chosen)
        return _as_run(readings)

    def describe(self, program: Program, **options: object) -> Description:
        """Cells, synapses, the weight of a synapse in the default parameters, and how fast cells
        are.
        """
        from vsafsm_brian2.model import namespace

        parameters, _, running = self._checked(options)
        check_ticks(program.machine, running)
        network = program.network
        step = namespace(program, Parameters(), Realism())["w_step"]
        clock = program.machine.clock
        period = {} if clock is None else {"tick_ms": running.tick_ms or float(clock.seconds) * 1e3}
        return {
            "cells": network.neurons,
            "lines": len(network.inputs) + 2,
            "recurrent_synapses": int(network.fan_out.sum()),
            "weight_step_pA": round(float(step) * 1e12, 3),
            "hold_ms": running.hold_ms,
            **period,
            "speed": round(float(parameters.speed or 1.0), 3),
        }

    def _checked(self, options: Mapping[str, Any]) -> tuple[Parameters, Realism, RunSettings]:
        running, realism = taken(RunSettings, options), taken(Realism, options)
        parameters = taken(Parameters, options).for_hold(running.hold_ms)
        check_delay(realism, parameters)
        return parameters, realism, running

    def _settings(
        self, program: Program, options: Mapping[str, Any]
    ) -> tuple[Parameters, Realism, RunSettings]:
        parameters, realism, running = self._checked(options)
        check_ticks(program.machine, running)
        check_contract(running.hold_ms, running.gap_ms, parameters.speed)
        return parameters, realism, running


def _as_run(readings: Sequence[StateReading]) -> Run:
    return Run(
        tuple(reading.state for reading in readings), tuple(reading.outputs for reading in readings)
    )


BACKEND = Brian2Backend()
