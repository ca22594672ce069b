"""DOT as Graphviz reads it: one graph in many spellings, held against the edges that it was spelt
from, and against Graphviz itself where that is installed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from itertools import pairwise
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.formats._dot_graph import DotGraph, parse_dot
from vsafsm.formats.dot import read_dot
from vsafsm.machine import Machine, Transition

DOT = shutil.which("dot")
Edge = tuple[str, str, str]  # tail, head, label


def edges_of(graph: DotGraph) -> Counter[Edge]:
    return Counter((e.tail, e.head, e.attributes["label"].text) for e in graph.edges)


def parse(text: str) -> DotGraph:
    return parse_dot(dedent(text), "m.dot")


# ---- one graph, many spellings

NAMES = ["a", "b", "c0", "_d", "é", "two words", "x: [y]", "node", "-1.5", "{", ";"]
names = st.sampled_from(NAMES)
labels = st.sampled_from(["x", "go/done", "stop", "a, b"])


def quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


@st.composite
def spelt_names(draw: st.DrawFn, name: str) -> str:
    """A name as an ID: in quotes, in pieces, or bare where that is the same."""
    cut = draw(st.integers(0, len(name)))
    bare = name.isidentifier() and name != "node"
    ways = [quoted(name), f"{quoted(name[:cut])} + {quoted(name[cut:])}"]
    return draw(st.sampled_from([*ways, name] if bare else ways))


@st.composite
def operands(draw: st.DrawFn, group: list[str], depth: int = 0) -> str:
    """Nodes as what an arrow joins: one after another, as a set, or as subgraphs."""
    spelt = [draw(spelt_names(name)) for name in group]
    port = draw(st.sampled_from(["", ":n", ":here:sw", ':"a b"']))
    if len(group) == 1 and draw(st.booleans()):
        return spelt[0] + port
    if draw(st.booleans()) and depth == 0:
        return ", ".join(spelt)
    number = "_".join(str(NAMES.index(name)) for name in group)
    head = draw(st.sampled_from(["", "subgraph ", f"subgraph cluster_{number} "]))
    if depth < 2 and len(group) > 1 and draw(st.booleans()):
        cut = draw(st.integers(1, len(group) - 1))
        inner = [draw(operands(part, 1 + depth)) for part in (group[:cut], group[cut:])]
        return f"{head}{{ {' '.join(inner)} }}"
    mark = draw(st.sampled_from([" ", "; ", " /* and */ ", " // and\n"]))
    return f"{head}{{ {mark.join(spelt)}{mark}}}"


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, Counter[Edge]]:
    """A text, and the edges it has; each statement is a chain of groups of nodes."""
    text, edges = [], Counter[Edge]()
    groups = st.lists(names, min_size=1, max_size=3, unique=True)
    for _ in range(draw(st.integers(1, 4))):
        chain, label = draw(st.lists(groups, min_size=2, max_size=4)), draw(labels)
        for tails, heads in pairwise(chain):
            edges.update((tail, head, label) for tail in tails for head in heads)
        arrows = " -> ".join(draw(operands(group)) for group in chain)
        attribute = f"label={quoted(label)}"
        text.append(
            draw(
                st.sampled_from(
                    [
                        f"{arrows} [{attribute}]",
                        f"{arrows} [color=red, label=old][{attribute};]",
                        f"subgraph {{ edge [{attribute}]; {arrows} }}",
                        f"{{ edge [{attribute}] {arrows} }}",
                    ]
                )
            )
        )
    head = draw(
        st.sampled_from(["digraph {", "DiGraph m{", "/* a */ digraph <m<b>> {edge[label=z]"])
    )
    return f"{head}\n{draw(st.sampled_from([chr(10), '; ']))[:2].join(text)}\n}}", edges


@given(spellings())
@settings(deadline=None, max_examples=150)
def test_every_spelling_has_the_edges_it_was_spelt_from(case: tuple[str, Counter[Edge]]) -> None:
    text, edges = case
    assert edges_of(parse_dot(text, "m.dot")) == edges


@given(spellings())
@settings(deadline=None, max_examples=50)
@pytest.mark.skipif(DOT is None, reason="Graphviz is not installed")
def test_every_spelling_has_the_edges_that_graphviz_reads(case: tuple[str, Counter[Edge]]) -> None:
    text = case[0]
    told = subprocess.run(
        [str(DOT), "-Tjson"], input=text, capture_output=True, text=True, check=True
    )
    graph = json.loads(told.stdout)
    nodes = {each["_gvid"]: each["name"] for each in graph["objects"]}
    edges = Counter((nodes[e["tail"]], nodes[e["head"]], e["label"]) for e in graph["edges"])
    assert edges_of(parse_dot(text, "m.dot")) == edges


# ---- what Graphviz makes of a text, worked out by hand


def test_a_node_set_that_was_named_before_is_opened_again() -> None:
    graph = parse("""
        digraph {
          subgraph left { a; subgraph { b } }
          subgraph other { subgraph left { z } }
          subgraph left {} -> c [label=x]
        }
    """)
    assert edges_of(graph) == Counter([("a", "c", "x"), ("b", "c", "x")])


def test_defaults_hold_in_their_braces_for_what_comes_after() -> None:
    graph = parse("""
        digraph {
          early
          node [shape=circle] edge [label=out]
          subgraph cluster_in { node [shape=box]; edge [label=inside]; a; early; a -> early }
          b -> a
          node [shape=point]
          c
        }
    """)
    shapes = {name: node.attributes.get("shape") for name, node in graph.nodes.items()}
    assert {name: shape and shape.text for name, shape in shapes.items()} == {
        "early": None,
        "a": "box",
        "b": "circle",
        "c": "point",
    }
    assert edges_of(graph) == Counter([("a", "early", "inside"), ("b", "a", "out")])


def test_a_list_of_nodes_takes_attributes_together() -> None:
    graph = parse("digraph { a, b [shape=box]; a, b -> c, d [label=x] }")
    assert [graph.nodes[name].attributes["shape"].text for name in "ab"] == ["box", "box"]
    assert edges_of(graph) == Counter([(t, h, "x") for t in "ab" for h in "cd"])


def test_a_strict_graph_has_one_edge_between_two_nodes_and_says_what_it_drops() -> None:
    text = "strict digraph {\n a -> b [label=x]\n a -> b [label=y]\n b -> a [label=x]; b -> a }"
    reading = read_dot(text, "m.dot")
    assert reading.machine.inputs == ("y", "x")
    assert [w for w in reading.warnings if "strict" in w] == [
        "m.dot:3:2: a strict graph has one edge between two nodes: this label replaces the one in"
        " line 2"
    ]


def test_an_html_text_may_hold_angle_brackets() -> None:
    graph = parse("digraph { <a<b>c> -> d [label=<<i>x</i> <!-- no --> >] }")
    assert edges_of(graph) == Counter([("a<b>c", "d", "<i>x</i> <!-- no --> ")])


# ---- labels as they are shown


@pytest.mark.parametrize(
    ("label", "inputs", "outputs"),
    [
        ("<<b>go</b> / done>", ("go",), ("done",)),
        ("<stop &amp; wait / idle>", ("stop & wait",), ("idle",)),
        ("<a<br/>b<BR ALIGN='LEFT' />c>", ("a", "b", "c"), ()),
        ("<<table><tr><td>a</td></tr><tr><td>b / x</td></tr></table>>", ("a", "b"), ("x",)),
        ("<a &lt; b &#945; &nosuch; \n  c>", ("a < b α &nosuch; c",), ()),
        (r"<a\nb>", (r"a\nb",), ()),
        ('"a &lt; b"', ("a < b",), ()),
        (r'"a\nb\lc\rd"', ("a", "b", "c", "d"), ()),
        (r'"a\\nb"', (r"a\nb",), ()),
        (r'"say \"hi\" / a, b"', ('say "hi"',), ("a", "b")),
    ],
)
def test_labels_of_edges(label: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
    machine = read_dot(f"digraph {{ p -> p [label={label}] }}", "m.dot").machine
    assert machine.inputs == inputs
    assert machine.transition("p", inputs[-1]).outputs == outputs


@pytest.mark.parametrize(
    ("attributes", "name", "outputs"),
    [
        ("", "p", ()),
        (r'label="\N"', "p", ()),
        (r'label="\N|on"', "p", ("on",)),
        ("label=<<b>idle</b>>", "idle", ()),
        (r'label="two\nlines"', "two lines", ()),
        (r'label="{<f0> idle|<f1> lamp, bell}", shape=record', "idle", ("lamp", "bell")),
        (r'label="a\|b\<c\>"', "a|b<c>", ()),
        ("peripheries=2", "p", ("accept",)),
        ("shape=doublecircle", "p", ("accept",)),
    ],
)
def test_labels_of_nodes(attributes: str, name: str, outputs: tuple[str, ...]) -> None:
    text = f'digraph {{ p [{attributes}]; p -> q [label="x/o"] }}'
    machine = read_dot(text, "m.dot").machine
    assert (machine.states[0], machine.moore[0]) == (name, outputs)


def test_the_name_of_a_node_is_kept_whole() -> None:
    text = 'digraph { "at: [b|c] {d} <e>" -> q [label=x] }'
    assert read_dot(text, "m.dot").machine.states[0] == "at: [b|c] {d} <e>"


# ---- where it starts, and what is layout


@pytest.mark.parametrize(
    "marker",
    [
        "m [style=invis]",
        "m [style=invisible]",
        'm [style="bold, invis"]',
        "m [shape=point]",
        "m [shape=none]",
        "m [shape=plaintext]",
        'm [label=""]',
        'm [label="\\N" shape=none]',
        'm [label=" " shape=circle]',
        "m [label=<>]",
        "node [shape=point] m; node [shape=circle]",
    ],
)
def test_a_node_that_is_not_seen_marks_the_start(marker: str) -> None:
    machine = read_dot(
        f'digraph {{ {marker}; a; "b: [1]"; m -> "b: [1]" [style=bold]; a -> a [label=x] }}',
        "m.dot",
    ).machine
    assert (machine.states, machine.initial) == (("a", "b: [1]"), "b: [1]")


def test_a_node_that_is_entered_is_a_state_whatever_its_shape() -> None:
    machine = read_dot(
        "digraph { node [shape=plaintext]; a -> b [label=x]; b -> a [label=y] }", "m.dot"
    ).machine
    assert machine.states == ("a", "b")


def test_invisible_edges_and_nodes_without_edges_are_layout() -> None:
    text = (
        "digraph { legend [shape=plaintext] s [style=invis]; a -> b [label=x];"
        " edge [style=invis]; b -> a; a -> s -> b }"
    )
    reading = read_dot(text, "m.dot")
    assert reading.machine == Machine(
        "m", ("a", "b"), ("x",), "a", ((Transition("b"),), (Transition("b"),)), ((), ())
    )
    assert not reading.warnings


def test_a_node_without_a_name_marks_the_start() -> None:
    assert read_dot('digraph { a -> b [label=x]; "" -> b }', "m.dot").machine.initial == "b"
