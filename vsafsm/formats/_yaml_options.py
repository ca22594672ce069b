"""Compile options of a spec in YAML."""

from __future__ import annotations

import math
from dataclasses import replace

from vsafsm.errors import OptionError, SyntaxSpecError
from vsafsm.formats._nodes import Items, Node, Scalar
from vsafsm.formats._yaml_fields import distinct_pairs, pairs_of, scalar_of
from vsafsm.formats._yaml_writer import FLOAT, INTEGER
from vsafsm.options import OPTION_NAMES, check_option

Option = str | int | float


def compile_options_of(node: Node | None) -> tuple[tuple[str, Option], ...]:
    """The compile options in a mapping, with their values; raises `SyntaxSpecError` or
    `OptionError`.
    """
    if node is None or (isinstance(node, Scalar) and node.nothing):
        return ()
    pairs = pairs_of(node, "compile", "a key for each option")
    problem = "stands twice (first in line"
    distinct = distinct_pairs(
        pairs, lambda k, n: SyntaxSpecError(f'compile option "{k}" {problem} {n})')
    )
    return tuple((key.text, _option(key, value)) for key, value in distinct)


def _option(key: Scalar, node: Node) -> Option:
    what = f'compile option "{key.text[:80]}"'
    if key.text == "tolerate" and isinstance(node, Items) and node.items:
        scalars = [scalar_of(each, what, "a text for each noise") for each in node.items]
        scalar = replace(scalars[0], text=" ".join(each.text for each in scalars), plain=False)
    else:
        scalar = scalar_of(node, what, "a number or a text")
    value = _option_value(scalar)
    try:
        check_option(key.text, value)
    except OptionError as error:
        raise OptionError(
            error.message, scalar.location if key.text in OPTION_NAMES else key.location
        ) from None
    return value


def _option_value(value: Scalar) -> Option:
    if value.plain and INTEGER.fullmatch(value.text):
        return int(value.text)
    if value.plain and FLOAT.fullmatch(value.text) and math.isfinite(float(value.text)):
        return float(value.text)
    return value.text
