"""DOT text as the graph that Graphviz makes of it: nodes, and edges with their attributes and
places.

No library's parser stands in for this one: those for Python (pydot, pygraphviz, networkx) keep no
places of nodes and edges, and errors here name a line and a column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from vsafsm.errors import Location, SyntaxSpecError, TooLargeError
from vsafsm.formats import MAX_TRANSITIONS, location_at

MAX_DEPTH = 64
"""Deepest nesting of subgraphs."""

_KEYWORDS = ("node", "edge", "graph", "digraph", "subgraph", "strict")
_TOKEN = re.compile(
    r"""(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/|\#[^\n]*)+
    |(?P<quoted>"(?:[^"\\]|\\.)*")
    |(?P<word>[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*
        |-?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?![\w.\x80-\U0010ffff]))
    |(?P<arrow>->|--)
    |(?P<mark>[{}\[\];,=:+])
    """,
    re.VERBOSE | re.DOTALL,
)
_BADLY_DELIMITED = re.compile(r"-?[.0-9][\w.\x80-\U0010ffff]{0,40}")
_ANGLE = re.compile("[<>]")


class DotText(NamedTuple):
    """An ID as it is written between its signs; `html` where those are ``< >``."""

    text: str
    html: bool = False


Attributes = dict[str, DotText]


@dataclass
class DotNode:
    """A node, where it is first named, and its attributes with the defaults that hold there."""

    name: str
    at: int
    attributes: Attributes


@dataclass
class DotEdge:
    """An edge between two nodes, and where its tail is named in the statement."""

    tail: str
    head: str
    at: int
    attributes: Attributes


@dataclass
class DotGraph:
    """A directed graph. `merged` are pairs of places of edges that ``strict`` made one."""

    name: str = ""
    nodes: dict[str, DotNode] = field(default_factory=dict)
    edges: list[DotEdge] = field(default_factory=list)
    merged: list[tuple[int, int]] = field(default_factory=list)


class _Token(NamedTuple):
    kind: str  # quoted, word, html, arrow, mark, end
    text: str
    at: int


@dataclass
class _Scope:
    """A graph or subgraph while it is read: its nodes, and the defaults for what comes next."""

    of_nodes: Attributes
    of_edges: Attributes
    members: dict[str, None] = field(default_factory=dict)
    subgraphs: dict[str, _Scope] = field(default_factory=dict)

    def inner(self) -> _Scope:
        return _Scope(dict(self.of_nodes), dict(self.of_edges))


class _Operand(NamedTuple):
    """What an arrow joins: some nodes, and where they are named."""

    names: tuple[str, ...]
    at: int


def parse_dot(text: str, source: str) -> DotGraph:
    """The graph in `text`.

    Raises
    ------
    SyntaxSpecError, TooLargeError
        If it is no directed graph, with the place; or deeper or larger than a machine.
    """
    return _DotParser(text, source).parse()


class _DotParser:
    """Statements one by one, by recursive descent. The grammar is that of
    https://graphviz.org/doc/info/lang.html, with ``digraph`` alone.
    """

    def __init__(self, text: str, source: str) -> None:
        self.text, self.source = text, source
        self.tokens = self._tokens()
        self.now = next(self.tokens)
        self.graph = DotGraph()
        self.strict = False
        self.joined: dict[tuple[str, str], DotEdge] = {}  # under strict: the edge of two nodes

    def parse(self) -> DotGraph:
        if self.keyword("strict"):
            self.step()
            self.strict = True
        if self.keyword("graph"):
            raise SyntaxSpecError(
                "the graph is undirected; expected a digraph, with ->", self.place(self.now.at)
            )
        if not self.keyword("digraph"):
            raise self.unexpected("digraph")
        self.step()
        if not self.mark("{"):
            self.graph.name = self.identifier().text
        self.take("{")
        self.statements([_Scope({}, {})])
        if self.now.kind != "end":
            raise self.unexpected("nothing after the graph: one machine per file")
        return self.graph

    # -- tokens

    def place(self, index: int) -> Location:
        return location_at(self.text, index, self.source)

    def unexpected(self, expected: str) -> SyntaxSpecError:
        found = "the end of the text" if self.now.kind == "end" else f'"{self.now.text[:40]}"'
        return SyntaxSpecError(
            f"{found} cannot stand here; expected {expected}", self.place(self.now.at)
        )

    def _tokens(self) -> Iterator[_Token]:
        index, text, end = 0, self.text, len(self.text)
        match = _TOKEN.match
        while index < end:
            if text[index] == "<":
                closed = self._html_end(index)
                yield _Token("html", text[index:closed], index)
                index = closed
                continue
            found = match(text, index)
            if found is None:
                raise SyntaxSpecError(self._unreadable(index), self.place(index))
            if found.lastgroup:
                yield _Token(found.lastgroup, found.group(), index)
            index = found.end()
        yield _Token("end", "", end)

    def _html_end(self, index: int) -> int:
        """Behind the ``>`` that closes the ``<`` at `index`."""
        depth = 0
        for found in _ANGLE.finditer(self.text, index):
            depth += 1 if found.group() == "<" else -1
            if not depth:
                return found.end()
        raise SyntaxSpecError('an HTML text is not closed; expected ">"', self.place(index))

    def _unreadable(self, index: int) -> str:
        badly = _BADLY_DELIMITED.match(self.text, index)
        if badly:
            return f'"{badly.group()}" is neither a word nor a number; expected it in quotes'
        found = f"the character {self.text[index]!r} cannot stand here"
        if self.text[index] == '"':
            found = "a quoted text is not closed"
        elif self.text.startswith("/*", index):
            found = "a comment is not closed"
        return f"{found}; expected names, texts in quotes, ->, and the marks of a graph"

    def step(self) -> _Token:
        was, self.now = self.now, next(self.tokens, self.now)
        return was

    def keyword(self, *words: str) -> bool:
        return self.now.kind == "word" and self.now.text.lower() in words

    def mark(self, *marks: str) -> bool:
        return self.now.kind == "mark" and self.now.text in marks

    def take(self, mark: str) -> None:
        if not self.mark(mark):
            raise self.unexpected(f'"{mark}"')
        self.step()

    def identifier(self) -> DotText:
        """A word, a text between angle brackets, or texts in quotes joined by ``+``."""
        if self.keyword(*_KEYWORDS):
            raise self.unexpected(
                f'a name; "{self.now.text}" is a keyword of DOT, and a name in quotes only'
            )
        if self.now.kind not in ("word", "quoted", "html"):
            raise self.unexpected("a name")
        token = self.step()
        if token.kind == "word":
            return DotText(token.text)
        if token.kind == "html":
            return DotText(token.text[1:-1], html=True)
        pieces = [_unquoted(token.text)]
        while self.mark("+"):
            self.step()
            if self.now.kind != "quoted":
                raise self.unexpected("a text in quotes")
            pieces.append(_unquoted(self.step().text))
        return DotText("".join(pieces))

    # -- statements; `scopes` are the graph and the subgraphs that are open, the innermost last

    def statements(self, scopes: list[_Scope]) -> None:
        """All statements up to the closing brace."""
        while not self.mark("}"):
            if self.now.kind == "end":
                raise self.unexpected('"}": the graph is cut off')
            self.statement(scopes)
            while self.mark(";"):
                self.step()
        self.step()

    def statement(self, scopes: list[_Scope]) -> None:
        if self.keyword("node", "edge", "graph"):
            defaults = {"node": scopes[-1].of_nodes, "edge": scopes[-1].of_edges, "graph": {}}
            chosen = defaults[self.step().text.lower()]
            if not self.mark("["):
                raise self.unexpected('"[" and attributes')
            chosen.update(self.attributes())
            return
        if self.keyword("subgraph") or self.mark("{"):
            operand = self.subgraph(scopes)
            if self.now.kind == "arrow":
                self.edges(operand, scopes)
            return
        index = self.now.at
        first = self.identifier()
        if self.mark("="):  # an attribute of the graph
            self.step()
            self.identifier()
            return
        operand = self.nodes(first.text, index, scopes)
        if self.now.kind == "arrow":
            self.edges(operand, scopes)
            return
        attributes = self.attributes()
        for name in operand.names:
            self.graph.nodes[name].attributes.update(attributes)

    def operand(self, scopes: list[_Scope]) -> _Operand:
        if self.keyword("subgraph") or self.mark("{"):
            return self.subgraph(scopes)
        index = self.now.at
        return self.nodes(self.identifier().text, index, scopes)

    def nodes(self, first: str, index: int, scopes: list[_Scope]) -> _Operand:
        """The node `first`, which was read, and those that follow after commas."""
        names = {first: None}
        self.node(first, index, scopes)
        while self.mark(","):
            self.step()
            at = self.now.at
            name = self.identifier().text
            self.node(name, at, scopes)
            names[name] = None
        return _Operand(tuple(names), index)

    def node(self, name: str, index: int, scopes: list[_Scope]) -> None:
        """Make a node unless it is there, and let it be of every open subgraph. A port behind its
        name says where on the node an edge ends, which means nothing here.
        """
        if name not in self.graph.nodes:
            self.graph.nodes[name] = DotNode(name, index, dict(scopes[-1].of_nodes))
        for scope in scopes:
            scope.members[name] = None
        while self.mark(":"):
            self.step()
            self.identifier()

    def subgraph(self, scopes: list[_Scope]) -> _Operand:
        """A subgraph; a name that its graph has had already opens that one again."""
        index, outer = self.now.at, scopes[-1]
        scope = outer.inner()
        if self.keyword("subgraph"):
            self.step()
            if not self.mark("{"):
                scope = outer.subgraphs.setdefault(self.identifier().text, scope)
        self.take("{")
        if len(scopes) > MAX_DEPTH:
            raise TooLargeError(
                f"subgraphs are nested deeper than {MAX_DEPTH} levels", self.place(index)
            )
        self.statements([*scopes, scope])
        return _Operand(tuple(scope.members), index)

    def edges(self, first: _Operand, scopes: list[_Scope]) -> None:
        """A chain: an edge from each node of an operand to each node of the next."""
        operands = [first]
        while self.now.kind == "arrow":
            if self.now.text == "--":
                raise self.unexpected("->: a transition has a direction")
            self.step()
            operands.append(self.operand(scopes))
        attributes = self.attributes()
        for tails, heads in pairwise(operands):
            if len(self.graph.edges) + len(tails.names) * len(heads.names) > MAX_TRANSITIONS:
                raise TooLargeError(
                    f"the graph has more than {MAX_TRANSITIONS} edges", self.place(tails.at)
                )
            for tail in tails.names:
                for head in heads.names:
                    self.edge(tail, head, tails.at, scopes[-1].of_edges, attributes)

    def edge(
        self, tail: str, head: str, index: int, defaults: Attributes, attributes: Attributes
    ) -> None:
        known = self.joined.get((tail, head))
        if known is not None:  # defaults hold for new edges only
            if known.attributes.get("label") != attributes.get(
                "label", known.attributes.get("label")
            ):
                self.graph.merged.append((known.at, index))
            known.attributes.update(attributes)
            return
        edge = DotEdge(tail, head, index, {**defaults, **attributes})
        self.graph.edges.append(edge)
        if self.strict:
            self.joined[tail, head] = edge

    def attributes(self) -> Attributes:
        found: Attributes = {}
        while self.mark("["):
            self.step()
            while not self.mark("]"):
                key = self.identifier().text
                value = DotText("true")
                if self.mark("="):
                    self.step()
                    value = self.identifier()
                found[key] = value
                if self.mark(",", ";"):
                    self.step()
            self.step()
        return found


def _unquoted(text: str) -> str:
    """The text in quotes: ``\\"`` is a quote, a backslash at the end of a line joins it with the
    next; other escapes stay as they are.
    """
    return re.sub(
        r"\\(\r?\n|.)",
        lambda m: {'"': '"', "\\": "\\\\"}.get(m[1], "" if "\n" in m[1] else m[0]),
        text[1:-1],
        flags=re.DOTALL,
    )
