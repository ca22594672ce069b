"""Devices by name. Each says where its numbers are from.

What stands for a device without being its measurement is a *proxy*, and what no source gives is
*assumed*; both words are in its source. Cells are stuck where a source says that some fail.
"""

from __future__ import annotations

from collections.abc import Mapping

from vsafsm.errors import did_you_mean
from vsafsm_memristor.device.affine import AffineDevice
from vsafsm_memristor.device.lognormal import LognormalDevice
from vsafsm_memristor.device.model import DeviceModel
from vsafsm_memristor.device.phase_change import PhaseChangeDevice
from vsafsm_memristor.device.write_verify import WriteVerifyDevice
from vsafsm_memristor.errors import DeviceError

_NEURRAM = (
    "NeuRRAM (Wan et al., Nature 608, 2022): 1 to 40 uS, write-verify to 1 uS, 48 cores of 256 x"
    " 256, 0.18 to 1.35 % of cells fail, of which the larger share is taken; {fit}; read noise 1 %,"
    " and that half of the cells that fail are stuck on and half off, are assumed"
)
_NEURRAM_ARRAY = (1.0, 40.0, 256, 256, 0.00675, 0.00675)
_NEURRAM_CORES = 48

PRESETS: Mapping[str, DeviceModel] = {
    device.name: device
    for device in (
        WriteVerifyDevice(
            "neurram",
            _NEURRAM.format(fit="relaxation after the fits of aihwkit at 1 s, 1 day and 2 days"),
            *_NEURRAM_ARRAY,
            cores=_NEURRAM_CORES,
            relaxation=(
                (1.0, (0.348, 16.030, -43.853, 45.393, -16.815)),
                (86_400.0, (0.701, 22.086, -50.773, 47.095, -16.458)),
                (172_800.0, (0.782, 20.274, -43.507, 37.062, -11.934)),
            ),
        ),
        WriteVerifyDevice(
            "neurram-crosssim",
            _NEURRAM.format(
                fit="relaxation after the fit of CrossSim at 1 s, which disagrees with the other"
            ),
            *_NEURRAM_ARRAY,
            cores=_NEURRAM_CORES,
            relaxation=((1.0, (1.053, 0.2374 * 40, -0.01167 * 40**2, 1.536e-4 * 40**3)),),
        ),
        PhaseChangeDevice(
            "pcm",
            "phase-change memory after aihwkit (Nandakumar et al.): programming noise, drift, read"
            " noise; up to 25 uS; tiles of 256 x 256 are assumed",
            *(0.0, 25.0, 256, 256),
        ),
        AffineDevice(
            "cmo-hfox",
            "CMO/HfOx ReRAM after aihwkit (IBM): programming at 2 % acceptance, drift and its"
            " spread over log time; 9 to 88.19 uS; read noise 1 % is assumed",
            *(9.0, 88.19, 128, 128),
            sigma_us=0.0112,
            sigma_share=0.0113,
            drift_us=-0.0890,
            drift_sigma_us=(0.0420, 0.412),
        ),
        LognormalDevice(
            "perovskite",
            "halide perovskite (Ye et al., BayesMulti data, 37 devices): lognormal, the median"
            " sigma 0.113 (mean 0.456, largest 2.35); 10 x 10 arrays; range 10 to 100 uS and read"
            " noise 1 % are assumed; proxy",
            *(10.0, 100.0, 10, 10),
            sigma=0.113,
        ),
        LognormalDevice(
            "perovskite-mean",
            "halide perovskite (Ye et al., BayesMulti data, 37 devices): lognormal, the mean sigma"
            " 0.456; 10 x 10 arrays; range 10 to 100 uS and read noise 1 % are assumed; proxy",
            *(10.0, 100.0, 10, 10),
            sigma=0.456,
        ),
        LognormalDevice(
            "perovskite-nanowire",
            "nanowire perovskite (Poddar et al.): 139 states, 10 to 100 uS, below 5 % from device"
            " to device and 1.5 % from cycle to cycle, 64 x 64; read noise 1 % is assumed; proxy",
            *(10.0, 100.0, 64, 64),
            sigma=0.05,
            cycle_sigma=0.015,
        ),
        LognormalDevice(
            "lognormal",
            "a generic device: lognormal of mean 1, sigma 0.2; all of it assumed",
            *(1.0, 100.0, 128, 128),
            sigma=0.2,
        ),
    )
}


def device_named(name: str) -> DeviceModel:
    """A preset. Raises `DeviceError`."""
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise DeviceError(
            f'unknown device "{name}"; expected one of: {known}{did_you_mean(name, PRESETS)}'
        )
    return PRESETS[name]
