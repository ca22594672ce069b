"""Guards and assigned values: a frozen tree, and a parser for their text.

What there is: whole numbers, truth values, texts in either quotes, variables, ``In('state')``
(also ``active('state')`` and ``in(state)``), ``not``, ``and``, ``or`` (also ``!``, ``&&``, ``||``),
one comparison (``==`` ``!=`` ``<`` ``<=`` ``>`` ``>=``, also ``===`` and ``!==``), ``+``, ``-`` and
parentheses. Nothing else is taken, and nothing is ever run as code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from vsafsm.durations import MOST_DIGITS, decimal_text
from vsafsm.errors import (
    Location,
    NotImportableError,
    SpecError,
    SyntaxSpecError,
    TooLargeError,
    UnknownStateError,
    did_you_mean,
)
from vsafsm.machine import listed

Value = int | bool | str
Kind = str
"""``"number"``, ``"truth"`` or ``"text"``: what a value or an expression is."""

MAX_DEPTH = 64
"""Deepest nesting of an expression."""
MAX_LENGTH = 10_000
"""Longest text of an expression."""
MAX_NUMBER = 10**9
"""Largest whole number of an expression, up to its sign."""
KINDS = {"number": "a whole number", "truth": "a truth value", "text": "a text"}


@dataclass(frozen=True, slots=True)
class Literal:
    """A whole number, a truth value or a text."""

    value: Value


@dataclass(frozen=True, slots=True)
class Name:
    """A variable; or, where none is called so, a value that a variable can have."""

    name: str


@dataclass(frozen=True, slots=True)
class In:
    """Whether a state, given by its id, is active."""

    state: str


@dataclass(frozen=True, slots=True)
class After:
    """Whether so many seconds have passed since the state with the transition was entered."""

    seconds: Fraction


@dataclass(frozen=True, slots=True)
class Idle:
    """Whether so many seconds have passed since the state with the transition was entered or took
    a transition of its own.
    """

    seconds: Fraction


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a truth value."""

    inner: Expression


@dataclass(frozen=True, slots=True)
class And:
    """Whether all parts hold; looked at from the left until one does not."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Whether some part holds; looked at from the left until one does."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """``==`` or ``!=`` of two values of one kind; ``<``, ``<=``, ``>`` or ``>=`` of two numbers."""

    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Sum:
    """Whole numbers added up, each with its sign: ``((1, Name("a")), (-1, Literal(2)))`` is a-2."""

    terms: tuple[tuple[int, Expression], ...]


Expression = Literal | Name | In | After | Idle | Not | And | Or | Comparison | Sum


def kind_of(value: Value) -> Kind:
    """The kind of a value."""
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, int) else "text"


def parts_of(expression: Expression) -> Iterator[Expression]:
    """An expression and all that it is made of."""
    pending = [expression]
    while pending:
        each = pending.pop()
        yield each
        if isinstance(each, Not):
            pending.append(each.inner)
        elif isinstance(each, And | Or):
            pending += reversed(each.parts)
        elif isinstance(each, Comparison):
            pending += (each.right, each.left)
        elif isinstance(each, Sum):
            pending += (term for _, term in reversed(each.terms))


# ---- what an expression is, against the names that there are


@dataclass(frozen=True)
class Names:
    """What the names of an expression can stand for.

    Attributes
    ----------
    kinds
        The kind of each variable.
    values
        The texts that each variable of texts can have, where they are declared.
    states
        The ids of states, and of histories, which are never active.
    """

    kinds: Mapping[str, Kind]
    values: Mapping[str, tuple[str, ...]]
    states: Mapping[str, object]


def resolved(
    expression: Expression, names: Names, place: Location | None = None
) -> tuple[Expression, Kind]:
    """`expression` with the values among its names as literals, and its kind.

    Raises
    ------
    SpecError, UnknownStateError
        If a name is unknown or kinds do not fit, with `place`.
    TooLargeError
        If it is nested deeper than `MAX_DEPTH`.
    """
    return _Check(names, place).run(expression, 0)


class _Check:
    def __init__(self, names: Names, place: Location | None) -> None:
        self.names, self.place = names, place
        self.texts = {text for texts in names.values.values() for text in texts}

    def run(self, each: Expression, depth: int) -> tuple[Expression, Kind]:
        if depth > MAX_DEPTH:
            raise TooLargeError(
                f"an expression is nested deeper than {MAX_DEPTH} levels", self.place
            )
        if isinstance(each, Literal):
            return each, kind_of(each.value)
        if isinstance(each, Name):
            return self.name(each)
        if isinstance(each, In):
            if each.state not in self.names.states:
                known = list(self.names.states)
                hint = did_you_mean(each.state, known)
                raise UnknownStateError(
                    f'unknown state "{each.state[:80]}"; expected {listed(known)}{hint}', self.place
                )
            return each, "truth"
        if isinstance(each, After | Idle):
            return each, "truth"
        if isinstance(each, Not):
            return Not(self.of_kind(each.inner, "truth", depth)), "truth"
        if isinstance(each, And | Or):
            parts = tuple(self.of_kind(part, "truth", depth) for part in each.parts)
            return type(each)(parts), "truth"
        if isinstance(each, Sum):
            terms = tuple((sign, self.of_kind(term, "number", depth)) for sign, term in each.terms)
            return Sum(terms), "number"
        return self.comparison(each, depth), "truth"

    def of_kind(self, each: Expression, kind: Kind, depth: int) -> Expression:
        found, its = self.run(each, depth + 1)
        if its != kind:
            raise SpecError(f"{written(each)} is {KINDS[its]}; expected {KINDS[kind]}", self.place)
        return found

    def name(self, each: Name) -> tuple[Expression, Kind]:
        if each.name in self.names.kinds:
            return each, self.names.kinds[each.name]
        if each.name in self.texts:
            return Literal(each.name), "text"
        known = [*self.names.kinds, *sorted(self.texts)]
        state = any(f".{path}".endswith(f".{each.name}") for path in self.names.states)
        raise SpecError(unknown_variable(each.name, known, state), self.place)

    def comparison(self, each: Comparison, depth: int) -> Expression:
        left, kind = self.run(each.left, depth + 1)
        if each.sign not in ("==", "!="):
            left = self.of_kind(each.left, "number", depth)
        right = self.of_kind(each.right, kind, depth)
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Name) and isinstance(other, Literal) and kind == "text":
                texts = self.names.values.get(one.name)
                if texts is not None and other.value not in texts:
                    hint = did_you_mean(str(other.value), texts)
                    raise SpecError(
                        f'"{one.name}" is never "{str(other.value)[:80]}"; expected'
                        f" {listed(texts)}{hint}",
                        self.place,
                    )
        return Comparison(each.sign, left, right)


def unknown_variable(name: str, known: Sequence[str], state: bool = False) -> str:
    """What is said of a variable that is not among those that are `known`; it may be a `state`."""
    expected = listed(known) if known else "one that is declared, and none is"
    hint = meant_state(name) if state else did_you_mean(name, known)
    return f'unknown variable "{name[:80]}"; expected {expected}{hint}'


def meant_state(name: str) -> str:
    """A hint where the name of a state stands for whether it is active."""
    return f'; did you mean "in({name[:80]})"?'


def written(expression: Expression) -> str:
    """`expression` as text that `parse_expression` reads. A time that is no decimal number, which
    that never gives, is written as a fraction.

    Examples
    --------
    >>> written(parse_expression("!(a==1 && In('on'))"))
    "not (a == 1 and in('on'))"
    """
    return _written(expression)[0]


_OR, _AND, _NOT, _COMPARISON, _SUM, _VALUE = range(6)
"""How tight a sign binds what is beside it."""


def _written(expression: Expression) -> tuple[str, int]:
    """A text, and how tight its loosest sign binds."""
    if isinstance(expression, Literal):
        if isinstance(expression.value, bool):
            return ("true" if expression.value else "false"), _VALUE
        negative = not isinstance(expression.value, str) and expression.value < 0
        return repr(expression.value), _SUM if negative else _VALUE
    if isinstance(expression, Name):
        return expression.name, _VALUE
    if isinstance(expression, In):
        return f"in({expression.state!r})", _VALUE
    if isinstance(expression, After | Idle):
        return f"{type(expression).__name__.lower()}({decimal_text(expression.seconds)})", _VALUE
    if isinstance(expression, Not):
        return f"not {_beside(expression.inner, _NOT)}", _NOT
    if isinstance(expression, And):
        return " and ".join(_beside(part, _NOT) for part in expression.parts), _AND
    if isinstance(expression, Or):
        return " or ".join(_beside(part, _AND) for part in expression.parts), _OR
    if isinstance(expression, Comparison):
        sides = (_beside(side, _SUM) for side in (expression.left, expression.right))
        return f" {expression.sign} ".join(sides), _COMPARISON
    (first, term), *rest = expression.terms
    text = ("-" if first < 0 else "") + _beside(term, _VALUE)
    text += "".join(f" {'-' if s < 0 else '+'} {_beside(term, _VALUE)}" for s, term in rest)
    return text, _SUM


def _beside(expression: Expression, tight: int) -> str:
    text, loosest = _written(expression)
    return text if loosest >= tight else f"({text})"


# ---- from text

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d+)?)
    | (?P<name>[^\W\d]\w*)
    | (?P<text>'[^'\\]*'|"[^"\\]*")
    | (?P<sign>===|!==|==|!=|<=|>=|&&|\|\||[<>()!+-])
    )""",
    re.VERBOSE,
)
_PATH = re.compile(r"\b[^\W\d]\w*(?:\.\w+)+")
_SAME = {"===": "==", "!==": "!=", "&&": "and", "||": "or", "!": "not"}
_COMPARE = ("==", "!=", "<", "<=", ">", ">=")
_STATE_TESTS = ("In", "in", "active")
_TIMES: dict[str, Callable[[Fraction], After | Idle]] = {"after": After, "idle": Idle}
_WORDS = {"true": True, "True": True, "false": False, "False": False}
_NEEDED = "a variable, a number, a text in quotes, in(state) or a parenthesis"


def parse_expression(
    text: str,
    place: Location | None = None,
    *,
    times: bool = False,
    states: Container[str] = (),
) -> Expression:
    """The expression that `text` is, in time linear in its length.

    Parameters
    ----------
    text
        As the module says.
    place
        Where it stands, for errors.
    times
        Whether it may hold ``after(seconds)`` and ``idle(seconds)``.
    states
        Names of states, for the hint where one of them stands without ``in()``.

    Raises
    ------
    NotImportableError
        If it is, or holds, something else; the message says what was expected, and where.
    TooLargeError
        If it is too long or nested too deep.

    Examples
    --------
    >>> parse_expression("tries < 3")
    Comparison(sign='<', left=Name(name='tries'), right=Literal(value=3))
    >>> parse_expression("!armed && In('closed')")
    And(parts=(Not(inner=Name(name='armed')), In(state='closed')))
    """
    if len(text) > MAX_LENGTH:
        raise TooLargeError(f"an expression is longer than {MAX_LENGTH} characters", place)
    return _Parser(text, place, times, states).parse()


class _Parser:
    def __init__(
        self, text: str, place: Location | None, times: bool, states: Container[str]
    ) -> None:
        self.text, self.place, self.times, self.states = text, place, times, states
        self.at = self.start = self.depth = 0  # behind the next token; its first character
        self.kind = self.token = ""
        self.advance()

    def parse(self) -> Expression:
        found = self.either()
        if self.kind:
            raise self.wrong('"and", "or", a comparison or the end')
        return found

    def advance(self) -> None:
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            rest = self.text[self.at :]
            self.start = self.at + len(rest) - len(rest.lstrip())
            self.kind, self.token = ("", "") if not rest.strip() else ("other", rest.strip()[0])
            return
        self.kind = match.lastgroup or ""
        self.start, self.at = match.start(self.kind), match.end()
        self.token = match[self.kind]
        if self.kind == "sign":
            self.token = _SAME.get(self.token, self.token)
        elif self.token in ("and", "or", "not"):
            self.kind = "sign"

    def wrong(self, expected: str) -> SpecError:
        shown = self.text.strip()
        shown = shown if len(shown) <= 80 else shown[:80] + "..."
        if not shown:
            return SyntaxSpecError(f"an expression is empty; expected {_NEEDED}", self.place)
        there = f'"{self.token[:20]}"' if self.kind else "the end"
        return NotImportableError(
            f'"{shown}" has {there} at character {self.start + 1}; expected'
            f" {expected}{self.hint()}",
            self.place,
        )

    def hint(self) -> str:
        """Where the path of a state goes on here: ``in()`` around it."""
        if self.text[self.start : self.start + 1] != ".":
            return ""
        paths = (
            each[0] for each in _PATH.finditer(self.text) if each.start() < self.start < each.end()
        )
        path = next(paths, "")
        first = path.partition(".")[0]
        return meant_state(path) if path in self.states or first in self.states else ""

    def takes(self, *signs: str) -> str:
        """The next token, passed over, if it is one of `signs`."""
        if self.kind != "sign" or self.token not in signs:
            return ""
        found = self.token
        self.advance()
        return found

    def either(self) -> Expression:
        parts = [self.both()]
        while self.takes("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def both(self) -> Expression:
        parts = [self.opposite()]
        while self.takes("and"):
            parts.append(self.opposite())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def opposite(self) -> Expression:
        """With ``!`` as tight as in C: it takes a value, and ``not`` a comparison, as in Python."""
        if self.text[self.start : self.start + 1] != "!" and self.takes("not"):
            with self.deeper():
                return Not(self.opposite())
        return self.comparison()

    def comparison(self) -> Expression:
        left = self.sum()
        sign = self.takes(*_COMPARE)
        if not sign:
            return left
        found = Comparison(sign, left, self.sum())
        if self.kind == "sign" and self.token in _COMPARE:
            raise self.wrong("one comparison at a time")
        return found

    def sum(self) -> Expression:
        first = -1 if self.takes("-") else 1
        terms = [(first, self.value())]
        while sign := self.takes("+", "-"):
            opposite = bool(self.takes("-"))
            terms.append((1 if (sign == "+") != opposite else -1, self.value()))
        if len(terms) > 1:
            return Sum(tuple(terms))
        _, term = terms[0]
        if first > 0:
            return term
        if isinstance(term, Literal) and kind_of(term.value) == "number":
            return Literal(-int(term.value))
        return Sum(tuple(terms))

    def value(self) -> Expression:
        if self.takes("not"):
            with self.deeper():
                return Not(self.value())
        if self.takes("("):
            with self.deeper():
                found = self.either()
            self.close()
            return found
        kind, token = self.kind, self.token
        if kind == "number" and "." not in token:
            if len(token) > len(str(MAX_NUMBER)) or int(token) > MAX_NUMBER:
                raise self.wrong(f"at most {MAX_NUMBER}")
            self.advance()
            return Literal(int(token))
        if kind == "text":
            self.advance()
            return Literal(token[1:-1])
        if kind != "name":
            raise self.wrong(_NEEDED)
        called = _TOKEN.match(self.text, self.at)
        if called is None or called["sign"] != "(":
            self.advance()
            return Literal(_WORDS[token]) if token in _WORDS else Name(token)
        if token in _STATE_TESTS:
            return self.state(called.end())
        if self.times and token in _TIMES:
            return self.time(token)
        raise self.wrong("in(state) as the only call")

    def state(self, at: int) -> Expression:
        """What ``in(`` is followed by: a text, or a name without quotes up to ``)``."""
        quoted = _TOKEN.match(self.text, at)
        if quoted is not None and quoted["text"] is not None:
            self.at = at
            self.advance()
            state = self.token[1:-1]
            self.advance()
        else:
            end = self.text.find(")", at)
            state = self.text[at : end if end >= 0 else at].strip()
            self.at = end if end >= 0 else at
            self.advance()
        if not state:
            raise self.wrong("the name of a state")
        self.close()
        return In(state)

    def time(self, token: str) -> Expression:
        self.advance()  # to the parenthesis
        self.advance()
        if self.kind != "number":
            raise self.wrong("a number of seconds")
        if len(self.token) > MOST_DIGITS:
            raise self.wrong(f"at most {MOST_DIGITS} digits")
        seconds = Fraction(self.token)
        self.advance()
        self.close()
        return _TIMES[token](seconds)

    def close(self) -> None:
        if not self.takes(")"):
            raise self.wrong('")"')

    def deeper(self) -> _Depth:
        if self.depth >= MAX_DEPTH:
            raise TooLargeError(
                f"an expression is nested deeper than {MAX_DEPTH} levels", self.place
            )
        return _Depth(self)


class _Depth:
    """One more level of nesting, while it lasts."""

    def __init__(self, parser: _Parser) -> None:
        self.parser = parser

    def __enter__(self) -> None:
        self.parser.depth += 1

    def __exit__(self, *_: object) -> None:
        self.parser.depth -= 1
