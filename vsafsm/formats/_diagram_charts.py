"""From the statements of a diagram to a statechart.

A state lies where ``state`` declares it, or else where it is named first. What is drawn is UML's:

* A choice is a state that transitions without events leave. A fork stands for all its targets; a
  join leaves the parallel state around its sources once all of them are active.
* An arrow to ``[*]`` leads to a final state of its region. One without event from a state whose
  regions all have such an arrow waits until they are done.
* ``entry /``, ``exit /`` and ``do /`` in the description of a state are outputs when it is entered
  and left, and while it is active; ``event [guard] / output`` is a transition inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from vsafsm.errors import (
    Location,
    NondeterministicError,
    NotImportableError,
    SyntaxSpecError,
    TooLargeError,
    did_you_mean,
)
from vsafsm.formats import Reading
from vsafsm.formats._charts import chart_reading
from vsafsm.formats._diagram_labels import Label, Told, actions_of, label_of
from vsafsm.formats._diagram_layout import Layout, Node, Region
from vsafsm.formats._diagram_lines import breaks_as_spaces, one_line
from vsafsm.formats._diagram_parts import (
    Arrow,
    Dialect,
    End,
    Piece,
    Statement,
)
from vsafsm.machine import listed
from vsafsm.statecharts import Assign, History, Output, State, Statechart, Transition, Variable
from vsafsm.statecharts.chart import DONE
from vsafsm.statecharts.expressions import And, Expression, In, Literal
from vsafsm.statecharts.parts import Actions

MOST_TARGETS = 100
"""Most arrows from forks that follow each other, and to a join."""
_HISTORIES = ("history", "history*")
_BEFORE_OUTPUTS = ("", " ", "\t", "]")
_SAYS = ("entry", "exit", "do")


def diagram_reading(statements: Iterable[Statement], source: str, dialect: Dialect) -> Reading:
    """The machine of a diagram; errors as those of `diagram_chart`, and of
    `vsafsm.statecharts.flatten`.
    """
    found = _Diagram(statements, source, dialect)
    return chart_reading(found.chart(), tuple(found.warnings))


def diagram_chart(statements: Iterable[Statement], source: str, dialect: Dialect) -> Statechart:
    """The statechart of a diagram; it has the title for its name, or else that of the file.

    Raises
    ------
    SpecError
        One of its subclasses, with the place, for the first thing that has no meaning.
    """
    return _Diagram(statements, source, dialect).chart()


class _Drawn(NamedTuple):
    """An arrow, the region in which it stands, and its label."""

    region: Region
    arrow: Arrow
    label: Label


class _Diagram:
    def __init__(self, statements: Iterable[Statement], source: str, dialect: Dialect) -> None:
        self.layout = layout = Layout(statements, source)
        self.dialect = dialect
        self.nodes, self.regions, self.tops = layout.nodes, layout.regions, layout.tops
        self.tree, self.top = layout.tree, layout.top
        self.warnings: list[str] = []
        self.histories: dict[tuple[str, bool], History] = {}
        self.hosts = {
            node.id: node.region.id for node in self.nodes.values() if node.kind in _HISTORIES
        }
        self.defaults: dict[str, tuple[Region, Arrow]] = {}
        self.forks: dict[str, list[tuple[Region, Arrow]]] = {}
        self.joined: dict[str, list[_Drawn]] = {}
        self.data: list[Variable] = []
        self.arrows = self.sorted(layout.arrows)

    def chart(self) -> Statechart:
        for each in self.arrows:
            self.draw(each)
        for node in self.nodes.values():
            self.describe(node)
            self.check_certain(node)
        for region in self.regions:
            if region.bare:
                if not region.owner:
                    raise self.nowhere(region, region.place)
            else:
                place = region.start.target.place if region.start else region.place
                self.check_entered(region.id, self.initial(region)[0], place)
        initial, told = ((), ()) if self.top else self.initial(self.tops[0])
        for action in told:
            raise NotImportableError(
                "a fork behind the first [*] puts something out; expected no label", action.place
            )
        states = self.inside(self.tops[0]) if not self.top else (self.whole(),)
        start = self.tops[0].start
        return Statechart(
            self.layout.name,
            states,
            initial,
            data=tuple(self.data),
            place=self.layout.place,
            initial_place=start.target.place if start else None,
        )

    def whole(self) -> State:
        """The state around the regions of the whole diagram."""
        return State(
            self.top, self.beside(self.top, self.tops), kind="parallel", place=self.layout.place
        )

    # ---- which arrow is what

    def sorted(self, arrows: list[tuple[Region, Arrow]]) -> list[_Drawn]:
        """Those of states; the others are put where they belong."""
        found = []
        for region, each in arrows:
            if each.target.kind == "point" and not region.final:
                region.ends = True
                region.final = self.layout.free(f"{region.id}.end" if region.id else "end")
                self.hosts[region.final] = region.id
            node = self.nodes.get(each.source.name)
            if each.source.kind == "point" or (node and node.kind == "start"):
                self.start(region, each)
            elif each.source.kind != "state" or (node and node.kind in _HISTORIES):
                host = self.history(each.source, region)
                if host in self.defaults:
                    raise SyntaxSpecError(
                        "a history has another arrow in line"
                        f" {self.defaults[host][1].source.place.line}; expected one",
                        each.source.place,
                    )
                self.defaults[host] = (region, each)
            elif node and node.kind == "fork":
                self.forks.setdefault(node.id, []).append((region, each))
            else:
                choice = node is not None and node.kind == "choice"
                found.append(_Drawn(region, each, label_of(each.label, self.dialect, choice)))
        for drawn in found:
            if self.joins(drawn.arrow):
                self.joined.setdefault(drawn.arrow.target.name, []).append(drawn)
        return found

    def joins(self, arrow: Arrow) -> bool:
        """Whether an arrow leads to a join."""
        node = self.nodes.get(arrow.target.name)
        return arrow.target.kind == "state" and node is not None and node.kind == "join"

    def start(self, region: Region, arrow: Arrow) -> None:
        if region.start is not None:
            raise SyntaxSpecError(
                f'another arrow from "[*]" is in line {region.start.source.place.line}; expected'
                " one in each region",
                arrow.source.place,
            )
        region.start = arrow
        told = self.unguarded(arrow, "[*]")
        if region.owner:
            region.told = told
            return
        for each in told:
            if not isinstance(each, Assign):
                raise NotImportableError(
                    f'output "{each.name[:80]}" comes before the first state; expected the first'
                    ' values of variables alone, such as "tries = 0"',
                    each.place,
                )
            if not isinstance(each.value, Literal):
                raise NotImportableError(
                    f'the first value of "{each.variable[:80]}" is computed; expected a number, a'
                    " text or a truth value",
                    each.place,
                )
            self.data.append(Variable(each.variable, each.value.value, place=each.place))

    def unguarded(self, arrow: Arrow, what: str) -> Told:
        """The actions of an arrow from ``[*]``, a history or a fork."""
        label = label_of(arrow.label, self.dialect)
        place = arrow.label.place if arrow.label else arrow.source.place
        if label.guarded:
            raise NotImportableError(
                f'the arrow from "{what[:80]}" has a guard; expected a <<choice>> behind it', place
            )
        if label.waits and what != "[*]":
            raise NotImportableError(
                f'the arrow from "{what[:80]}" has an event; expected it on the arrows to it', place
            )
        if label.waits:
            self.warnings.append(
                f'{place}: what stands at an arrow from "[*]" is not waited for; expected'
                ' "/ output"'
            )
        return label.actions

    # ---- ends of arrows

    def targets(self, end: End, region: Region) -> tuple[tuple[str, ...], Actions]:
        """Ids that an end stands for, and what is put out on the way: a fork's."""
        pending, seen = [(end, region)], {""}
        found: dict[str, None] = {}
        actions: list[Output | Assign] = []
        while pending:
            each, where = pending.pop()
            node = self.nodes.get(each.name)
            if each.kind == "point":
                found[where.final] = None
            elif each.kind != "state" or (node and node.kind in _HISTORIES):
                found[self.history(each, where)] = None
            elif node and node.kind == "fork":
                if node.id in seen:
                    raise SyntaxSpecError(
                        f'the fork "{node.id[:80]}" is on two ways from here; expected it once',
                        end.place,
                    )
                seen.add(node.id)
                arrows = self.forks.get(node.id, [])
                if not arrows:
                    raise SyntaxSpecError(
                        f'the fork "{node.id[:80]}" leads nowhere; expected arrows from it',
                        node.place,
                    )
                for _, arrow in arrows:
                    actions += self.unguarded(arrow, node.id)
                pending += [(arrow.target, its) for its, arrow in reversed(arrows)]
            elif node and node.kind in ("join", "start"):
                raise NotImportableError(
                    f'the {node.kind} "{node.id[:80]}" is no target here; expected a state',
                    each.place,
                )
            else:
                found[each.name] = None
            if max(len(found), len(pending), len(seen)) > MOST_TARGETS:
                raise TooLargeError(f"forks have more than {MOST_TARGETS} targets", end.place)
        return tuple(found), tuple(actions)

    def history(self, end: End, region: Region) -> str:
        """The id of a history, which is made where it is named first."""
        node = self.nodes.get(end.name)
        if node and node.kind in _HISTORIES:
            return node.id
        host = end.name or region.id
        if not host:
            raise NotImportableError(
                '"[H]" stands outside of all states, which are never left; expected it inside one',
                end.place,
            )
        if node and not node.compound:
            raise SyntaxSpecError(
                f'state "{host[:80]}" has no states inside; expected some to remember', end.place
            )
        deep = end.kind == "deep"
        name = f"{host}[H*]" if deep else f"{host}[H]"
        self.histories.setdefault((host, deep), History(name, (), deep, place=end.place))
        self.hosts[name] = host
        return name

    # ---- transitions

    def draw(self, drawn: _Drawn) -> None:
        """Add the transitions of an arrow to the state that it leaves."""
        arrow, label = drawn.arrow, drawn.label
        node = self.nodes[arrow.source.name]
        if self.joins(arrow):
            if label.waits or label.guarded or node.kind != "state":
                raise NotImportableError(
                    f'an arrow to the join "{arrow.target.name[:80]}" has an event or a guard, or'
                    " leaves no state; expected outputs alone",
                    arrow.source.place,
                )
            return
        targets, told = self.targets(arrow.target, drawn.region)
        made = Transition(
            label.events,
            targets,
            label.guard,
            (*label.actions, *told),
            place=arrow.label.place if arrow.label else arrow.source.place,
            target_place=arrow.target.place,
        )
        if node.kind != "join":
            self.check_entered(node.id, targets, arrow.target.place)
        if node.kind == "join":
            self.join(node, label, made)
            return
        if node.kind == "choice" and label.waits:
            raise NotImportableError(
                f'an arrow from the choice "{node.id[:80]}" has an event; expected it on the arrows'
                " to the choice",
                arrow.label.place if arrow.label else arrow.source.place,
            )
        if not label.waits:
            made = self.completed(node, label, made)
        self.add(node, label, made)

    def add(self, node: Node, label: Label, made: Transition) -> None:
        into = node.otherwise if label.otherwise else node.made
        if made.events or not label.after:
            into.append(made)
        for seconds in label.after:
            into.append(replace(made, events=(), after=seconds))

    def completed(self, node: Node, label: Label, made: Transition) -> Transition:
        """A transition without event, as UML means it for a state with others inside."""
        if not node.compound:
            return made
        if all(region.ends for region in node.regions):
            return replace(made, events=(DONE + node.id,))
        if label.guarded:
            return made
        raise NotImportableError(
            f'an arrow without label leaves "{node.id[:80]}", which is never done: not every region'
            ' inside has an arrow to "[*]"; expected one, or an event',
            made.place,
        )

    def join(self, node: Node, label: Label, made: Transition) -> None:
        """The transition of the parallel state around what is joined."""
        incoming = self.joined.get(node.id, [])
        sources = list(dict.fromkeys(each.arrow.source.name for each in incoming))
        if len(incoming) > MOST_TARGETS:
            raise TooLargeError(f"a join has more than {MOST_TARGETS} sources", node.place)
        around = sources[0] if sources else ""
        for each in sources[1:]:
            around = self.tree.common(around, each)
        inner = {self.tree.child(each, around) for each in sources} if around else set()
        if around not in self.tree.parallel or len(inner) < len(sources) or around in sources:
            raise NotImportableError(
                f'the join "{node.id[:80]}" joins what is not in different regions of one state;'
                ' expected states beside "--"',
                node.place,
            )
        guards: list[Expression] = [In(each) for each in sources]
        guards += [label.guard] if label.guard is not None else []
        told = tuple(action for each in incoming for action in each.label.actions)
        made = replace(made, guard=And(tuple(guards)), actions=(*told, *made.actions))
        self.check_entered(around, made.targets, made.target_place or node.place)
        self.add(self.nodes_or_top(around, node), label, made)

    def nodes_or_top(self, around: str, node: Node) -> Node:
        if around == self.top:
            raise NotImportableError(
                f'the join "{node.id[:80]}" leaves the regions of the whole diagram; expected'
                " states inside one",
                node.place,
            )
        return self.nodes[around]

    def check_certain(self, node: Node) -> None:
        """Refuse transitions of a state that are enabled at once for sure."""
        for group in (node.made, node.otherwise):
            group.sort(key=lambda each: (each.place.line, each.place.column) if each.place else ())
        node.made += node.otherwise
        seen: dict[tuple[str, int], Transition] = {}
        conditions: dict[object, int] = {}
        for each in node.made:
            condition = conditions.setdefault((each.guard, each.after), len(conditions))
            for event in each.events or ("",):
                before = seen.setdefault((event, condition), each)
                if before is not each:
                    told = f'on "{event[:80]}"' if event else "without an event"
                    line = before.place.line if before.place else 1
                    raise NondeterministicError(
                        f'state "{node.id[:80]}" has another transition {told} in line {line};'
                        " expected events or guards that tell them apart",
                        each.place,
                    )

    # ---- states

    def describe(self, node: Node) -> None:
        """Take what the descriptions of a state say."""
        for piece in node.described:
            for line in piece.split("\n"):
                slash = line.text.find("/")
                word = line.text[: max(slash, 0)].strip().lower()
                if word in _SAYS:
                    self.say(node, word, actions_of(line.part(slash + 1), self.dialect))
                elif slash >= 0 and line.text[:slash][-1:] in _BEFORE_OUTPUTS:
                    self.within(node, line)

    def say(self, node: Node, word: str, told: Told) -> None:
        if word == "entry":
            node.entry += told
        elif word == "exit":
            node.exit += told
        for each in told if word == "do" else ():
            if isinstance(each, Assign):
                raise NotImportableError(
                    f'variable "{each.variable[:80]}" is set behind "do"; expected outputs, or'
                    ' "entry"',
                    each.place,
                )
            node.outputs[each.name] = None

    def within(self, node: Node, line: Piece) -> None:
        """A transition that stays inside its state."""
        label = label_of(line, self.dialect)
        if not label.waits:
            raise SyntaxSpecError(
                f'a transition inside "{node.id[:80]}" has no event; expected one, or'
                f" {listed(_SAYS)}",
                line.place,
            )
        for each in label.actions:
            if isinstance(each, Output) and each.name == "defer":
                raise NotImportableError(
                    "an event is deferred, which no configuration remembers; expected outputs",
                    line.place,
                )
        for event in label.events:
            hint = did_you_mean(event, _SAYS)
            if hint:
                self.warnings.append(f'{line.place}: "{event[:80]}" is read as an event{hint}')
        made = Transition(label.events, (), label.guard, label.actions, place=line.place)
        self.add(node, label, made)

    def inside(self, region: Region) -> tuple[State | History, ...]:
        """The children of what a region becomes."""
        found = [each for node in region.nodes for each in self.built(node)]
        if region.final:
            place = next((each.place for each in region.nodes), region.place)
            found.append(State(region.final, kind="final", name="end", place=place))
        return (*found, *self.histories_of(region.id))

    def built(self, node: Node) -> Iterator[State | History]:
        if node.kind in _HISTORIES:
            deep = node.kind == "history*"
            yield self.remembering(History(node.id, (), deep, place=node.place), node.region.id)
        if node.kind not in ("state", "choice", "end"):
            return
        name = one_line(self.dialect.decode(breaks_as_spaces(node.text.text))) if node.text else ""
        made = State(
            node.id,
            name=name,
            kind="final" if node.kind == "end" else "state",
            entry=tuple(node.entry),
            exit=tuple(node.exit),
            outputs=tuple(node.outputs),
            transitions=tuple(node.made),
            place=node.place,
        )
        if len(node.regions) > 1:
            made = replace(made, children=self.beside(node.id, node.regions), kind="parallel")
        elif node.compound:
            (region,) = node.regions
            initial, told = self.initial(region)
            made = replace(
                made, children=self.inside(region), initial=initial, initial_actions=told
            )
        yield made

    def beside(self, owner: str, regions: list[Region]) -> tuple[State | History, ...]:
        """Regions as states, and what remembers them all."""
        found = []
        for region in regions:
            initial, told = self.initial(region)
            found.append(
                State(
                    region.id,
                    self.inside(region),
                    name=region.number,
                    initial=initial,
                    initial_actions=told,
                    place=region.place,
                )
            )
        return (*found, *self.histories_of(owner))

    def initial(self, region: Region) -> tuple[tuple[str, ...], Actions]:
        """What is entered with a region, and what is done then; nothing where nobody enters it
        without a target inside.
        """
        if region.start is not None:
            targets, told = self.targets(region.start.target, region)
            return targets, (*region.told, *told)
        only = region.states if not region.bare else []
        return tuple(only), ()

    def check_entered(self, source: str, targets: tuple[str, ...], place: Location) -> None:
        """Raise `SyntaxSpecError` where targets enter a region that does not tell where it starts,
        and none lies in it; `source` is the state that is left, or the region that is entered.
        """
        stays = {"", *self.tree.around(source)} if source else {""}
        entered: dict[str, None] = {}
        covered: set[str] = set()
        for target in targets:
            path = [target] if target in self.tree.parents else []
            host = self.hosts.get(target, target)
            around = [*([host] if host != target else []), *self.tree.around(host)]
            covered.update(around)
            entered.update(dict.fromkeys(each for each in (*path, *around) if each not in stays))
        for each in entered:
            beside = self.nodes[each].regions if each in self.nodes else []
            for region in beside:
                if region.bare and region.id not in covered:
                    raise self.nowhere(region, place)

    def nowhere(self, region: Region, place: Location) -> SyntaxSpecError:
        what = f'"{region.owner[:80]}"' if region.owner else "the diagram"
        return SyntaxSpecError(
            f'no arrow from "[*]" tells where {what} starts; expected one inside', place
        )

    def histories_of(self, host: str) -> Iterator[History]:
        for deep in (False, True):
            made = self.histories.get((host, deep))
            if made is not None:
                yield self.remembering(made, host)

    def remembering(self, made: History, host: str) -> History:
        """A history with what it stands for while there is nothing to remember."""
        if made.id in self.defaults:
            region, arrow = self.defaults[made.id]
            targets, told = self.targets(arrow.target, region)
            self.check_entered(host, targets, arrow.target.place)
            return replace(made, targets=targets, actions=(*self.unguarded(arrow, "[H]"), *told))
        beside = self.nodes[host].regions if host in self.nodes else []
        if len(beside) > 1:
            regions = tuple(each.id for each in beside)
            self.check_entered(host, regions, made.place or self.layout.place)
            return replace(made, targets=regions)
        inner = self.layout.by_id.get(host)
        if inner is not None and host:
            if inner.bare:
                raise self.nowhere(inner, made.place or inner.place)
            targets, told = self.initial(inner)
            return replace(made, targets=targets, actions=told)
        raise NotImportableError(
            f'the history "{made.id[:80]}" is outside of all states, which are never left; expected'
            " it inside one",
            made.place,
        )
