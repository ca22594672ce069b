"""Compile options: a frozen table of what can be asked for, checked by name, type and range.

An early room: specs carry compile options, so the readers check them too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import Any, Literal, get_args

from vsafsm.errors import OptionError, did_you_mean
from vsafsm.finite import finite

Auto = Literal["auto"]
Rule = Literal["refined", "small", "robust", "one-shot"]
Trigger = Literal["event", "level"]
Code = Literal["sparse", "dense"]
Inhibition = Literal["folded", "separate"]
Layout = Literal["auto", "dense", "modules"]
Placement = Literal["partition", "balanced"]
MOST_NEURONS = 16384
"""Most neurons of one matrix."""
MOST_MODULE_NEURONS = 4096


@dataclass(frozen=True)
class Options:
    """How to compile.

    Attributes
    ----------
    dimension
        Neurons N, or ``"auto"``: what tolerates the noises that are asked for, or else about twice
        the smallest N that proves.
    active
        Active neurons k in a code, or ``"auto"``. For ``code="dense"`` it is N / 2.
    layout
        ``"dense"``: one matrix of weights; ``"modules"``: dense blocks with sparse synapses between
        them, at a cost that grows with the machine and not with its square; ``"auto"``: what costs
        fewer synapses for the margin.
    module_neurons
        Neurons per module, or ``"auto"``.
    placement
        Which states share a module: those that lead to each other (``"partition"``), or any
        (``"balanced"``).
    bits
        Width of a weight, 2 to 16.
    rule
        ``"refined"``: refined until every synchronous step has the margin; ``"small"``: the same
        with smaller weights; ``"robust"``: refined on samples of other orders of updates and of
        disturbed activity as well; ``"one-shot"``; or ``"auto"``: ``"robust"`` where something is
        to be tolerated, else ``"refined"``.
    trigger
        ``"event"``: one event, one transition, however long it is held; ``"level"``: the paper's
        plain rule.
    code
        ``"sparse"`` or ``"dense"``.
    inhibition
        ``"folded"`` into the weights, or ``"separate"``.
    margin
        Distance from threshold to refine for, in units of drive per active neuron; ``"auto"`` asks
        for 0.3, and for less at a given dimension where that cannot be had; for 0.2 where something
        is to be tolerated.
    tolerate
        Noises that the program tolerates, between blanks; ``"none"``; or ``"auto"``: additive noise
        of one standard deviation of the weights, 10 % missing synapses, and 10 % of the neurons
        updated per step, where the options leave the size open.
    confidence
        Share of the draws of each noise that are correct, at the lower end of its 95 % interval.
        ``"auto"``: 0.99 for noises that are named, 0.98 for those by default.
    seed
        Of every random draw.
    """

    dimension: int | Auto = "auto"
    active: int | Auto = "auto"
    bits: int = 8
    rule: Rule | Auto = "auto"
    trigger: Trigger = "event"
    code: Code = "sparse"
    inhibition: Inhibition = "folded"
    margin: float | Auto = "auto"
    tolerate: str = "auto"
    confidence: float | Auto = "auto"
    layout: Layout = "auto"
    module_neurons: int | Auto = "auto"
    placement: Placement = "partition"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            check(name, getattr(self, name))

    def with_(self, changes: Mapping[str, object]) -> Options:
        """These options with some changed; text is read as the option's own type. Raises
        `OptionError`.
        """
        return replace(self, **{name: _typed(name, value) for name, value in changes.items()})

    @property
    def settled_rule(self) -> Rule:
        """The rule, where ``"auto"`` has not been settled yet the usual one."""
        return "refined" if self.rule == "auto" else self.rule

    def items(self) -> Iterable[tuple[str, str | int | float]]:
        """(name, value) pairs in order."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))


def parse_assignments(texts: Iterable[str]) -> dict[str, str]:
    """``["bits=4", ...]`` -> ``{"bits": "4"}``. Raises `OptionError`."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise OptionError(f'"{text}" is no option; expected key=value')
        found[name.strip()] = value.strip()
    return found


def _typed(name: str, value: object) -> Any:
    if name not in _CHECKS:
        known = sorted(_CHECKS)
        raise OptionError(
            f'unknown compile option "{name}"; expected one of:'
            f" {', '.join(known)}{did_you_mean(name, known)}"
        )
    if name == "tolerate" and isinstance(value, list | tuple):
        texts = [str(each) for each in value]
        value = "none" if set(texts) <= {"none"} else " ".join(texts)
    if isinstance(value, str):
        return _read(name, value)
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    number = finite(value)
    return value if number is None else number


_WHOLE_NUMBERS = ("dimension", "active", "bits", "seed", "module_neurons")


def _read(name: str, text: str) -> str | int | float:
    """A text as a number where the option is one; what is no number is left to the option's own
    check.
    """
    if name in _WHOLE_NUMBERS and re.fullmatch("[-+]?[0-9]{1,100}", text):
        return int(text)
    if (
        name in ("margin", "confidence")
        and re.fullmatch(r"[-+]?[0-9]*(\.[0-9]*)?(e[-+]?[0-9]+)?", text)
        and any(map(str.isdigit, text))
    ):
        return float(text)
    return text


def check_option(name: str, value: object) -> None:
    """Raise `OptionError` where there is no compile option of this name, or this value is not one
    of its values.
    """
    Options().with_({name: value})


def _whole(least: int, most: int, auto: bool = False) -> Any:
    def check(name: str, value: object) -> None:
        if auto and value == "auto":
            return
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise OptionError(f"option {name} is {value!r}; expected {_expected(name)}")

    check.expected = f"a whole number from {least} to {most}" + (' or "auto"' if auto else "")  # type: ignore[attr-defined]
    return check


def _one_of(literal: Any, auto: bool = False) -> Any:
    names = (*get_args(literal), *(("auto",) if auto else ()))

    def check(name: str, value: object) -> None:
        if value not in names:
            hint = did_you_mean(value, names) if isinstance(value, str) else ""
            raise OptionError(f"option {name} is {value!r}; expected {_expected(name)}{hint}")

    check.expected = "one of: " + ", ".join(names)  # type: ignore[attr-defined]
    return check


def _margin(name: str, value: object) -> None:
    number = finite(value) if isinstance(value, int | float) else None
    if value != "auto" and (number is None or not 0 <= number <= 0.45):
        raise OptionError(f"option {name} is {value!r}; expected {_expected(name)}")


def _tolerate(name: str, value: object) -> None:
    if value in ("auto", "none"):
        return
    # Imported here, since noise comes after networks, and specs with options before them.
    from vsafsm.errors import NoiseError
    from vsafsm.tolerance import tolerances

    if not isinstance(value, str) or not value.strip():
        raise OptionError(f"option {name} is {value!r}; expected {_expected(name)}")
    if not {"auto", "none"}.isdisjoint(value.split()):
        raise OptionError(
            f'option {name} is {value!r}; expected noises, or "none" (as --smallest asks for) or'
            ' "auto" by itself'
        )
    try:
        tolerances(value)
    except NoiseError as error:
        raise OptionError(f"option {name}: {error}") from None


def _confidence(name: str, value: object) -> None:
    number = finite(value) if isinstance(value, int | float) else None
    if value != "auto" and (number is None or not 0.5 <= number < 1):
        raise OptionError(f"option {name} is {value!r}; expected {_expected(name)}")


_tolerate.expected = 'noises between blanks, "none" or "auto"'  # type: ignore[attr-defined]
_confidence.expected = 'a number from 0.5, and below 1, or "auto"'  # type: ignore[attr-defined]
_margin.expected = 'a number from 0 to 0.45 or "auto"'  # type: ignore[attr-defined]
_CHECKS: dict[str, Any] = {
    "dimension": _whole(8, MOST_NEURONS, auto=True),
    "active": _whole(2, MOST_NEURONS // 2, auto=True),
    "bits": _whole(2, 16),
    "rule": _one_of(Rule, auto=True),
    "trigger": _one_of(Trigger),
    "code": _one_of(Code),
    "inhibition": _one_of(Inhibition),
    "margin": _margin,
    "tolerate": _tolerate,
    "confidence": _confidence,
    "layout": _one_of(Layout),
    "module_neurons": _whole(16, MOST_MODULE_NEURONS, auto=True),
    "placement": _one_of(Placement),
    "seed": _whole(0, 2**63 - 1),
}
OPTION_NAMES = tuple(_CHECKS)


def _expected(name: str) -> str:
    return str(_CHECKS[name].expected)
