"""Layers in training compute what the classifier of whole numbers computes."""

from __future__ import annotations

import numpy as np
import pytest

from vsafsm.sense.extra import one_thread
from vsafsm.sense.model import Model, Quantiser
from vsafsm.sense.net import Net, Part, Steps, tensor

from .conftest import blobs

torch = pytest.importorskip("torch", reason="torch is not installed")


def part(shape: tuple[int, int], rng: np.random.Generator, *, last: bool = False) -> Part:
    return Part(
        tensor(torch, rng.normal(size=shape)),
        tensor(torch, rng.normal(size=shape[1])),
        None if last else tensor(torch, np.array(6.0)),
        *(4, 3, 0 if last else 3),
        window=None,
        clip=2.0,
    )


@pytest.mark.parametrize("seed", range(3))
def test_without_noise_it_is_the_classifier(seed: int) -> None:
    rng, frames = np.random.default_rng(seed), blobs(60, seed)
    parts = [part((36, 20), rng), part((20, 3), rng, last=True)]
    for each, lsb in zip(parts, (parts[0].sum_lsb(), parts[1].sum_lsb()), strict=True):
        each.bias = tensor(torch, np.rint(each.bias.detach().numpy() / lsb) * lsb)
    net = Net(torch, parts, rng)
    model = Model(("a", "b", "c"), (6, 6), Quantiser(0.0, 1.0, 3), net.layers())
    shares = torch.from_numpy((model.inputs(frames) / 7).astype(np.float32))
    with torch.no_grad():
        found = net.forward(shares).numpy() / parts[1].sum_lsb()
    # A sum of the first layer that is halfway between two activations may fall to either side.
    agree = np.isclose(found, model.scores(frames), atol=0.1).all(1)
    assert agree.mean() >= 0.9


def test_measured_sums_take_the_place_of_inputs() -> None:
    rng = np.random.default_rng(0)
    parts = [part((36, 20), rng), part((20, 3), rng, last=True)]
    values = torch.from_numpy(rng.random((5, 36), np.float32))
    with torch.no_grad():
        whole = Net(torch, parts, rng).forward(values)
        sums = Net(torch, parts, rng).forward(values, 0) - parts[0].bias
        parts[0].measured = True
        assert torch.allclose(Net(torch, parts, rng).forward(sums), whole, atol=1e-5)


def test_what_is_measured_keeps_its_weights() -> None:
    rng = np.random.default_rng(0)
    parts = [part((36, 20), rng), part((20, 3), rng, last=True)]
    parts[0].measured, parts[0].weights = True, parts[0].weights.detach()
    before = [each.weights.detach().clone() for each in parts]
    Net(torch, parts, rng).fit(rng.normal(size=(40, 20)), np.arange(40) % 3, Steps(2, 8, 0.05))
    kept = [torch.equal(each.weights, old) for each, old in zip(parts, before, strict=True)]
    assert kept == [True, False]


def test_one_thread_is_for_its_block_only() -> None:
    before = torch.get_num_threads()
    with one_thread(torch):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
