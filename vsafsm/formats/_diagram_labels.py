"""Labels of arrows, as UML writes them: ``event, event [guard] / output, output``.

Each part may be missing. An event may be ``after 500 ms`` or ``after(500 ms)``. A guard is what
`vsafsm.statecharts.parse_expression` reads, or ``else``. Among the outputs, ``name = value``,
``name += value`` and ``name -= value`` give variables their values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from vsafsm.durations import parse_duration
from vsafsm.errors import SyntaxSpecError
from vsafsm.formats._charts import assignment
from vsafsm.formats._diagram_lines import one_line
from vsafsm.formats._diagram_parts import Dialect, Piece
from vsafsm.formats._events import named
from vsafsm.statecharts import Assign, Output, parse_expression
from vsafsm.statecharts.expressions import Expression

AFTER, IF, ELSE = "after", "if", "else"

Told = tuple[Output | Assign, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """What a label says.

    Attributes
    ----------
    events
        Names of events.
    after
        Times in seconds.
    guard
        The guard; None where there is none, or it is ``else``.
    otherwise
        Whether it is ``else``.
    actions
        Outputs and assignments.
    """

    events: tuple[str, ...] = ()
    after: tuple[Fraction, ...] = ()
    guard: Expression | None = None
    otherwise: bool = False
    actions: Told = ()

    @property
    def waits(self) -> bool:
        """Whether it is for an event or a time."""
        return bool(self.events or self.after)

    @property
    def guarded(self) -> bool:
        """Whether there is a guard."""
        return self.otherwise or self.guard is not None


def label_of(piece: Piece | None, dialect: Dialect, choice: bool = False) -> Label:
    """What a label says; behind a choice, ``if condition`` is a guard too.

    Raises
    ------
    SpecError
        One of its subclasses, with the place.
    """
    if piece is None or not piece.text:
        return Label()
    guard_at, slash = piece.text.find("["), piece.text.find("/")
    if guard_at >= 0 and (slash < 0 or guard_at < slash):
        end = piece.text.find("]", guard_at)
        if end < 0:
            raise SyntaxSpecError('"[" is not closed; expected "]"', piece.part(guard_at).place)
        behind = piece.part(end + 1)
        if behind.text and not behind.text.startswith("/"):
            raise SyntaxSpecError(
                f'"{behind.text[:40]}" stands behind a guard; expected "/" and outputs, or the end',
                behind.place,
            )
        found = _guarded(piece.part(guard_at + 1, end), dialect)
        triggers, told = piece.part(0, guard_at), behind
    else:
        slash = slash if slash >= 0 else len(piece.text)
        found, triggers, told = Label(), piece.part(0, slash), piece.part(slash)
        if choice and triggers.text.startswith(f"{IF} "):
            found = _guarded(triggers.part(len(IF)), dialect)
            triggers = triggers.part(0, 0)
    if len(told.text) > 1:
        found = replace(found, actions=actions_of(told.part(1), dialect))
    return _triggered(found, triggers, dialect)


def actions_of(piece: Piece, dialect: Dialect) -> Told:
    """The outputs and assignments between commas; raises as `label_of`."""
    return tuple(_action(each, dialect) for each in piece.split(","))


def _action(piece: Piece, dialect: Dialect) -> Output | Assign:
    if not piece.text:
        raise SyntaxSpecError("an output is missing; expected a name", piece.place)
    assigned = assignment(piece.text, piece.place)
    name = one_line(dialect.decode(piece.text))
    return assigned or Output(named("output", name, piece.place), piece.place)


def _guarded(piece: Piece, dialect: Dialect) -> Label:
    if piece.text == ELSE:
        return Label(otherwise=True)
    return Label(guard=parse_expression(dialect.decode(piece.text), piece.place))


def _triggered(found: Label, piece: Piece, dialect: Dialect) -> Label:
    if not piece.text:
        return found
    events: dict[str, None] = {}
    after: dict[Fraction, None] = {}
    for each in piece.split(","):
        if not each.text:
            raise SyntaxSpecError("an event is missing; expected a name", each.place)
        if each.text == "*":
            raise SyntaxSpecError(
                '"*" is no event here; expected the names of events, between commas', each.place
            )
        time = _time(each)
        if time is not None:
            after[parse_duration(time.text, f'a time behind "{AFTER}"', time.place)] = None
        else:
            events[named("input", one_line(dialect.decode(each.text)), each.place)] = None
    return replace(found, events=tuple(events), after=tuple(after))


def _time(piece: Piece) -> Piece | None:
    """The time of ``after 3 s`` or ``after(3 s)``; None for all else."""
    if not piece.text.startswith(AFTER):
        return None
    inner = piece.part(len(AFTER))
    if inner.text.startswith("("):
        if not inner.text.endswith(")"):
            raise SyntaxSpecError('"(" is not closed; expected ")"', inner.place)
        return inner.part(1, len(inner.text) - 1)
    apart = piece.text[len(AFTER) : len(AFTER) + 1].isspace()
    return inner if apart and inner.text[0] in "0123456789+-." else None
