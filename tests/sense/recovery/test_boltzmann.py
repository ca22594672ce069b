"""Sampling and training, against probabilities that are added up state by state."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from vsafsm.discovery import find
from vsafsm.errors import SenseError
from vsafsm.sense.arrays import array_backend
from vsafsm.sense.model import Layer
from vsafsm.sense.recovery.boltzmann import Boltzmann
from vsafsm.sense.recovery.images import Binary, Damaged, cover, flip, wrong
from vsafsm.sense.recovery.training import BoltzmannRecipe, remember

from .conftest import bars

RNG = np.random.default_rng
PIXELS, BITS = 6, 3


def tiny(seed: int, lsb: float = 0.35) -> Boltzmann:
    """6 pixels and 3 bits, so that all of their 512 states can be added up."""
    rng = RNG(seed)
    weights = rng.integers(-7, 8, (PIXELS, BITS)).astype(np.int8)
    hidden, visible = (rng.integers(-5, 6, n).astype(np.int32) for n in (BITS, PIXELS))
    layer = Layer(weights, hidden, 4)
    return Boltzmann(Binary((PIXELS,), 0.5), (), layer, visible, lsb, np.ones((1, PIXELS), bool))


def likely(machine: Boltzmann, damaged: Damaged) -> np.ndarray:
    """Chance (P,) of each pixel given what is seen of one image, over all states."""
    seen, known, share = damaged.pixels[0], damaged.known[0], damaged.flipped
    chance, total = np.zeros(PIXELS), 0.0
    for state in product((0, 1), repeat=PIXELS):
        v = np.array(state)
        fields = v @ machine.layer.weights.astype(float) + machine.layer.bias
        weight = np.exp(machine.lsb * (v @ machine.visible))
        weight *= np.prod(1 + np.exp(machine.lsb * fields))
        agrees = np.where(v == seen, 1 - share, share)
        weight *= np.prod(np.where(known, agrees, 1))
        chance, total = chance + weight * v, total + weight
    return chance / total


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("flipped", [0.0, 0.2])
def test_what_is_recovered_is_what_is_likely(seed: int, flipped: float) -> None:
    machine, rng = tiny(seed), RNG(seed)
    known = np.arange(PIXELS)[None] < (3 if flipped == 0 else PIXELS)
    damaged = Damaged((rng.random((1, PIXELS)) < 0.5) & known, known, flipped)
    chance = likely(machine, damaged)
    found = machine.recovered(damaged, rng, cycles=4000)[0]
    # What is near a half may fall to either side.
    clear = abs(chance - 0.5) > 0.06
    assert clear.any()
    assert (found == (chance > 0.5))[clear].all()


def test_an_ideal_array_samples_the_same(learned: Boltzmann) -> None:
    truth = learned.binary.pixels(bars(8, 5))
    seen = cover(truth, "bottom", RNG(2))
    ideal = {"device": "lognormal", "sigma": 0.0, "read_noise": False, "adc_bits": 0}
    backend = array_backend(find("memristor"))
    products = backend.draw_layers(learned.matrices(), RNG(0), **ideal)
    assert (learned.recovered(seen, RNG(1), products) == learned.recovered(seen, RNG(1))).all()


@pytest.mark.parametrize("device", [None, "neurram"])
def test_damaged_bars_are_recovered(learned: Boltzmann, device: str | None) -> None:
    truth = learned.binary.pixels(bars(60, 9))
    products = None
    if device:
        backend = array_backend(find("memristor"))
        products = backend.draw_layers(learned.matrices(), RNG(0), device=device)
    for seen in (flip(truth, 0.1, RNG(1)), cover(truth, "scattered", RNG(2))):
        found = learned.recovered(seen, RNG(3), products)
        assert wrong(found, truth).mean() < 0.5 * wrong(seen.pixels, truth).mean()


def test_known_pixels_are_kept(learned: Boltzmann) -> None:
    truth = learned.binary.pixels(bars(10, 4))
    seen = cover(truth, "scattered", RNG(0))
    assert (learned.recovered(seen, RNG(1)) == truth)[seen.known].all()


def test_the_same_seed_gives_the_same(learned: Boltzmann) -> None:
    recipe = BoltzmannRecipe(bits=8, passes=2)
    one, other = (remember(bars(40), recipe, RNG(7)) for _ in range(2))
    assert (one.layer.weights == other.layer.weights).all()
    seen = flip(learned.binary.pixels(bars(5)), 0.2, RNG(0))
    assert (learned.recovered(seen, RNG(1)) == learned.recovered(seen, RNG(1))).all()


def test_labels_are_visible_units(learned: Boltzmann) -> None:
    assert learned.classes == ("column", "row")
    assert learned.layer.weights.shape == (38, 32)
    assert np.abs(learned.layer.weights).max() == 7
    assert (learned.examples[:, 36:].sum(1) == 1).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ("a",)}, "one unit for each"),
        ({"lsb": 0.0}, "log odds"),
        ({"lsb": float("nan")}, "log odds"),
        ({"examples": np.ones((0, PIXELS), bool)}, "no examples"),
        ({"visible": np.zeros(PIXELS)}, "biases are float64"),
        ({"binary": Binary((PIXELS + 1,), 0.5)}, "7 pixels"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(SenseError, match=message):
        replace(tiny(0), **change)  # type: ignore[arg-type]


def test_images_of_another_size_and_one_cycle_are_refused() -> None:
    seen = Damaged(np.ones((1, 4), bool), np.ones((1, 4), bool))
    with pytest.raises(SenseError, match="images of 4 pixels"):
        tiny(0).recovered(seen, RNG(0))
    seen = Damaged(np.ones((1, PIXELS), bool), np.ones((1, PIXELS), bool))
    with pytest.raises(SenseError, match="1 cycles"):
        tiny(0).recovered(seen, RNG(0), cycles=1)


@pytest.mark.parametrize("bad", [{"bits": 0}, {"weight_bits": 9}, {"noise": -1.0}, {"rate": 0.0}])
def test_recipes_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(SenseError):
        BoltzmannRecipe(**bad)  # type: ignore[arg-type]
