"""A classifier's exact run against plain Python integers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.errors import SenseError
from vsafsm.sense.data import Frames
from vsafsm.sense.model import Layer, Model, Quantiser, Rounding, Window, lead

from .conftest import blobs, drawn_model


def plain_rounding(rounding: Rounding, total: int) -> int:
    """In Python's whole numbers."""
    if rounding.shift:
        total = (total * rounding.multiplier + (1 << (rounding.shift - 1))) >> rounding.shift
    else:
        total *= rounding.multiplier
    return min(max(total, 0), 2**rounding.bits - 1)


def plain_scores(model: Model, values: list[list[float]]) -> list[int]:
    """Loops over one frame (H, W), without NumPy's sums."""
    q = model.quantiser
    top = 2**q.bits - 1
    now = [
        [[int(min(max((v - q.low) / (q.high - q.low), 0), 1) * top + 0.5)] for v in row]
        for row in values
    ]
    flat: list[int] = [v for row in now for cell in row for v in cell]
    for layer in model.layers:
        weights, bias = layer.weights.tolist(), layer.bias.tolist()

        def one(
            given: list[int],
            layer: Layer = layer,
            weights: list[list[int]] = weights,
            bias: list[int] = bias,
        ) -> list[int]:
            sums = [
                b + sum(g * weights[i][o] for i, g in enumerate(given)) for o, b in enumerate(bias)
            ]
            return (
                sums
                if layer.rounding is None
                else [plain_rounding(layer.rounding, s) for s in sums]
            )

        if layer.window is None:
            flat = one(flat)
            continue
        high, wide, stride = layer.window.height, layer.window.width, layer.window.stride
        now = [
            [
                one([v for a in range(high) for b in range(wide) for v in now[y + a][x + b]])
                for x in range(0, len(now[0]) - wide + 1, stride)
            ]
            for y in range(0, len(now) - high + 1, stride)
        ]
        flat = [v for row in now for cell in row for v in cell]
    return flat


@pytest.mark.parametrize("convolution", [False, True])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_scores_are_those_of_plain_integers(convolution: bool, bits: int) -> None:
    model = drawn_model(bits, convolution, bits)
    frames = blobs(5, 1)
    expected = [plain_scores(model, frame.tolist()) for frame in frames.values]
    assert model.scores(frames).tolist() == expected
    assert len({tuple(each) for each in expected}) > 1


@given(
    st.floats(2.0**-17, 3e4),
    st.integers(1, 8),
    st.lists(st.integers(-(2**31), 2**31), min_size=1, max_size=8),
)
def test_rounding_is_that_of_integers(factor: float, bits: int, sums: list[int]) -> None:
    rounding = Rounding.of(factor, bits)
    found = rounding.activations(np.array(sums, np.float64))
    assert found.tolist() == [plain_rounding(rounding, total) for total in sums]
    assert rounding.multiplier / 2**rounding.shift == pytest.approx(factor, rel=0.5 / 2**13)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(3, 5))
def test_windows_are_those_of_slices(high: int, wide: int, stride: int, size: int) -> None:
    inputs = np.arange(2.0 * size * size * 2).reshape(2, size, size, 2)
    window = Window(high, wide, stride)
    found = window.unrolled(inputs)
    down, across = window.places((size, size, 2))
    assert found.shape == (2, down, across, high * wide * 2)
    for y in range(down):
        for x in range(across):
            part = inputs[:, y * stride : y * stride + high, x * stride : x * stride + wide]
            assert (found[:, y, x] == part.reshape(2, -1)).all()


def test_inputs_are_cut_off_at_the_range_of_training() -> None:
    found = Quantiser(-1.0, 1.0, 2).whole(np.array([-9.0, -1, -0.34, 0.4, 1, 9]))
    assert found.tolist() == [0, 0, 1, 2, 3, 3]


def test_a_frame_is_unsure_below_the_margin() -> None:
    model, frames = drawn_model(3), blobs(30, 2)
    scores = model.scores(frames)
    for margin in (0, 40, 10**6):
        found = replace(model, margin=margin).classify(frames)
        assert ((found == -1) == (lead(scores) < margin)).all()
        sure = found >= 0
        assert (found[sure] == scores.argmax(1)[sure]).all()
    assert set(replace(model, margin=10**6).labels(frames)) == {"unsure"}
    assert model.labels(frames) == tuple("abc"[i] for i in scores.argmax(1))


def test_a_truth_that_is_no_class_is_named() -> None:
    with pytest.raises(SenseError, match=r'label "column".*expected one of: a, b, c'):
        drawn_model(0).truth(blobs(3, 0))


def test_frames_of_another_shape_are_refused() -> None:
    with pytest.raises(SenseError, match=r"frame 0.*\(5, 5\).*\(6, 6\)"):
        drawn_model(0).scores(blobs(3, 0, 5))


def dense(inputs: int, outputs: int, rounding: Rounding | None = None) -> Layer:
    return Layer(np.ones((inputs, outputs), np.int8), np.zeros(outputs, np.int32), 4, rounding)


ROUNDING = Rounding(1, 0, 3)
REFUSED = {
    "weights beyond the bits": (
        lambda: Layer(np.full((2, 2), 8, np.int8), np.zeros(2, np.int32), 4),
        "beyond 7",
    ),
    "bits": (lambda: Layer(np.ones((2, 2), np.int8), np.zeros(2, np.int32), 9), "2 to 8"),
    "bias": (lambda: Layer(np.ones((2, 2), np.int8), np.zeros(3, np.int32), 4), r"\(3,\)"),
    "type": (lambda: Layer(np.ones((2, 2)), np.zeros(2, np.int32), 4), "float64"),
    "activations": (lambda: Rounding(1, 0, 9), "1 to 8"),
    "factor": (lambda: Rounding.of(0.0, 3), "scaled by 0"),
    "chain": (lambda: drawn_of((4,), dense(4, 5, ROUNDING), dense(4, 2)), "4 inputs.*5"),
    "scores": (lambda: drawn_of((4,), dense(4, 3)), r"\(3,\) scores for 2"),
    "no rounding": (lambda: drawn_of((4,), dense(4, 4), dense(4, 2)), "rounding but the last"),
    "one class": (
        lambda: Model(("a",), (4,), Quantiser(0, 1, 3), (dense(4, 1),)),
        "two or more",
    ),
    "unsure": (
        lambda: Model(("a", "unsure"), (4,), Quantiser(0, 1, 3), (dense(4, 2),)),
        "another name",
    ),
}


def drawn_of(shape: tuple[int, ...], *layers: Layer) -> Model:
    return Model(("a", "b"), shape, Quantiser(0, 1, 3), layers)


@pytest.mark.parametrize("kind", REFUSED)
def test_parts_that_do_not_fit_are_refused(kind: str) -> None:
    make, words = REFUSED[kind]
    with pytest.raises(SenseError, match=words):
        make()


def test_a_window_beyond_the_frame_is_refused() -> None:
    layer = Layer(np.ones((9, 2), np.int8), np.zeros(2, np.int32), 4, ROUNDING, Window(3, 3))
    with pytest.raises(SenseError, match="smaller than a window"):
        Model(("a", "b"), (2, 2), Quantiser(0, 1, 3), (layer, dense(2, 2)))


def test_products_are_asked_for_by_layer() -> None:
    model, frames = drawn_model(1, convolution=True), blobs(4, 3)

    class Doubled:
        def __init__(self) -> None:
            self.asked: list[tuple[int, tuple[int, ...]]] = []

        def product(self, layer: int, rows: np.ndarray) -> np.ndarray:
            self.asked.append((layer, rows.shape))
            return rows @ model.layers[layer].weights.astype(float)

    products = Doubled()
    assert (model.scores(frames, products) == model.scores(frames)).all()
    assert products.asked == [(0, (4 * 16, 9)), (1, (4, 64)), (2, (4, 12))]
    examples = model.inputs(frames)[..., 0].astype(np.uint8)
    rows = replace(model, examples=examples).example_rows()
    assert [each.shape for each in rows] == [(64, 9), (4, 64), (4, 12)]
    assert (rows[2] @ model.layers[2].weights + model.layers[2].bias == model.scores(frames)).all()


def test_frames_without_labels_have_no_classes() -> None:
    assert Frames(np.zeros((2, 3)), ("a", "b")).classes == ()
