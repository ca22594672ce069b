"""A statechart as text for Graphviz, with the tree that it is: a box in a box for each state.

Regions have dashed frames. A dot leads to what is entered first. A transition of a state with
states inside begins at its frame, and one that leads to such a state ends there.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Sequence
from html import escape

from vsafsm.durations import duration_text
from vsafsm.errors import PlotError
from vsafsm.plotting.geometry import MOST_STATES
from vsafsm.plotting.style import LIT, MUTED, STATE, STATE_RIM
from vsafsm.statecharts import (
    Assign,
    Block,
    Cancel,
    Fail,
    History,
    Output,
    Raise,
    Send,
    State,
    Statechart,
    Transition,
    Variable,
)
from vsafsm.statecharts.chart import DONE
from vsafsm.statecharts.expressions import Expression, In, Literal, parts_of, written
from vsafsm.statecharts.parts import Action, transitions_of, walk

ACROSS = 30
"""Letters in a line of a label, where it has blanks to break at."""
NOTE_FONT = 11.0
"""Of the smallest text."""
ABOVE_ARROW = 4
"""Points between a label and its arrow."""
_LINE, _FILL, _LIT, _SMALL = STATE_RIM, STATE, LIT, MUTED
_HEAD = f"""\
digraph {{
  graph [compound=true, rankdir=LR, bgcolor="white", fontname="Helvetica", fontsize=13,
    nodesep=0.35, ranksep=0.45, labeljust=l];
  node [shape=box, style="rounded,filled", fillcolor="{_FILL}", color="{_LINE}",
    fontname="Helvetica", fontsize=13, margin="0.16,0.08"];
  edge [color="{MUTED}", fontname="Helvetica", fontsize={NOTE_FONT:g}, arrowsize=0.7];"""
_SOLID = f'label="", style=filled, fillcolor="{_LINE}", fixedsize=true'
_BAR = f"shape=box, width=0.05, height=0.5, {_SOLID}"
_DOT = f"shape=circle, width=0.12, {_SOLID}"


def nested_graph(chart: Statechart, lit: Collection[str] = ()) -> str:
    """DOT to look at; the innermost states whose ids are in `lit` are lit up.

    Raises
    ------
    PlotError
        If there are more than `MOST_STATES` states.
    """
    if len(chart.nodes) > MOST_STATES:
        raise PlotError(
            f'chart "{chart.name}" has {len(chart.nodes)} states, too many to draw; expected at'
            f" most {MOST_STATES}"
        )
    return "\n".join([*_Drawing(chart, lit).lines(), "}"]) + "\n"


class _Drawing:
    """`number` has each state by its place in document order, `place` by the order in which states
    are laid out, from left to right.
    """

    def __init__(self, chart: Statechart, lit: Collection[str]) -> None:
        self.chart, self.lit = chart, lit
        self.number = {node.id: i for i, (node, _) in enumerate(walk(chart.root))}
        self.around = {node.id: above for node, above in walk(chart.root)}
        self.place = {name: i for i, name in enumerate(self.in_order(chart.root))}
        self.dotted = {node.id for node, _ in walk(chart.root) if self.has_dot(node)}
        self.any_of: set[str] = set()
        """States that are written out as "any in ...": a transition leads from them inwards."""
        self.ended: set[str] = set()
        """Parallel states with an end on the right: an arrow begins or ends there."""
        for state, transition in transitions_of(chart.root):
            for target in transition.targets:
                if state.states and self.within(target, state.id):
                    self.any_of.add(state.id)
                if self.has_frame(target) and self.within(state.id, target):
                    self.dotted.add(target)

    def lines(self) -> Iterator[str]:
        yield _HEAD
        if self.chart.data:
            told = ["data:", *map(_declared, self.chart.data)]
            yield f"  labelloc=b; label={_label('', told, 'left')};"
        arrows = list(self.all_arrows())
        yield from self.inside(self.chart.root)
        yield from self.first_arrows()
        yield from arrows

    def has_dot(self, node: State | History) -> bool:
        """Whether a dot leads to what is entered first in a state."""
        if not isinstance(node, State) or not node.compound:
            return False
        return not (node is self.chart.root and self.unsaid(node.states[0]))

    # ---- from left to right

    def in_order(self, state: State) -> Iterator[str]:
        """A state and all inside, by discovery among siblings; histories first."""
        yield state.id
        yield from (child.id for child in state.children if isinstance(child, History))
        for child in self.discovered(state):
            yield from self.in_order(child)

    def discovered(self, state: State) -> list[State]:
        """The states directly inside one, in the order in which transitions lead to them."""
        child_of = {node.id: child for child in state.states for node, _ in walk(child)}
        leads: dict[str, list[State]] = {}
        for source, transition in transitions_of(state):
            for target in transition.targets:
                if source.id in child_of and target in child_of:
                    leads.setdefault(child_of[source.id].id, []).append(child_of[target])
        firsts = [child_of[each] for each in state.initial if each in child_of]
        found: dict[str, State] = {}
        for first in (*firsts, *state.states):
            queue = [first]
            for each in queue:
                if each.id not in found:
                    found[each.id] = each
                    queue += leads.get(each.id, [])
        return list(found.values())

    # ---- states

    def inside(self, state: State) -> Iterator[str]:
        """What is drawn in the frame of a state with states inside."""
        number = self.number[state.id]
        if state.id in self.any_of:
            name = f"any in {state.called}" if state.id else "any state"
            yield f'  a{number} [label={_label(name)}, style="rounded,dashed"];'
        if state.id in self.dotted:
            yield f"  i{number} [{_DOT}];"
        elif state.kind == "parallel" and not self.unsaid(state):
            # What nobody sees keeps regions to the right of where arrows reach their frame.
            yield f"  i{number} [{_DOT}, style=invis];"
            for region in state.states:
                yield f"  i{number} -> {self.first(region)} [style=invis];"
        if state.id in self.ended:
            yield f"  o{number} [{_DOT}, style=invis];"
            for region in state.states:
                yield f"  {self.last(region)} -> o{number} [style=invis];"
        # Graphviz lays frames out from the bottom upwards.
        children = reversed(state.children) if state.kind == "parallel" else state.children
        for child in children:
            if isinstance(child, History):
                name = "H*" if child.deep else "H"
                yield (
                    f'  s{self.number[child.id]} [shape=circle, label="{name}", margin=0,'
                    " width=0.34, fixedsize=true, fontsize=11];"
                )
            elif child.states and not self.unsaid(child):
                yield from self.frame(child, state.kind == "parallel")
            elif child.states:
                yield from self.inside(child)
            else:
                yield self.node(child, state.kind == "parallel")

    def unsaid(self, state: State) -> bool:
        """Whether a state is only there to hold the regions of the chart."""
        if self.chart.states != (state,) or state.kind != "parallel":
            return False
        named = any(state.id in each.targets for _, each in transitions_of(self.chart.root))
        return not (named or state.transitions or _notes(state))

    def frame(self, state: State, region: bool) -> Iterator[str]:
        style = "rounded,dashed" if region else "rounded"
        yield f"  subgraph cluster_{self.number[state.id]} {{"
        yield f"  label={_label(state.called, _notes(state), 'left')}; labelloc=t;"
        yield f'  style="{style}"; color="{_LINE}";'
        yield from self.inside(state)
        yield "  }"

    def node(self, state: State, region: bool) -> str:
        more = f', fillcolor="{_LIT}", penwidth=2' if state.id in self.lit else ""
        more += ", peripheries=2" if state.kind == "final" else ""
        more += ', style="rounded,filled,dashed"' if region else ""
        return f"  s{self.number[state.id]} [label={_label(state.called, _notes(state))}{more}];"

    # ---- arrows

    def first_arrows(self) -> Iterator[str]:
        """From the dot of each state to what is entered first; from histories to their defaults."""
        for node, _ in walk(self.chart.root):
            if isinstance(node, History):
                start, actions, targets = f"s{self.number[node.id]}", node.actions, node.targets
            elif node.id in self.dotted:
                start, actions, targets = f"i{self.number[node.id]}", node.initial_actions, ()
                if node.kind == "parallel":
                    targets = tuple(child.id for child in node.states)
                targets = targets or node.initial or (node.states[0].id,)
            else:
                continue
            for target in targets:
                end, frame = self.end(target, node.id, False)
                yield _arrow(start, end, [_acted(actions)] if actions else [], "", frame)

    def all_arrows(self) -> Iterator[str]:
        together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for state, each in transitions_of(self.chart.root):
            if each.targets:
                together.setdefault((state.id, each.targets), []).append(_told(each, state))
        for number, ((source, targets), told) in enumerate(together.items()):
            inwards = any(self.within(target, source) for target in targets)
            if len(targets) == 1:
                yield self.arrow(source, targets[0], told, inwards)
                continue
            # A bar, from which an arrow leads to each target.
            bar = f"f{number}"
            start, frame = self.start(source, inwards, False)
            yield f"  {bar} [{_BAR}];"
            yield _arrow(start, bar, told, frame, "", "arrowhead=none")
            for target in targets:
                end, frame = self.end(target, source, False)
                yield _arrow(bar, end, [], "", frame)

    def arrow(self, source: str, target: str, told: Sequence[str], inwards: bool) -> str:
        """One from left to right, or one that is drawn so and has its head on the left."""
        back = not inwards and self.place[target] < self.place[source]
        start, tail = self.start(source, inwards, back)
        end, head = self.end(target, source, back)
        if back:
            return _arrow(end, start, told, head, tail, "dir=back")
        return _arrow(start, end, told, tail, head)

    def start(self, state: str, inwards: bool, back: bool) -> tuple[str, str]:
        """Where an arrow begins, and the frame that it is cut off at."""
        number = self.number[state]
        if not self.has_frame(state):
            return f"s{number}", ""
        if inwards:
            return f"a{number}", ""
        node = self.node_of(state)
        return self.first(node) if back else self.last(node), f"cluster_{number}"

    def end(self, state: str, source: str, back: bool) -> tuple[str, str]:
        """Where an arrow ends, and the frame that it is cut off at."""
        number = self.number[state]
        if not self.has_frame(state):
            return f"s{number}", ""
        if self.within(source, state):
            return f"i{number}", ""
        node = self.node_of(state)
        return self.last(node) if back else self.first(node), f"cluster_{number}"

    def first(self, state: State | History) -> str:
        """What stands on the left in a frame."""
        if not isinstance(state, State) or not state.states:
            return f"s{self.number[state.id]}"
        return f"{'a' if state.id in self.any_of else 'i'}{self.number[state.id]}"

    def last(self, state: State | History) -> str:
        """What stands on the right in a frame."""
        while isinstance(state, State) and state.states:
            if state.kind == "parallel":
                self.ended.add(state.id)
                return f"o{self.number[state.id]}"
            state = max(state.states, key=lambda each: self.place[each.id])
        return f"s{self.number[state.id]}"

    def has_frame(self, state: str) -> bool:
        """Whether a state has states inside."""
        node = self.node_of(state)
        return isinstance(node, State) and bool(node.states)

    def node_of(self, state: str) -> State | History:
        return self.chart.nodes[state] if state else self.chart.root

    def within(self, inner: str, outer: str) -> bool:
        """Whether a state is another or inside it."""
        above: State | History | None = self.node_of(inner)
        while above is not None and above.id != outer:
            above = self.around[above.id]
        return above is not None


# ---- words


def _declared(each: Variable) -> str:
    values = "" if each.values is None or each.kind == "truth" else f" ({each.expected})"
    return f"{each.name} = {written(Literal(each.initial))}{values}"


def _notes(state: State) -> list[str]:
    """What is written below the name of a state."""
    notes = [", ".join(state.outputs)] if state.outputs else []
    notes += [f"entry / {_acted(state.entry)}"] if state.entry else []
    notes += [f"exit / {_acted(state.exit)}"] if state.exit else []
    return notes + [_stays(each, state) for each in state.transitions if not each.targets]


def _stays(each: Transition, state: State) -> str:
    """A transition that leads nowhere."""
    nothing = "" if each.actions else " / nothing"
    return f"{'on ' if each.events else ''}{_told(each, state)}{nothing}"


def _told(each: Transition, state: State) -> str:
    """A transition in words: what it is taken on, its guard, what it does."""
    events = ("done" if event == DONE + state.id else event for event in each.events)
    parts = [", ".join(events)]
    parts += [f"after {duration_text(each.after, ' ')}"] if each.after is not None else []
    parts += [f"idle for {duration_text(each.idle, ' ')}"] if each.idle is not None else []
    parts += [f"[{_condition(each.guard)}]"] if each.guard is not None else []
    parts += [f"/ {_acted(each.actions)}"] if each.actions else []
    return " ".join(part for part in parts if part)


def _condition(guard: Expression) -> str:
    """A guard as it is written, with the paths of states without quotes."""
    text = written(guard)
    for part in parts_of(guard):
        if isinstance(part, In):
            text = text.replace(written(part), f"in({part.state})")
    return text


def _acted(actions: Sequence[Action]) -> str:
    return ", ".join(map(_action, actions))


def _action(each: Action) -> str:
    if isinstance(each, Output):
        return each.name
    if isinstance(each, Raise):
        return f"raise {each.event}"
    if isinstance(each, Send):
        late = f" in {duration_text(each.delay, ' ')}" if each.delay else ""
        return f"send {each.event}{late}"
    if isinstance(each, Cancel):
        return f"cancel {each.id}"
    if isinstance(each, Assign):
        return f"{each.variable} = {written(each.value)}"
    if isinstance(each, Fail):
        return f"fail {each.event}"
    if isinstance(each, Block):
        return _acted(each.actions)
    return " else ".join(
        ("" if guard is None else f"if {_condition(guard)} ") + f"{{{_acted(actions)}}}"
        for guard, actions in each.branches
    )


# ---- text for Graphviz


def _arrow(
    start: str, end: str, told: Sequence[str], tail: str = "", head: str = "", more: str = ""
) -> str:
    """An arrow with its label, cut off at the frames `tail` and `head`."""
    parts = [f"label={_on_white(_label('', told))}"] if any(told) else []
    parts += [f"ltail={tail}"] if tail else []
    parts += [f"lhead={head}"] if head else []
    parts += [more] if more else []
    return f"  {start} -> {end} [{', '.join(parts)}];"


def _as_html(text: str) -> str:
    """A text in a label of HTML. Graphviz hands a text to its XML reader in pieces, and the reader
    does not take a piece that ends in a bracket, which may be the start of "]]>".
    """
    return escape(text).replace("]", "&#93;")


def _on_white(label: str) -> str:
    """A label that covers what it lies on, such as the frame of a state; the room below it keeps it
    off its own arrow.
    """
    return (
        '<<table border="0" cellborder="0" cellspacing="0" cellpadding="0">'
        f'<tr><td bgcolor="white">{label[1:-1]}</td></tr>'
        f'<tr><td height="{ABOVE_ARROW}"></td></tr></table>>'
    )


def _label(name: str, notes: Sequence[str] = (), align: str = "center") -> str:
    """An HTML-like label: a name, and notes below it in small letters."""
    lines = [_as_html(name)] if name else []
    for note in notes:
        for line in textwrap.wrap(note, ACROSS, break_long_words=False, break_on_hyphens=False):
            lines.append(
                f'<font point-size="{NOTE_FONT:g}" color="{_SMALL}">{_as_html(line)}</font>'
            )
    return "<" + "".join(f'{line}<br align="{align}"/>' for line in lines) + ">"
