"""Expressions as functions of a configuration."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence

from vsafsm.statecharts.expressions import (
    After,
    And,
    Comparison,
    Expression,
    Idle,
    In,
    Literal,
    Name,
    Not,
    Or,
    Value,
)

Evaluation = Callable[[Sequence[int], Sequence[Value], Sequence[int]], Value]
"""From active states, the values of variables and the ticks of timers to a value. States are
numbers; of a stable configuration the innermost will do."""
Timer = Callable[[After | Idle], tuple[int, int]]
"""The number of the timer that an expression asks for, and how many ticks it has to show."""

_SIGNS: Mapping[str, Callable[[Value, Value], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def evaluation(
    expression: Expression,
    variables: Mapping[str, int],
    spans: Mapping[str, tuple[int, int]],
    timer: Timer,
) -> Evaluation:
    """`expression` as a function.

    Parameters
    ----------
    expression
        One that `vsafsm.statecharts.expressions.resolved` returned.
    variables
        Number of each variable.
    spans
        Number of each state, and the last of the states inside it.
    timer
        As `Timer`.
    """

    def of(each: Expression) -> Evaluation:
        return evaluation(each, variables, spans, timer)

    if isinstance(expression, Literal):
        value = expression.value
        return lambda active, data, ticks: value
    if isinstance(expression, Name):
        number = variables[expression.name]
        return lambda active, data, ticks: data[number]
    if isinstance(expression, In):
        first, last = spans[expression.state]
        return lambda active, data, ticks: any(first <= each <= last for each in active)
    if isinstance(expression, After | Idle):
        number, least = timer(expression)
        return lambda active, data, ticks: ticks[number] >= least
    if isinstance(expression, Not):
        inner = of(expression.inner)
        return lambda active, data, ticks: not inner(active, data, ticks)
    if isinstance(expression, And | Or):
        parts = tuple(map(of, expression.parts))
        every = all if isinstance(expression, And) else any
        return lambda active, data, ticks: every(part(active, data, ticks) for part in parts)
    if isinstance(expression, Comparison):
        sign, left, right = _SIGNS[expression.sign], of(expression.left), of(expression.right)
        return lambda active, data, ticks: sign(
            left(active, data, ticks), right(active, data, ticks)
        )
    terms = tuple((sign, of(term)) for sign, term in expression.terms)
    return lambda active, data, ticks: sum(
        sign * int(term(active, data, ticks)) for sign, term in terms
    )
