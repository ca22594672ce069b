"""The plan of a recipe: settings with their kinds and bounds, and the objective, in YAML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from vsafsm.errors import FileError, Location, RecipeError, did_you_mean
from vsafsm.files import reason
from vsafsm.formats._nodes import Items, Node, Scalar, parse
from vsafsm.formats._yaml_fields import fields_of, pairs_of, scalar_of

Kind = Literal["continuous", "integer", "log", "categorical"]
KINDS: tuple[Kind, ...] = ("continuous", "integer", "log", "categorical")
GOALS = ("maximise", "minimise")
MOST_SETTINGS = 64
MOST_WHOLE = 2**53
DIGITS = 6
"""Of a suggested number."""
Value = float | int | str
Known = TypeVar("Known", bound=str)


@dataclass(frozen=True)
class Setting:
    """One thing that can be set.

    Attributes
    ----------
    kind
        ``"continuous"``, ``"integer"``, ``"log"`` (real, on a logarithmic scale) or
        ``"categorical"``.
    low, high
        Bounds, both allowed; 0 where there are values.
    values
        Of a categorical one.

    Raises
    ------
    RecipeError
        If the bounds or values are not those of its kind.

    Examples
    --------
    >>> Setting("celsius", "integer", 60, 200).read("120")
    120
    """

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind == "categorical":
            if len(self.values) < 2 or len(set(self.values)) != len(self.values):
                raise RecipeError(
                    f'setting "{self.name}" has values {list(self.values)}; expected'
                    " two or more, each once"
                )
            return
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise RecipeError(
                f'setting "{self.name}" is from {self.low:g} to {self.high:g}; expected low < high'
            )
        if self.kind == "log" and self.low <= 0:
            raise RecipeError(
                f'setting "{self.name}" is on a logarithmic scale from {self.low:g}; expected more'
                " than 0"
            )
        whole = float(self.low).is_integer() and float(self.high).is_integer()
        if self.kind == "integer" and not (whole and max(-self.low, self.high) <= MOST_WHOLE):
            raise RecipeError(
                f'setting "{self.name}" is from {self.low:g} to {self.high:g}; expected whole'
                " numbers"
            )

    @property
    def expected(self) -> str:
        """What a value of it is, for messages."""
        if self.kind == "categorical":
            return f"one of: {', '.join(self.values)}"
        kind = "a whole number" if self.kind == "integer" else "a number"
        return f"{kind} from {self.low:g} to {self.high:g}"

    def read(self, text: str) -> Value:
        """A value from its text.

        Raises
        ------
        RecipeError
            If it is none of this setting.
        """
        if self.kind == "categorical":
            if text in self.values:
                return text
            hint = did_you_mean(text, self.values)
            raise RecipeError(f'{self.name} is "{text}"; expected {self.expected}{hint}')
        number = number_of(text)
        if number is None or not self.low <= number <= self.high:
            raise RecipeError(f'{self.name} is "{text}"; expected {self.expected}')
        if self.kind == "integer":
            if not number.is_integer():
                raise RecipeError(f'{self.name} is "{text}"; expected {self.expected}')
            return int(number)
        return number

    def rounded(self, value: Value) -> Value:
        """A suggested value with as many digits as one sets."""
        if isinstance(value, str) or self.kind == "integer":
            return value
        return min(self.high, max(self.low, float(f"{value:.{DIGITS}g}")))

    def unit(self, value: Value) -> float:
        """Where a number lies between the bounds, 0 to 1."""
        low, high, at = float(self.low), float(self.high), float(value)
        if self.kind == "log":
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low)


@dataclass(frozen=True)
class Column:
    """The objective is a measured column, to be made large or small."""

    name: str
    maximise: bool


@dataclass(frozen=True)
class Yield:
    """The objective is the yield of a program on arrays of measured spread and on/off ratio.

    Attributes
    ----------
    program
        A file of ``vsafsm compile --for memristor``, or for another backend that predicts yields.
    spread, on_off
        Columns: standard deviation of the logarithm of a conductance from device to device, and
        largest over smallest conductance.
    """

    program: Path
    spread: str
    on_off: str

    maximise = True


@dataclass(frozen=True)
class Plan:
    """Settings, and what is aimed at."""

    settings: tuple[Setting, ...]
    objective: Column | Yield

    @property
    def measured(self) -> tuple[str, ...]:
        """Columns that the objective needs."""
        aim = self.objective
        return (aim.name,) if isinstance(aim, Column) else (aim.spread, aim.on_off)


def load_plan(path: str | Path) -> Plan:
    """Read a plan.

    Raises
    ------
    FileError
        If the file cannot be read.
    RecipeError, SpecError
        With file, line and column, if it is no plan.
    """
    place = Path(path)
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise FileError(f'cannot read "{path}": {reason(error)}') from None
    return read_plan(text, str(path), place.parent)


def read_plan(text: str, source: str, folder: Path = Path()) -> Plan:
    """A plan from its text; programs are named from `folder` on. Raises as `load_plan`.

    Examples
    --------
    >>> plan = read_plan('''
    ... settings:
    ...   minutes: {kind: log, low: 1, high: 100}
    ...   salt: {kind: categorical, values: [iodide, bromide]}
    ... objective: {column: on_off, goal: maximise}
    ... ''', "plan.yaml")
    >>> [setting.kind for setting in plan.settings], plan.measured
    (['log', 'categorical'], ('on_off',))
    """
    root = parse(text, source)
    if root is None:
        raise RecipeError(f"{Location(source)}: the plan is empty; expected settings and objective")
    both = ("settings", "objective")
    top = fields_of(root, "a plan", both, both)
    settings = _settings(top["settings"])
    objective = _objective(top["objective"], folder)
    plan = Plan(settings, objective)
    for name in plan.measured:
        if name in {setting.name for setting in settings}:
            raise _at(top["objective"], f'"{name}" is a setting; expected a measured column')
    return plan


def _settings(node: Node) -> tuple[Setting, ...]:
    pairs = pairs_of(node, "settings", "a setting each")
    found: dict[str, Setting] = {}
    for key, value in pairs:
        name = key.text
        if not name or name != name.strip() or not name.isprintable() or "=" in name:
            raise _at(key, f"{name!r} is no name; expected printable text without =")
        if name in found:
            raise _at(key, f'setting "{name}" stands twice; expected it once')
        found[name] = _setting(name, value)
    if not 1 <= len(found) <= MOST_SETTINGS:
        raise _at(node, f"there are {len(found)} settings; expected 1 to {MOST_SETTINGS}")
    return tuple(found.values())


def _setting(name: str, node: Node) -> Setting:
    what = f'setting "{name}"'
    given = fields_of(node, what, ("kind", "low", "high", "values"), ("kind",))
    kind = _one_of(given["kind"], "kind", KINDS)
    needed = ("values",) if kind == "categorical" else ("low", "high")
    for key in given:
        if key not in ("kind", *needed):
            raise _at(given[key], f'{what} is {kind} and has "{key}"; expected {listed(needed)}')
    for key in needed:
        if key not in given:
            raise _at(node, f'{what} has no "{key}"; expected {listed(needed)}')
    low, high, values = 0.0, 0.0, tuple[str, ...]()
    if kind == "categorical":
        values = _texts(given["values"], what)
    else:
        low, high = (_number(given[key], key) for key in ("low", "high"))
    try:
        return Setting(name, kind, low, high, values)
    except RecipeError as error:
        raise _at(node, error.message) from None


def _objective(node: Node, folder: Path) -> Column | Yield:
    pairs = pairs_of(node, "objective", "column and goal, or yield, spread and on_off")
    if any(key.text == "yield" for key, _ in pairs):
        keys = ("yield", "spread", "on_off")
        given = fields_of(node, "objective", keys, keys)
        texts = [scalar_of(given[key], key, "a text").text for key in keys]
        return Yield(folder / texts[0], *texts[1:])
    given = fields_of(node, "objective", ("column", "goal"), ("column", "goal"))
    goal = _one_of(given["goal"], "goal", GOALS)
    return Column(scalar_of(given["column"], "column", "a name").text, goal == "maximise")


def _texts(node: Node, what: str) -> tuple[str, ...]:
    if not isinstance(node, Items):
        raise _at(node, f"values of {what} are no list; expected [first, second]")
    return tuple(scalar_of(item, "a value", "a text").text for item in node.items)


def _number(node: Node, what: str) -> float:
    scalar = scalar_of(node, what, "a number")
    number = number_of(scalar.text)
    if number is None:
        raise _at(node, f'{what} is "{scalar.text}"; expected a number')
    return number


def _one_of(node: Node, what: str, known: tuple[Known, ...]) -> Known:
    text = scalar_of(node, what, listed(known)).text
    for each in known:
        if text == each:
            return each
    raise _at(
        node,
        f'{what} is "{text}"; expected one of: {", ".join(known)}{did_you_mean(text, known)}',
    )


def number_of(text: str) -> float | None:
    """A finite number from a text as a table has it; None for anything else."""
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def listed(names: tuple[str, ...]) -> str:
    """``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _at(node: Node | Scalar, message: str) -> RecipeError:
    return RecipeError(f"{node.location}: {message}")


def texts_of(values: Mapping[str, Value]) -> dict[str, str]:
    """Values as they stand in a table."""
    return {
        name: value if isinstance(value, str) else f"{value!r}" for name, value in values.items()
    }
