"""DOT, the language of Graphviz: machines as learners (AALpy, LearnLib) and people write them.

How a graph is read as a machine:

* A node is a state, an edge ``x -> y [label="input/output"]`` a transition. A label without ``/``
  is an input without outputs; of several ``/`` the first one counts. An edge may have several
  labels, with line breaks between them.
* The start is where the arrow of a node leads that only marks it: one that no edge enters, that is
  invisible (``style=invis``, ``shape=point``, ``none`` or ``plaintext``), without a label or called
  ``__start...``, and whose edge has no label. Else it is the node with ``initial=true``; else the
  first node of the file.
* Moore outputs stand in the label of a node behind ``|`` (``s0|out``, ``{s0|out}``), or are the
  label itself where no transition has an output and labels are not the nodes' names.
  ``shape=doublecircle`` and ``peripheries=2`` are the Moore output ``accept``.
* An output that is empty, ``-`` or ``ε`` is none.
* A pair of state and input without an edge stays where it is, without outputs.
* Invisible edges without a label are layout, and so are nodes without edges that could mark the
  start.

With the format ``dot:nfa`` the graph is a recogniser of words: several edges on one input, several
starts and edges on ``ε``, which take no input, are fine; the machine is the smallest deterministic
one that puts out ``accept`` where the word so far is accepted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple

from vsafsm.errors import (
    BadNameError,
    Location,
    NondeterministicError,
    SyntaxSpecError,
    TooLargeError,
    UnknownStateError,
)
from vsafsm.formats import (
    ACCEPT,
    MAX_TRANSITIONS,
    MOST_NAMED,
    Format,
    Reading,
    location_at,
    name_from,
    unreachable_warnings,
)
from vsafsm.formats._dot_graph import (
    Attributes,
    DotEdge,
    DotGraph,
    DotNode,
    DotText,
    parse_dot,
)
from vsafsm.formats._dot_labels import LINE_ENDS, label_of, readable, split
from vsafsm.formats._dot_writer import NO_OUTPUT, fits_dot, write_dot
from vsafsm.formats._subsets import recogniser
from vsafsm.machine import Machine, Outputs, Transition, check_name

ACCEPTING = ("doublecircle", "doubleoctagon")
INVISIBLE = ("none", "point", "plaintext", "plain")
NO_INPUT = ("ε", "λ", "epsilon", "lambda")
"""Labels of edges that take no input, in a recogniser."""


class _LabelledEdge(NamedTuple):
    """One label of one edge."""

    state: str
    symbol: str
    to: str
    outputs: Outputs
    at: int


@dataclass(frozen=True)
class _Drawing:
    """A graph without what only marks the start, and without what is layout."""

    text: str
    source: str
    graph: DotGraph
    nodes: dict[str, DotNode]
    edges: list[DotEdge]
    starts: list[DotEdge]  # from a node that marks the start

    def place(self, index: int) -> Location:
        return location_at(self.text, index, self.source)

    def name(self) -> str:
        return name_from(
            readable(label_of(DotText(self.graph.name), "")), PurePath(self.source).stem, "machine"
        )


def read_dot(text: str, source: str) -> Reading:
    """Read a machine from `text`; `source` names the text in errors and, without its suffix, an
    unnamed graph.

    Raises
    ------
    SpecError
        One of its subclasses, if the text is no graph, or the graph no machine; with the place.
    """
    drawing = _drawing(text, source)
    initial = _initial(drawing)
    taken, inputs = _taken(drawing)
    states = tuple(drawing.nodes)
    if len(states) * len(inputs) > MAX_TRANSITIONS:
        raise TooLargeError(
            f"{len(states)} states and {len(inputs)} inputs make more than {MAX_TRANSITIONS}"
            " transitions",
            drawing.place(0),
        )
    names, moore = _names(drawing, any(arrow.outputs for arrow in taken.values()))

    def transition(state: str, symbol: str) -> Transition:
        arrow = taken.get((state, symbol))
        return Transition(names[arrow.to], arrow.outputs) if arrow else Transition(names[state])

    machine = Machine(
        drawing.name(),
        tuple(names[state] for state in states),
        inputs,
        names[initial],
        tuple(tuple(transition(state, symbol) for symbol in inputs) for state in states),
        tuple(moore[state] for state in states),
    )
    places = {names[state]: node.at for state, node in drawing.nodes.items()}
    unreachable = unreachable_warnings(machine, lambda name: drawing.place(places[name]))
    return Reading(machine, (*_merged_warnings(drawing), *unreachable))


def read_dot_nfa(text: str, source: str) -> Reading:
    """Read `text` as a recogniser of words that may be nondeterministic: double circles accept.

    Raises
    ------
    SpecError
        One of its subclasses, as `read_dot` does; also if a transition has outputs, or no node
        accepts.
    """
    drawing = _drawing(text, source)
    reached: dict[tuple[str, str], dict[str, None]] = {}
    for arrow in _arrows(drawing):
        if arrow.outputs:
            raise SyntaxSpecError(
                f'the transition on "{arrow.symbol}" has outputs; expected a recogniser of words,'
                " whose double circles accept",
                drawing.place(arrow.at),
            )
        symbol = "" if arrow.symbol in NO_INPUT else arrow.symbol
        reached.setdefault((arrow.state, symbol), {})[arrow.to] = None
    has_symbols = any(symbol for _, symbol in reached)
    accepting = {name for name, node in drawing.nodes.items() if _accepts(node)}
    if not has_symbols or not accepting:
        lacks = "no node is a double circle" if has_symbols else "no edge has an input"
        raise SyntaxSpecError(f"{lacks}; expected a recogniser of words", drawing.place(0))
    starts = [to for to, _ in _marked_starts(drawing)] or [next(iter(drawing.nodes))]
    machine = recogniser(drawing.name(), reached, starts, accepting, drawing.place(0))
    return Reading(machine, tuple(_merged_warnings(drawing)))


def _drawing(text: str, source: str) -> _Drawing:
    graph = parse_dot(text, source)
    edges = [edge for edge in graph.edges if _label(edge) or not _is_hidden(edge.attributes)]
    entered = {edge.head for edge in edges}
    with_label = {edge.tail for edge in edges if _label(edge)}
    without_label = {edge.tail for edge in edges} - with_label
    markers = {
        name
        for name, node in graph.nodes.items()
        if name in without_label and name not in entered and _is_marker(node)
    }
    used = entered | with_label | without_label
    nodes = {
        name: node
        for name, node in graph.nodes.items()
        if name not in markers and (name in used or not _is_marker(node))
    }
    drawing = _Drawing(
        text,
        source,
        graph,
        nodes,
        [edge for edge in edges if edge.tail not in markers],
        [edge for edge in edges if edge.tail in markers],
    )
    if not nodes or not drawing.edges:
        raise SyntaxSpecError(
            "the graph has no transitions; expected edges with labels", drawing.place(0)
        )
    return drawing


def _label(edge: DotEdge) -> str:
    """The label of an edge; empty where nothing of it is seen."""
    for key in ("label", "xlabel"):
        if key in edge.attributes:
            label = label_of(edge.attributes[key], "")
            return label if label.strip() else ""
    return ""


def _word(attributes: Attributes, key: str) -> str:
    return attributes[key].text.strip().lower() if key in attributes else ""


def _is_hidden(attributes: Attributes) -> bool:
    styles = [style.strip() for style in _word(attributes, "style").split(",")]
    return "invis" in styles or "invisible" in styles


def _is_marker(node: DotNode) -> bool:
    """Whether a node may be there to mark the start."""
    return (
        node.name.startswith("__start")
        or _word(node.attributes, "shape") in INVISIBLE
        or _is_hidden(node.attributes)
        or not _node_label(node)
    )


def _node_label(node: DotNode) -> str:
    return label_of(node.attributes.get("label", DotText("\\N")), node.name).strip()


def _accepts(node: DotNode) -> bool:
    peripheries = _word(node.attributes, "peripheries")
    return _word(node.attributes, "shape") in ACCEPTING or peripheries in ("2", "3", "4")


def _marked_starts(drawing: _Drawing) -> list[tuple[str, int]]:
    """States that are marked as the initial one, and where."""
    return [(edge.head, edge.at) for edge in drawing.starts] or [
        (name, node.at)
        for name, node in drawing.nodes.items()
        if _word(node.attributes, "initial") in ("true", "1", "yes")
    ]


def _initial(drawing: _Drawing) -> str:
    marked = _marked_starts(drawing)
    if not marked:
        return next(iter(drawing.nodes))
    (first, index), *others = marked
    other = next((each for each in others if each[0] != first), None)
    if other is not None:
        what = "an arrow from no state points to" if drawing.starts else "initial=true is on"
        raise NondeterministicError(
            f'{what} "{other[0]}", and to "{first}" in line {drawing.place(index).line}; expected'
            " one initial state",
            drawing.place(other[1]),
        )
    if first not in drawing.nodes:
        raise UnknownStateError(
            f'"{first}" is no state; expected the initial one', drawing.place(index)
        )
    return first


# ---- edges


def _arrows(drawing: _Drawing) -> Iterator[_LabelledEdge]:
    read: dict[str, list[tuple[str, Outputs]]] = {}
    for edge in drawing.edges:
        label = _label(edge)
        if label not in read:
            lines = [part for part in split(label, LINE_ENDS) if part.strip()] or [""]
            read[label] = [_input_and_outputs(line, drawing, edge.at) for line in lines]
        for symbol, outputs in read[label]:
            yield _LabelledEdge(edge.tail, symbol, edge.head, outputs, edge.at)


def _taken(drawing: _Drawing) -> tuple[dict[tuple[str, str], _LabelledEdge], tuple[str, ...]]:
    """The arrow of each state and input that has one, and the inputs in the order of the file."""
    taken: dict[tuple[str, str], _LabelledEdge] = {}
    inputs: dict[str, None] = {}
    for arrow in _arrows(drawing):
        inputs[arrow.symbol] = None
        known = taken.setdefault((arrow.state, arrow.symbol), arrow)
        if (known.to, known.outputs) != (arrow.to, arrow.outputs):
            raise NondeterministicError(
                f'"{arrow.state}" has another transition on "{arrow.symbol}" in line'
                f" {drawing.place(known.at).line}; expected one for each input, or"
                " --format dot:nfa for a recogniser of words",
                drawing.place(arrow.at),
            )
    return taken, tuple(inputs)


def _input_and_outputs(label: str, drawing: _Drawing, index: int) -> tuple[str, Outputs]:
    before, _, after = label.partition("/")
    symbol = readable(before)
    if not symbol:
        raise SyntaxSpecError(
            'a transition has no input; expected a label such as "coin" or "push/click"',
            drawing.place(index),
        )
    return _checked("input", symbol, drawing, index), _outputs(after, drawing, index)


def _outputs(label: str, drawing: _Drawing, index: int) -> Outputs:
    text = readable(label)
    if text in NO_OUTPUT:
        return ()
    names = dict.fromkeys(part.strip() for part in text.split(", "))
    return tuple(_checked("output", name, drawing, index) for name in names)


def _checked(kind: str, name: str, drawing: _Drawing, index: int) -> str:
    try:
        return check_name(kind, name)
    except BadNameError as error:
        raise BadNameError(error.message, drawing.place(index)) from None


def _merged_warnings(drawing: _Drawing) -> Iterator[str]:
    merged = drawing.graph.merged
    for first, second in merged[:MOST_NAMED]:
        yield (
            f"{drawing.place(second)}: a strict graph has one edge between two nodes: this label"
            f" replaces the one in line {drawing.place(first).line}"
        )
    if len(merged) > MOST_NAMED:
        place = drawing.place(merged[MOST_NAMED][1])
        yield f"{place}: here and further on, {len(merged) - MOST_NAMED} more labels are replaced"


# ---- nodes


def _names(drawing: _Drawing, mealy: bool) -> tuple[dict[str, str], dict[str, Outputs]]:
    """Names and Moore outputs of the states. Labels are names where each state has one of its
    own.
    """
    parts = {name: _parts(node) for name, node in drawing.nodes.items()}
    heads = {name: readable(parted[0]) for name, parted in parts.items()}
    records = any(len(parted) > 1 for parted in parts.values())
    distinct = all(heads.values()) and len(set(heads.values())) == len(heads)
    labels_are_outputs = not records and not distinct and not mealy
    names, moore = {}, {}
    for name, node in drawing.nodes.items():
        names[name] = _checked("state", heads[name] if distinct else name, drawing, node.at)
        rest = "|".join(parts[name][1:])
        outputs = _outputs(heads[name] if labels_are_outputs else rest, drawing, node.at)
        accept = (ACCEPT,) if _accepts(node) else ()
        moore[name] = tuple(dict.fromkeys((*outputs, *accept)))
    return names, moore


def _parts(node: DotNode) -> list[str]:
    """The fields of a node's label: its name, and behind it Moore outputs."""
    label = _node_label(node)
    if label.startswith("{") and label.endswith("}") and not label.endswith("\\}"):
        label = label[1:-1]
    fields = split(label, ("|",))
    if _word(node.attributes, "shape") in ("record", "mrecord"):
        return [_without_port(each) for each in fields]
    return fields


def _without_port(field: str) -> str:
    """A record's field may begin with the name of a port, ``<port>``."""
    port, closed, rest = field.lstrip().partition(">")
    return rest if closed and port.startswith("<") else field


FORMAT = Format(
    "dot",
    (".dot", ".gv"),
    read_dot,
    write_dot,
    "Graphviz: learned automata, labels input/output",
    {"nfa": read_dot_nfa},
    fits=fits_dot,
)
