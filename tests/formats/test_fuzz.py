"""Whatever the text, a reader gives a machine or an error of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vsafsm.errors import Location, OptionError, SpecError
from vsafsm.formats import Reading, decode
from vsafsm.formats.dot import read_dot, write_dot
from vsafsm.formats.jflap import read_jflap
from vsafsm.formats.kiss2 import read_kiss2, write_kiss2
from vsafsm.formats.mermaid import read_mermaid, write_mermaid
from vsafsm.formats.plantuml import read_plantuml, write_plantuml
from vsafsm.formats.scxml import read_scxml, write_scxml
from vsafsm.formats.sismic import read_sismic, write_sismic
from vsafsm.formats.transitions import read_transitions, write_transitions
from vsafsm.formats.xstate import read_xstate, write_xstate
from vsafsm.formats.yaml import read_yaml, write_yaml

Reader = Callable[[str, str], Reading]
READERS = [
    read_yaml,
    read_kiss2,
    read_dot,
    read_scxml,
    read_transitions,
    read_sismic,
    read_jflap,
    read_xstate,
    read_mermaid,
    read_plantuml,
]
GATE = (
    ".i 2\n.o 2\n.p 4\n.s 2\n.r shut\n.ob open bell\n1- shut wide 11\n0- shut * 0-\n-1 * shut"
    " 00\n-0 wide wide 10\n.e\n"
)
TEXTS = [p.read_text() for p in sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))] + [
    GATE
] * 6
WRITERS = (
    *(write_dot, write_scxml, write_transitions, write_sismic, write_xstate),
    *(write_mermaid, write_plantuml),
)
CHARTS = Path(__file__).parents[1] / "data" / "charts"
MACHINES = [read_yaml(text, "spec.yaml").machine for text in TEXTS if text != GATE]
# Names of configurations are more than most formats hold.
PLAIN = [m for m in MACHINES if all(name.replace("_", "").isalnum() for name in m.states)]
TEXTS += [write(machine) for machine in PLAIN[:6] for write in WRITERS]
TEXTS += [p.read_text() for p in sorted(CHARTS.iterdir())]
SCRAPS = [
    "\t",
    "*",
    "&a ",
    "*a",
    "!x ",
    "[",
    "{",
    "}",
    '"',
    "'",
    ": ",
    "- ",
    "? ",
    "|",
    ">",
    "#",
    "%",
    "<<: ",
    "---\n",
    "...",
    "\x00",
    "\x85",
    "\u2028",
    "\ufeff",
    "\ud800",
    "\\",
    "99999999999",
    ".i 0",
    ".e",
    "ANY",
    "0",
    "-",
    "\r",
    "é",
    "->",
    "digraph g {",
    "[label=",
    "|",
    "/*",
    "//",
    "__start0",
    "</state>",
    "<transition ",
    "<!DOCTYPE a>",
    "&#0;",
    " cond='x'",
    "guard: x",
    "null",
    "stateDiagram-v2\n",
    "@startuml\n",
    "[*] --> ",
    "state s ",
    "<<choice>>",
    "[H*]",
    "--",
    "/'",
]

mild = settings(max_examples=150, deadline=None)


def outcome(reader: Reader, text: str) -> Reading | Location | None:
    try:
        return reader(text, "fuzz")
    except (SpecError, OptionError) as error:
        return error.location


def survive(reader: Reader, text: str) -> None:
    found = outcome(reader, text)
    if isinstance(found, Reading):
        assert read_yaml(write_yaml(found.machine), "again").machine == found.machine
    else:
        assert found is not None, "an error without a place"
        assert 1 <= found.line <= 1 + sum(map(text.count, "\n\r\x85\u2028\u2029"))
        assert 1 <= found.column <= 2 + len(text)


@pytest.mark.parametrize("reader", READERS)
def test_any_text(reader: Reader) -> None:
    @mild
    @given(st.text(max_size=300))
    @example('"\\U99999999"')
    @example("%YAML 1." + "9" * 5000 + "\n---\n")
    @example("a: !<tag:%ff> b")
    def check(text: str) -> None:
        survive(reader, text)

    check()


@pytest.mark.parametrize("reader", READERS)
def test_any_text_of_the_formats_own_signs(reader: Reader) -> None:
    signs = st.sampled_from(
        [
            *SCRAPS,
            "\n",
            "  ",
            "machine: m\n",
            "initial: a\n",
            "states:",
            "a",
            ".i 1\n",
            ".o 1\n",
            "1 a a 1\n",
        ]
    )

    @mild
    @given(st.lists(signs, max_size=40).map("".join))
    def check(text: str) -> None:
        survive(reader, text)

    check()


@pytest.mark.parametrize("reader", READERS)
def test_any_bytes(reader: Reader) -> None:
    @mild
    @given(st.binary(max_size=300))
    def check(data: bytes) -> None:
        survive(
            lambda text, source: reader(decode(data, source), source),
            data.decode("utf-8", "replace"),
        )

    check()


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good text with some lines and characters deleted, put in, or swapped."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        lines = draw(st.booleans())
        pieces = text.splitlines(keepends=True) if lines else list(text)
        if not pieces:
            break
        i, j = (draw(st.integers(0, len(pieces) - 1)) for _ in range(2))
        kind = draw(st.sampled_from(["delete", "insert", "swap", "repeat"]))
        if kind == "delete":
            del pieces[i]
        elif kind == "insert":
            pieces.insert(i, draw(st.sampled_from(SCRAPS)) + ("\n" if lines else ""))
        elif kind == "repeat":
            pieces.insert(i, pieces[j])
        else:
            pieces[i], pieces[j] = pieces[j], pieces[i]
        text = "".join(pieces)
    return text


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_good_texts_with_mistakes_in_them(reader: Reader) -> None:
    @settings(max_examples=250, deadline=None)
    @given(mutated())
    def check(text: str) -> None:
        survive(reader, text)

    check()


def test_the_unharmed_texts_are_good() -> None:
    starts = {
        "digraph": read_dot,
        "<?xml": read_scxml,
        '{\n  "id"': read_xstate,
        "{": read_transitions,
        "statechart": read_sismic,
        "---\ntitle": read_mermaid,
        "@startuml": read_plantuml,
    }
    for text in TEXTS:
        reader = next((read for start, read in starts.items() if text.startswith(start)), read_yaml)
        assert text == GATE or reader(text, "t").machine
    assert write_kiss2(read_kiss2(GATE, "t").machine)
