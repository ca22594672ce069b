"""A chart in YAML as a `Statechart`, and as the flat machine that it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from vsafsm.errors import (
    BadNameError,
    Location,
    NotImportableError,
    SpecError,
    SyntaxSpecError,
    SystemSpecError,
    TooLargeError,
    UnknownInputError,
    did_you_mean,
)
from vsafsm.formats import Reading, summarised
from vsafsm.formats._charts import chart_reading
from vsafsm.formats._nodes import Node, Scalar
from vsafsm.formats._yaml_data import duration_of, literal_of, variables_of
from vsafsm.formats._yaml_fields import (
    TOP_KEYS,
    fields_of,
    name_of,
    names_of,
    separate_networks,
    unlisted_error,
    unlisted_told,
)
from vsafsm.formats._yaml_options import compile_options_of
from vsafsm.formats._yaml_paths import Paths
from vsafsm.formats._yaml_shape import (
    Arrow,
    Effect,
    Setting,
    Shape,
    any_of,
    children_of,
    initial_of,
    walk_shapes,
)
from vsafsm.formats._yaml_writer import EVERY_OTHER
from vsafsm.machine import listed
from vsafsm.statecharts import (
    Assign,
    History,
    Raise,
    State,
    Statechart,
    Transition,
    parse_expression,
)
from vsafsm.statecharts.chart import DONE
from vsafsm.statecharts.expressions import (
    KINDS,
    And,
    Comparison,
    Expression,
    In,
    Literal,
    Names,
    Not,
    Or,
    Sum,
    resolved,
    unknown_variable,
)
from vsafsm.statecharts.flattening import MOST_CONFIGURATIONS
from vsafsm.statecharts.parts import Action

TICK = "tick"


def reading_of(root: Node) -> Reading:
    """The flat machine of a chart; raises `SpecError`."""
    reader = _Reader(root)
    chart = reader.chart()
    reader.check_waits(chart)
    if chart.separate:
        raise SystemSpecError(
            f'regions and long waits of "{chart.name}" are networks of their own, as "networks:'
            ' separate" says; expected a spec of one network here, or one of: vsafsm compile, run,'
            " prove, info, and in Python vsafsm.systems.networks_of(vsafsm.load_chart(...))",
            reader.top["networks"].location,
        )
    return chart_reading(chart, tuple(reader.doubts()))


def chart_of(root: Node) -> Statechart:
    """The chart that a spec is, a flat one too; raises `SpecError`."""
    return _Reader(root).chart()


class _Reader:
    def __init__(self, root: Node) -> None:
        self.root = root
        self.top = fields_of(root, "a spec", TOP_KEYS, ("machine",))
        self.name = name_of(self.top["machine"], "machine")
        if "states" not in self.top and "regions" not in self.top:
            raise SyntaxSpecError('a spec has no key "states"; expected it here', root.location)
        self.shapes = children_of(self.top, root, "a spec")
        self.initial = initial_of(self.top, "a spec", root, "states" in self.top)
        self.any = any_of(self.top.get("any"))
        self.variables = variables_of(self.top.get("data"))
        self.clock = duration_of(self.top["clock"], "clock") if "clock" in self.top else None
        self.all = tuple(walk_shapes(self.shapes))
        self.places = {shape.path: shape.place for shape in self.all}
        self.paths = Paths(self.name, self.all)
        self.names = Names(
            {each.name: each.kind for each in self.variables.values()},
            {e.name: texts for e in self.variables.values() if (texts := e.texts) is not None},
            {shape.path: None for shape in self.all if shape.kind != "history"},
        )
        self.raised = self.events_raised()
        self.inputs = self.events_from_outside()

    def chart(self) -> Statechart:
        self.check_unlisted()
        self.check_times()
        children = tuple(self.part(shape, "") for shape in self.shapes)
        initial = self.paths.all(self.initial, "")
        if "regions" in self.top:
            around = self.name
            while around in self.places:
                around += "'"
            children = (State(around, children, "parallel", place=self.top["regions"].location),)
            initial = (around,)
        return Statechart(
            self.name,
            children,
            initial=initial,
            transitions=self.transitions("", self.any),
            data=tuple(self.variables.values()),
            clock=self.clock,
            inputs=self.inputs,
            tick=TICK,
            compile_options=compile_options_of(self.top.get("compile")),
            separate=separate_networks(self.top.get("networks")),
            place=self.root.location,
            initial_place=self.initial[0].location if self.initial else None,
        )

    # ---- events

    def arrows(self) -> Iterator[Arrow]:
        for shape in self.all:
            yield from (*shape.arrows, *shape.done)
        yield from self.any

    def events_raised(self) -> Mapping[str, Location]:
        """The events that the chart raises itself, with the first place of each."""
        blocks = [arrow.effects for arrow in self.arrows()]
        blocks += [block for shape in self.all for block in (shape.entry, shape.exit)]
        raised: dict[str, Location] = {}
        for each in (each for block in blocks for each in block):
            if isinstance(each, Raise) and each.place is not None:
                raised.setdefault(each.event, each.place)
        named = {arrow.event for arrow in self.arrows()}
        for event, place in raised.items():
            if event not in named:
                known = sorted(each for each in named if each not in (None, EVERY_OTHER))
                raise SpecError(
                    f'event "{event}" is raised, and no transition names it; expected'
                    f" {listed(known)}{did_you_mean(event, known)}, or outputs",
                    place,
                )
        return raised

    def events_from_outside(self) -> tuple[str, ...]:
        """The alphabet in order, without the tick."""
        named: dict[str, Arrow] = {}
        for arrow in self.arrows():
            if arrow.event is not None and arrow.event != EVERY_OTHER:
                named.setdefault(arrow.event, arrow)
        if "inputs" not in self.top:
            return tuple(event for event in named if event not in self.raised)
        declared: dict[str, Location] = {}
        for name, place in names_of(self.top["inputs"], "input"):
            if name in declared:
                raise BadNameError(f'input "{name}" is declared twice', place)
            declared[name] = place
        for event, arrow in named.items():
            if event not in declared and event not in self.raised:
                hint = did_you_mean(event, declared)
                raise UnknownInputError(
                    f"{arrow.what} is on an input that inputs does not declare; expected"
                    f" {listed(list(declared))}{hint}",
                    arrow.place,
                )
        return tuple(declared)

    # ---- states and transitions

    def part(self, shape: Shape, around: str) -> State | History:
        if shape.kind == "history":
            targets = self.paths.all(shape.initial, around)
            return History(shape.path, targets, shape.deep, place=shape.place)
        kind = shape.kind
        transitions = self.transitions(shape.path, shape.arrows)
        done = self.transitions(shape.path, shape.done, DONE + shape.path)
        return State(
            shape.path,
            tuple(self.part(child, shape.path) for child in shape.children),
            "final" if kind == "final" else "parallel" if kind == "parallel" else "state",
            shape.name,
            self.paths.all(shape.initial, shape.path),
            entry=self.actions(shape.entry, shape.path),
            exit=self.actions(shape.exit, shape.path),
            outputs=shape.outputs,
            transitions=(*transitions, *done),
            place=shape.place,
            initial_place=shape.initial[0].location if shape.initial else None,
        )

    def scope(self, state: str) -> str:
        """The state among whose states a state looks for names first."""
        return self.paths.around.get(state, "")

    def transitions(
        self, state: str, arrows: Sequence[Arrow], event: str | None = None
    ) -> tuple[Transition, ...]:
        own = {arrow.event for arrow in arrows}
        others = tuple(each for each in self.inputs if each not in own)
        return tuple(self.transition(state, arrow, others, event) for arrow in arrows)

    def transition(
        self, state: str, arrow: Arrow, others: tuple[str, ...], event: str | None
    ) -> Transition:
        named = arrow.event or event
        events = others if named == EVERY_OTHER else () if named is None else (named,)
        targets = self.paths.all(arrow.to, self.scope(state), state)
        if arrow.internal:
            self.check_internal(arrow, arrow.internal, targets, state)
        return Transition(
            events,
            targets,
            self.guard(arrow.guard, state) if arrow.guard else None,
            self.actions(arrow.effects, state),
            arrow.internal is not None,
            after=arrow.after[1] if arrow.after else None,
            place=arrow.place,
            target_place=arrow.to[0].location if arrow.to else None,
        )

    def check_internal(
        self, arrow: Arrow, place: Location, targets: tuple[str, ...], state: str
    ) -> None:
        """Raise `SpecError` where a transition cannot stay inside its state."""
        kinds = {shape.path: shape.kind for shape in self.all}
        inside = all(each.startswith(f"{state}.") for each in targets)
        if not targets or not inside or kinds.get(state) != "state":
            raise SpecError(
                f"{arrow.what} is internal; expected a target inside of its state, which has"
                ' "states"',
                place,
            )

    def actions(self, effects: Iterable[Effect], state: str) -> tuple[Action, ...]:
        return tuple(
            self.assign(each, state) if isinstance(each, Setting) else each for each in effects
        )

    def assign(self, each: Setting, state: str) -> Assign:
        name, text, place = each.variable.text, each.value.text, each.value.location
        if name not in self.variables:
            told = unknown_variable(name, list(self.variables))
            raise SpecError(told, each.variable.location)
        variable = self.variables[name]
        value = literal_of(text, variable) if variable.kind == "text" else None
        found = Literal(value) if value is not None else self.expression(each.value, state)
        if isinstance(found, Literal) and not variable.can_be(found.value):
            raise SpecError(
                f'variable "{name}" is set to {text[:80]}; expected {variable.expected}', place
            )
        return Assign(name, found, place)

    # ---- conditions and values

    def guard(self, scalar: Scalar, state: str) -> Expression:
        found = self.expression(scalar, state)
        _, kind = resolved(found, self.names, scalar.location)
        if kind != "truth":
            raise SpecError(
                f'"{scalar.text[:80]}" is {KINDS[kind]}; expected a condition', scalar.location
            )
        return found

    def expression(self, scalar: Scalar, state: str) -> Expression:
        try:
            found = parse_expression(scalar.text, scalar.location, states=self.paths.ends)
        except NotImportableError as error:
            raise SyntaxSpecError(error.message, error.location) from None
        return self.with_paths(found, state, scalar.location)

    def with_paths(self, each: Expression, state: str, place: Location) -> Expression:
        """An expression with the path of each state that it names."""

        def inside(parts: Iterable[Expression]) -> tuple[Expression, ...]:
            return tuple(self.with_paths(part, state, place) for part in parts)

        if isinstance(each, In):
            return In(self.paths.of(each.state, self.scope(state), place, state))
        if isinstance(each, Not):
            return Not(*inside((each.inner,)))
        if isinstance(each, And | Or):
            return type(each)(inside(each.parts))
        if isinstance(each, Comparison):
            return Comparison(each.sign, *inside((each.left, each.right)))
        if isinstance(each, Sum):
            terms = inside(term for _, term in each.terms)
            return Sum(tuple(zip((sign for sign, _ in each.terms), terms, strict=True)))
        return each

    # ---- checks of the whole

    def check_unlisted(self) -> None:
        place = unlisted_error(self.top.get("unlisted"))
        if place is None:
            return
        parallel = next((shape for shape in self.all if shape.kind == "parallel"), None)
        if parallel or "regions" in self.top:
            raise SpecError(
                "unlisted is error in a chart with regions, which share the inputs; expected stay",
                place,
            )
        self.refuse_unlisted(self.shapes, {arrow.event for arrow in self.any})

    def refuse_unlisted(self, shapes: Sequence[Shape], around: set[str | None]) -> None:
        """Refuse an innermost state that, with those around it, does not list every input."""
        for shape in shapes:
            listing = around | {arrow.event for arrow in shape.arrows}
            if shape.children:
                self.refuse_unlisted(shape.children, listing)
            elif shape.kind == "state" and EVERY_OTHER not in listing:
                for event in self.inputs:
                    if event not in listing:
                        raise SpecError(unlisted_told(shape.path, event), shape.place)

    def waits(self) -> Iterator[tuple[Location, Fraction]]:
        return (arrow.after for arrow in self.arrows() if arrow.after)

    def check_times(self) -> None:
        for place, seconds in self.waits():
            if self.clock is not None and seconds % self.clock:
                raise SpecError(
                    f"a time is {_shown(seconds)}, and the clock {_shown(self.clock)}; expected a"
                    " multiple of the clock",
                    place,
                )
        declared = names_of(self.top["inputs"], "input") if "inputs" in self.top else iter(())
        taken = [place for name, place in declared if name == TICK]
        taken += [arrow.place for arrow in self.arrows() if arrow.event == TICK]
        if taken and any(self.waits()):
            raise BadNameError(
                f'"{TICK}" is the input by which time passes; expected another name', taken[0]
            )

    def check_waits(self, chart: Statechart) -> None:
        """Refuse a wait that takes too many states, without making them."""
        for place, seconds in self.waits():
            ticks = seconds / (chart.period or 1)
            if ticks > MOST_CONFIGURATIONS:
                raise TooLargeError(
                    f"a time is {_shown(seconds)}, which is {ticks} ticks of"
                    f" {_shown(chart.period or Fraction(1))}; expected at most"
                    f" {MOST_CONFIGURATIONS}",
                    place,
                )

    def doubts(self) -> Iterator[str]:
        """What is allowed and probably not meant."""
        if self.clock is not None and TICK not in self.inputs and not any(self.waits()):
            yield f"{self.top['clock'].location}: there is a clock and nothing waits"
        if "inputs" in self.top and not any(arrow.event == EVERY_OTHER for arrow in self.arrows()):
            used = {arrow.event for arrow in self.arrows()}
            pairs = names_of(self.top["inputs"], "input")
            unused = {name: place for name, place in pairs if name not in used}
            yield from summarised(
                tuple(unused), unused.__getitem__, "input", "used by no transition"
            )


def _shown(seconds: Fraction) -> str:
    for unit, size in (("min", 60), ("s", 1)):
        if seconds % size == 0:
            return f"{seconds / size} {unit}"
    return f"{float(seconds * 1000):g} ms"
