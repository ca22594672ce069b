"""The latch's neurons against what the latch is documented to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.trains import arrivals
from vsafsm_loihi2.latch import Latch, latch

RunLatch = Callable[..., list[list[int]]]
SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 8), st.integers(1, 8))


def lines_of(made: Latch, fired: list[list[int]]) -> list[int | None]:
    """The line of each step; never are there two."""
    found = []
    for neurons in fired:
        on = [i - made.lines.start for i in neurons if made.lines.start <= i < made.lines.stop]
        assert len(on) <= 1
        found.append(on[0] if on else None)
    return found


@given(data=st.data(), shape=SHAPES)
@settings(deadline=None, max_examples=400)
def test_lines_are_on_when_they_should(
    data: st.DataObject,
    shape: tuple[int, int, int],
    trains: Any,
    plain_latch: Any,
    run_latch: RunLatch,
) -> None:
    inputs, hold, gap = shape
    train = data.draw(trains(inputs + 1))
    made, steps = latch(inputs, hold, gap), len(train) + hold + gap + 4
    fired = run_latch(made, train, steps)
    assert lines_of(made, fired) == plain_latch(hold, gap).lines(train, steps)
    assert fired[-1] == []


@given(data=st.data(), shape=SHAPES)
@settings(deadline=None, max_examples=100)
def test_spikes_without_a_pause_change_nothing_of_it(
    data: st.DataObject, shape: tuple[int, int, int], plain_latch: Any, run_latch: RunLatch
) -> None:
    inputs, hold, gap = shape
    every = st.lists(
        st.integers(0 if data.draw(st.booleans()) else 1, inputs), min_size=1, max_size=4
    )
    train = data.draw(st.lists(every, min_size=20, max_size=50))
    made = latch(inputs, hold, gap)
    assert lines_of(made, run_latch(made, train, len(train))) == plain_latch(hold, gap).lines(
        train, len(train)
    )


@given(data=st.data(), shape=SHAPES)
@settings(deadline=None, max_examples=200)
def test_it_drops_what_the_rule_for_trains_drops(
    data: st.DataObject, shape: tuple[int, int, int], trains: Any, run_latch: RunLatch
) -> None:
    """Spikes of inputs only. Of those in one step the lowest channel comes first in the train."""
    inputs, hold, gap = shape
    train = [[channel + 1 for channel in each] for each in data.draw(trains(inputs))]
    train = [[]] * gap + train  # until the gap of the reset at the start is over
    events = [(t, str(c)) for t, each in enumerate(train, 1) for c in sorted(set(each))]
    made, steps = latch(inputs, hold, gap), len(train) + hold + gap + 4
    on = lines_of(made, run_latch(made, train, steps))
    expected: dict[int, int] = {1: 0}
    for each in arrivals(events, hold, gap):
        if not each.dropped:
            lasting = range(int(each.time) + 2, int(each.time) + 2 + hold)
            expected |= dict.fromkeys(lasting, int(each.symbol))
    assert on == [expected.get(t) for t in range(1, steps + 1)]


@pytest.mark.parametrize("hold", [1, 2, 5])
@pytest.mark.parametrize("gap", [1, 2, 5])
def test_an_event_is_kept_out_until_the_gap_is_over_and_no_longer(
    hold: int, gap: int, run_latch: RunLatch
) -> None:
    made, first, steps = latch(2, hold, gap), 20, 60
    for later in range(1, hold + gap + 3):
        train = [
            [1] if t == first else [2] if t == first + later else [] for t in range(1, steps + 1)
        ]
        on = [
            t
            for t, line in enumerate(lines_of(made, run_latch(made, train, steps)), 1)
            if line == 2
        ]
        passes = later > hold + gap - 1
        assert on == (list(range(first + later + 2, first + later + 2 + hold)) if passes else [])


@pytest.mark.parametrize("hold", [1, 2, 5])
@pytest.mark.parametrize("gap", [1, 2, 5])
def test_a_reset_always_passes_and_ends_what_is_under_way(
    hold: int, gap: int, run_latch: RunLatch
) -> None:
    made, first, steps = latch(1, hold, gap), 20, 60
    for later in range(hold + gap + 3):
        train = [
            [*([1] if t == first else []), *([0] if t == first + later else [])]
            for t in range(1, steps + 1)
        ]
        lines = lines_of(made, run_latch(made, train, steps))
        assert [t for t, line in enumerate(lines, 1) if line == 0] == [1, first + later + 2]
        assert [t for t, line in enumerate(lines, 1) if line == 1] == list(
            range(first + 2, first + 2 + min(hold, later))
        )


def test_the_reset_is_on_in_the_first_step_and_an_event_may_pass_in_the_step_that_ends_its_gap(
    run_latch: RunLatch,
) -> None:
    for gap in range(1, 9):
        made = latch(1, 3, gap)
        for spike in range(1, gap + 3):
            train = [[]] * (spike - 1) + [[1]]
            lines = lines_of(made, run_latch(made, train, 20))
            assert lines[0] == 0
            assert lines.count(1) == (3 if spike >= gap else 0)


@pytest.mark.parametrize("inputs", [124, 300])
@pytest.mark.parametrize("seed", range(3))
def test_a_large_alphabet_is_arbitrated_as_well(
    inputs: int, seed: int, plain_latch: Any, run_latch: RunLatch
) -> None:
    rng, made, hold, gap = np.random.default_rng(seed), latch(inputs, 3, 2), 3, 2
    crowd = [list(range(int(rng.integers(1, inputs + 1)), inputs + 1)) for _ in range(40)]
    alone = [[int(rng.integers(inputs - 3, inputs + 1))] for _ in range(40)]
    train = [
        channels if rng.random() < 0.6 else []
        for pair in zip(crowd, alone, strict=True)
        for channels in pair
    ] + [
        [0, inputs],
        [inputs],
    ]
    steps = len(train) + 8
    assert lines_of(made, run_latch(made, train, steps)) == plain_latch(hold, gap).lines(
        train, steps
    )


@pytest.mark.parametrize("inputs", [1, 6, 300])
def test_after_a_crowd_the_highest_channel_passes_on_its_own(
    inputs: int, run_latch: RunLatch
) -> None:
    made = latch(inputs, 1, 1)
    train = [[], [], [], list(range(1, inputs + 1)), [], [inputs]]
    lines = lines_of(made, run_latch(made, train, 12))
    assert lines[5] == 1
    assert lines[7] == inputs


@pytest.mark.parametrize("inputs", [1, 5, 300])
@pytest.mark.parametrize(("hold", "gap"), [(1, 1), (1, 4), (2, 1), (7, 3)])
def test_its_weights_are_the_chips_and_it_has_the_neurons_that_it_says(
    inputs: int, hold: int, gap: int
) -> None:
    made = latch(inputs, hold, gap)
    neurons = 2 * (inputs + 1) + hold + gap - 2
    assert made.channels == inputs + 1
    assert made.arrivals.shape == (neurons, inputs + 1)
    assert made.recurrent.shape == (neurons, neurons)
    assert made.membrane.shape == (neurons,)
    for weights in (made.arrivals, made.recurrent):
        assert (weights % 2 == 0).all()
        assert np.abs(weights).max() <= 254
        assert np.abs(weights).sum(1).max() < 2**15


def test_weights_from_the_lines_are_widened_to_all_neurons() -> None:
    made = latch(2, 2, 2)
    wide = made.widened(np.arange(12, dtype=np.int16).reshape(4, 3))
    assert wide.shape == (4, len(made.membrane))
    assert wide[:, 3:6].tolist() == np.arange(12).reshape(4, 3).tolist()
    assert np.count_nonzero(wide) == 11
