"""XML as a tree: what could stand for something else, or go on without end, is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vsafsm import errors as e
from vsafsm.formats import Reading, _xml
from vsafsm.formats._xml import parse_xml
from vsafsm.formats.jflap import read_jflap
from vsafsm.formats.scxml import read_scxml

BOMB = (
    "<!DOCTYPE a [<!ENTITY a '"
    + "x" * 1000
    + "'>"
    + "".join(f"<!ENTITY a{i} '{f'&a{i - 1 or str()};' * 50}'>" for i in range(1, 9))
    + "]><a>&a8;</a>"
)


def test_elements_have_places_text_and_children() -> None:
    root = parse_xml("<a x='1'>\n <b>&lt;é</b>&#65;<c xmlns='other'><b/></c></a>", "m", "own", "a")
    assert (root.attributes, root.text) == ({"x": "1"}, "\n A")
    assert [(child.tag, child.text, str(child.location)) for child in root.children] == [
        ("b", "<é", "m:2:2")
    ]


@pytest.mark.parametrize("read", [read_jflap, read_scxml])
@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://localhost/x'> %x;]><a/>",
    ],
)
def test_document_types_are_refused(read: Callable[[str, str], Reading], text: str) -> None:
    with pytest.raises(e.SyntaxSpecError, match="a document type can stand for anything") as caught:
        read("\n" + text, "m")
    assert caught.value.location is not None
    assert caught.value.location.line == 2


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("<a>&b;</a>", e.SyntaxSpecError, "undefined entity"),
        ("<b/>", e.SyntaxSpecError, "the root is <b>; expected <a>"),
        ("<a xmlns='other'/>", e.SyntaxSpecError, "of another namespace; expected <a>"),
        ("<a>" * 65 + "</a>" * 65, e.TooLargeError, "deeper than 64 levels"),
        ("<a/><a/>", e.SyntaxSpecError, "junk after document element"),
    ],
)
def test_what_is_no_tree(text: str, error: type[e.SpecError], told: str) -> None:
    with pytest.raises(error, match=told):
        parse_xml(text, "m", "", "a")


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_xml, "MAX_ELEMENTS", 3)
    assert len(parse_xml("<a><b/><b/></a>", "m", "", "a").children) == 2
    with pytest.raises(e.TooLargeError, match="more than 3 elements") as caught:
        parse_xml("<a><b/><b/>\n<b/></a>", "m", "", "a")
    assert str(caught.value.location) == "m:2:1"
