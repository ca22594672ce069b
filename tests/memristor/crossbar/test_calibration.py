"""Trims and corrections: what is put into an array on purpose is found, and only cells that work
are written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.conditions import conditions
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm_memristor.crossbar.correction import Cells, correct
from vsafsm_memristor.crossbar.situations import Effort
from vsafsm_memristor.crossbar.stuck_cells import StuckCells
from vsafsm_memristor.crossbar.trimming import trim
from vsafsm_memristor.errors import MappingError

LAW = settings(deadline=None, max_examples=30)
BAD = {"device": "lognormal", "sigma": 1.0, "stuck_off": 0.02, "stuck_on": 0.02}
IDEAL = {"device": "lognormal", "sigma": 0.0, "read_noise": False, "adc_bits": 0}
Drawn = Callable[..., Any]


@dataclass(frozen=True)
class Fake:
    """Weights that are exact but for a gain and an offset of each neuron."""

    weights: Any
    gain: Any = 1.0
    offset: Any = 0.0
    noise: float = 0.0

    def drive(self, activity: Any, rng: np.random.Generator) -> Any:
        count = activity.sum(1, keepdims=True)
        found = self.gain * (activity.astype(np.float64) @ self.weights.T) + self.offset * count
        return np.asarray(found + self.noise * rng.standard_normal(found.shape), np.float32)


@dataclass(frozen=True)
class Deaf:
    """An array whose cells keep what they are, whatever is written."""

    crossbar: Any

    @property
    def cells(self) -> Any:
        return self.crossbar.cells

    def drive(self, activity: Any, rng: np.random.Generator) -> Any:
        return self.crossbar.drive(activity, rng)

    @property
    def failed(self) -> Any:
        return None

    def rewrite(self, places: Any, targets: Any, rng: np.random.Generator) -> Deaf:
        return self


@dataclass(frozen=True)
class Telling(Deaf):
    """The same, but it tells which cells it was asked for in vain; `asked` has all that it was
    asked for.
    """

    asked: Any
    told: Any

    @property
    def failed(self) -> Any:
        return self.told

    def rewrite(self, places: Any, targets: Any, rng: np.random.Generator) -> Telling:
        told = self.told.copy()
        told[places] = True
        return Telling(
            self.crossbar, [*self.asked, {*zip(*map(np.ndarray.tolist, places), strict=True)}], told
        )


def exact(network: Network, activity: Any) -> Any:
    return activity.astype(np.int64) @ network.weights.T.astype(np.int64)


# ---- trim


def short(program: Program, margin: float, drive_of: Callable[[Any], Any]) -> int:
    """(Situation, neuron) pairs short of the margin, one situation after the other."""
    network, count = program.network, 0
    opened = [*network.masks, np.ones(network.neurons, np.bool_)]
    found = conditions(program.lowered)
    columns = (found.source, found.open1, found.open2, found.want, found.care1, found.care2)
    for source, open1, open2, want, care1, care2 in np.stack(columns, 1).tolist():
        z = network.codes[source] & opened[open1] & opened[open2]
        least = margin * network.scale * int(z.sum())
        drive = drive_of(z)
        for i in np.flatnonzero(opened[care1] | opened[care2]).tolist():
            count += drive[i] < least if network.codes[want, i] else drive[i] > -least
    return count


@LAW
@given(seed=st.integers(0, 2**32))
def test_an_offset_is_trimmed_away(program: Program, seed: int) -> None:
    network, rng = program.network, np.random.default_rng(seed)
    assert program.claim.margin > 0.6
    offset = rng.uniform(-0.55, 0.55, network.neurons) * network.scale
    weights = network.weights.astype(float)
    array = Fake(weights, 1.0, offset)
    found = trim(network, program.lowered, array, rng, reads=1)
    assert short(program, 0.29, lambda z: array.drive(z[None], rng)[0]) > 0
    assert short(program, 0.29, lambda z: found.drive(z[None], rng)[0]) == 0


def test_no_other_offset_is_better(program: Program, draw_array: Drawn) -> None:
    """Each neuron for itself: how far it is short, situation after situation, counted no more than
    twice the margin.
    """
    planned, _, crossbar, rng = draw_array(
        program.network, **{**BAD, "sigma": 1.5, "read_noise": False}
    )
    network = planned.network
    found = trim(network, program.lowered, crossbar, rng, reads=1)
    margin = 0.3 * network.scale
    opened = [*network.masks, np.ones(network.neurons, np.bool_)]
    given = conditions(program.lowered)
    columns = (given.source, given.open1, given.open2, given.want, given.care1, given.care2)
    rows = np.stack(columns, 1).tolist()
    activities = [network.codes[s] & opened[a] & opened[b] for s, a, b, *_ in rows]
    drives = crossbar.drive(np.array(activities), rng)

    def loss(i: int, offset: float) -> float:
        total = 0.0
        for (*_, want, care1, care2), z, drive in zip(rows, activities, drives, strict=True):
            if (opened[care1] | opened[care2])[i]:
                net = (float(drive[i]) - offset * int(z.sum())) / (margin * int(z.sum()))
                total += min(2.0, max(0.0, 1 - (net if network.codes[want, i] else -net)))
        return total

    assert np.count_nonzero(found.offset) > network.neurons / 4
    for i in range(0, network.neurons, 7):
        own = loss(i, float(found.offset[i]))
        assert all(own <= loss(i, share * margin) + 1e-4 for share in np.linspace(-5, 5, 101))


def test_reads_are_averaged(program: Program) -> None:
    network = program.network
    noisy = Fake(network.weights.astype(float), noise=8.0)
    few, many = (
        np.abs(trim(network, program.lowered, noisy, np.random.default_rng(0), reads).offset).mean()
        for reads in (1, 64)
    )
    assert many < few / 4


def test_an_ideal_array_needs_no_trim(program: Program, draw_array: Drawn) -> None:
    planned, _, crossbar, rng = draw_array(program.network, **IDEAL)
    found = trim(planned.network, program.lowered, crossbar, rng)
    assert not found.offset.any()
    z = planned.network.codes
    assert found.drive(z, rng) == pytest.approx(exact(planned.network, z), abs=0.2)


# ---- correction


def workable(planned: Any, faults: StuckCells) -> Cells:
    model = planned.settings.model
    return Cells(faults.any, model.g_min_us, model.g_max_us)


@pytest.fixture(scope="module")
def bad(program: Program, draw_array: Drawn) -> Any:
    """A bad array, corrected: -> (plan, faults, crossbar before, what came of it)."""
    planned, faults, crossbar, rng = draw_array(program.network, **BAD)
    return (
        planned,
        faults,
        crossbar,
        correct(planned.network, program.lowered, crossbar, workable(planned, faults), rng),
    )


def test_a_bad_array_gets_better(program: Program, bad: Any) -> None:
    *_, crossbar, found = bad
    assert found.short_before > 100
    assert found.short_after < found.short_before / 5
    for array, counted in ((crossbar, found.short_before), (found.array, found.short_after)):
        weights = (array.cells.positive - array.cells.negative).astype(
            np.float64
        ) / array.scale.us_per_lsb
        exactly = short(program, 0.3, lambda z, weights=weights: weights @ z)
        assert counted == pytest.approx(exactly, rel=0.1, abs=15)


def test_stuck_cells_are_not_written(bad: Any) -> None:
    _, faults, crossbar, found = bad
    assert faults.any.sum() > 500
    for polarity, (before, after) in enumerate(zip(crossbar.cells, found.array.cells, strict=True)):
        stuck = faults.any[polarity]
        assert (before[stuck] == after[stuck]).all()


def test_rewritten_cells_are_counted_once_each(bad: Any) -> None:
    _, _, crossbar, found = bad
    differ = [
        np.count_nonzero(a != b) for a, b in zip(crossbar.cells, found.array.cells, strict=True)
    ]
    assert found.rounds > 1
    assert found.rewritten == sum(differ) > 0
    assert found.writes >= found.rewritten


def test_the_array_that_was_given_is_not_changed(
    bad: Any, draw_array: Drawn, program: Program
) -> None:
    _, _, crossbar, _ = bad
    again = draw_array(program.network, **BAD)[2]
    assert all((a == b).all() for a, b in zip(crossbar.cells, again.cells, strict=True))


@pytest.mark.parametrize("budget", [0.0, 0.001, 0.01, 0.05])
def test_a_correction_stays_within_its_budget(
    program: Program, draw_array: Drawn, budget: float
) -> None:
    planned, faults, crossbar, rng = draw_array(program.network, **{**BAD, "sigma": 1.5})
    found = correct(
        planned.network,
        program.lowered,
        crossbar,
        workable(planned, faults),
        rng,
        Effort(budget=budget),
    )
    assert found.short_after > 0
    assert found.rewritten <= budget * 2 * program.network.neurons**2


def test_a_correction_takes_no_more_rounds_than_it_may(program: Program, draw_array: Drawn) -> None:
    planned, faults, crossbar, rng = draw_array(program.network, **BAD)
    for rounds in (0, 1, 3):
        found = correct(
            planned.network,
            program.lowered,
            crossbar,
            workable(planned, faults),
            rng,
            Effort(rounds=rounds),
        )
        assert found.rounds == rounds
        assert (found.rewritten == 0) == (rounds == 0)
        assert found.rewritten <= found.writes <= rounds * 2 * 4 * program.network.neurons


@pytest.mark.parametrize("patience", [1, 4])
def test_a_correction_that_brings_nothing_ends(
    program: Program, draw_array: Drawn, patience: int
) -> None:
    planned, faults, crossbar, rng = draw_array(program.network, **{**BAD, "read_noise": False})
    deaf = Deaf(crossbar)
    found = correct(
        planned.network,
        program.lowered,
        deaf,
        workable(planned, faults),
        rng,
        Effort(patience=patience),
    )
    assert found.rounds == patience
    assert found.short_after == found.short_before > 0


def test_cells_that_cannot_be_programmed_are_not_tried_again(
    program: Program, draw_array: Drawn
) -> None:
    planned, faults, crossbar, rng = draw_array(program.network, **{**BAD, "read_noise": False})
    told: list[str] = []
    telling = Telling(crossbar, [], np.zeros_like(faults.any))
    found = correct(
        planned.network,
        program.lowered,
        telling,
        workable(planned, faults),
        rng,
        Effort(patience=6),
        lambda what, share: told.append(what),
    )
    asked = found.array.asked
    assert len(asked) == len(told) == 6
    assert all(one.isdisjoint(other) for i, one in enumerate(asked) for other in asked[:i])
    assert told[0] == f"round 1: {found.short_before} pairs short"


def test_a_neuron_has_few_pairs_changed_in_a_round(program: Program, draw_array: Drawn) -> None:
    planned, faults, crossbar, rng = draw_array(program.network, **BAD)
    found = correct(
        planned.network,
        program.lowered,
        crossbar,
        workable(planned, faults),
        rng,
        Effort(rounds=1, pairs_per_round=2),
    )
    differ = np.any(
        [a != b for a, b in zip(crossbar.cells, found.array.cells, strict=True)], axis=0
    )
    assert differ.any()
    assert differ.sum(1).max() <= 2


def test_rewritten_cells_are_as_old_as_the_others(program: Program, draw_array: Drawn) -> None:
    planned, faults, crossbar, rng = draw_array(program.network, stuck_off=0.05, stuck_on=0.05)
    found = correct(
        planned.network,
        program.lowered,
        crossbar,
        workable(planned, faults),
        rng,
        Effort(margin=0.4),
    )
    assert found.rewritten > 0
    assert found.array.seconds == crossbar.seconds == 86_400
    assert all((g >= 0).all() for g in found.array.cells)


def test_an_ideal_array_is_left_alone(program: Program, draw_array: Drawn) -> None:
    planned, faults, crossbar, rng = draw_array(program.network, **IDEAL)
    found = correct(planned.network, program.lowered, crossbar, workable(planned, faults), rng)
    assert found.array is crossbar
    assert (found.rewritten, found.rounds, found.short_before, found.short_after) == (0, 0, 0, 0)


def test_a_margin_that_nothing_has_is_short_as_counted(program: Program, draw_array: Drawn) -> None:
    planned, faults, crossbar, rng = draw_array(program.network, **IDEAL)
    found = correct(
        planned.network,
        program.lowered,
        crossbar,
        workable(planned, faults),
        rng,
        Effort(margin=0.8137, rounds=0),
    )
    weights = program.network.weights.astype(np.int64)
    assert (
        found.short_before == found.short_after == short(program, 0.8137, lambda z: weights @ z) > 0
    )


def test_references_are_not_corrected(program: Program, draw_array: Drawn) -> None:
    planned, faults, crossbar, rng = draw_array(program.network, scheme="offset", **BAD)
    with pytest.raises(MappingError, match="differential"):
        correct(planned.network, program.lowered, crossbar, workable(planned, faults), rng)
