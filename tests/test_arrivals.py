"""What is asked while a mask arrives, held against the machine, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm.arrivals import BACK, EARLY, LATE, arriving, asked_in
from vsafsm.asynchronous import Runs, Timing
from vsafsm.codebook import Codebook
from vsafsm.lowering import REST, Lowered, lower
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.situations import Asked, arcs
from vsafsm.visited import failed, visited

Strategy = Callable[..., st.SearchStrategy[Machine]]
Drawn = Callable[[Machine], tuple[Lowered, Codebook]]


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_nothing_but_the_two_codes_of_a_change_is_ever_to_fire(
    small_machine_strategy: Strategy, drawn_codes: Drawn, data: st.DataObject
) -> None:
    machine = data.draw(small_machine_strategy(states=4, inputs=3))
    lowered, book = drawn_codes(machine)
    asked = arriving(lowered, book, np.random.default_rng(data.draw(st.integers(0, 99))))
    both = book.codes[asked.place[:, 0]] | book.codes[asked.place[:, 1]]
    assert len(asked.activity)
    assert not (asked.want & ~both).any()
    # Neurons of a third code that see their mask open both before and after are to be silent.
    for both_codes, care, place in zip(both, asked.care, asked.place, strict=True):
        mask = book.masks[place[2]]
        others = [book.masks[REST]] if place[2] != REST else list(book.masks[1:])
        assert any((care | both_codes)[mask & other].all() for other in others)


@pytest.fixture
def step(turnstile: Machine, drawn_codes: Drawn) -> tuple[Codebook, np.ndarray]:
    """Codes and masks, and one change of the mask that leads from one code to another."""
    lowered, book = drawn_codes(turnstile)
    move = next(each for each in lowered.moves if each.source != each.target)
    return book, np.array([[move.source, move.target, REST, move.mask]])


@pytest.mark.parametrize("arrived", [0.0, BACK - 0.01, BACK + 0.01, 0.5, EARLY, 0.8, LATE, 1.0])
def test_the_old_code_stays_early_and_the_new_one_comes_late(
    step: tuple[Codebook, np.ndarray], arrived: float
) -> None:
    book, table = step
    source, target, before, mask = table[0]
    old, new = book.codes[source], book.codes[target]
    seen = np.random.default_rng(1).random(len(old)) < arrived
    opened = np.where(seen, book.masks[mask], book.masks[before])

    def found(active: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        at = np.array([arrived])
        asked = asked_in(book, table, (active & opened)[None], opened[None], at)
        return (asked.want[0], asked.care[0]) if len(asked.activity) else None

    holds = found(old)
    assert holds is not None
    want, care = holds
    assert (want & care)[old & opened & ~new].all()
    only_new = new & opened & ~old
    if arrived <= EARLY:
        assert care[only_new].all()
        assert not want[only_new].any()
    elif arrived < LATE:
        assert not care[only_new].any()
    else:
        assert (want & care)[only_new].all()
    rises = found(new)
    if arrived < BACK:
        assert rises is None
    else:
        assert rises is not None
        want, care = rises
        assert (want & care)[new & opened].all()
        assert not (want & care)[old & ~new].any()
    # An activity of neither code teaches nothing.
    assert found(~(old | new)) is None


def test_what_runs_visit_is_open_and_of_one_of_the_two_codes(turnstile: Machine) -> None:
    program = vsafsm.compile(turnstile, dimension=128, tolerate="none")
    network = program.network
    lowered = lower(turnstile)
    book = Codebook(network.masks, network.codes)
    rng = np.random.default_rng(0)
    asked = visited(Runs(turnstile, network, Timing(1.0, 20), rng), lowered, book)
    assert len(asked.activity) > 2 * len(lowered.moves)
    assert not (asked.want & ~(book.codes[asked.place[:, 0]] | book.codes[asked.place[:, 1]])).any()
    # Some are halfway: neither mask leaves all of it open.
    closed = asked.activity & ~book.masks[asked.place[:, 2]]
    assert closed.any()
    rng = np.random.default_rng(0)
    again = visited(Runs(turnstile, network, Timing(1.0, 20), rng), lowered, book)
    np.testing.assert_array_equal(asked.activity, again.activity)


def test_masks_that_arrive_over_a_while_are_tolerated(turnstile: Machine) -> None:
    program = vsafsm.compile(turnstile, tolerate="timing:masks:20", confidence=0.9)
    smallest = vsafsm.compile(turnstile, tolerate="none", dimension=program.network.neurons)

    def correct(network: vsafsm.Network) -> float:
        rng = np.random.default_rng(5)
        words = rng.integers(2, size=(50, 20)).tolist()
        return float(Runs(turnstile, network, Timing(1.0, 20), rng).correct_words(words).mean())

    assert correct(program.network) > 0.9
    assert correct(smallest.network) < 0.5
    (told,) = program.tolerated
    assert told.noise == "timing:masks:20"
    assert told.interval[0] > 0.9


def weakly_refined(machine: Machine) -> tuple[Lowered, Codebook, Network]:
    program = vsafsm.compile(
        machine, dimension=184, active=16, rule="robust", margin=0.2, tolerate="none"
    )
    return lower(machine), Codebook(program.network.masks, program.network.codes), program.network


def test_runs_that_failed_are_asked_to_end_where_they_should(examples: dict[str, Machine]) -> None:
    machine = examples["sequence_detector"]
    lowered, book, network = weakly_refined(machine)
    most = 4000

    def found() -> Asked | None:
        runs = Runs(machine, network, Timing(0.1), np.random.default_rng(0))
        return failed(runs, lowered, book, most)

    asked, again = found(), found()
    assert asked is not None
    # Far fewer than what all runs pass through, and each of a change that there is.
    assert 0 < len(asked.activity) < most
    assert {tuple(each) for each in asked.place.tolist()} <= {
        (arc.source, arc.target, arc.mask) for arc in arcs(lowered)
    }
    assert not (asked.want & ~(book.codes[asked.place[:, 0]] | book.codes[asked.place[:, 1]])).any()
    assert again is not None
    np.testing.assert_array_equal(asked.activity, again.activity)


def test_nothing_is_asked_where_no_run_fails(turnstile: Machine) -> None:
    lowered, book, network = weakly_refined(turnstile)
    rng = np.random.default_rng(0)
    assert failed(Runs(turnstile, network, Timing(1.0), rng), lowered, book, 500) is None
