"""Draws side by side: what each of them does alone, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vsafsm.discovery import find
from vsafsm.errors import OptionError
from vsafsm.program import Program

BRIAN2: Any = find("brian2")
Draws = list[dict[str, object]]
DRAWS: dict[str, Draws] = {
    "parameters": [
        {
            "strength_pa": 3200.0 * (1 + 0.08 * n),
            "inhibition_gain": 0.8 * (1 - 0.05 * n),
            "bias_pa": 300.0 + 20 * n,
            "tau_syn_ms": 16.5 - n,
            "tau_mem_ms": 11.0 + n,
            "refractory_ms": 10.0 - n,
        }
        for n in range(6)
    ],
    "missing": [{"missing": 0.5, "draw_seed": seed} for seed in range(6)],
    "weight noise": [{"weight_noise": 2.0, "draw_seed": seed} for seed in range(6)],
    "all of them": [
        {"mismatch": 0.1, "missing": 0.2, "weight_noise": 0.5, "draw_seed": 1},
        {"mismatch_threshold": 0.1, "draw_seed": 2},
        {"speed": 1.5, "mismatch_tau_syn": 0.1, "draw_seed": 2},
        {"missing": 0.2, "bias_pa": 320.0},
        {"tau_syn_ms": 15.0},
        {},
    ],
}


def same(program: Program, word: list[str], draws: Draws, **options: object) -> None:
    """Every draw has the spikes and the readings that it has alone."""
    together = BRIAN2.record_draws(program, word, draws, **options)
    assert len(together) == len(draws)
    for draw, (recording, readings) in zip(draws, together, strict=True):
        alone, alone_readings = BRIAN2.record(program, word, **options, **draw)
        assert readings == alone_readings
        assert recording.cells.tolist() == alone.cells.tolist()
        assert recording.times_ms.tolist() == alone.times_ms.tolist()
        assert recording.events == alone.events
        assert recording.until_ms == alone.until_ms
        assert recording.fan_out.tolist() == alone.fan_out.tolist()


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=[pytest.mark.slow] * (k != "all of them")) for k in DRAWS]
)
def test_a_draw_side_by_side_is_the_draw_alone(program: Program, kind: str) -> None:
    same(program, ["coin", "push"], DRAWS[kind])


@pytest.mark.slow
@pytest.mark.parametrize("kind", DRAWS)
def test_so_it_is_with_outputs_of_transitions(vending: Program, kind: str) -> None:
    same(vending, ["5", "10", "10", "refund"], DRAWS[kind])


def test_so_it_is_in_modules(modular: Program) -> None:
    word = list(modular.machine.inputs)[:1]
    same(modular, word, [{"missing": 0.1, "draw_seed": 1}, {"bias_pa": 310.0}])


def test_options_of_all_draws(lamp: Program) -> None:
    word = ["press", lamp.machine.clock.symbol]  # type: ignore[union-attr]
    same(lamp, word, [{}, {"bias_pa": 310.0}], hold_ms=60.0, gap_ms=100.0, tick_ms=500.0)


def test_the_same_draws_give_the_same_spikes(program: Program) -> None:
    draws = DRAWS["missing"][:2]
    (one, _), (other, _) = BRIAN2.record_draws(program, ["coin"], draws)
    (again, _), (twin, _) = BRIAN2.record_draws(program, ["coin"], [draws[0], draws[0]])
    assert np.array_equal(one.cells, again.cells)
    assert np.array_equal(one.cells, twin.cells)
    assert not np.array_equal(one.cells, other.cells)


def test_no_draws_are_no_recordings(program: Program) -> None:
    assert BRIAN2.record_draws(program, ["coin"], []) == []


@pytest.mark.parametrize(
    "options",
    [
        {"inhibitory_cells": 80},
        {"synapses": "conductance"},
        {"signs": "dale"},
        {"noise_pa": 10.0},
        {"delay_ms": 1.0},
        {"delay_jitter_ms": 1.0},
        {"input_jitter_ms": 1.0},
        {"codegen": "cpp_standalone"},
    ],
)
def test_what_is_not_simulated_side_by_side_is_refused(
    program: Program, options: dict[str, object]
) -> None:
    (name,) = options
    with pytest.raises(OptionError, match=f"{name} is .*; expected"):
        BRIAN2.record_draws(program, ["coin"], [{}], **options)
    with pytest.raises(OptionError, match=f"draw 1 has {name}; expected"):
        BRIAN2.record_draws(program, ["coin"], [{}, options])


@pytest.mark.parametrize("name", ["hold_ms", "dt_ms", "gap_ms", "tick_ms"])
def test_what_draws_share_is_refused_in_one(program: Program, name: str) -> None:
    with pytest.raises(OptionError, match=f"draw 0 has {name}; expected"):
        BRIAN2.record_draws(program, ["coin"], [{name: 1.0}])


def test_a_misspelt_option_of_a_draw_is_refused(program: Program) -> None:
    with pytest.raises(OptionError, match='did you mean "missing"'):
        BRIAN2.record_draws(program, ["coin"], [{"mising": 0.5}])
