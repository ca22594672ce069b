"""From a network to an array: levels, contract, seeds, age, and steps that are read from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vsafsm.errors import OptionError
from vsafsm.network import MOST_STEPS, Network
from vsafsm.program import Program
from vsafsm.synchronous import step
from vsafsm_memristor.crossbar.array import SLACK_STEPS, plan_array, stepper
from vsafsm_memristor.crossbar.array import draw_array as drawn_array
from vsafsm_memristor.crossbar.mapping import SCHEMES
from vsafsm_memristor.crossbar.parameters import settings
from vsafsm_memristor.crossbar.stuck_cells import draw_faults
from vsafsm_memristor.device.presets import device_named
from vsafsm_memristor.errors import MappingError

Networks = Callable[..., Network]
Drawn = Callable[..., Any]


# ---- plans


@pytest.mark.parametrize(("levels", "largest"), [(2, 1), (4, 3), (8, 7), (16, 15), (128, 127)])
def test_weights_of_as_many_levels_as_there_are(
    networks: Networks, levels: int, largest: int
) -> None:
    plan = plan_array(networks(12, largest, bits=8), settings({"levels": levels}))
    assert plan.scale.us_per_lsb == pytest.approx(39 / largest)
    steps = {
        round(float(g - 1) / plan.scale.us_per_lsb, 3) for pair in plan.target for g in pair.ravel()
    }
    assert len(steps) <= levels
    assert all(step == int(step) for step in steps)


@pytest.mark.parametrize(("levels", "largest"), [(2, 2), (4, 4), (4, 5), (8, 8), (64, 64)])
def test_more_levels_than_there_are_need_another_program(
    networks: Networks, levels: int, largest: int
) -> None:
    with pytest.raises(MappingError) as told:
        plan_array(networks(12, largest, bits=8), settings({"levels": levels}))
    assert f"weights up to {largest}, and {levels} levels per device reach to {levels - 1}" in str(
        told.value
    )
    assert f"`vsafsm compile SPEC --for memristor --levels {levels} -o PROGRAM`" in str(told.value)


def test_inhibition_apart_is_refused(networks: Networks) -> None:
    with pytest.raises(MappingError, match="inhibition"):
        plan_array(networks(12, gain=2), settings({}))


def test_inputs_are_held_and_left_for_longer(networks: Networks) -> None:
    plan = plan_array(networks(12, steps=5), settings({}))
    assert (plan.network.contract.hold_steps, plan.network.contract.gap_steps) == (
        5 + SLACK_STEPS,
    ) * 2


def test_a_contract_is_never_longer_than_there_may_be(networks: Networks) -> None:
    for steps in (MOST_STEPS - 1, MOST_STEPS):
        contract = plan_array(networks(12, steps=steps), settings({})).network.contract
        assert (contract.hold_steps, contract.gap_steps) == (MOST_STEPS, MOST_STEPS)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_targets_stand_for_the_weights(networks: Networks, scheme: str) -> None:
    network = networks(12)
    plan = plan_array(network, settings({"scheme": scheme}))
    found = (plan.target.positive - plan.target.negative) / plan.scale.us_per_lsb
    assert found == pytest.approx(network.weights, abs=1e-4)
    assert all(0.999 <= g.min() <= g.max() <= 40.001 for g in plan.target)


# ---- arrays


def test_an_array_is_that_of_its_seed(networks: Networks, draw_array: Drawn) -> None:
    first, again, other = (draw_array(networks(12), seed)[2] for seed in (3, 3, 4))
    for a, b, c in zip(first.cells, again.cells, other.cells, strict=True):
        assert (a == b).all()
        assert (a != c).mean() > 0.9


def test_arrays_of_other_ages_differ_by_relaxation_only(networks: Networks) -> None:
    network, device = networks(20), device_named("neurram")
    fresh, old = (
        drawn_array(
            plan_array(network, settings({"seconds_after_programming": seconds})),
            np.random.default_rng(1),
        )[0].cells
        for seconds in (1.0, 172_800.0)
    )
    rng = np.random.default_rng(1)
    faults = draw_faults(20, device.stuck_off, device.stuck_on, rng)
    target = plan_array(network, settings({})).target
    programmed = [device.program(g, rng) for g in target]
    for polarity, (young, late, g) in enumerate(zip(fresh, old, programmed, strict=True)):
        g = np.where(faults.on[polarity], 40, np.where(faults.off[polarity], 0, g)).astype(
            np.float32
        )
        normal = rng.standard_normal(g.shape, np.float32)
        works = ~faults.any[polarity]
        assert faults.any.any()
        for seconds, found in ((1.0, young), (172_800.0, late)):
            moved = np.maximum(g + device.relaxation_sigma_us(g, seconds) * normal, 0)  # type: ignore[attr-defined]
            assert found[works] == pytest.approx(moved[works], abs=1e-4)
        assert (young[~works] == late[~works]).all()


def test_an_array_holds_its_targets_but_for_what_the_device_does(
    networks: Networks, draw_array: Drawn
) -> None:
    plan, faults, crossbar, _ = draw_array(
        networks(20), device="perovskite-nanowire", stuck_off=0.1, stuck_on=0.05
    )
    for polarity, (target, g) in enumerate(zip(plan.target, crossbar.cells, strict=True)):
        assert (g[faults.off[polarity]] == 0).all()
        assert (g[faults.on[polarity]] == 100).all()
        factor = g[~faults.any[polarity]] / target[~faults.any[polarity]]
        assert np.abs(np.log(factor)).max() < 5 * 0.0522
        assert np.log(factor).std() == pytest.approx(0.0522, rel=0.2)


def test_around_faults_the_partner_makes_up(networks: Networks, draw_array: Drawn) -> None:
    network = networks(30)
    errors = []
    for around in (False, True):
        options = {
            "device": "lognormal",
            "sigma": 0.0,
            "stuck_off": 0.1,
            "stuck_on": 0.1,
            "stuck_cells": "compensated" if around else "ignored",
        }
        _, _, crossbar, _ = draw_array(network, **options)
        seen = (crossbar.cells.positive - crossbar.cells.negative) / crossbar.scale.us_per_lsb
        errors.append(np.count_nonzero(np.abs(seen - network.weights) > 0.01))
    assert 0 < errors[1] < 0.75 * errors[0]


def test_the_converter_takes_a_quarter_more_than_a_code_needs(
    networks: Networks, draw_array: Drawn
) -> None:
    network = networks(20)
    crossbar = draw_array(network, rows=7, adc_bits=6)[2]
    parts = [
        abs(int(network.weights[i, first : first + 7].astype(int) @ code[first : first + 7]))
        for code in network.codes
        for i in range(20)
        for first in range(0, 20, 7)
    ]
    assert (crossbar.converter.bits, crossbar.converter.full_scale) == (6, 1.25 * max(parts))


@pytest.mark.parametrize("device", ["neurram", "perovskite-mean"])
def test_a_row_of_an_offset_tile_has_one_reference(
    networks: Networks, draw_array: Drawn, device: str
) -> None:
    options = {
        "device": device,
        "scheme": "offset",
        "rows": 6,
        "columns": 8,
        "stuck_off": 0.1,
        "stuck_on": 0.1,
    }
    _, _, crossbar, _ = draw_array(networks(20), **options)
    held = crossbar.layout.gather(crossbar.layout.spread(*crossbar.cells))
    for cells, there in zip(crossbar.cells, held, strict=True):
        assert (cells == there).all()


# ---- steps


def test_steps_are_those_of_the_network_on_an_ideal_array(
    program: Program, draw_array: Drawn
) -> None:
    options = {"device": "lognormal", "sigma": 0.0, "read_noise": False, "adc_bits": 0}
    plan, _, crossbar, rng = draw_array(program.network, **options)
    taken = stepper(plan.network, crossbar, rng)
    for code in program.network.codes:
        for mask, opened in enumerate(program.network.masks):
            active = np.flatnonzero(code)
            assert taken(active, opened).tolist() == step(program.network, active, mask).tolist()
    assert taken(np.zeros(0, np.intp), program.network.masks[0]).tolist() == []


def test_steps_compare_with_the_inhibition(networks: Networks) -> None:
    network = replace(networks(9), gain=2)

    class Fake:
        def drive(self, activity: Any, rng: Any) -> Any:
            return np.float32([[0, 3, 4, 5, 100, 4.5, -1, 8, 9]])

    opened = np.arange(9) != 4
    taken = stepper(network, Fake(), np.random.default_rng(0))
    assert taken(np.array([1, 5]), opened).tolist() == [3, 5, 7, 8]


def test_a_reference_makes_up_for_no_stuck_cell() -> None:
    with pytest.raises(
        OptionError, match='stuck_cells is "compensated", and scheme is "offset"; expected '
    ):
        settings({"stuck_cells": "compensated", "scheme": "offset"})
