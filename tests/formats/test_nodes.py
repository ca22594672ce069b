"""The parser in C and the one in Python: the same nodes, the same errors, at the same places."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vsafsm.errors import VsafsmError
from vsafsm.formats import _nodes
from vsafsm.formats.yaml import read_yaml, write_yaml

SPECS = [p.read_text() for p in sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))]
PIECES = [
    *"ab:,-[]{}?#'\"| \n>&*!%.x\t\r\x85\u2028\ufeff",
    *("a: b", "a:\n", "{a: b}", "[a: b]", "[a: ]", "{a: , b}", "{a, b: }", "- a\n", "? a\n: b\n"),
    *("'x'", '"y"', '"\\n"', '"\\U99999999"', "<<: ", "---\n", "...\n", "%YAML 1.2\n---\n"),
    *("|\n  x\n", ">-\n  y\n", "|# c\n", "# c\n", "!x ", "&a ", "*a ", "r?y", "\n  ", "{" * 40),
]

pytestmark = pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without C")

texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=15).map("".join),
    st.builds(
        lambda text, share, cut, piece: (
            text[: int(share * len(text))] + piece + text[int(share * len(text)) + cut :]
        ),
        st.sampled_from(SPECS),
        st.floats(0, 1),
        st.integers(0, 3),
        st.sampled_from([*PIECES, ""]),
    ),
)


def found(text: str, in_c: bool) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "__with_libyaml__", in_c)
        try:
            return _nodes.parse(text, "spec.yaml")
        except VsafsmError as error:
            return type(error), str(error), error.location


@settings(deadline=None, max_examples=600)
@given(texts)
@example("inputs: [r?fund]")
@example("{5: \n\n, 10: 10}")
@example("[a: , b]")
@example("!x |# c\n")
@example("? a")
def test_both_parsers_find_the_same(text: str) -> None:
    assert found(text, True) == found(text, False)


@pytest.mark.parametrize("text", SPECS)
def test_specs_are_read_in_c_alone(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read_yaml(text, "spec.yaml")
    monkeypatch.setattr(yaml, "SafeLoader", None)
    assert read_yaml(text, "spec.yaml") == expected
    assert read_yaml(write_yaml(expected.machine), "spec.yaml").machine == expected.machine


def test_equal_texts_are_one_object() -> None:
    root = _nodes.parse("{first: state, second: state}", "spec.yaml")
    assert isinstance(root, _nodes.Mapping)
    first, second = (value for _, value in root.pairs)
    assert isinstance(first, _nodes.Scalar)
    assert isinstance(second, _nodes.Scalar)
    assert first.text is second.text
