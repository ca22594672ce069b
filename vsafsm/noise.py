"""Noise on the weights of a network: frozen models that draw every synapse from a given generator.

Noise acts on the weights as they are deployed: after quantisation, without rescaling. Where the
inhibition is folded into the weights it is perturbed with them; a program compiled with
``inhibition: separate`` keeps it apart, and exact.

Three models are about timing and leave weights alone: neurons that are not updated at once, masks
that take a while to reach them, and axons with delays.

A model is written ``NAME:AMOUNT[,KEY=VALUE...]``, such as ``additive:2``, ``timing:async:0.1`` or
``stuck:0.1,at=minimum``; several that act one after the other are joined by ``+``:
``lognormal:0.5+missing:0.1``.
"""

from __future__ import annotations

import math
import re
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import ArgumentError, NoiseError, did_you_mean
from vsafsm.finite import finite
from vsafsm.network import Network

Weights = NDArray[np.float32]


class Noise(Protocol):
    """Something that perturbs weights. Its text, ``str(noise)``, is what `parse_noise` reads.

    Attributes
    ----------
    amount
        How strong it is, for the axis of a curve.
    kind
        Its text without the amount: noises of one kind share a curve.
    """

    @property
    def amount(self) -> float: ...

    @property
    def kind(self) -> str: ...

    def perturb(self, weights: Weights, network: Network, rng: np.random.Generator) -> Weights:
        """Disturbed weights in LSBs, postsynaptic neuron first.

        Parameters
        ----------
        weights : (n, n) or (1, E)
            Those of a module, or of all synapses between modules, as noise before this one has
            left them; they may be written over.
        network
            The unperturbed network: what relative noise is relative to.
        """


def perturb(
    network: Network, noise: Noise, rng: np.random.Generator, whole: bool = False
) -> Network:
    """The network with perturbed weights: real numbers (float32), or whole ones again for a target
    that rounds.

    Parameters
    ----------
    whole
        Round to whole LSBs, and clip to the network's bits.

    Raises
    ------
    ArgumentError
        If `rng` is no generator of NumPy.
    NoiseError
        If a network of modules cannot have the noise.
    """
    if not isinstance(rng, np.random.Generator):
        raise ArgumentError(
            f"perturb: rng is {rng!r}; expected a generator, such as numpy.random.default_rng(0)"
        )
    if network.modules > 1 and not _is_independent(noise):
        raise NoiseError(
            f'noise "{noise}" is shared by weights of a row or column, which a network of modules'
            " does not keep together; expected another noise, or layout dense"
        )
    blocks = network.blocks.astype(np.float32)
    for module, block in enumerate(blocks):
        blocks[module] = noise.perturb(block, network, rng)
    values = network.between.values.astype(np.float32)
    if len(values):
        values = noise.perturb(values[None], network, rng)[0]
    if not whole:
        return network.with_all_weights(blocks, values)
    limit, kind = 2 ** (network.bits - 1) - 1, network.blocks.dtype
    rounded = [np.clip(np.rint(each), -limit, limit).astype(kind) for each in (blocks, values)]
    return network.with_all_weights(*rounded)


def _is_independent(noise: Noise) -> bool:
    """Whether it draws for each weight by itself."""
    return not any(isinstance(part, Correlated) for part in parts(noise))


# ---- what models are made of


def _number(
    least: float, most: float = math.inf, default: float | None = None, whole: bool = False
) -> Any:
    bounds = {"least": least, "most": most, "whole": whole}
    return field(metadata=bounds) if default is None else field(default=default, metadata=bounds)


def _choice(*names: str) -> Any:
    return field(default=names[0], metadata={"names": names})


def _unit() -> Any:
    return _choice("std", "lsb")


class _Model:
    """A model whose fields are numbers within bounds and names out of a few; the first is its
    amount.
    """

    name: ClassVar[str]
    less_is_more: ClassVar[bool] = False
    """Whether a smaller amount disturbs more."""

    def __post_init__(self) -> None:
        for one in _fields(type(self)):
            object.__setattr__(self, one.name, _checked(self.name, one, getattr(self, one.name)))

    @property
    def amount(self) -> float:
        """How strong it is: the first field."""
        return float(getattr(self, _fields(type(self))[0].name))

    @property
    def kind(self) -> str:
        """Its text without the amount."""
        _, *others = _fields(type(self))
        values = {one.name: getattr(self, one.name) for one in others}
        changed = [
            f",{one.name}={_text(values[one.name])}"
            for one in others
            if values[one.name] != one.default
        ]
        return f"{self.name}{''.join(changed)}"

    def __str__(self) -> str:
        name, comma, others = self.kind.partition(",")
        return f"{name}:{_text(self.amount)}{comma}{others}"


def _fields(model: type[Any]) -> tuple[Field[Any], ...]:
    return fields(model)


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else re.sub(r"\.0$", "", repr(value))


def _checked(model: str, one: Field[Any], value: object) -> float | int | str:
    if "names" in one.metadata:
        if value not in one.metadata["names"]:
            raise _unfit(model, one, value, did_you_mean(str(value), one.metadata["names"]))
        return str(value)
    whole, least, most = (one.metadata[key] for key in ("whole", "least", "most"))
    number = finite(value)
    if number is None or not least <= number <= most or (whole and not number.is_integer()):
        raise _unfit(model, one, value)
    return int(number) if whole else number


def _unfit(model: str, one: Field[Any], value: object, hint: str = "") -> NoiseError:
    return NoiseError(f"{one.name} of noise {model} is {value!r}; expected {_expected(one)}{hint}")


def _expected(one: Field[Any]) -> str:
    if "names" in one.metadata:
        return f"one of: {', '.join(one.metadata['names'])}"
    kind = "a whole number" if one.metadata["whole"] else "a number"
    least, most = (_text(one.metadata[key]) for key in ("least", "most"))
    return f"{kind} of at least {least}" if most == "inf" else f"{kind} from {least} to {most}"


def _in_lsb(amount: float, unit: str, network: Network) -> np.float32:
    """An amount in LSBs; the unit "std" is the standard deviation of the unperturbed
    weights.
    """
    return np.float32(amount * (network.weight_std if unit == "std" else 1.0))


# ---- the models


@dataclass(frozen=True)
class Additive(_Model):
    """Independent Gaussian noise; `std` is in standard deviations of the weights, or in LSBs."""

    name: ClassVar[str] = "additive"
    std: float = _number(0)
    unit: Literal["std", "lsb"] = _unit()

    def perturb(self, weights: Weights, network: Network, rng: np.random.Generator) -> Weights:
        """``w + std n``."""
        noise = rng.standard_normal(weights.shape, np.float32)
        noise *= _in_lsb(self.std, self.unit, network)
        weights += noise
        return weights


@dataclass(frozen=True)
class Lognormal(_Model):
    """Multiplicative lognormal noise of mean 1; `sigma` is the standard deviation of its
    logarithm.
    """

    name: ClassVar[str] = "lognormal"
    sigma: float = _number(0, 10)

    def perturb(self, weights: Weights, network: Network, rng: np.random.Generator) -> Weights:
        """``w exp(sigma n - sigma^2 / 2)``."""
        factor = rng.standard_normal(weights.shape, np.float32)
        factor *= np.float32(self.sigma)
        factor -= np.float32(self.sigma**2 / 2)
        weights *= np.exp(factor, out=factor)
        return weights


@dataclass(frozen=True)
class Missing(_Model):
    """Synapses that are not there: each is missing with probability `share`; the others are not
    rescaled.
    """

    name: ClassVar[str] = "missing"
    share: float = _number(0, 1)

    def perturb(self, weights: Weights, network: Network, rng: np.random.Generator) -> Weights:
        """``w`` or 0."""
        weights *= _spared(weights, self.share, rng)
        return weights


@dataclass(frozen=True)
class Stuck(_Model):
    """Synapses stuck at the smallest or the largest weight of the network, each with probability
    `share`.
    """

    name: ClassVar[str] = "stuck"
    share: float = _number(0, 1)
    at: Literal["either", "minimum", "maximum"] = _choice("either", "minimum", "maximum")

    def perturb(self, weights: Weights, network: Network, rng: np.random.Generator) -> Weights:
        """``w``, ``min W`` or ``max W``."""
        uniform = rng.random(weights.shape, np.float32)
        low = {"either": self.share / 2, "minimum": self.share, "maximum": 0.0}[self.at]
        least, largest = network.weight_range
        weights[uniform < low] = least
        weights[(uniform >= low) & (uniform < self.share)] = largest
        return weights


@dataclass(frozen=True)
class SignFlips(_Model):
    """Synapses of the wrong sign, each with probability `share`."""

    name: ClassVar[str] = "flips"
    share: float = _number(0, 1)

    def perturb(self, weights: Weights, network: Network, rng: np.random.Generator) -> Weights:
        """``w`` or ``-w``."""
        np.negative(weights, out=weights, where=~_spared(weights, self.share, rng))
        return weights


@dataclass(frozen=True)
class Quantised(_Model):
    """Rounding to `bits` bits: ``2**bits - 1`` levels from minus to plus the largest magnitude of
    the network.
    """

    name: ClassVar[str] = "quantised"
    less_is_more: ClassVar[bool] = True
    bits: int = _number(2, 16, whole=True)

    def perturb(self, weights: Weights, network: Network, rng: np.random.Generator) -> Weights:
        """The nearest level; nothing is drawn."""
        levels = 2 ** (self.bits - 1) - 1
        level = np.float32(max(int(network.largest_weight), 1) / levels)
        weights /= level
        return np.clip(np.rint(weights, out=weights), -levels, levels, out=weights) * level


@dataclass(frozen=True)
class Jitter(_Model):
    """Independent uniform noise up to `width`: standard deviations of the weights, or LSBs."""

    name: ClassVar[str] = "jitter"
    width: float = _number(0)
    unit: Literal["std", "lsb"] = _unit()

    def perturb(self, weights: Weights, network: Network, rng: np.random.Generator) -> Weights:
        """``w + u``."""
        noise = rng.random(weights.shape, np.float32)
        noise -= np.float32(0.5)
        noise *= 2 * _in_lsb(self.width, self.unit, network)
        weights += noise
        return weights


@dataclass(frozen=True)
class Correlated(_Model):
    """Gaussian noise that the weights of a row (onto one neuron) or a column (from one neuron)
    share in part.

    Any two weights of a line have noise of the given correlation; weights of different lines are
    independent.
    """

    name: ClassVar[str] = "correlated"
    std: float = _number(0)
    along: Literal["rows", "columns"] = _choice("rows", "columns")
    correlation: float = _number(0, 1, default=0.5)
    unit: Literal["std", "lsb"] = _unit()

    def perturb(self, weights: Weights, network: Network, rng: np.random.Generator) -> Weights:
        """``w + std (sqrt(c) n_line + sqrt(1 - c) n)``."""
        std = _in_lsb(self.std, self.unit, network)
        shape = (len(weights), 1) if self.along == "rows" else (1, len(weights))
        line = rng.standard_normal(shape, np.float32)
        noise = rng.standard_normal(weights.shape, np.float32)
        noise *= std * np.float32(math.sqrt(1 - self.correlation))
        noise += line * (std * np.float32(math.sqrt(self.correlation)))
        weights += noise
        return weights


class OfTiming(_Model):
    """A model of when neurons see what: weights stay as they are (`vsafsm.asynchronous`)."""

    def perturb(self, weights: Weights, network: Network, rng: np.random.Generator) -> Weights:
        """The weights."""
        return weights


@dataclass(frozen=True)
class Asynchronous(OfTiming):
    """Neurons are updated at random, a share of them per step; 0 stands for one neuron per
    step.
    """

    name: ClassVar[str] = "timing:async"
    less_is_more: ClassVar[bool] = True
    share: float = _number(0, 1)


@dataclass(frozen=True)
class SpreadMasks(OfTiming):
    """A mask reaches the neurons over so many steps, each at a step of its own."""

    name: ClassVar[str] = "timing:masks"
    steps: int = _number(0, 1000, whole=True)


@dataclass(frozen=True)
class Delays(OfTiming):
    """The axon of each neuron has a delay of its own, of 1 to so many steps."""

    name: ClassVar[str] = "timing:delays"
    steps: int = _number(1, 100, whole=True)


@dataclass(frozen=True)
class Composed:
    """Several kinds of noise, one after the other."""

    noises: tuple[Noise, ...]

    def __post_init__(self) -> None:
        if not self.noises:
            raise NoiseError("no noise is composed; expected at least one")

    @property
    def amount(self) -> float:
        """That of the first."""
        return self.noises[0].amount

    @property
    def kind(self) -> str:
        """Their text without the amount of the first."""
        first, *others = self.noises
        return "+".join((first.kind, *map(str, others)))

    def __str__(self) -> str:
        return "+".join(str(noise) for noise in self.noises)

    def perturb(self, weights: Weights, network: Network, rng: np.random.Generator) -> Weights:
        """What is left after all of them."""
        for noise in self.noises:
            weights = noise.perturb(weights, network, rng)
        return weights


def parts(noise: Noise) -> tuple[Noise, ...]:
    """The models that act one after the other."""
    if isinstance(noise, Composed):
        return tuple(part for each in noise.noises for part in parts(each))
    return (noise,)


def _spared(weights: Weights, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    return np.asarray(rng.random(weights.shape, np.float32) >= share)


TIMING = "timing"
MODELS: dict[str, type[Any]] = {
    model.name: model
    for model in (
        Additive,
        Lognormal,
        Missing,
        Stuck,
        SignFlips,
        Quantised,
        Jitter,
        Correlated,
        Asynchronous,
        SpreadMasks,
        Delays,
    )
}


# ---- texts


def parse_noise(text: str) -> Noise:
    """The noise that a text such as ``additive:2`` or ``lognormal:0.5+stuck:0.1,at=minimum`` stands
    for.

    Raises
    ------
    NoiseError
        If a model or a parameter is unknown, missing or out of range.
    """
    if not isinstance(text, str):
        raise NoiseError(f'noise is {text!r}; expected a text such as "additive:2"')
    parts = [_parsed(part) for part in split_noise(text)]
    return parts[0] if len(parts) == 1 else Composed(tuple(parts))


def noise_of(noise: object) -> Noise:
    """A model as it is, or that of a text; raises `NoiseError` for anything else."""
    if isinstance(noise, str):
        return parse_noise(noise)
    if not callable(getattr(noise, "perturb", None)):
        raise NoiseError(f'noise is {noise!r}; expected a model, or a text such as "additive:2"')
    return noise  # type: ignore[return-value]


def split_noise(text: str) -> list[str]:
    """The texts of the models that are joined in a text."""
    return re.split(r"\+(?=\s*[A-Za-z])", text)


def named(head: str) -> tuple[str, str]:
    """The name of a model and what follows its colon: names of timing have a colon themselves."""
    name, _, amount = head.partition(":")
    if name.strip() == TIMING:
        kind, _, amount = amount.partition(":")
        name = f"{TIMING}:{kind.strip()}"
    return name, amount


def _parsed(text: str) -> Noise:
    head, *assigned = text.split(",")
    name, amount = (part.strip() for part in named(head))
    if name not in MODELS:
        known = ", ".join(sorted(MODELS))
        raise NoiseError(
            f'unknown noise "{name}"; expected one of: {known}{did_you_mean(name, MODELS)}'
        )
    first, *others = _fields(MODELS[name])
    known_fields = {one.name: one for one in others}
    values: dict[str, object] = {first.name: _value(name, first, amount)}
    for each in assigned:
        key, _, value = (part.strip() for part in each.partition("="))
        if key not in known_fields or key in values:
            expected = (
                f"expected {', '.join(known_fields) or 'none'}, once"
                f" each{did_you_mean(key, known_fields)}"
            )
            raise NoiseError(f'noise {name} has no parameter "{key}" there; {expected}')
        values[key] = _value(name, known_fields[key], value)
    noise: Noise = MODELS[name](**values)
    return noise


def _value(model: str, one: Field[Any], text: str) -> object:
    if "names" in one.metadata:
        return text
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _unfit(model, one, text)
    return number
