"""DOT, the language of Graphviz: machines as learners (AALpy, LearnLib) and people write them.

How a graph is read as a machine:

* A node is a state, an edge ``x -> y [label="input/output"]`` a transition. A label without ``/``
  is an input without outputs; of several ``/`` the first one counts. An edge may have several
  labels, with line breaks between them.
* The start is where the arrow of a node without a name leads, such as ``__start0 [label="",
  shape=none]``; else the node with ``initial=true``; else the first node of the file.
* Moore outputs stand in the label of a node behind ``|`` (``s0|out``, ``{s0|out}``), or are the
  label itself where no transition has an output and labels are not the nodes' names.
  ``shape=doublecircle`` is the Moore output ``accept``.
* An output that is empty, ``-`` or ``ε`` is none.
* A pair of state and input without an edge stays where it is, without outputs.

Written are nodes ``s0``, ``s1``, ... with the states' names as labels, ``name|outputs`` where they
have outputs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import NamedTuple

from vsafsm.errors import (
    BadNameError,
    EmptySpecError,
    Location,
    NondeterministicError,
    NotExpressibleError,
    SyntaxSpecError,
    TooLargeError,
    UnknownStateError,
)
from vsafsm.formats import (
    ACCEPT,
    MAX_TRANSITIONS,
    Format,
    Reading,
    location_at,
    name_from,
    unreachable_warnings,
)
from vsafsm.machine import Machine, Outputs, Transition, check_name

NONE = ("", "-", "ε")
ACCEPTING = ("doublecircle", "doubleoctagon")
LINE_ENDS = ("\\n", "\\l", "\\r", "\n")
INVISIBLE = ("none", "point", "plaintext", "plain")

_TOKEN = re.compile(
    r"""(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/|\#[^\n]*)+
    |(?P<quoted>"(?:[^"\\]|\\.)*")
    |(?P<word>[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*|-?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?))
    |(?P<arrow>->|--)
    |(?P<mark>[{}\[\];,=:+])
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str  # quoted, word, arrow, mark, end
    text: str
    at: int


@dataclass
class _Graph:
    name: str = ""
    nodes: dict[str, dict[str, str]] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    edges: list[tuple[str, str, str, int]] = field(
        default_factory=list
    )  # source, target, label, index


def read_dot(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors and, without its suffix, an
    unnamed graph.

    Raises
    ------
    SyntaxSpecError, EmptySpecError, UnknownStateError, NondeterministicError, BadNameError,
    TooLargeError
        If the text is no graph, or the graph no machine; with the place.
    """
    parser = _Parser(text, source)
    graph = parser.parse()
    return _Machines(graph, text, source).reading()


# ---- from text to a graph


class _Parser:
    """Statements one by one; attributes of ``node`` and ``edge`` hold from there on, in their
    braces.
    """

    def __init__(self, text: str, source: str) -> None:
        self.text, self.source = text, source
        self.tokens = self._tokens()
        self.now = next(self.tokens)
        self.graph = _Graph()

    def place(self, index: int) -> Location:
        return location_at(self.text, index, self.source)

    def wrong(self, expected: str) -> SyntaxSpecError:
        found = "the end of the text" if self.now.kind == "end" else f'"{self.now.text[:40]}"'
        return SyntaxSpecError(
            f"{found} cannot stand here; expected {expected}", self.place(self.now.at)
        )

    def parse(self) -> _Graph:
        if self.word("strict"):
            self.step()
        if self.word("graph"):
            raise SyntaxSpecError(
                "the graph is undirected; expected a digraph, with ->", self.place(self.now.at)
            )
        if not self.word("digraph"):
            raise self.wrong("digraph")
        self.step()
        if self.now.kind in ("word", "quoted"):
            self.graph.name = self.name()
        self.take("{")
        self.statements({}, {})
        if self.now.kind != "end":
            raise self.wrong("nothing after the graph: one machine a file")
        return self.graph

    # -- tokens

    def _tokens(self) -> Iterator[_Token]:
        index, text, end = 0, self.text, len(self.text)
        match = _TOKEN.match
        while index < end:
            found = match(text, index)
            if found is None:
                raise SyntaxSpecError(self._unreadable(index), self.place(index))
            if found.lastgroup:
                yield _Token(found.lastgroup, found.group(), index)
            index = found.end()
        yield _Token("end", "", end)

    def _unreadable(self, index: int) -> str:
        kinds = {
            '"': "a quoted text is not closed",
            "<": "HTML labels are not read",
            "/": "a comment is not closed",
        }
        told = kinds.get(self.text[index], f"the character {self.text[index]!r} cannot stand here")
        return f"{told}; expected names, texts in quotes, ->, and the marks of a graph"

    def step(self) -> _Token:
        was, self.now = self.now, next(self.tokens, self.now)
        return was

    def word(self, text: str) -> bool:
        return self.now.kind == "word" and self.now.text.lower() == text

    def mark(self, text: str) -> bool:
        return self.now.kind == "mark" and self.now.text == text

    def take(self, mark: str) -> None:
        if not self.mark(mark):
            raise self.wrong(f'"{mark}"')
        self.step()

    def name(self) -> str:
        """A name, or several texts in quotes joined by ``+``."""
        if self.now.kind not in ("word", "quoted"):
            raise self.wrong("a name")
        token = self.step()
        if token.kind == "word":
            return token.text
        text = _unquoted(token.text)
        while self.mark("+"):
            self.step()
            if self.now.kind != "quoted":
                raise self.wrong("a text in quotes")
            text += _unquoted(self.step().text)
        return text

    # -- statements

    def statements(self, of_nodes: dict[str, str], of_edges: dict[str, str]) -> None:
        """All statements up to the closing brace."""
        while not self.mark("}"):
            if self.now.kind == "end":
                raise self.wrong('"}": the graph is cut off')
            self.statement(of_nodes, of_edges)
            while self.mark(";") or self.mark(","):
                self.step()
        self.step()

    def statement(self, of_nodes: dict[str, str], of_edges: dict[str, str]) -> None:
        if self.now.kind == "word" and (kind := self.now.text.lower()) in ("node", "edge", "graph"):
            self.step()
            {"node": of_nodes, "edge": of_edges, "graph": {}}[kind].update(self.attributes())
            return
        if self.word("subgraph") or self.mark("{"):
            self.subgraph(of_nodes, of_edges)
            return
        index = self.now.at
        name = self.name()
        if self.mark("="):
            self.step()
            self.name()
            return
        self.port()
        if self.now.kind == "arrow":
            self.edges(name, index, of_nodes, of_edges)
        else:
            self.node(name, index, of_nodes).update(self.attributes())

    def subgraph(self, of_nodes: dict[str, str], of_edges: dict[str, str]) -> None:
        """A group of nodes, read as if its statements stood outside; edges from or to a group are
        refused.
        """
        if self.word("subgraph"):
            self.step()
            if self.now.kind in ("word", "quoted"):
                self.name()
        self.take("{")
        self.statements(dict(of_nodes), dict(of_edges))
        if self.now.kind == "arrow":
            raise self.wrong("no edge from a group of nodes: one edge for each transition")

    def edges(
        self, first: str, index: int, of_nodes: dict[str, str], of_edges: dict[str, str]
    ) -> None:
        names, places = [first], [index]
        while self.now.kind == "arrow":
            if self.now.text == "--":
                raise self.wrong("->: a transition has a direction")
            self.step()
            if self.word("subgraph") or self.mark("{"):
                raise self.wrong("the name of a node: one edge for each transition")
            places.append(self.now.at)
            names.append(self.name())
            self.port()
        attributes = {**of_edges, **self.attributes()}
        for name, place in zip(names, places, strict=True):
            self.node(name, place, of_nodes)
        label = attributes.get("label", attributes.get("xlabel", ""))
        for i in range(len(names) - 1):
            self.graph.edges.append((names[i], names[i + 1], label, places[i]))

    def node(self, name: str, index: int, of_nodes: dict[str, str]) -> dict[str, str]:
        if name not in self.graph.nodes:
            self.graph.nodes[name] = dict(of_nodes)
            self.graph.places[name] = index
        return self.graph.nodes[name]

    def port(self) -> None:
        """``:port`` and ``:port:compass`` say where on a node an edge ends, which means nothing
        here.
        """
        while self.mark(":"):
            self.step()
            self.name()

    def attributes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while self.mark("["):
            self.step()
            while not self.mark("]"):
                key = self.name().lower()
                value = "true"
                if self.mark("="):
                    self.step()
                    value = self.name()
                found[key] = value
                while self.mark(",") or self.mark(";"):
                    self.step()
            self.step()
        return found


def _unquoted(text: str) -> str:
    """The text in quotes: ``\\"`` is a quote, a backslash at the end of a line joins it with the
    next.
    """
    return re.sub(
        r"\\(\r?\n|.)",
        lambda m: {'"': '"', "\\": "\\\\"}.get(m[1], "" if "\n" in m[1] else m[0]),
        text[1:-1],
        flags=re.DOTALL,
    )


# ---- from a graph to a machine


class _Machines:
    def __init__(self, graph: _Graph, text: str, source: str) -> None:
        self.graph, self.text, self.source = graph, text, source

    def place(self, index: int) -> Location:
        return location_at(self.text, index, self.source)

    def reading(self) -> Reading:
        graph = self.graph
        starts = self._starts()
        edges = [edge for edge in graph.edges if edge[0] not in starts]
        states = [name for name in graph.nodes if name not in starts]
        if not states or not edges:
            raise EmptySpecError(
                "the graph has no transitions; expected edges with labels", self.place(0)
            )
        initial = self._initial(starts, states)
        taken, inputs = self._taken(edges)
        if len(states) * len(inputs) > MAX_TRANSITIONS:
            raise TooLargeError(
                f"{len(states)} states and {len(inputs)} inputs make more than {MAX_TRANSITIONS}"
                " transitions",
                self.place(0),
            )
        names, moore = self._names(states, any(outputs for _, outputs, _ in taken.values()))
        table = tuple(
            tuple(
                Transition(names[to], outputs) if found else Transition(names[state])
                for symbol in inputs
                for found, to, outputs in [self._of(taken, state, symbol)]
            )
            for state in states
        )
        machine = Machine(
            name_from(_plain(graph.name), PurePath(self.source).stem, "machine"),
            tuple(names[s] for s in states),
            inputs,
            names[initial],
            table,
            tuple(moore[s] for s in states),
        )
        places = {names[state]: graph.places[state] for state in states}
        return Reading(
            machine, tuple(unreachable_warnings(machine, lambda name: self.place(places[name])))
        )

    def _of(
        self, taken: dict[tuple[str, str], tuple[str, Outputs, int]], state: str, symbol: str
    ) -> tuple[bool, str, Outputs]:
        found = taken.get((state, symbol))
        return (True, found[0], found[1]) if found else (False, state, ())

    def _starts(self) -> dict[str, int]:
        """Nodes that are no states but point to the initial one: nothing leads to them, and they
        have no name.
        """
        graph = self.graph
        entered = {target for _, target, _, _ in graph.edges}
        labels: dict[str, list[str]] = {}
        for source, _, label, _ in graph.edges:
            labels.setdefault(source, []).append(label)
        return {
            name: graph.places[name]
            for name, attributes in graph.nodes.items()
            if name not in entered
            and not any(map(str.strip, labels.get(name, ["x"])))
            and (
                name.startswith("__start")
                or attributes.get("shape", "").lower() in INVISIBLE
                or not attributes.get("label", name).strip()
            )
        }

    def _initial(self, starts: dict[str, int], states: list[str]) -> str:
        arrows = [
            (target, index) for source, target, _, index in self.graph.edges if source in starts
        ]
        marked = [
            (name, self.graph.places[name])
            for name in states
            if self.graph.nodes[name].get("initial", "").lower() in ("true", "1", "yes")
        ]
        for found, what in (
            (arrows, "an arrow from no state points to"),
            (marked, "initial=true is on"),
        ):
            if len({name for name, _ in found}) > 1:
                first, second = found[0], next(each for each in found if each[0] != found[0][0])
                raise NondeterministicError(
                    f'{what} "{second[0]}", and to "{first[0]}" in line'
                    f" {self.place(first[1]).line}; expected one initial state",
                    self.place(second[1]),
                )
        if arrows and arrows[0][0] in starts:
            raise UnknownStateError(
                f'"{arrows[0][0]}" is no state; expected the initial one', self.place(arrows[0][1])
            )
        return (arrows or marked or [(states[0], 0)])[0][0]

    def _taken(
        self, edges: list[tuple[str, str, str, int]]
    ) -> tuple[dict[tuple[str, str], tuple[str, Outputs, int]], tuple[str, ...]]:
        """Target and outputs of each (state, input) that has an edge, and the inputs in the order
        of the file.
        """
        taken: dict[tuple[str, str], tuple[str, Outputs, int]] = {}
        inputs: dict[str, None] = {}
        read: dict[str, list[tuple[str, Outputs]]] = {}
        for source, target, label, index in edges:
            if label not in read:
                read[label] = self._labels(label, index)
                inputs.update(dict.fromkeys(symbol for symbol, _ in read[label]))
            for symbol, outputs in read[label]:
                known = taken.setdefault((source, symbol), (target, outputs, index))
                if known[:2] != (target, outputs):
                    raise NondeterministicError(
                        f'"{source}" has another transition on "{symbol}" in line'
                        f" {self.place(known[2]).line}; expected one for each input",
                        self.place(index),
                    )
        return taken, tuple(inputs)

    def _labels(self, label: str, index: int) -> list[tuple[str, Outputs]]:
        """Input and outputs of each line of a label."""
        lines = [part for part in _split(label, LINE_ENDS) if part.strip()] or [""]
        return [self._label(line, index) for line in lines]

    def _check_name(self, kind: str, name: str, index: int) -> None:
        try:
            check_name(kind, name)
        except BadNameError as error:
            raise BadNameError(error.message, self.place(index)) from None

    def _label(self, label: str, index: int) -> tuple[str, Outputs]:
        told, _, output = label.partition("/")
        symbol = _plain(told)
        if not symbol:
            raise SyntaxSpecError(
                'a transition has no input; expected a label such as "coin" or "push/click"',
                self.place(index),
            )
        self._check_name("input", symbol, index)
        return symbol, self._outputs(output, index)

    def _outputs(self, text: str, index: int) -> Outputs:
        name = _plain(text)
        if name in NONE:
            return ()
        found = tuple(dict.fromkeys(part.strip() for part in name.split(", ")))
        for each in found:
            self._check_name("output", each, index)
        return found

    def _names(self, states: list[str], mealy: bool) -> tuple[dict[str, str], dict[str, Outputs]]:
        """Names and Moore outputs of the states. Labels are names where each state has one of its
        own.
        """
        shown = {state: self.graph.nodes[state].get("label", state) for state in states}
        shown = {
            state: re.sub(r"^\{(.*)\}$", r"\1", label.strip()) for state, label in shown.items()
        }
        parted = {state: _split(label, ("|",)) for state, label in shown.items()}
        records = any(len(parts) > 1 for parts in parted.values())
        heads = {state: _plain(parts[0]) for state, parts in parted.items()}
        distinct = all(heads.values()) and len(set(heads.values())) == len(states)
        labels_are_outputs = not records and not distinct and not mealy
        names = heads if distinct else {state: state for state in states}
        moore: dict[str, Outputs] = {}
        for state in states:
            index, parts = self.graph.places[state], parted[state]
            self._check_name("state", names[state], index)
            told = (
                "|".join(parts[1:])
                if len(parts) > 1
                else heads[state]
                if labels_are_outputs
                else ""
            )
            accepts = self.graph.nodes[state].get("shape", "").lower() in ACCEPTING
            moore[state] = tuple(
                dict.fromkeys((*self._outputs(told, index), *((ACCEPT,) if accepts else ())))
            )
        return names, moore


def _split(text: str, marks: tuple[str, ...]) -> list[str]:
    """Parts between marks that no backslash stands before; a mark may itself be an escape."""
    parts = [""]
    for piece in re.findall(r"\\.|\\$|[^\\]", text, re.DOTALL):
        if piece in marks:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _plain(text: str) -> str:
    """A label's text as it is shown: escapes of Graphviz are undone."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL).strip()


# ---- writing


def write_dot(machine: Machine) -> str:
    """A digraph that `read_dot` and Graphviz read; only names that the format cannot tell apart are
    refused.

    Raises
    ------
    NotExpressibleError
        If an input, an output or a state has a name that would be read as another.
    """
    _check_expressible(machine)
    alias = {state: f"s{i}" for i, state in enumerate(machine.states)}
    lines = [
        f"digraph {_quoted(_escaped(machine.name, ''))} {{",
        '  __start0 [label="", shape=none];',
    ]
    for state in machine.states:
        outputs = ", ".join(machine.outputs_of(state))
        label = _escaped(state, "|{}") + (f"|{_escaped(outputs, '|{}')}" if outputs else "")
        record = ', shape=record, style="rounded"' if outputs else ""
        lines.append(f"  {alias[state]} [label={_quoted(label)}{record}];")
    lines.append(f"  __start0 -> {alias[machine.initial]};")
    for state, row in zip(machine.states, machine.table, strict=True):
        for symbol, taken in zip(machine.inputs, row, strict=True):
            outputs = f"/{_escaped(', '.join(taken.outputs), '')}" if taken.outputs else ""
            label = _escaped(symbol, "") + outputs
            lines.append(f"  {alias[state]} -> {alias[taken.to]} [label={_quoted(label)}];")
    return "\n".join([*lines, "}"]) + "\n"


def _check_expressible(machine: Machine) -> None:
    outputs = {o for row in machine.table for taken in row for o in taken.outputs} | {
        o for m in machine.moore for o in m
    }
    for kind, names in (
        ("input", machine.inputs),
        ("output", sorted(outputs)),
        ("state", machine.states),
    ):
        for name in names:
            told = (
                "/" in name
                if kind == "input"
                else name in NONE or ", " in name
                if kind == "output"
                else False
            )
            if told:
                raise NotExpressibleError(
                    f'DOT labels cannot tell the {kind} "{name}" from others; expected a name'
                    " without " + ('"/"' if kind == "input" else '", " that is not "-" or "ε"')
                )


def _escaped(text: str, marks: str) -> str:
    return re.sub(rf"([\\{re.escape(marks)}])", r"\\\1", text)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


FORMAT = Format(
    "dot", (".dot", ".gv"), read_dot, write_dot, "Graphviz: learned automata, labels input/output"
)
