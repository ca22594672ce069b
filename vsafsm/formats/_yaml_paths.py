"""Which state a name in a chart means."""

from __future__ import annotations

from collections.abc import Iterable

from vsafsm.errors import Location, SpecError, UnknownStateError, did_you_mean
from vsafsm.formats._nodes import Scalar
from vsafsm.formats._yaml_shape import Shape
from vsafsm.machine import listed


class Paths:
    """The states and histories of a chart by their paths, and by the ends of those.

    Parameters
    ----------
    machine
        Name of the chart, which may stand before a path.
    shapes
        Its states and histories, in document order.
    """

    def __init__(self, machine: str, shapes: Iterable[Shape]) -> None:
        self.before = machine + "."
        self.around: dict[str, str] = {}
        self.ends: dict[str, list[str]] = {}
        for shape in shapes:
            around = shape.path[: -len(shape.name) - 1]
            self.around.setdefault(shape.path, around)
            end, scope = shape.name, around
            while True:
                self.ends.setdefault(end, []).append(shape.path)
                if not scope:
                    break
                outer = self.around[scope]
                end, scope = f"{scope[len(outer) + 1 if outer else 0 :]}.{end}", outer

    def of(self, text: str, scope: str, place: Location, inside: str = "") -> str:
        """The path of the state that `text` means among the states inside `scope` (an empty text
        for the top).

        It is looked for there, then level by level further out, then inside the state `inside`;
        then everywhere.

        Raises
        ------
        UnknownStateError
            If there is no such state.
        SpecError
            If there are several, elsewhere.
        """
        level = scope
        while level:
            if f"{level}.{text}" in self.around:
                return f"{level}.{text}"
            level = self.around[level]
        if text in self.around:
            return text
        if f"{inside}.{text}" in self.around:
            return f"{inside}.{text}"
        found = self.ends.get(text, [])
        if len(found) == 1:
            return found[0]
        if found:
            raise SpecError(
                f'state "{text[:80]}" may be one of several; expected {listed(found)}', place
            )
        if text.removeprefix(self.before) in self.around:
            return text.removeprefix(self.before)
        known = list(self.around)
        near = did_you_mean(text, dict.fromkeys((*known, *self.ends)))
        raise UnknownStateError(
            f'unknown state "{text[:80]}"; expected {listed(known)}{near}', place
        )

    def all(self, names: Iterable[Scalar], scope: str, inside: str = "") -> tuple[str, ...]:
        """The paths that several names mean; raises as `of`."""
        return tuple(self.of(name.text, scope, name.location, inside) for name in names)
