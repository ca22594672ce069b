"""aihwkit and CrossSim as oracles of our devices and reads, where they are installed, and the
adapters to them.

Without them the tests that need them are skipped; what is left holds the adapters against small
stand-ins.
"""

from __future__ import annotations

import math
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.synchronous import Session
from vsafsm_memristor.adapters import aihwkit as aihwkit_adapter
from vsafsm_memristor.adapters import crosssim
from vsafsm_memristor.adapters.aihwkit import AihwkitDevice, aihwkit_device
from vsafsm_memristor.crossbar.array import (
    ArrayPlan,
    draw_array,
    plan_array,
    program_array,
    stepper,
)
from vsafsm_memristor.crossbar.mapping import SCHEMES
from vsafsm_memristor.crossbar.parameters import settings
from vsafsm_memristor.crossbar.stuck_cells import StuckCells
from vsafsm_memristor.device.affine import AffineDevice
from vsafsm_memristor.device.presets import device_named
from vsafsm_memristor.errors import DeviceError, DeviceWarning, MappingError, MissingLibraryError

Networks = Callable[..., Network]
ROOT = Path(__file__).parents[2]
DRAWS = 100_000
DAY = 86_400.0
T_0 = 20.0
"""aihwkit counts a phase-change cell's time from its first read, 20 s after programming; we count
from programming.
"""

BARE = AihwkitDevice("bare", "none", 1.0, 2.0, noise=None)


@pytest.fixture
def aihwkit() -> Any:
    """The package, or the test is skipped."""
    return pytest.importorskip("aihwkit", reason="aihwkit is not installed", exc_type=ImportError)


@pytest.fixture
def simulator() -> Any:
    """CrossSim's package, or the test is skipped."""
    return pytest.importorskip(
        "simulator.cores.analog_core", reason="CrossSim is not installed", exc_type=ImportError
    )


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def many(g: float) -> Any:
    return np.full(DRAWS, g, np.float32)


def alike(ours: Any, theirs: Any) -> None:
    """Mean and deviation of two samples are within five standard errors, each deviation's with its
    own kurtosis.
    """
    both = [np.asarray(each, np.float64) for each in (ours, theirs)]
    variances = [each.var() for each in both]
    assert (
        abs(both[0].mean() - both[1].mean())
        < 5 * math.sqrt(sum(variances) / DRAWS) + 1e-6 * both[0].mean()
    )
    errors = [(((each - each.mean()) ** 2).var() / DRAWS) for each in both]
    assert abs(variances[0] - variances[1]) < 5 * math.sqrt(sum(errors)) + 1e-9


# ---- without the packages


@pytest.mark.parametrize(
    ("missing", "call", "command"),
    [
        (
            "aihwkit.inference.noise",
            lambda _: aihwkit_device("PCMLikeNoiseModel"),
            "pip install aihwkit",
        ),
        ("torch", lambda _: BARE.relax(many(1.0), DAY, _rng()), "pip install aihwkit"),
        ("simulator.parameters", crosssim.parameters_for, r"pip install git\+https"),
        (
            "simulator.cores.analog_core",
            lambda plan: crosssim.program_array(plan, None, _rng()),
            "pip install git",
        ),
    ],
)
def test_a_missing_simulator_is_named_with_what_installs_it(
    missing: str,
    call: Callable[[ArrayPlan], Any],
    command: str,
    networks: Networks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (
        (missing, "simulator.parameters.core_parameters") if "param" in missing else (missing,)
    ):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingLibraryError, match=rf"cannot be imported .*; expected: .*{command}"):
        call(plan_array(networks(5), settings({})))


def test_the_adapters_import_neither() -> None:
    held = (vars(aihwkit_adapter) | vars(crosssim)).values()
    assert not {getattr(each, "__name__", "") for each in held} & {"torch", "aihwkit", "simulator"}


FAKE = {
    "__init__": "",
    "base": "class BaseNoiseModel: pass\n",
    "reram": """
from types import SimpleNamespace
from .base import BaseNoiseModel

class ReRamCMONoiseModel(BaseNoiseModel):
    def __init__(self, coeff_dict=None, g_max=88.2, acceptance_range=2e-2):
        if g_max < 9:
            raise ValueError("g_max should be larger")
        self.g_converter = SimpleNamespace(g_min=9.0, g_max=g_max)
        self.coeff_dict = coeff_dict or {0.2: [0.0, 0.001], 2: [0.0, 0.01]}
        if acceptance_range not in self.coeff_dict:
            acceptance_range = min(self.coeff_dict)
        self.acceptance_range = acceptance_range

class ReRamWan2022NoiseModel(BaseNoiseModel):
    def __init__(self):
        self.g_converter = SimpleNamespace(g_min=0.0, g_max=25.0)
        self.coeff_dic = {86400.0: [], 1.0: [], 172800.0: []}
""",
}


@pytest.fixture(params=["a stand-in", "installed"])
def kit(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """aihwkit, or a package with the same constructors."""
    if request.param == "installed":
        request.getfixturevalue("aihwkit")
        yield
        return
    folder = tmp_path / "aihwkit" / "inference" / "noise"
    folder.mkdir(parents=True)
    for name, text in FAKE.items():
        (folder / f"{name}.py").write_text(text)
    for package in (folder.parent, folder.parent.parent):
        (package / "__init__.py").touch()
    kept = {
        name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "aihwkit"
    }
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "aihwkit"]:
        del sys.modules[name]
    sys.modules.update(kept)


@pytest.mark.parametrize(
    ("model", "parameters", "message"),
    [
        (
            "ReRamCMONoiseModel",
            {},
            r"acceptance_range is 0.02, .* no row for; expected one of: 0.2, 2 \(%\)",
        ),
        ("ReRamCMONoiseModel", {"acceptance_range": 0.5}, "acceptance_range is 0.5"),
        (
            "ReRamCMONoiseModel",
            {"acceptance_range": 2, "coeff_dict": {1: [0, 1]}},
            "acceptance_range is 2, .*: 1 ",
        ),
        (
            "ReRamCMONoiseModel",
            {"g_maximum": 3},
            'no parameter "g_maximum"; expected .*; did you mean "g_max"',
        ),
        (
            "ReRamCMONoiseModel",
            {"g_max": 5.0},
            "aihwkit refuses the parameters of ReRamCMONoiseModel: g_m",
        ),
        (
            "ReRamCMONoise",
            {},
            'unknown noise model "ReRamCMONoise"; .*did you mean "ReRamCMONoiseModel"',
        ),
        ("BaseNoiseModel", {}, "unknown noise model"),
    ],
)
@pytest.mark.usefixtures("kit")
def test_what_aihwkit_would_take_in_silence_is_refused(
    model: str, parameters: Any, message: str
) -> None:
    with pytest.raises(DeviceError, match=message):
        aihwkit_device(model, **parameters)


@pytest.mark.usefixtures("kit")
def test_a_device_has_the_range_of_its_model() -> None:
    device = aihwkit_device("ReRamCMONoiseModel", acceptance_range=2, g_max=60.0)
    assert (device.name, device.g_min_us, device.g_max_us) == ("ReRamCMONoiseModel", 9.0, 60.0)
    assert device.noise.acceptance_range == 2
    assert device.times_s == ()
    assert aihwkit_device(type(device.noise), acceptance_range=0.2).g_max_us == pytest.approx(88.2)
    assert replace(device, stuck_off=0.01, rows=64).noise is device.noise


@pytest.mark.usefixtures("kit")
def test_noise_of_a_few_times_is_known_at_these_only() -> None:
    device = aihwkit_device("ReRamWan2022NoiseModel")
    assert device.times_s == (1.0, DAY, 2 * DAY)
    for seconds in (2.0, 3600.0, 1e9):
        with pytest.raises(
            DeviceError, match=r"asked for .* s; expected one of: 1, 86400, 172800 s"
        ):
            device.relax(many(5.0), seconds, _rng())
    assert (device.program(many(5.0), _rng()) == 5).all()


def test_nothing_comes_of_no_time() -> None:
    assert (BARE.relax(many(1.0), 0.0, _rng()) == 1).all()


class Core:
    """Draws as CrossSim does, from the global generator."""

    shape = (4, 4)

    def matvec(self, row: Any) -> Any:
        if row.all():
            raise ValueError("all active")
        return row.astype(np.float64) + np.random.normal(size=4)  # noqa: NPY002


def test_reads_of_a_core_draw_from_the_generator_and_leave_the_global_one_alone() -> None:
    crossbar, z = crosssim.CrossSimCrossbar(Core()), np.eye(4, dtype=np.bool_)[[0, 1, 1]]
    before = repr(np.random.get_state())  # noqa: NPY002
    rng = np.random.default_rng(5)
    first, second = crossbar.drive(z, rng), crossbar.drive(z, rng)
    assert first.dtype == np.float32
    assert first.shape == (3, 4)
    assert (first == crossbar.drive(z, np.random.default_rng(5))).all()
    assert (first != second).all()
    assert (first[1] != first[2]).all()
    with pytest.raises(ValueError, match="all active"):
        crossbar.drive(np.ones((1, 4), np.bool_), rng)
    assert repr(np.random.get_state()) == before  # noqa: NPY002
    assert crossbar.drive(z[:0], rng).shape == (0, 4)


# ---- our devices against aihwkit's


@pytest.mark.parametrize("g", [0.0, 0.5, 5.0, 12.5, 25.0])
def test_phase_change_is_programmed_as_by_aihwkit(aihwkit: Any, g: float) -> None:
    theirs = aihwkit_device("PCMLikeNoiseModel")
    alike(
        device_named("pcm").program(many(g), _rng()),
        theirs.program(many(g), np.random.default_rng(1)),
    )


@pytest.mark.parametrize("seconds", [80.0, DAY])
@pytest.mark.parametrize("g", [0.1, 0.5, 5.0, 12.5, 25.0])
def test_phase_change_drifts_as_in_aihwkit(aihwkit: Any, g: float, seconds: float) -> None:
    theirs = aihwkit_device("PCMLikeNoiseModel", read_noise_scale=0.0)
    ours = device_named("pcm").relax(many(g), seconds + T_0, np.random.default_rng(2))
    assert (ours <= g).all()
    alike(ours, theirs.relax(many(g), seconds, np.random.default_rng(3)))


@pytest.mark.parametrize("seconds", [80.0, DAY, 365 * DAY])
@pytest.mark.parametrize("g", [5.0, 12.5, 25.0])
def test_phase_change_that_drifted_is_read_as_in_aihwkit(
    aihwkit: Any, g: float, seconds: float
) -> None:
    """Theirs takes the share of the noise at the conductance as programmed, ours at what that was
    on average.
    """
    rng = np.random.default_rng(6)
    theirs = aihwkit_device("PCMLikeNoiseModel").relax(many(g), seconds, rng).astype(np.float64)
    ours = device_named("pcm")
    left = ours.relax(many(g), seconds + T_0, rng).astype(np.float64)
    noise = math.sqrt(theirs.var() - left.var())
    sigma = math.sqrt((ours.read_sigma_us(left, seconds + T_0).astype(np.float64) ** 2).mean())
    assert sigma == pytest.approx(noise, rel=0.05)


@pytest.mark.parametrize("seconds", [1.0, DAY, 2 * DAY])
@pytest.mark.parametrize("g", [1.0, 2.0, 10.0, 20.0, 40.0])
def test_neurram_relaxes_as_in_aihwkit(aihwkit: Any, g: float, seconds: float) -> None:
    theirs = aihwkit_device("ReRamWan2022NoiseModel", g_max=40.0)
    moved = theirs.relax(theirs.program(many(g), _rng()), seconds, np.random.default_rng(7))
    alike(device_named("neurram").relax(many(g), seconds, np.random.default_rng(8)), moved)


def test_the_first_noise_of_neurram_is_what_aihwkit_calls_programming_noise(aihwkit: Any) -> None:
    theirs = aihwkit_device("ReRamWan2022NoiseModel", g_max=40.0)
    for seconds in (0.0, 1.0):
        alike(
            theirs.relax(many(9.0), seconds, _rng()),
            theirs.relax(many(9.0), 1.0, np.random.default_rng(1)),
        )


@pytest.mark.parametrize("g", [10.0, 20.0, 35.0])
def test_write_verify_adds_little_to_the_relaxation_of_aihwkit(aihwkit: Any, g: float) -> None:
    theirs = aihwkit_device("ReRamWan2022NoiseModel", g_max=40.0).relax(many(g), DAY, _rng())
    rng, ours = np.random.default_rng(9), device_named("neurram")
    found = ours.relax(ours.program(many(g), rng), DAY, rng)
    assert found.std() == pytest.approx(theirs.std(), rel=0.04)
    assert -0.5 < found.mean() - theirs.mean() < 0


@pytest.mark.parametrize("g", [9.0, 40.0, 88.0])
def test_cmo_is_programmed_as_by_aihwkit(aihwkit: Any, g: float) -> None:
    theirs = aihwkit_device("ReRamCMONoiseModel", acceptance_range=2)
    ours = device_named("cmo-hfox").program(many(g), np.random.default_rng(10))
    assert ours.std() == pytest.approx(
        theirs.program(many(g), np.random.default_rng(11)).std(), rel=0.02
    )
    assert ours.mean() == pytest.approx(g, rel=1e-3)


@pytest.mark.parametrize("seconds", [1.0, DAY])
@pytest.mark.parametrize("g", [20.0, 40.0, 80.0])
def test_cmo_drifts_as_in_aihwkit(aihwkit: Any, g: float, seconds: float) -> None:
    theirs = aihwkit_device("ReRamCMONoiseModel", acceptance_range=2, read_noise_scale=0.0)
    ours = device_named("cmo-hfox").relax(many(g), seconds, np.random.default_rng(12))
    alike(ours, theirs.relax(many(g), seconds, np.random.default_rng(13)))


def test_cmo_stays_in_its_range_in_aihwkit_only(aihwkit: Any) -> None:
    theirs = aihwkit_device("ReRamCMONoiseModel", acceptance_range=2)
    moved = theirs.relax(many(9.0), DAY, _rng())
    assert moved.min() == pytest.approx(9.0)
    assert device_named("cmo-hfox").relax(many(9.0), DAY, _rng()).mean() < 8.1


def test_a_cell_without_conductance_is_a_number(aihwkit: Any) -> None:
    moved = aihwkit_device("ReRamCMONoiseModel", acceptance_range=2).relax(
        np.zeros(1000, np.float32), DAY, _rng()
    )
    assert np.isfinite(moved).all()


MODELS = {
    "PCMLikeNoiseModel": {},
    "ReRamWan2022NoiseModel": {"g_max": 40.0},
    "ReRamCMONoiseModel": {"acceptance_range": 2},
    "StateIndependentNoiseModel": {},
}


@pytest.mark.parametrize("name", MODELS)
def test_draws_of_aihwkit_come_from_the_generator_alone(aihwkit: Any, name: str) -> None:
    torch = pytest.importorskip("torch")
    device = aihwkit_device(name, **MODELS[name])
    target = np.linspace(10, 20, 40, dtype=np.float32).reshape(5, 8)
    before, kept = target.copy(), torch.random.get_rng_state()

    def after(seed: int) -> Any:
        rng = np.random.default_rng(seed)
        return device.relax(device.program(target, rng), DAY, rng)

    first = after(0)
    torch.manual_seed(7)
    moved = torch.random.get_rng_state()
    assert (after(0) == first).all()
    assert (after(1) != first).any()
    assert first.dtype == np.float32
    assert first.shape == target.shape
    assert (first >= 0).all()
    assert (target == before).all()
    assert (torch.random.get_rng_state() == moved).all()
    torch.random.set_rng_state(kept)
    after(2)
    assert (torch.random.get_rng_state() == kept).all()


@pytest.mark.parametrize("name", MODELS)
def test_a_program_runs_on_an_array_of_aihwkit_s_devices(
    aihwkit: Any, name: str, program: Program, turnstile: Machine
) -> None:
    chosen = replace(settings({}), model=aihwkit_device(name, **MODELS[name]))
    plan = plan_array(program.network, chosen)
    rng = np.random.default_rng(3)
    session = Session(plan.network, stepper(plan.network, draw_array(plan, rng)[0], rng))
    word = ("coin", "push", "push", "coin") * 3
    assert [session.send(symbol) for symbol in word] == list(turnstile.run(word).states[1:])


# ---- our reads against CrossSim's


def planned_of(network: Network, model: Any, **options: Any) -> ArrayPlan:
    return plan_array(network, replace(settings(options), model=model))


def held(plan: ArrayPlan) -> Any:
    """Our array of a device that takes its targets exactly, without faults."""
    none = np.zeros((2, plan.network.neurons, plan.network.neurons), np.bool_)
    return program_array(plan, StuckCells(none, none), _rng())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("rows", "columns"), [(64, 64), (5, 9), (23, 46), (7, 4)])
@pytest.mark.parametrize("g_min_us", [0.0, 1.0])
def test_an_ideal_array_is_read_as_by_crosssim(
    simulator: Any, networks: Networks, scheme: str, rows: int, columns: int, g_min_us: float
) -> None:
    exact = AffineDevice("exact", "none", g_min_us, 40.0, read_noise=0.0)
    plan = planned_of(networks(23), exact, scheme=scheme, rows=rows, columns=columns, adc_bits=0)
    z = np.random.default_rng(1).random((9, 23)) < 0.4
    core = crosssim.program_array(plan, crosssim.parameters_for(plan), _rng())
    theirs, ours = core.drive(z, _rng()), held(plan).drive(z, _rng())
    assert np.abs(theirs - ours).max() < 2e-5
    assert (np.rint(theirs) == z.astype(int) @ plan.network.weights.T.astype(int)).all()


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize(("rows", "columns"), [(64, 64), (23, 46), (7, 4)])
def test_columns_are_converted_as_by_crosssim(
    simulator: Any, networks: Networks, ideal: AffineDevice, rows: int, columns: int, bits: int
) -> None:
    plan = planned_of(networks(23), ideal, rows=rows, columns=columns, adc_bits=bits)
    z = np.random.default_rng(2).random((9, 23)) < 0.4
    theirs = crosssim.program_array(plan, crosssim.parameters_for(plan), _rng()).drive(z, _rng())
    ours = held(plan).drive(z, _rng())
    assert np.abs(theirs - ours).max() < 2e-5
    assert np.abs(theirs - np.rint(theirs)).max() > 0.01


def test_read_noise_is_spread_as_by_crosssim(simulator: Any, networks: Networks) -> None:
    noisy = AffineDevice("noisy", "none", 1.0, 40.0, read_noise=0.05)
    plan = planned_of(networks(11), noisy, rows=4, columns=8, adc_bits=0)
    parameters = crosssim.parameters_for(plan)
    parameters.xbar.device.read_noise.enable = True
    parameters.xbar.device.read_noise.model = "NormalProportionalDevice"
    parameters.xbar.device.read_noise.magnitude = 0.05
    reads = 6000
    z = np.tile(np.random.default_rng(3).random(11) < 0.5, (reads, 1))
    theirs = (
        crosssim.program_array(plan, parameters, _rng())
        .drive(z, np.random.default_rng(4))
        .astype(np.float64)
    )
    ours = held(plan).drive(z, np.random.default_rng(5)).astype(np.float64)
    sigma = ours.std(0)
    assert sigma.min() > 0.05
    assert (np.abs(theirs.mean(0) - ours.mean(0)) < 5 * sigma * math.sqrt(2 / reads)).all()
    assert (np.abs(theirs.std(0) - sigma) < 5 * sigma / math.sqrt(reads)).all()
    apart = np.corrcoef(theirs.T) - np.eye(11)
    assert np.abs(apart).max() < 5 / math.sqrt(reads)


@pytest.mark.parametrize("g", [5.0, 15.0, 25.0, 39.0])
def test_the_fit_of_crosssim_is_crosssim_s(simulator: Any, g: float) -> None:
    from simulator.devices.device import Device  # type: ignore[import-not-found,unused-ignore]
    from simulator.parameters import CrossSimParameters  # type: ignore[import-not-found,unused-ignore]

    device = CrossSimParameters().xbar.device
    device.Rmin, device.Rmax = 1e6 / 39.2, 1e6
    device.programming_error.enable, device.programming_error.model = True, "RRAMWan"
    with crosssim._seed(np.random.default_rng(6)):
        model = Device.create_device(device)
        theirs = 39.2 * model.programming_error(many(g / 39.2))
    alike(device_named("neurram-crosssim").relax(many(g), 1.0, np.random.default_rng(7)), theirs)


def test_cells_beyond_the_data_of_crosssim_s_model_end_there(
    simulator: Any, networks: Networks
) -> None:
    plan = planned_of(networks(11), device_named("neurram"), adc_bits=0)
    parameters = crosssim.parameters_for(plan)
    ideal = crosssim.program_array(plan, parameters, _rng())
    error = parameters.xbar.device.programming_error
    error.model = "RRAMWan"
    z = np.random.default_rng(8).random((3, 11)) < 0.5
    for enabled in (False, True):
        error.enable = enabled
        with pytest.warns(DeviceWarning, match=r"end at 39\.26 uS, and the cells reach to 40 uS"):
            crossbar = crosssim.program_array(plan, parameters, _rng())
        same = np.allclose(crossbar.drive(z, _rng()), ideal.drive(z, _rng()), atol=1e-3)
        assert same is not enabled
    assert parameters.xbar.device.Rmin == pytest.approx(1e6 / 40)


@pytest.mark.parametrize("g", [10.0, 20.0, 30.0, 40.0])
def test_relaxation_comes_on_top_of_what_write_verify_leaves(g: float) -> None:
    rng, ours = np.random.default_rng(9), device_named("neurram")
    written = ours.program(many(g), rng)
    found = ours.relax(written, 1.0, rng)
    alone = ours.relax(many(g), 1.0, rng).std()
    assert found.std() == pytest.approx(math.hypot(alone, written.std()), rel=0.03)


def test_draws_of_crosssim_come_from_the_generator_alone(
    simulator: Any, networks: Networks, ideal: AffineDevice
) -> None:
    plan = planned_of(networks(11), ideal, rows=4, columns=8)
    parameters = crosssim.parameters_for(plan)
    for error in (parameters.xbar.device.read_noise, parameters.xbar.device.programming_error):
        error.enable, error.model, error.magnitude = True, "NormalIndependentDevice", 0.05
    shown, before = repr(parameters), repr(np.random.get_state())  # noqa: NPY002
    z = np.random.default_rng(8).random((3, 11)) < 0.5

    def drives(seed: int) -> Any:
        rng = np.random.default_rng(seed)
        crossbar = crosssim.program_array(plan, parameters, rng)
        return crossbar.core.get_matrix(), crossbar.drive(z, rng), crossbar.drive(z, rng)

    first, again, other = drives(0), drives(0), drives(1)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert all((a != b).any() for a, b in zip(first, other, strict=True))
    assert (first[1] != first[2]).any()
    assert repr(np.random.get_state()) == before  # noqa: NPY002
    assert repr(parameters) == shown


def test_crosssim_on_a_gpu_is_refused(
    simulator: Any, networks: Networks, ideal: AffineDevice
) -> None:
    plan = planned_of(networks(5), ideal)
    parameters = crosssim.parameters_for(plan)
    parameters.simulation.useGPU = True
    with pytest.raises(MappingError, match="expected useGPU False"):
        crosssim.program_array(plan, parameters, _rng())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_program_runs_on_a_core_of_crosssim(
    simulator: Any, scheme: str, program: Program, turnstile: Machine
) -> None:
    plan = plan_array(program.network, settings({"scheme": scheme}))
    parameters = crosssim.parameters_for(plan)
    error = parameters.xbar.device.programming_error
    error.enable, error.model, error.magnitude = True, "NormalIndependentDevice", 0.03
    rng = np.random.default_rng(9)
    session = Session(
        plan.network,
        stepper(plan.network, crosssim.program_array(plan, parameters, rng), rng),
    )
    word = ("coin", "push", "push", "coin") * 3
    assert [session.send(symbol) for symbol in word] == list(turnstile.run(word).states[1:])


# ---- the page


@pytest.mark.parametrize(
    ("package", "adapter"), [("aihwkit", "aihwkit"), ("simulator", "crosssim")]
)
def test_the_snippets_of_the_page_print_what_they_say(
    package: str,
    adapter: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    request.getfixturevalue(package)
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "memristor.md").read_text(encoding="utf-8")
    (snippet,) = [
        each
        for each in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        if f"adapters.{adapter}" in each or f"adapters import {adapter}" in each
    ]
    exec(compile(snippet, "memristor.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.split() == re.findall(r"print\(.*\)  # (\w+)", snippet)
