"""A finite state machine: frozen, checked when built. Its interpreter is the oracle of every
test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from html import escape
from typing import TypedDict

from vsafsm.durations import WAIT, duration_text, parse_duration
from vsafsm.errors import (
    BadNameError,
    PlotError,
    SpecError,
    UnknownInputError,
    UnknownStateError,
    did_you_mean,
)
from vsafsm.options import check_option

Outputs = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """Where a (state, input) pair leads, and the Mealy outputs on the way.

    Examples
    --------
    >>> import vsafsm
    >>> vsafsm.load("specs/turnstile.yaml").transition("unlocked", "push")
    Transition(to='locked', outputs=('click',))
    """

    to: str
    outputs: Outputs = ()


@dataclass(frozen=True)
class Trace:
    """What the interpreter saw on a word of n inputs.

    Attributes
    ----------
    inputs
        The word, n names.
    states
        n + 1 names, the initial state first.
    initial_outputs
        Moore outputs of the initial state.
    outputs
        n tuples: the transition's Mealy outputs, then the Moore outputs of the state reached.
    """

    inputs: tuple[str, ...]
    states: tuple[str, ...]
    initial_outputs: Outputs
    outputs: tuple[Outputs, ...]


@dataclass(frozen=True)
class Clock:
    """An input that comes by itself, and the seconds from one time to the next."""

    symbol: str
    seconds: Fraction


@dataclass(frozen=True, repr=False)
class Machine:
    """A deterministic, complete finite state machine with Moore and Mealy outputs.

    Parameters
    ----------
    name
        The machine's name.
    states, inputs
        Names, in order; S states and A inputs, both at least one.
    initial
        The state it starts in.
    table
        S rows of A transitions: ``table[x][a]`` is taken from ``states[x]`` on ``inputs[a]``.
    moore
        S tuples of output names, one for each state.
    compile_options
        Compile options that the spec asks for, as (name, value) pairs, each at most once.
    clock
        Which input is a tick, and how long it takes; None where time plays no part.

    Raises
    ------
    SpecError
        One of its subclasses, naming the first thing that does not fit.
    OptionError
        If there is no such compile option, or its value is out of range.

    Examples
    --------
    >>> import vsafsm
    >>> lamp = vsafsm.Machine.from_dict(
    ...     {"transitions": {"off": {"press": "on"}, "on": {"press": "off"}}}
    ... )
    >>> lamp
    <Machine machine: states 2, inputs 1>
    >>> lamp.run(["press"]).states
    ('off', 'on')
    """

    name: str
    states: tuple[str, ...]
    inputs: tuple[str, ...]
    initial: str
    table: tuple[tuple[Transition, ...], ...]
    moore: tuple[Outputs, ...]
    compile_options: tuple[tuple[str, str | int | float], ...] = ()
    clock: Clock | None = None

    def __post_init__(self) -> None:
        for part in ("states", "inputs", "table", "moore", "compile_options"):
            if not isinstance(getattr(self, part), tuple):
                raise SpecError(
                    f"{part} of a machine are {type(getattr(self, part)).__name__}; expected a"
                    " tuple"
                )
        check_name("machine", self.name)
        for state in self.states:
            check_name("state", state)
        for symbol in self.inputs:
            check_name("input", symbol)
        _check_distinct(self.states, "state")
        _check_distinct(self.inputs, "input")
        if not self.inputs:
            raise SpecError(f'machine "{self.name}" has no inputs; expected at least one')
        self.state_index(self.initial)
        if len(self.table) != len(self.states) or len(self.moore) != len(self.states):
            raise SpecError(
                f'machine "{self.name}" needs a row of transitions and outputs for each state'
            )
        for state, row in zip(self.states, self.table, strict=True):
            if len(row) != len(self.inputs):
                raise SpecError(
                    f'state "{state}" has {len(row)} transitions, expected {len(self.inputs)}'
                )
        if not {taken.to for row in self.table for taken in row} <= self._state_indices.keys():
            for taken in (taken for row in self.table for taken in row):
                self.state_index(taken.to)
        _check_outputs(taken.outputs for row in self.table for taken in row)
        _check_outputs(self.moore)
        names = [name for name, _ in self.compile_options]
        if len(set(names)) != len(names):
            raise SpecError(f'machine "{self.name}" has a compile option twice')
        for name, value in self.compile_options:
            if type(value) not in (str, int, float):
                raise SpecError(
                    f'compile option "{name}" is {value!r}; expected a text or a number'
                )
            check_option(name, value)
        if self.clock is not None:
            self.check_input(self.clock.symbol)
            if self.clock.seconds <= 0:
                raise SpecError(
                    f'the clock of machine "{self.name}" has a period of {self.clock.seconds} s;'
                    " expected one above 0"
                )

    @classmethod
    def from_dict(cls, parts: Mapping[str, object]) -> Machine:
        """A machine from its transitions as a dictionary of dictionaries.

        Parameters
        ----------
        parts
            ``transitions``: for each state, where each input leads. That is the name of a state, or
            a list of it and the Mealy outputs on the way. The input ``"*"`` stands for every other
            one. An input that a state does not list leaves it where it is.

            Optional are ``initial`` (by default the first state), ``outputs`` (Moore outputs of
            states: a list of names, or one name), ``inputs`` (the alphabet in order; by default
            the inputs of the transitions), ``name`` (by default ``"machine"``) and ``clock`` (the
            period of the input ``tick``, such as ``"100 ms"``).

        Raises
        ------
        SpecError
            One of its subclasses, naming the first thing that does not fit.

        Examples
        --------
        >>> turnstile = Machine.from_dict({
        ...     "initial": "locked",
        ...     "transitions": {
        ...         "locked": {"coin": "unlocked"},
        ...         "unlocked": {"push": ["locked", "click"]},
        ...     },
        ...     "outputs": {"locked": "closed", "unlocked": "open"},
        ... })
        >>> turnstile.run(["coin", "push"]).outputs
        (('open',), ('click', 'closed'))
        """
        return cls(**_parts(parts))

    def __repr__(self) -> str:
        return f"<Machine {self.name}: states {len(self.states)}, inputs {len(self.inputs)}>"

    def _repr_html_(self) -> str:
        """Its graph as SVG, for notebooks; its size in words where it is too large to draw."""
        # A drawing room, and the one arrow from a core file to it: only notebooks call this.
        from vsafsm.plotting.svg import standalone

        try:
            return standalone(self)
        except PlotError:
            return f"<p>{escape(repr(self))}</p>"

    @cached_property
    def _state_indices(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.states)}

    @cached_property
    def _input_indices(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.inputs)}

    def state_index(self, state: str) -> int:
        """Position of `state` in ``states``; raises `UnknownStateError`."""
        try:
            return self._state_indices[state]
        except KeyError:
            hint = did_you_mean(state, self.states)
            raise UnknownStateError(
                f'unknown state "{state}"; expected {listed(self.states)}{hint}'
            ) from None

    def input_index(self, symbol: str) -> int:
        """Position of `symbol` in ``inputs``; raises `UnknownInputError`."""
        try:
            return self._input_indices[symbol]
        except KeyError:
            hint = did_you_mean(symbol, self.inputs)
            if self.clock is not None and symbol.startswith(WAIT):
                period = duration_text(self.clock.seconds, " ")
                hint = f'; here, write "{self.clock.symbol}" once per {period} in place of a wait'
            raise UnknownInputError(
                f'unknown input "{symbol}"; expected {listed(self.inputs)}{hint}'
            ) from None

    def check_input(self, symbol: str) -> None:
        """Raise `UnknownInputError` where `symbol` is no input."""
        self.input_index(symbol)

    def transition(self, state: str, symbol: str) -> Transition:
        """The transition taken from `state` on `symbol`."""
        return self.table[self.state_index(state)][self.input_index(symbol)]

    def outputs_of(self, state: str) -> Outputs:
        """Moore outputs of `state`."""
        return self.moore[self.state_index(state)]

    def mealy(self, state: str | None, outputs: Outputs) -> Outputs:
        """Outputs of a transition: those that were put out, less the Moore outputs of the state
        reached, which stand last; of None, all.
        """
        moore = () if state is None else self.outputs_of(state)
        return outputs[: len(outputs) - len(moore)]

    def run(self, word: Iterable[str]) -> Trace:
        """Interpret `word` from the initial state. This is the oracle: it knows nothing of
        neurons.
        """
        inputs = tuple(word)
        states, outputs = [self.initial], []
        for symbol in inputs:
            taken = self.transition(states[-1], symbol)
            states.append(taken.to)
            outputs.append(taken.outputs + self.outputs_of(taken.to))
        return Trace(inputs, tuple(states), self.outputs_of(self.initial), tuple(outputs))

    def demonstration(self, length: int = 8) -> tuple[str, ...]:
        """A word that leaves each state where it can, trying each state's inputs in turn."""
        state, word = self.initial, []
        tried: Counter[str] = Counter()
        for _ in range(length):
            order = [(tried[state] + n) % len(self.inputs) for n in range(len(self.inputs))]
            away = [a for a in order if self.transition(state, self.inputs[a]).to != state] or order
            tried[state] = away[0] + 1
            word.append(self.inputs[away[0]])
            state = self.transition(state, word[-1]).to
        return tuple(word)

    @cached_property
    def reachable(self) -> tuple[str, ...]:
        """The states that some word reaches, in order of discovery (breadth first)."""
        rows = dict(zip(self.states, self.table, strict=True))
        found = {self.initial}
        queue = [self.initial]
        for state in queue:
            for taken in rows[state]:
                if taken.to not in found:
                    found.add(taken.to)
                    queue.append(taken.to)
        return tuple(queue)

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The states that no word reaches, in declared order."""
        reached = set(self.reachable)
        return tuple(s for s in self.states if s not in reached)

    @property
    def reachable_transitions(self) -> int:
        """Number of (reachable state, input) pairs."""
        return len(self.reachable) * len(self.inputs)

    @property
    def self_loops(self) -> int:
        """Number of reachable (state, input) pairs that stay where they are."""
        rows = dict(zip(self.states, self.table, strict=True))
        return sum(taken.to == state for state in self.reachable for taken in rows[state])


def check_name(kind: str, name: object) -> str:
    """`name` if it can name a `kind` (machine, state, input or output); raises `BadNameError`."""
    if not isinstance(name, str):
        raise BadNameError(f"{kind} name {name!r} is not text")
    if not name or name != name.strip() or not name.isprintable():
        raise BadNameError(
            f"{kind} name {name[:80]!r} is empty, has spaces around it or characters that do not"
            " print"
        )
    return name


def listed(names: Sequence[str], most: int = 8) -> str:
    """``one of: a, b, c`` with at most `most` names."""
    rest = f", ... ({len(names)} in all)" if len(names) > most else ""
    return "one of: " + ", ".join(names[:most]) + rest if names else "none is declared"


def _check_distinct(names: Sequence[str], kind: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadNameError(f'{kind} "{name}" is declared twice')
        seen.add(name)


def _check_outputs(groups: Iterable[Outputs]) -> None:
    seen: set[Outputs] = set()
    for group in groups:
        if not isinstance(group, tuple):
            raise SpecError(f"outputs {group!r} are no tuple; expected a tuple of names")
        if group in seen:
            continue
        seen.add(group)
        for output in group:
            check_name("output", output)
        _check_distinct(group, "output")


# ---- from a dictionary

_EVERY_OTHER = "*"
_KEYS = ("name", "initial", "inputs", "transitions", "outputs", "clock")
TICK = "tick"
"""The input of a clock whose period alone is given."""


class _Parts(TypedDict):
    name: str
    states: tuple[str, ...]
    inputs: tuple[str, ...]
    initial: str
    table: tuple[tuple[Transition, ...], ...]
    moore: tuple[Outputs, ...]
    clock: Clock | None


def _parts(parts: Mapping[str, object]) -> _Parts:
    """The arguments of `Machine` for a dictionary that `Machine.from_dict` takes."""
    fields = _mapping(parts, "a machine", 'the key "transitions"')
    if "states" in fields and "transitions" not in fields:
        raise SpecError("a mapping with states is a spec; expected vsafsm.load(mapping) for it")
    for key in fields:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            raise SpecError(f'unknown key "{key}" of a machine; expected {listed(_KEYS)}{hint}')
    rows = {
        state: {
            symbol: _transition(target, f'the transition of state "{state}" on "{symbol}"')
            for symbol, target in _mapping(
                {} if row is None else row, f'state "{state}"', "a key for each input"
            ).items()
        }
        for state, row in _mapping(
            fields.get("transitions", {}), "transitions", "a key for each state"
        ).items()
    }
    states = tuple(rows)
    if not states:
        raise SpecError("a machine has no transitions; expected a key for each state")
    for taken in (taken for row in rows.values() for taken in row.values()):
        if taken.to not in rows:
            hint = did_you_mean(taken.to, states)
            raise UnknownStateError(
                f'unknown state "{taken.to}"; expected {listed(states)}{hint}, or'
                f' "{taken.to}": {{}} among the transitions for a state that nothing leaves'
            )
    listed_inputs = dict.fromkeys(a for row in rows.values() for a in row if a != _EVERY_OTHER)
    inputs = _names(fields["inputs"], "inputs") if "inputs" in fields else tuple(listed_inputs)
    outputs = _mapping(fields.get("outputs", {}), "outputs", "a key for each state")
    for kind, names, known, error in (
        ("state", outputs, states, UnknownStateError),
        ("input", listed_inputs, inputs, UnknownInputError),
    ):
        there = set(known)
        for name in names:
            if name not in there:
                hint = did_you_mean(name, known)
                raise error(f'unknown {kind} "{name}"; expected {listed(known)}{hint}')
    return _Parts(
        name=_name(fields.get("name", "machine"), "name"),
        states=states,
        inputs=inputs,
        initial=_name(fields.get("initial", states[0]), "initial"),
        table=tuple(
            tuple(row.get(a, row.get(_EVERY_OTHER, Transition(state))) for a in inputs)
            for state, row in rows.items()
        ),
        moore=tuple(_names(outputs.get(state, ()), f'outputs of "{state}"') for state in states),
        clock=Clock(TICK, parse_duration(_name(fields["clock"], "clock"), "clock"))
        if "clock" in fields
        else None,
    )


def _mapping(value: object, what: str, expected: str) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise SpecError(f"{what} is {_shown(value)}; expected a mapping with {expected}")
    return {_name(key, f"a key of {what}"): each for key, each in value.items()}


def _transition(value: object, what: str) -> Transition:
    to, *outputs = value if isinstance(value, list | tuple) and value else (value,)
    return Transition(
        _name(to, what), tuple(_name(each, f"an output of {what}") for each in outputs)
    )


def _names(value: object, what: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        value = (value,)
    return tuple(_name(each, what) for each in value)


def _name(value: object, what: str) -> str:
    """A name; whole numbers are names too."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise BadNameError(f"{what} is {_shown(value)}; expected a name")


def _shown(value: object, most: int = 200) -> str:
    """A value as an error shows it: its first letters, where it is long."""
    text = repr(value)
    return text if len(text) <= most else text[:most] + "..."
