"""Guards and values from text: against Python's own reading, and what is refused."""

from __future__ import annotations

import ast
import contextlib
import operator
from collections.abc import Callable
from fractions import Fraction
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.errors import Location, NotImportableError, SpecError, SyntaxSpecError, TooLargeError
from vsafsm.statecharts.evaluation import evaluation
from vsafsm.statecharts.expressions import (
    After,
    And,
    Comparison,
    Expression,
    Idle,
    In,
    Literal,
    Name,
    Names,
    Not,
    Or,
    Sum,
    parse_expression,
    resolved,
    written,
)

NAMES = Names(
    {"n": "number", "m": "number", "armed": "truth", "mode": "text"},
    {"mode": ("eco", "full")},
    {"on": None, "off": None},
)

numbers = st.recursive(
    st.integers(-5, 5).map(Literal) | st.sampled_from(["n", "m"]).map(Name),
    lambda inner: st.lists(st.tuples(st.sampled_from([1, -1]), inner), min_size=2, max_size=3).map(
        lambda terms: Sum(tuple(terms))
    ),
    max_leaves=4,
)
comparisons = st.builds(
    Comparison, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), numbers, numbers
) | st.builds(
    Comparison,
    st.sampled_from(["==", "!="]),
    st.just(Name("mode")),
    st.sampled_from(["eco", "full"]).map(Literal),
)
truths = st.recursive(
    comparisons
    | st.booleans().map(Literal)
    | st.just(Name("armed"))
    | st.sampled_from(["on", "off"]).map(In),
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts)))
    ),
    max_leaves=8,
)


SIGNS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    **{ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt},
    **{ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge},
}


def meaning(node: ast.expr, names: dict[str, Any], there: dict[str, bool]) -> Any:
    """The value of what Python's own parser made of a text, which is not run."""

    def of(inner: ast.expr) -> Any:
        return meaning(inner, names, there)

    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return names[name]
        case ast.Call(args=[ast.Constant(value=state)]):
            return there[str(state)]
        case ast.BoolOp(op=ast.And(), values=values):
            return all(map(of, values))
        case ast.BoolOp(values=values):
            return any(map(of, values))
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return not of(inner)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -of(inner)
        case ast.BinOp(left=left, op=sign, right=right):
            return of(left) + of(right) if isinstance(sign, ast.Add) else of(left) - of(right)
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return SIGNS[type(sign)](of(left), of(right))
    raise AssertionError(ast.dump(node))


@given(
    st.sampled_from([After, Idle]),
    st.builds(Fraction, st.integers(0, 10**15), st.sampled_from([10**n for n in range(12)])),
)
def test_times_are_written_exactly_and_read_back(
    kind: type[After | Idle], seconds: Fraction
) -> None:
    assert parse_expression(written(kind(seconds)), times=True) == kind(seconds)


@given(
    st.from_regex(r"[0-9]{1,20}(\.[0-9]{1,20})?", fullmatch=True).filter(
        lambda each: len(each) <= 28
    )
)
def test_every_time_that_is_read_is_written_as_it_was(number: str) -> None:
    read = parse_expression(f"after({number})", times=True)
    assert read == After(Fraction(number))
    assert parse_expression(written(read), times=True) == read


@pytest.mark.parametrize("number", ["9" * 29, "9" * 5000, "0." + "1" * 5000])
def test_a_time_of_more_digits_is_refused(number: str) -> None:
    with pytest.raises(NotImportableError, match="expected at most 28 digits"):
        parse_expression(f"after({number})", times=True)


@given(truths)
def test_what_is_written_is_read_back_and_means_what_python_says(expression: Expression) -> None:
    text = written(expression)
    read = parse_expression(text)
    found, kind = resolved(read, NAMES)
    assert kind == "truth"
    spans = {"on": (1, 2), "off": (3, 3)}
    variables = {"n": 0, "m": 1, "armed": 2, "mode": 3}
    value = evaluation(found, variables, spans, lambda each: (0, 0))
    for n, m, armed, mode, active in ((0, 1, True, "eco", 2), (3, -2, False, "full", 3)):
        there = {"on": active == 2, "off": active == 3}
        python = text.replace("in(", "there(").replace("true", "True").replace("false", "False")
        names = {"n": n, "m": m, "armed": armed, "mode": mode}
        expected = meaning(ast.parse(python, mode="eval").body, names, there)
        assert value((active,), (n, m, armed, mode), ()) == expected


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("n===1&&!armed", "n == 1 and not armed"),
        ('mode !== "eco" || In("on")', "mode != 'eco' or in('on')"),
        ("active('on')", "in(on)"),
        ("in( on dim )", "in('on dim')"),
        ("! armed == true", "(not armed) == true"),
        ("not n == 1", "not (n == 1)"),
        ("-n + 2 - -1 < 3", "((-n + 2 + 1)) < 3"),
        ("mode == eco", "mode == (eco)"),
    ],
)
def test_spellings(text: str, same: str) -> None:
    assert parse_expression(text) == parse_expression(same)


def test_seconds_are_taken_where_they_may_stand() -> None:
    assert written(parse_expression("after(30) and idle(0.5)", times=True)) == (
        "after(30) and idle(0.5)"
    )
    with pytest.raises(NotImportableError, match="only call"):
        parse_expression("after(30)")


@pytest.mark.parametrize(
    ("text", "at", "told"),
    [
        ("n + ", 5, "a variable"),
        ("n 1", 3, "a comparison or the end"),
        ("n = 1", 3, "a comparison or the end"),
        ("0 < n < 2", 7, "one comparison"),
        ("f(n)", 1, "only call"),
        ("n.x", 2, "the end"),
        ("n[0]", 2, "the end"),
        ("n * 2", 3, "the end"),
        ("(n", 3, '")"'),
        ("in()", 4, "name of a state"),
        ("in(a", 4, "name of a state"),
        ("'a\\'b'", 1, "a variable"),
        ("1.5", 1, "a variable"),
        ("99999999999", 1, "at most"),
        ("__import__('os')", 1, "only call"),
    ],
)
def test_what_is_no_expression_is_told_with_its_place(text: str, at: int, told: str) -> None:
    with pytest.raises(NotImportableError) as caught:
        parse_expression(text, Location("m", 7, 2))
    assert str(caught.value).startswith("m:7:2: ")
    assert f"at character {at};" in caught.value.message
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("n", None),
        ("n and armed", "n is a whole number; expected a truth value"),
        ("armed + 1 == 2", "armed is a truth value; expected a whole number"),
        ("mode < 'eco'", "expected a whole number"),
        ("n == 'eco'", "'eco' is a text; expected a whole number"),
        ("mode == 'ecco'", 'did you mean "eco"'),
        ("in(onn)", 'did you mean "on"'),
        ("arned", 'did you mean "armed"'),
    ],
)
def test_kinds_and_names(text: str, told: str | None) -> None:
    if told is None:
        assert resolved(parse_expression(text), NAMES)[1] == "number"
        return
    with pytest.raises(SpecError) as caught:
        resolved(parse_expression(text), NAMES)
    assert told in str(caught.value)


def test_an_empty_text_is_no_expression() -> None:
    with pytest.raises(SyntaxSpecError, match="empty"):
        parse_expression("  ")


@pytest.mark.parametrize("text", ["(" * 100, "not " * 100 + "a", "!" * 100 + "a", "a" * 10_001])
def test_what_is_too_large(text: str) -> None:
    with pytest.raises(TooLargeError):
        parse_expression(text)


def test_long_texts_take_time_in_proportion() -> None:
    start = process_time()
    for text in ("a and " * 1600 + "a", "1 + " * 2400 + "1", " " * 9999, "in(" * 3000, "'" * 9999):
        try:
            parse_expression(text)
        except SpecError:
            continue
    assert process_time() - start < 2


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_any_text_is_an_expression_or_an_error_of_ours(text: str) -> None:
    with contextlib.suppress(SpecError):
        assert written(parse_expression(text))
