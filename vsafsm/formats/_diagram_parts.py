"""What diagrams of states say, line by line, in Mermaid as in PlantUML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal as OneOf

from vsafsm.errors import Location


@dataclass(frozen=True, slots=True)
class Piece:
    """Text as it is written, without spaces around it, and where it begins."""

    text: str
    place: Location

    def part(self, start: int, end: int | None = None) -> Piece:
        """The text from one index to another."""
        text = self.text[start:end]
        column = self.place.column + start + len(text) - len(text.lstrip())
        return Piece(text.strip(), Location(self.place.source, self.place.line, column))

    def split(self, mark: str) -> list[Piece]:
        """The parts between marks."""
        found, start = [], 0
        for each in self.text.split(mark):
            found.append(self.part(start, start + len(each)))
            start += len(each) + len(mark)
        return found


@dataclass(frozen=True, slots=True)
class End:
    """Where an arrow begins or ends: a state, ``[*]``, or a history; without a name that of the
    state around.
    """

    name: str
    kind: OneOf["state", "point", "shallow", "deep"]
    place: Location


@dataclass(frozen=True, slots=True)
class Declared:
    """``state "text" as id <<kind>> {``; `opens` where states inside follow."""

    id: str
    place: Location
    text: Piece | None = None
    kind: str = "state"
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Closed:
    """``}``."""

    place: Location


@dataclass(frozen=True, slots=True)
class Divided:
    """``--`` between regions."""

    place: Location


@dataclass(frozen=True, slots=True)
class Arrow:
    """``source --> target : label``."""

    source: End
    target: End
    label: Piece | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """``state : text``."""

    state: End
    text: Piece


@dataclass(frozen=True, slots=True)
class Titled:
    """What the diagram is called."""

    text: str


Statement = Declared | Closed | Divided | Arrow | Described | Titled


@dataclass(frozen=True, slots=True)
class Dialect:
    """What two languages for diagrams do otherwise.

    Attributes
    ----------
    name
        What the language is called.
    arrow
        From a line and an index to the arrow that begins there; None where none does.
    decode
        Text without escapes.
    kinds
        Every ``<<kind>>`` that has a meaning, with what `Declared` calls it.
    keywords
        Words that a line can begin with, for errors.
    other_kinds
        Whether other kinds are allowed, which say nothing.
    lone_names
        Whether a line with a name alone declares a state.
    histories
        Whether there are ``[H]`` and ``[H*]``.
    """

    name: str
    arrow: Callable[[str, int], Sign | None]
    decode: Callable[[str], str]
    kinds: dict[str, str]
    keywords: tuple[str, ...]
    other_kinds: bool
    lone_names: bool
    histories: bool


@dataclass(frozen=True, slots=True)
class Sign:
    """An arrow in a line: the index behind it, whether it points to the left, and whether it is
    drawn.
    """

    end: int
    left: bool = False
    drawn: bool = True
