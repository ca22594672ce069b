"""Devices against their published formulas in plain Python, write-verify against loops, and CSVs of
measurements.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm_memristor.device.affine import AffineDevice
from vsafsm_memristor.device.lognormal import LognormalDevice
from vsafsm_memristor.device.measured import fit_device
from vsafsm_memristor.device.phase_change import PhaseChangeDevice
from vsafsm_memristor.device.presets import PRESETS, device_named
from vsafsm_memristor.device.write_verify import WriteVerifyDevice, write_verify
from vsafsm_memristor.errors import DeviceError

LAW = settings(deadline=None, max_examples=40)
DRAWS = 40_000
DAY = 86_400.0
NEURRAM = {
    1.0: (0.348, 16.030, -43.853, 45.393, -16.815),
    DAY: (0.701, 22.086, -50.773, 47.095, -16.458),
    2 * DAY: (0.782, 20.274, -43.507, 37.062, -11.934),
}


def device(name: str) -> Any:
    return device_named(name)


def many(g: float) -> Any:
    return np.full(DRAWS, g, np.float32)


def has_moments(values: Any, mean: float, sigma: float) -> None:
    """Within five standard errors of what a normal distribution of so many draws has."""
    values = values.astype(np.float64)
    assert abs(values.mean() - mean) < 5 * sigma / math.sqrt(DRAWS) + 1e-5 * abs(mean)
    assert abs(values.std() - sigma) < 5 * sigma / math.sqrt(2 * DRAWS) + 1e-5 * abs(mean)


def neurram_sigma(g: float, seconds: float) -> float:
    return sum(c * (g / 40) ** i for i, c in enumerate(NEURRAM[seconds]))


def crosssim_sigma(g: float) -> float:
    return 1.053 + 0.2374 * g - 0.01167 * g**2 + 1.536e-4 * g**3


# ---- moments


@pytest.mark.parametrize("seconds", NEURRAM)
@pytest.mark.parametrize("g", [10.0, 20.0, 35.0])
def test_neurram_relaxes_as_published(g: float, seconds: float) -> None:
    has_moments(
        device("neurram").relax(many(g), seconds, np.random.default_rng(1)),
        g,
        neurram_sigma(g, seconds),
    )


@pytest.mark.parametrize("g", [15.0, 25.0, 38.0])
def test_the_fit_of_crosssim_relaxes_as_published(g: float) -> None:
    has_moments(
        device("neurram-crosssim").relax(many(g), 1.0, np.random.default_rng(2)),
        g,
        crosssim_sigma(g),
    )


def test_the_two_fits_disagree_as_their_sources_do() -> None:
    for name, sigma in (("neurram", 1.05), ("neurram-crosssim", 1.48)):
        assert device(name).relaxation_sigma_us(np.float32([2.0]), 1.0)[0] == pytest.approx(
            sigma, abs=0.01
        )


@pytest.mark.parametrize("name", ["neurram", "neurram-crosssim", "pcm", "cmo-hfox", "perovskite"])
def test_no_conductance_is_negative(name: str) -> None:
    rng, model = np.random.default_rng(3), device(name)
    for g in (0.0, model.g_min_us, 2.0):
        assert (model.relax(model.program(many(g), rng), 2 * DAY, rng) >= 0).all()


@pytest.mark.parametrize("g", [5.0, 12.5, 25.0])
def test_phase_change_is_programmed_as_published(g: float) -> None:
    x = g / 25
    has_moments(
        device("pcm").program(many(g), np.random.default_rng(4)),
        g,
        0.26348 + 1.9650 * x - 1.1731 * x**2,
    )


@pytest.mark.parametrize("seconds", [100.0, DAY])
@pytest.mark.parametrize("g", [0.5, 5.0, 12.5, 25.0])
def test_phase_change_drifts_with_the_published_exponents(g: float, seconds: float) -> None:
    log = math.log(g / 25)
    mean = min(max(-0.0155 * log + 0.0244, 0.049), 0.1)
    spread = min(max(-0.0125 * log - 0.0059, 0.008), 0.045)
    drawn = np.abs(mean + spread * np.random.default_rng(15).standard_normal(1_000_000))
    moved = device("pcm").relax(many(g), seconds, np.random.default_rng(5)).astype(np.float64)
    has_moments(-np.log(moved / g) / math.log(seconds / 20), drawn.mean(), drawn.std())


def test_phase_change_does_not_drift_before_it_is_first_read() -> None:
    for seconds in (0.0, 1.0, 20.0):
        assert (device("pcm").relax(many(7.0), seconds, np.random.default_rng(6)) == 7).all()


@pytest.mark.parametrize("seconds", [20.0, DAY])
@pytest.mark.parametrize("g", [0.1, 2.0, 25.0])
def test_phase_change_is_read_as_published(g: float, seconds: float) -> None:
    """The share of the noise is that of the conductance as programmed."""
    at, exponent = 250e-9, min(max(-0.0155 * math.log(g / 25) + 0.0244, 0.049), 0.1)
    left = g * (seconds / 20) ** -exponent
    sigma = (
        left * min(0.2, 0.0088 / (g / 25) ** 0.65) * math.sqrt(math.log((seconds + at) / (2 * at)))
    )
    assert device("pcm").read_sigma_us(np.float32([left]), seconds)[0] == pytest.approx(
        sigma, rel=1e-3
    )


@pytest.mark.parametrize("g", [9.0, 40.0, 88.0])
def test_cmo_is_programmed_as_published(g: float) -> None:
    has_moments(
        device("cmo-hfox").program(many(g), np.random.default_rng(7)), g, 0.0112 + 0.0113 * g
    )


@pytest.mark.parametrize("seconds", [1.0, 3600.0, DAY])
def test_cmo_drifts_as_published(seconds: float) -> None:
    log = math.log(seconds)
    moved = device("cmo-hfox").relax(many(40.0), seconds, np.random.default_rng(8))
    has_moments(moved, 40 - 0.0890 * log, 0.0420 * log + 0.412)


@pytest.mark.parametrize(
    ("name", "sigma"),
    [("perovskite", 0.113), ("perovskite-mean", 0.456), ("perovskite-nanowire", 0.0522)],
)
@pytest.mark.parametrize("g", [10.0, 80.0])
def test_lognormal_cells_have_the_published_spread(name: str, sigma: float, g: float) -> None:
    logs = np.log(device(name).program(many(g), np.random.default_rng(9)).astype(np.float64) / g)
    assert logs.std() == pytest.approx(sigma, rel=0.02)


@LAW
@given(st.floats(0, 0.7), st.floats(0, 0.3), st.integers(0, 2**32))
def test_a_lognormal_factor_has_mean_1(sigma: float, cycle: float, seed: int) -> None:
    model = LognormalDevice("l", "none", 1.0, 100.0, sigma=sigma, cycle_sigma=cycle)
    factors = model.program(many(1.0), np.random.default_rng(seed)).astype(np.float64)
    error = math.sqrt(math.expm1(sigma**2 + cycle**2) / DRAWS)
    assert abs(factors.mean() - 1) < 6 * error + 1e-6


def test_read_noise_is_in_proportion() -> None:
    for name in ("neurram", "cmo-hfox", "perovskite"):
        assert device(name).read_sigma_us(np.float32([0, 20]), DAY).tolist() == pytest.approx(
            [0, 0.2]
        )


def test_what_has_no_relaxation_stays() -> None:
    g = np.float32([1, 5, 30])
    still = WriteVerifyDevice("w", "none", 1.0, 40.0)
    for model in (still, device("perovskite"), AffineDevice("a", "none", 1.0, 40.0)):
        assert (model.relax(g, DAY, np.random.default_rng(0)) == g).all()
    assert (device("cmo-hfox").relax(g, 0.5, np.random.default_rng(0)) == g).all()


# ---- relaxation in time


@LAW
@given(st.floats(1.0, 40.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_relaxation_is_monotone_in_log_time_between_its_nodes(
    g: float, first: float, second: float
) -> None:
    for start, end in ((1.0, DAY), (DAY, 2 * DAY)):
        ends = [neurram_sigma(g, start), neurram_sigma(g, end)]
        shares = sorted((first, second))
        found = [
            float(
                device("neurram").relaxation_sigma_us(
                    np.float32([g]), start * (end / start) ** share
                )[0]
            )
            for share in shares
        ]
        expected = [(1 - share) * ends[0] + share * ends[1] for share in shares]
        assert found == pytest.approx(expected, abs=2e-3)
        assert (found[1] - found[0]) * (ends[1] - ends[0]) >= -1e-3


@pytest.mark.parametrize(
    ("inside", "outside"), [(1.0, (0.0, 1e-12, 0.5)), (2 * DAY, (2.1 * DAY, 1e9))]
)
def test_relaxation_stays_outside_its_nodes(inside: float, outside: tuple[float, ...]) -> None:
    g = np.linspace(1, 40, 9, dtype=np.float32)
    expected = [neurram_sigma(float(each), inside) for each in g]
    for seconds in (inside, *outside):
        assert device("neurram").relaxation_sigma_us(g, seconds).tolist() == pytest.approx(
            expected, abs=1e-4
        )


def test_relaxation_of_one_node_is_the_same_at_all_times() -> None:
    for seconds in (0.0, 1.0, DAY, 1e9):
        found = device("neurram-crosssim").relaxation_sigma_us(np.float32([20.0]), seconds)[0]
        assert found == pytest.approx(crosssim_sigma(20.0), rel=1e-4)


# ---- write-verify


class Recorder:
    """A generator that keeps what it drew."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.rows: list[list[float]] = []

    def standard_normal(self, *arguments: Any) -> Any:
        found = self.rng.standard_normal(*arguments)
        self.rows.append(found.ravel().tolist())
        return found


def by_hand(
    model: WriteVerifyDevice, target: list[float], start: list[float], rows: list[list[float]]
) -> list[tuple[float, bool, int, float]]:
    """Each cell by itself, with these draws: -> (conductance, done, pulses, last read)."""
    g, done, pulses, seen = (
        list(start),
        [False] * len(target),
        [0] * len(target),
        [math.nan] * len(target),
    )
    rounds = iter(rows)
    for numbers in rounds:
        still = [i for i in range(len(target)) if not done[i]]
        for i, n in zip(still, numbers, strict=True):
            seen[i] = g[i] + model.read_noise * g[i] * n
            done[i] = abs(seen[i] - target[i]) <= model.tolerance_us
        still = [i for i in still if not done[i]]
        for i, n in zip(still, next(rounds, []), strict=False):
            covered = model.pulse_share * math.exp(
                model.pulse_spread * n - model.pulse_spread**2 / 2
            )
            g[i] = min(max(g[i] + covered * (target[i] - seen[i]), 0.0), 1.05 * model.g_max_us)
            pulses[i] += 1
    return list(zip(g, done, pulses, seen, strict=True))


@pytest.mark.parametrize("most", [0, 1, 3, 60])
def test_write_verify_does_what_cells_do_one_by_one(most: int) -> None:
    model = replace(device("neurram"), most_pulses=most, read_noise=0.02)
    rng = np.random.default_rng(10)
    target, start = (rng.uniform(1, 40, 60).astype(np.float32) for _ in range(2))
    recorder: Any = Recorder(11)
    written = write_verify(model, target.reshape(6, 10), start.reshape(6, 10), recorder)
    cells = by_hand(model, target.tolist(), start.tolist(), recorder.rows)
    assert written.g_us.ravel().tolist() == pytest.approx([g for g, *_ in cells], rel=1e-4)
    assert written.ok.ravel().tolist() == [done for _, done, *_ in cells]
    assert written.pulses.ravel().tolist() == [pulses for _, _, pulses, _ in cells]
    for (_, done, pulses, seen), wanted in zip(cells, target.tolist(), strict=True):
        assert done == (abs(seen - wanted) <= 1.0)
        assert pulses <= most
        assert done or pulses == most


@LAW
@given(
    st.floats(1, 40), st.floats(0, 42), st.floats(0.2, 3), st.integers(1, 80), st.integers(0, 2**32)
)
def test_without_read_noise_a_cell_that_is_done_is_within_the_tolerance(
    target: float, start: float, tolerance: float, most: int, seed: int
) -> None:
    model = replace(device("neurram"), read_noise=0.0, tolerance_us=tolerance, most_pulses=most)
    wanted, begun = np.full(20, target, np.float32), np.full(20, start, np.float32)
    written = write_verify(model, wanted, begun, np.random.default_rng(seed))
    near = np.abs(written.g_us - wanted) <= tolerance
    assert (written.ok == near).all()
    assert (written.pulses <= most).all()
    assert ((written.g_us >= 0) & (written.g_us <= 1.05 * 40 + 1e-4)).all()
    if abs(start - target) < 0.99 * tolerance:
        assert not written.pulses.any()
        assert (written.g_us == begun).all()


def test_cells_that_run_out_of_pulses_have_failed() -> None:
    target, start = np.full(500, 39.0, np.float32), np.ones(500, np.float32)
    few = write_verify(
        replace(device("neurram"), most_pulses=2), target, start, np.random.default_rng(12)
    )
    assert 0 < np.count_nonzero(few.ok) < 500
    assert (few.pulses[~few.ok] == 2).all()
    enough = write_verify(device("neurram"), target, start, np.random.default_rng(12))
    assert enough.ok.all()
    assert (enough.pulses >= 1).all()


def test_write_verify_starts_from_what_is_there_and_leaves_it_as_it_was() -> None:
    start = np.full((2, 3), 30.0, np.float32)
    write_verify(
        device("neurram"), np.full((2, 3), 5.0, np.float32), start, np.random.default_rng(0)
    )
    assert (start == 30).all()


# ---- generators


@pytest.mark.parametrize("name", PRESETS)
def test_draws_come_from_the_generator_alone(name: str) -> None:
    model, target = device(name), np.linspace(10, 20, 40, dtype=np.float32).reshape(5, 8)
    kept = random.getstate(), repr(np.random.get_state())  # noqa: NPY002
    before = target.copy()

    def aged(seed: int) -> Any:
        rng = np.random.default_rng(seed)
        return model.relax(model.program(target, rng), DAY, rng)

    first = aged(5)
    assert (first == aged(5)).all()
    assert (first != aged(6)).any()
    assert first.dtype == np.float32
    assert first.shape == target.shape
    assert (target == before).all()
    assert kept == (random.getstate(), repr(np.random.get_state()))  # noqa: NPY002


# ---- presets


@pytest.mark.parametrize("name", PRESETS)
def test_presets_make_sense_and_say_what_is_assumed(name: str) -> None:
    model = device(name)
    assert model.name == name
    assert "assumed" in model.source
    assert ("proxy" in model.source) == ("perovskite" in name)
    assert 0 <= model.g_min_us < model.g_max_us <= 100
    assert min(model.rows, model.columns) >= 2
    assert 0 <= model.stuck_off + model.stuck_on <= 0.0135


@pytest.mark.parametrize(
    ("name", "range_us", "shape"),
    [
        ("neurram", (1, 40), (256, 256)),
        ("neurram-crosssim", (1, 40), (256, 256)),
        ("perovskite", (10, 100), (10, 10)),
        ("perovskite-nanowire", (10, 100), (64, 64)),
    ],
)
def test_presets_have_the_published_range_and_array(
    name: str, range_us: tuple[float, float], shape: tuple[int, int]
) -> None:
    model = device(name)
    assert (model.g_min_us, model.g_max_us) == range_us
    assert (model.rows, model.columns) == shape


def test_neurram_writes_to_1_us() -> None:
    assert device("neurram").tolerance_us == device("neurram-crosssim").tolerance_us == 1.0


def test_an_unknown_device_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        DeviceError, match=r'unknown device "neuram"; expected one of: .*did you mean "neurram"'
    ):
        device_named("neuram")


@pytest.mark.parametrize(
    "kind", [AffineDevice, LognormalDevice, PhaseChangeDevice, WriteVerifyDevice]
)
@pytest.mark.parametrize(
    "wrong",
    [
        {"g_min_us": -1.0},
        {"g_min_us": 40.0},
        {"g_max_us": math.inf},
        {"g_max_us": math.nan},
        {"g_min_us": math.nan},
        {"stuck_on": -0.1},
        {"stuck_off": 0.6, "stuck_on": 0.5},
    ],
    ids=str,
)
def test_devices_without_sense_are_refused(kind: Any, wrong: dict[str, float]) -> None:
    with pytest.raises(DeviceError, match='device "mine" has '):
        kind(**({"name": "mine", "source": "none", "g_min_us": 1.0, "g_max_us": 40.0} | wrong))


# ---- measurements


def csv_of(path: Path, target: Any, measured: Any) -> Path:
    rows = "".join(f"{t:.6f},{m:.6f}\n" for t, m in zip(target, measured, strict=True))
    path.write_text("target_us,measured_us\n" + rows)
    return path


@pytest.mark.parametrize(
    ("offset", "gain", "start", "share"),
    [(0.5, 0.95, 0.2, 0.03), (2.0, 1.1, 1.0, 0.0), (0.0, 1.0, 0.0, 0.1)],
)
def test_a_fit_recovers_the_law(
    tmp_path: Path, offset: float, gain: float, start: float, share: float
) -> None:
    rng = np.random.default_rng(13)
    target = rng.uniform(10, 100, 8000)
    measured = offset + gain * target + (start + share * target) * rng.standard_normal(8000)
    found = fit_device(csv_of(tmp_path / "mine.csv", target, measured))
    assert (found.name, found.source) == ("mine", "fitted to 8000 measurements in mine.csv")
    assert (found.g_min_us, found.g_max_us) == pytest.approx((target.min(), target.max()), abs=1e-5)
    for g in (15.0, 50.0, 95.0):
        assert found.offset_us + found.gain * g == pytest.approx(
            offset + gain * g, abs=0.1 * (start + share * g)
        )
        assert found.sigma_us + found.sigma_share * g == pytest.approx(start + share * g, rel=0.1)


def test_a_deviation_that_falls_with_the_target_keeps_its_average(tmp_path: Path) -> None:
    rng = np.random.default_rng(14)
    target = rng.uniform(10, 100, 8000)
    measured = 10 + target + (3 - 0.02 * target) * rng.standard_normal(8000)
    found = fit_device(csv_of(tmp_path / "mine.csv", target, measured))
    programmed = found.program(np.asarray(target, np.float32), np.random.default_rng(15))
    assert (programmed - target).std() == pytest.approx((measured - target).std(), rel=0.1)


def test_exact_measurements_have_no_deviation(tmp_path: Path) -> None:
    target = np.linspace(1, 40, 12)
    found = fit_device(csv_of(tmp_path / "mine.csv", target, 0.9 * target))
    assert found.gain == pytest.approx(0.9)
    assert found.sigma_us + 40 * found.sigma_share == pytest.approx(0, abs=1e-5)


def test_columns_are_found_by_name_and_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    rows = "".join(f"c{i},{i + 1},{i + 1.5}\r\n" for i in range(12))
    path = tmp_path / "mine.csv"
    path.write_bytes(("\ufeffcell,target_us,measured_us\r\n" + rows).encode())
    found = fit_device(path)
    assert (found.g_min_us, found.g_max_us, found.gain) == pytest.approx((1, 12, 1))
    path.write_bytes(
        (
            "\ufeffmeasured_us,target_us\r\n" + "".join(f"{2 * i},{i}\r\n" for i in range(12))
        ).encode()
    )
    assert fit_device(path).gain == pytest.approx(2)


GOOD = "".join(f"{i},{i}\n" for i in range(12))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks the column target_us and measured_us"),
        ("target_us,measured_us\n", "has 0 rows; expected at least 10"),
        (
            "target_us,mesured_us\n" + GOOD,
            "lacks the column measured_us; found target_us, mesured_us",
        ),
        ("target,measured\n" + GOOD, "lacks the column target_us and measured_us"),
        ("target_us,measured_us\n1,2\n3,x\n" + GOOD, "line 3: expected a number"),
        ("target_us,measured_us\n" + GOOD + "3\n", "line 14: expected a number"),
        ("target_us,measured_us\n1,2\n\n\n3,x\n" + GOOD, "line 5: expected a number"),
        (
            'target_us,measured_us,note\n1,2,"two\nlines"\n3,x,\n' + GOOD,
            "line 4: expected a number",
        ),
        ("target_us,measured_us\n1,nan\n" + GOOD, "not finite, or below 0"),
        ("target_us,measured_us\n1,inf\n" + GOOD, "not finite, or below 0"),
        ("target_us,measured_us\n1,-2\n" + GOOD, "not finite, or below 0"),
        ("target_us,measured_us\n" + GOOD[:36], "has 9 rows; expected at least 10"),
        ("target_us,measured_us\n" + "5,6\n" * 12, "of more than one target"),
    ],
)
def test_files_without_sense_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(DeviceError, match=message) as told:
        fit_device(path)
    assert "mine.csv" in str(told.value)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"target_us,measured_us\n\xff\xfe\n")
    (tmp_path / "folder.csv").mkdir()
    for name in ("none.csv", "binary.csv", "folder.csv"):
        with pytest.raises(DeviceError, match=f'cannot read ".*{name}"'):
            fit_device(tmp_path / name)
