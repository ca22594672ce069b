"""The weights of the graph: masks and reset outweigh every activity there can be, and precision is
kept or refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.errors import RequirementError
from vsafsm.lowering import Code
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.proof import prove
from vsafsm_nir.layers import EXACT, FIRES_ABOVE, layers


def network_of(weights: Any, masks: Any, start: Any) -> Network:
    """A network of one state and one input around some weights."""
    rows = np.array(weights, np.int16)
    opened, code = np.array(masks, np.bool_), np.array([start], np.bool_)
    return Network.dense(rows, 0, 1.0, 16, opened, code, (Code(0),), 0, ("s",), ("a",), ((),))


@st.composite
def small_networks(draw: st.DrawFn) -> Network:
    n = draw(st.integers(1, 5))
    row = st.lists(st.integers(-9, 9), min_size=n, max_size=n)
    bits = st.lists(st.booleans(), min_size=n, max_size=n)
    weights = draw(st.lists(row, min_size=n, max_size=n))
    return network_of(weights, draw(st.lists(bits, min_size=2, max_size=2)), draw(bits))


@settings(max_examples=60, deadline=None)
@given(network=small_networks())
def test_lines_do_what_masks_and_reset_do_in_every_activity(network: Network) -> None:
    found = layers(network)
    line = found.lines.astype(int)
    start = network.codes[0]
    sums = [0]
    for bits in product((0, 1), repeat=network.neurons):
        drive = network.weights.astype(int) @ bits
        for mask in (0, 1):
            fired = drive + line[:, mask] > FIRES_ABOVE
            assert (fired == ((drive > 0) & network.masks[mask])).all()
            assert (
                drive + line[:, mask] + line[:, found.reset] > FIRES_ABOVE
            ).tolist() == start.tolist()
        assert (drive + line[:, found.reset] > FIRES_ABOVE).tolist() == start.tolist()
        both = drive + line[:, 0] + line[:, 1]
        assert ((both > FIRES_ABOVE) == ((drive > 0) & network.masks.all(0))).all()
        sums += [drive + line[:, a] + line[:, b] for a in range(3) for b in range(a)]
    assert max(int(np.abs(total).max()) for total in sums) <= found.largest


def test_no_smaller_closing_would_do() -> None:
    network = network_of([[3, 4], [0, -9]], [[0, 1], [1, 1]], [0, 1])
    found = layers(network)
    assert (found.closing, found.opening, found.largest) == (8, 18, 25)
    drive = network.weights.astype(int) @ [1, 1]
    assert drive[0] - (found.closing - 1) == 0


def test_the_network_is_read_back_from_the_weights(program: Program) -> None:
    network, found = program.network, layers(program.network)
    held = found.held(network)
    for name in ("weights", "masks", "codes"):
        assert (getattr(held, name) == getattr(network, name)).all()
        assert getattr(held, name).dtype == getattr(network, name).dtype
    assert prove(program.machine, held).holds
    for name in ("lines", "recurrent"):
        broken = replace(found, **{name: np.abs(getattr(found, name))[::-1].copy()}).held(network)
        assert not prove(program.machine, broken).holds


def test_the_readout_counts_codes_and_spikes(program: Program) -> None:
    network, found = program.network, layers(program.network)
    z = np.random.default_rng(0).random(network.neurons) < 0.3
    counted = found.readout @ z
    assert counted[:-1].tolist() == [int((code & z).sum()) for code in network.codes]
    assert counted[-1] == z.sum()


def test_sums_that_single_precision_would_round_are_refused() -> None:
    full, rest = divmod(EXACT // 2 - 2, 32767)
    weights = np.zeros((full + 1, full + 1), np.int16)
    weights[0, :full], weights[0, full] = 32767, rest
    masks, start = np.ones((2, full + 1)), np.ones(full + 1)
    assert layers(network_of(weights, masks, start)).largest == EXACT - 2
    weights[0, full] += 1
    with pytest.raises(RequirementError, match=f"sums of up to {EXACT} can come about.*bits=8"):
        layers(network_of(weights, masks, start))


@pytest.mark.parametrize("kind", ["noisy", "separate"])
def test_weights_that_are_not_the_whole_story_are_refused(
    kind: str, program: Program, compiled: Callable[..., Program]
) -> None:
    network = program.network
    if kind == "noisy":
        network = network.with_weights(
            network.weights + np.random.default_rng(0).normal(size=network.weights.shape)
        )
    else:
        network = compiled(program.machine, inhibition="separate").network
    with pytest.raises(
        RequirementError, match="not whole, or an inhibition that is kept apart; expected a program"
    ):
        layers(network)
