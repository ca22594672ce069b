"""From spikes to states, on spikes made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.program import Program
from vsafsm_brian2.reading import Event, Recording, active, input_spikes


def firing(
    program: Program, *phases: tuple[int, float, float], mask: int | None = None
) -> Recording:
    """The open cells of codes, each firing every 10 ms from a time to another."""
    network = program.network
    found = []
    for code, begin, end in phases:
        opened = network.codes[code] & network.masks[0 if mask is None else mask]
        found += [
            (t, cell)
            for cell in np.flatnonzero(opened).tolist()
            for t in np.arange(begin, end, 10.0)
        ]
    found.sort()
    times, cells = (np.array(column) for column in zip(*found, strict=True))
    fan_out = np.full(network.neurons, 3)
    return Recording(
        network, times, cells.astype(np.intp), (), max(end for *_, end in phases), fan_out
    )


def test_counts_are_of_an_interval(program: Program) -> None:
    recording = firing(program, (0, 0.0, 100.0))
    cells = np.flatnonzero(program.network.codes[0] & program.network.masks[0])
    counts = recording.counts(20.0, 50.0)
    assert set(counts[cells].tolist()) == {3}
    assert counts.sum() == 3 * len(cells)
    assert recording.rate_hz(0.0, 100.0) == pytest.approx(100.0)
    assert recording.rate_hz(100.0, 200.0) == 0.0


def test_an_activity_stands_for_its_code_and_silence_for_none(program: Program) -> None:
    recording = firing(program, (0, 0.0, 100.0), (1, 100.0, 200.0))
    assert [recording.code_at(t) for t in (80.0, 190.0)] == [0, 1]
    assert recording.code_at(400.0) == -1
    assert recording.read(None, 400.0).state is None
    assert recording.read(None, 90.0).state == "locked"
    assert recording.read(None, 90.0).outputs == ("barrier_closed",)


def test_outputs_of_a_transition_are_read_at_the_end_of_its_input(vending: Program) -> None:
    network = vending.network
    pending = next(i for i, label in enumerate(network.labels) if label.outputs)
    label = network.labels[pending]
    a = next(
        a
        for a, symbol in enumerate(network.inputs)
        for state in network.states
        if vending.machine.transition(state, symbol).outputs == label.outputs
    )
    held = firing(vending, (pending, 0.0, 80.0), mask=a + 1)
    rest = firing(vending, (label.state, 80.0, 180.0))
    both = replace(
        held,
        times_ms=np.concatenate([held.times_ms, rest.times_ms]),
        cells=np.concatenate([held.cells, rest.cells]),
        until_ms=180.0,
    )
    reading = both.read(Event(a, 0.0, 80.0), 180.0)
    assert reading.mealy == label.outputs
    assert reading.state == network.states[label.state]


def test_over_time_no_window_reaches_across_a_change_of_masks(program: Program) -> None:
    recording = replace(firing(program, (0, 0.0, 300.0)), events=(Event(1, 100.0, 200.0),))
    times, codes = recording.decoded()
    assert times[0] == 5.0
    assert times[-1] == 300.0
    assert [recording.mask_at(t) for t in (99.0, 100.0, 199.0, 200.0)] == [0, 2, 2, 0]
    assert set(codes[(times > 20) & (times <= 100)].tolist()) == {0}
    assert recording.overlaps()[1].shape == (len(times), len(program.network.codes))


def test_spikes_and_synaptic_operations_of_a_transition(program: Program) -> None:
    recording = replace(
        firing(program, (0, 0.0, 300.0)), events=(Event(-1, 0.0, 60.0), Event(1, 100.0, 200.0))
    )
    (only,) = recording.per_transition()
    assert only["spikes"] == int(recording.counts(100.0, 300.0).sum())
    assert only["synaptic_operations"] == 3 * only["spikes"]


@given(st.lists(st.integers(0, 12), min_size=8, max_size=64))
def test_active_cells_have_a_fair_share_of_the_most(counts: list[int]) -> None:
    found = active(np.array(counts), len(counts))
    assert not found[np.array(counts) == 0].any()
    if max(counts) > 0:
        assert found[int(np.argmax(counts))]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=5),
    st.sampled_from([0.1, 0.5, 1.0]),
    st.sampled_from([0.0, 0.7, 5.0]),
    st.integers(0, 99),
)
@settings(deadline=None)
def test_a_line_spikes_once_a_step_at_most_in_order_and_not_before_its_onset(
    given_lines: list[tuple[int, int]], dt: float, jitter: float, seed: int
) -> None:
    spans = [(line, float(onset), onset + 20.0) for line, onset in given_lines]
    lines, times = input_spikes(spans, 2.0, dt, jitter, np.random.default_rng(seed))
    steps = np.rint(times / dt).astype(int)
    assert (np.diff(times) >= 0).all()
    assert len(set(zip(lines.tolist(), steps.tolist(), strict=True))) == len(lines)
    for line, onset, _ in spans:
        assert (
            times[lines == line].min() >= min(o for other, o, _ in spans if other == line) - dt / 2
        )
        assert jitter or onset in times[lines == line]
    if not jitter:
        assert len(lines) <= 10 * len(spans)
