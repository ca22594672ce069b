"""A device whose errors are those of an inference noise model of aihwkit (IBM's Analog Hardware
Acceleration Kit).

Of aihwkit only the noise models are used (``aihwkit.inference.noise``), on conductances: how
weights become conductances is ours, and no tile of aihwkit is built. They draw from torch's global
generator; each call here seeds it from the generator that is passed, and puts it back.

Checked against aihwkit 1.1.0.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vsafsm.errors import did_you_mean
from vsafsm_memristor.device.model import BaseDevice, Conductances
from vsafsm_memristor.errors import DeviceError
from vsafsm_memristor.importing import import_optional

INSTALL = "pip install aihwkit"


@dataclass(frozen=True)
class AihwkitDevice(BaseDevice):
    """A `DeviceModel` around a noise model of aihwkit; `aihwkit_device` makes one.

    Its read noise (of phase-change memory, CMO, ...) aihwkit draws together with the drift, once,
    so that here too it stays with an array; ``read_noise``, a share of the conductance drawn at
    each read, comes on top and is 0. The noise model is told of a cell's conductance as it was
    programmed, in place of its target.

    Attributes
    ----------
    noise
        The noise model.
    times_s
        Seconds at which the noise is known, for a model that has noise about the target at a few
        times, that of each time in place of the one before (``ReRamWan2022NoiseModel``):
        programming then takes its targets exactly, and all noise comes with time, up to the first
        of these times that of programming. Empty for other models.
    """

    read_noise: float = 0.0
    noise: Any = field(kw_only=True)
    times_s: tuple[float, ...] = field(default=(), kw_only=True)

    def program(self, target_us: Conductances, rng: np.random.Generator) -> Conductances:
        """With aihwkit's programming noise."""
        if self.times_s:
            return np.asarray(target_us, np.float32)
        return self._draw(self.noise.apply_programming_noise_to_conductance, target_us, rng)

    def relax(self, g_us: Conductances, seconds: float, rng: np.random.Generator) -> Conductances:
        """With aihwkit's drift and read noise, `seconds` as its ``t_inference``; nothing at 0.

        Raises
        ------
        DeviceError
            If the noise model knows nothing of this time.
        """
        if self.times_s and seconds <= self.times_s[0]:
            return self._draw(self.noise.apply_programming_noise_to_conductance, g_us, rng)
        if self.times_s and seconds not in self.times_s:
            known = ", ".join(f"{each:g}" for each in self.times_s)
            raise DeviceError(
                f'device "{self.name}" is asked for {seconds:g} s; expected one of: {known} s'
            )
        if seconds <= 0:
            return g_us

        def drift(g: Any) -> Any:
            coefficients = self.noise.generate_drift_coefficients(g.clone())
            return self.noise.apply_drift_noise_to_conductance(g, coefficients, seconds)

        return self._draw(drift, g_us, rng)

    def _draw(
        self, change: Callable[[Any], Any], g_us: Conductances, rng: np.random.Generator
    ) -> Conductances:
        """What aihwkit makes of conductances; the smallest one where it takes a logarithm of less
        than 0 (ReRamCMO).
        """
        torch = import_optional("torch", "torch, which aihwkit needs,", INSTALL)
        with _seed(torch, rng), np.errstate(invalid="ignore", divide="ignore"):
            found = change(torch.tensor(np.asarray(g_us, np.float32), device="cpu")).numpy()
        return np.where(np.isfinite(found), found, np.float32(self.g_min_us))


def aihwkit_device(model: str | type[Any], **parameters: Any) -> AihwkitDevice:
    """A device with the errors of a noise model of aihwkit.

    Range, array size and stuck cells are changed with `dataclasses.replace`; the range is that of
    the model's converter to conductances.

    Parameters
    ----------
    model
        Name of a class in ``aihwkit.inference.noise``, or a class of your own with
        ``BaseNoiseModel`` as its base.
    parameters
        Those of the class: ``g_max=40.0``, say, in microsiemens. ``ReRamWan2022NoiseModel`` has its
        coefficients for 40 uS and takes 25 by default.

    Raises
    ------
    MissingLibraryError
        If aihwkit cannot be imported.
    DeviceError
        If there is no such model or parameter, aihwkit refuses the values, or it has no row for an
        ``acceptance_range``: it would take the one of the smallest error then and not say so, which
        is what ``ReRamCMONoiseModel`` does by default.
    """
    models = _noise_models()
    kind = models.get(model) if isinstance(model, str) else model
    if kind is None:
        known = ", ".join(models)
        raise DeviceError(
            f'unknown noise model "{model}"; expected one of:'
            f" {known}{did_you_mean(str(model), models)}"
        )
    accepted = inspect.signature(kind).parameters
    for name in parameters:
        if name not in accepted:
            known = ", ".join(accepted)
            raise DeviceError(
                f'{kind.__name__} has no parameter "{name}"; expected one of:'
                f" {known}{did_you_mean(name, accepted)}"
            )
    try:
        noise = kind(**parameters)
    except (ValueError, AssertionError) as error:
        raise DeviceError(f"aihwkit refuses the parameters of {kind.__name__}: {error}") from None
    _check_acceptance(noise, accepted, parameters)
    converter = noise.g_converter
    return AihwkitDevice(
        kind.__name__,
        f"{kind.__name__} of aihwkit, as it is there; no cells stuck and no read noise beyond it"
        " are assumed",
        float(converter.g_min),
        float(converter.g_max),
        noise=noise,
        times_s=(
            tuple(sorted(noise.coeff_dic))
            if isinstance(noise, models.get("ReRamWan2022NoiseModel", ()))
            else ()
        ),
    )


def _noise_models() -> Mapping[str, Any]:
    package = import_optional("aihwkit.inference.noise", "aihwkit", INSTALL)
    base = import_optional("aihwkit.inference.noise.base", "aihwkit", INSTALL).BaseNoiseModel
    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(package.__path__, "aihwkit.inference.noise."):
        held = vars(import_optional(module.name, "aihwkit", INSTALL)).values()
        found |= {
            each.__name__: each
            for each in held
            if isinstance(each, type) and issubclass(each, base)
        }
    del found[base.__name__]
    return found


def _check_acceptance(
    noise: Any, accepted: Mapping[str, inspect.Parameter], parameters: Mapping[str, Any]
) -> None:
    """Refuse an acceptance range that aihwkit has no row for: it takes the row of the smallest one
    in silence.
    """
    if "acceptance_range" not in accepted:
        return
    asked = parameters.get("acceptance_range", accepted["acceptance_range"].default)
    if asked not in noise.coeff_dict:
        known = ", ".join(f"{each:g}" for each in noise.coeff_dict)
        raise DeviceError(
            f"acceptance_range is {asked}, which aihwkit has no row for; expected one of:"
            f" {known} (%)"
        )


@contextmanager
def _seed(torch: Any, rng: np.random.Generator) -> Iterator[None]:
    """Torch's global generator (of the CPU) seeded from another for a while, and put back."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(rng.integers(1 << 63)))
        yield
